//! The keys of `agent.toml`, as they are written.
//!
//! Touches: `serde`. Entered from: `config`. Units stand last in a name; a key without a default
//! must be there. Never: interpreted here; `resolve` does that, and uses every key.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::path::PathBuf;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    /// Name of this device.
    pub(super) device_id: String,
    /// Vendor and class id, 32 hexadecimal digits each, with `/` between.
    pub(super) hardware: String,
    /// The component that this agent keeps up to date.
    #[serde(default = "RawConfig::component")]
    pub(super) component: String,
    /// Addresses of servers, best first: `https://` or `coap://`.
    pub(super) servers: Vec<String>,
    /// Allows plain HTTP to other machines. The device's secret is then not sent.
    #[serde(default)]
    pub(super) insecure_http: bool,
    /// The directory with slots, record and trust documents; that of this file if not given.
    pub(super) device_dir: Option<PathBuf>,
    /// Version of the bootloader, 0 if there is none.
    #[serde(default)]
    pub(super) bootloader_version: u32,
    /// Most memory that applying a delta may take: `64KiB`, `256KiB`, `1MiB` or `free` (up to 32 MiB).
    #[serde(default = "RawConfig::memory_profile")]
    pub(super) memory_profile: String,
    /// Largest image that a slot can hold, bytes.
    #[serde(default = "RawConfig::slot_bytes_max")]
    pub(super) slot_bytes_max: u64,
    /// Bytes of an artifact between two flushes, and of an image at least; what a power cut may cost.
    #[serde(default = "RawConfig::checkpoint_bytes")]
    pub(super) checkpoint_bytes: u64,
    /// An artifact comes no faster than this, bytes a second; as fast as it does if not given.
    pub(super) transfer_bytes_per_s_max: Option<NonZeroU64>,
    /// How this device may be told to check in now, on a socket that stays open. `"observe"`: by the CoAP server.
    /// `{ mqtt = "mqtts://..." }`: by way of a broker, in a build with feature `wake-mqtt`.
    pub(super) wake: Option<RawWake>,
    /// What the defaults are for: `broadband`, or `nb-iot`, where a byte and a round trip are dear.
    pub(super) link_profile: Option<String>,
    /// Facts for filters and strata, by name.
    #[serde(default)]
    pub(super) facts: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) provisioned: RawProvisioned,
    #[serde(default)]
    pub(super) talking: RawTalking,
    #[serde(default)]
    pub(super) http: RawHttp,
    #[serde(default)]
    pub(super) coap: RawCoap,
    #[serde(default)]
    pub(super) data_budget: RawDataBudget,
    #[serde(default)]
    pub(super) tries: RawTries,
    #[serde(default)]
    pub(super) trial: RawTrial,
    #[serde(default)]
    pub(super) versions: RawVersions,
    #[serde(default)]
    pub(super) measuring: RawMeasuring,
    #[serde(default)]
    pub(super) restart: RawRestart,
}

impl RawConfig {
    fn component() -> String {
        "app".to_owned()
    }

    fn memory_profile() -> String {
        "1MiB".to_owned()
    }

    const fn slot_bytes_max() -> u64 {
        u32::MAX as u64
    }

    const fn checkpoint_bytes() -> u64 {
        16 * 1024
    }
}

/// How to be told to check in.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RawWake {
    /// The first server that is asked by CoAP calls.
    Observe,
    /// Somebody calls at this broker.
    #[cfg(feature = "wake-mqtt")]
    Mqtt(String),
}

/// What was in the slot when the device left the factory.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawProvisioned {
    /// Its version; `0.0.0` if not given.
    pub(super) version: Option<String>,
    /// Its seq, 0 if it never was released.
    pub(super) seq: u64,
    /// Its security version, which is also the first floor.
    pub(super) security_version: u32,
}

/// When to talk.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawTalking {
    /// Between check-ins. If given, a server may ask for more often and not for less often.
    pub(super) check_in_interval_ms: Option<u64>,
    /// The first check-in comes at a random time within this after a start.
    pub(super) boot_spread_ms: Option<u64>,
    /// An answer later than this does not count.
    pub(super) answer_window_ms: Option<u64>,
    /// First back-off after a failure.
    pub(super) retry_first_ms: Option<u64>,
    /// Longest back-off.
    pub(super) retry_max_ms: Option<u64>,
    /// A signed answer is demanded at least this often.
    pub(super) signed_status_max_age_ms: Option<u64>,
    /// Every check-in asks for a signed answer.
    pub(super) always_signed: Option<bool>,
    /// Events are reported when they happen, not with the next check-in.
    pub(super) report_promptly: Option<bool>,
    /// The link is used for so long, and then rests until `awake_every_ms` have passed since it began.
    pub(super) awake_ms: Option<u64>,
    /// From the beginning of one such time to that of the next.
    pub(super) awake_every_ms: Option<u64>,
}

