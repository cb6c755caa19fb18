//! `agent.toml`: resolved once into typed settings, never read again.
//!
//! Touches: one file. Every key is explained in `raw` and in docs/reference/agent-config.md.
//! Never: guesses; an unknown key, a value out of range or a key nobody uses is refused.

mod raw;
mod resolve;

use crate::device_dir::DeviceDir;
use crate::limits::CONFIG_BYTES_MAX;
use lapwing_core::Slot;
#[cfg(feature = "wake-mqtt")]
use lapwing_transport::client::BrokerUrl;
use lapwing_transport::client::{ClientSettings, ServerUrl};
use raw::RawConfig;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::num::NonZeroU64;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The name that provisioning gives to the file.
pub const DEFAULT_CONFIG_NAME: &str = "agent.toml";

/// All an agent needs to know.
#[derive(Debug, Clone)]
pub struct AgentSettings {
    /// The directory that `lapwing device provision` made.
    pub device_dir: PathBuf,
    /// What the brain goes by.
    pub brain: lapwing_device::Settings,
    /// Where and how to talk.
    pub client: ClientSettings,
    /// How long the first answer over CoAP may take before the question is sent again.
    pub coap_first_timer_ms: u64,
    /// How it may be told to check in, if it may.
    pub wake: Option<WakeSettings>,
    /// Named facts about the device.
    pub facts: Vec<(String, String)>,
    /// How health and the world are measured.
    pub measuring: MeasuringSettings,
    /// How a switch takes effect.
    pub restart: RestartSettings,
    /// Where `lapwing-launcher` lies.
    pub launcher: PathBuf,
    /// Bytes of an artifact or image between two flushes.
    pub checkpoint_bytes: u64,
    /// How fast an artifact may come; as fast as it does if not given.
    pub transfer_bytes_per_s_max: Option<NonZeroU64>,
    /// The slot whose image runs, if the host knows better than the launcher's word in `LAPWING_SLOT`.
    pub slot: Option<Slot>,
}

/// How a device may be told to check in now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WakeSettings {
    /// By the first server that is asked by CoAP, on a socket that stays open.
    Observe,
    /// By way of this broker, on a connection that stays open.
    #[cfg(feature = "wake-mqtt")]
    Mqtt(BrokerUrl),
}

impl WakeSettings {
    /// What the server must know to call. Who observes it knows by that.
    pub(crate) fn fact(&self) -> Option<(String, String)> {
        match self {
            Self::Observe => None,
            #[cfg(feature = "wake-mqtt")]
            Self::Mqtt(_) => Some(("wake".to_owned(), "mqtt".to_owned())),
        }
    }
}

/// How health and the world are measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeasuringSettings {
    /// Between two measurements.
    pub interval_ms: u64,
    /// Less free space than this is unhealthy.
    pub disk_free_bytes_min: u64,
    /// Less available memory than this is unhealthy.
    pub memory_available_bytes_min: u64,
    /// Unhealthy unless this command ends with 0 in time.
    pub health: Option<CommandLine>,
    /// Prints what it knows of the world.
    pub conditions: Option<CommandLine>,
    /// The owner opted out.
    pub opted_out: bool,
}

/// A command and its arguments, and how long it may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// The program and its arguments.
    pub words: Vec<String>,
    /// After this it is killed and counts as failed.
    pub timeout_ms: u64,
}

/// How a switch takes effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestartSettings {
    /// This process becomes the launcher, which becomes the new image: same process id.
    Launcher,
    /// The run ends; a supervisor starts the launcher again.
    Exit,
    /// A command sees to it.
    Command(CommandLine),
    /// The program is a child of this process, which starts the launcher itself.
    Child {
        /// How long the program may take to end when asked.
        stop_timeout_ms: u64,
    },
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("the configuration cannot be read")]
    Read(#[source] io::Error),
    /// The file is not TOML, or has a key that is not known, or lacks one.
    #[error("the configuration is not understood")]
    Parse(#[source] toml::de::Error),
    /// A value is not one that its key may have.
    #[error("`{key}` {what}")]
    Value {
        /// Which key.
        key: &'static str,
        /// What it should be.
        what: String,
    },
}

/// What a configuration names and this machine does not have.
#[derive(Debug, thiserror::Error)]
pub enum SurroundingsError {
    /// Servers would be asked in a security context that is not there.
    #[error("{} does not exist: provision the device for CoAP, or name no coap:// server", .0.display())]
    NoContext(PathBuf),
    /// Nobody provisioned the directory, or it is another one.
    #[error("{} holds no slots: name the directory that `lapwing device provision` made in `device_dir`", .0.display())]
    NoSlots(PathBuf),
    /// There would be no way into an image.
    #[error("{} is not a program: name where lapwing-launcher lies in `launcher` below [restart]", .0.display())]
    NoLauncher(PathBuf),
}

impl AgentSettings {
    /// Reads a configuration file. Relative paths in it are meant from its own directory.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = read(path).map_err(ConfigError::Read)?;
        let beside = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        Self::parse(&text, beside.unwrap_or(Path::new(".")))
    }

    /// Reads a configuration that lies in `dir`.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn parse(text: &str, dir: &Path) -> Result<Self, ConfigError> {
        let raw: RawConfig = toml::from_str(text).map_err(ConfigError::Parse)?;
        resolve::resolve(raw, dir)
    }

    /// Whether what the settings name is there: the slots, and the launcher where one is needed.
    ///
    /// # Errors
    /// The first thing that is missing.
    pub fn check_surroundings(&self) -> Result<(), SurroundingsError> {
        let dir = DeviceDir::new(self.device_dir.clone());
        if !dir.slot_table().is_file() || !Slot::ALL.iter().all(|slot| dir.slot(*slot).is_dir()) {
            return Err(SurroundingsError::NoSlots(self.device_dir.clone()));
        }
        if self.client.servers.iter().any(ServerUrl::is_coap) && !dir.context().is_file() {
            return Err(SurroundingsError::NoContext(dir.context()));
        }
        let needed = matches!(self.restart, RestartSettings::Launcher | RestartSettings::Child { .. });
        let is_program = |found: Metadata| found.is_file() && found.permissions().mode() & 0o111 != 0;
        match needed && !fs::metadata(&self.launcher).is_ok_and(is_program) {
            true => Err(SurroundingsError::NoLauncher(self.launcher.clone())),
            false => Ok(()),
        }
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(CONFIG_BYTES_MAX + 1).read_to_string(&mut text)?;
    if text.len() as u64 > CONFIG_BYTES_MAX {
        return Err(ErrorKind::FileTooLarge.into());
    }
    Ok(text)
}