/// How long to wait for a server.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawHttp {
    /// For a connection, TLS included.
    pub(super) connect_timeout_ms: Option<u64>,
    /// For the next bytes.
    pub(super) stall_timeout_ms: Option<u64>,
    /// For a whole exchange of anything but an artifact.
    pub(super) exchange_timeout_ms: Option<u64>,
}

/// What is known of a link before the first answer.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawCoap {
    /// How long the first answer may take before the question is sent again.
    pub(super) first_timer_ms: Option<u64>,
}

/// What may cross the link, bytes at the IP layer, both ways. When it is spent downloads wait; questions do not.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawDataBudget {
    /// In a day; no limit if not given.
    pub(super) day_bytes: Option<u64>,
    /// In thirty days; no limit if not given.
    pub(super) month_bytes: Option<u64>,
}

/// How often to try before giving up.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawTries {
    /// Transfers of one artifact that may end in a wrong digest.
    pub(super) wrong_digests: Option<u8>,
    /// Times one delta may fail to decode before the full image is asked for.
    pub(super) deltas: Option<u8>,
}

/// What a trial must show, and when it ends.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawTrial {
    /// How long health must hold.
    pub(super) healthy_min_ms: Option<u64>,
    /// When the trial ends.
    pub(super) deadline_ms: Option<u64>,
    /// How long a dead server may stretch the deadline.
    pub(super) stretch_max_ms: Option<u64>,
    /// How long a health check may fail.
    pub(super) unhealthy_max_ms: Option<u64>,
    /// A check-in must have succeeded.
    pub(super) needs_check_in: Option<bool>,
    /// After this much running the launcher is told that the image lives.
    pub(super) sign_of_life_ms: Option<u64>,
    /// Uptime in trial is stored this often.
    pub(super) checkpoint_ms: Option<u64>,
    /// More restarts than this within the window below end the trial.
    pub(super) reboots_max: Option<u8>,
    /// The window for restarts.
    pub(super) reboot_window_ms: Option<u64>,
    /// More watchdog resets than this within the window below end the trial.
    pub(super) watchdogs_max: Option<u8>,
    /// The window for watchdog resets.
    pub(super) watchdog_window_ms: Option<u64>,
    /// Starts without a sign of life that the launcher allows.
    pub(super) silent_starts_max: Option<u8>,
    /// Starts in one trial that the launcher allows.
    pub(super) trial_starts_max: Option<u8>,
    /// Check-ins after the confirmation, by time since then; exactly three, rising.
    pub(super) follow_ups_ms: Option<Vec<u64>>,
}

/// The device's own rules about versions.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawVersions {
    /// Updates happen without being asked for.
    pub(super) auto_update: Option<bool>,
    /// The largest step taken without being asked: `patch`, `minor` or `major`.
    pub(super) largest_step: Option<String>,
    /// Versions that are not semver are taken.
    pub(super) non_semver: Option<bool>,
}

/// How health and the world are measured.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawMeasuring {
    /// Between two measurements.
    pub(super) interval_ms: Option<u64>,
    /// Less free space than this on the device directory is unhealthy, bytes.
    pub(super) disk_free_bytes_min: u64,
    /// Less available memory than this is unhealthy, bytes.
    pub(super) memory_available_bytes_min: u64,
    /// A command that ends with 0 while the program is healthy.
    pub(super) health_command: Option<Vec<String>>,
    /// A command that prints `name=value` lines about the world.
    pub(super) conditions_command: Option<Vec<String>>,
    /// How long either command may take.
    pub(super) command_timeout_ms: Option<u64>,
    /// No update is started below this voltage, millivolts; needs a battery to be told of.
    pub(super) battery_floor_mv: Option<u16>,
    /// The owner of this device opted out of updates.
    pub(super) opted_out: bool,
}

/// How a switch takes effect.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawRestart {
    /// `launcher`: become the launcher in place. `exit`: end, and be started again by a supervisor.
    /// `command`: run one. `child`: the agent runs the program itself, as its child.
    pub(super) how: Option<String>,
    /// Where `lapwing-launcher` lies, for `launcher` and `child`.
    pub(super) launcher: Option<PathBuf>,
    /// The command, for `command`.
    pub(super) command: Option<Vec<String>>,
    /// How long the command may take.
    pub(super) command_timeout_ms: Option<u64>,
    /// How long a child may take to end when asked, before it is killed.
    pub(super) stop_timeout_ms: Option<u64>,
}
