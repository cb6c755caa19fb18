//! The server's configuration: one TOML file, every key documented here, unknown keys refused.
//!
//! Touches: the files of a password and of certificates; else text in, settings out. [`Config`] is what people write, [`Settings`] what the rooms
//! of this crate use; the resolver names every key, so one that nobody uses does not compile.

use crate::mqtt::{Broker, Login};
use crate::store::Place;
use lapwing_fleet::{Rate, RetryPolicy};
use serde::Deserialize;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What people write. Every key but `data_dir` has a default.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Directory for the store, blobs, keys and the admin token.
    pub data_dir: PathBuf,
    /// Directory for images and artifacts; without it `blobs` in `data_dir`. Servers on one database share one.
    pub blobs_dir: Option<PathBuf>,
    /// The database that holds the rows, `postgres://USER@HOST/NAME`, in a build with feature `postgres`; without it
    /// SQLite in `data_dir`.
    pub store: Option<String>,
    /// Its password, on the only line of this file. The address must not hold it.
    pub store_password_file: Option<PathBuf>,
    /// Certificates, PEM, one of which must vouch for the database. With them the connection is encrypted, without
    /// them it is not.
    pub store_tls_ca: Option<PathBuf>,
    /// Where devices connect, HTTPS. Port 0 lets the system choose.
    pub device_listen: SocketAddr,
    /// Where devices ask by CoAP with OSCORE, UDP, for example `[::]:5683`; nowhere if not given.
    pub coap_listen: Option<SocketAddr>,
    /// The broker by which devices with the fact `wake = mqtt` are called, `mqtts://HOST[:PORT][/PREFIX]`, or `mqtt` on
    /// this machine; they are not called if not given.
    pub wake_broker: Option<String>,
    /// What the broker wants to be told, `user:password`, on the only line of this file.
    pub wake_broker_login_file: Option<PathBuf>,
    /// Where operators connect, plain HTTP: keep it on loopback.
    pub management_listen: SocketAddr,
    /// What devices are told to connect to; without it `https://` and the first of `tls_names`.
    pub device_url: Option<String>,
    /// Names in the certificate that the server makes for itself at first start.
    pub tls_names: Vec<String>,
    /// Certificate chain, PEM, instead of a self-made one.
    pub tls_certificate: Option<PathBuf>,
    /// Its private key, PEM.
    pub tls_key: Option<PathBuf>,
    /// How often an idle device checks in, seconds.
    pub check_in_interval_s: u32,
    /// For how long of its uptime a device may rest a switch on an offer, seconds.
    pub offer_ttl_s: u32,
    /// After this long without an outcome an attempt counts as timed out, seconds.
    pub attempt_deadline_s: u32,
    /// Wait after a failure without blame, seconds; doubles with each one.
    pub retry_first_s: u32,
    /// Longest such wait, seconds.
    pub retry_longest_s: u32,
    /// A larger step of the wall clock stops signing until a person confirms it, seconds.
    pub clock_jump_s_max: u32,
    /// How long a device waits for its delta before it gets the full image, seconds.
    pub delta_patience_s: u32,
    /// When a device whose artifact is being made should ask again, seconds.
    pub delta_ask_again_s: u32,
    /// Deltas that may wait to be made.
    pub delta_queue_max: u32,
    /// Artifacts made at once, each in a process of its own.
    pub delta_workers_max: u32,
    /// A worker that takes longer over one artifact is killed, seconds.
    pub delta_worker_s_max: u32,
    /// Most memory for making artifacts, all together, bytes. An image whose full artifact would take more is
    /// refused.
    pub artifact_memory_bytes_max: u64,
    /// Artifacts kept, bytes. Those of least use go first, and are made again when they are asked for.
    pub artifact_cache_bytes_max: u64,
    /// Largest image that may be uploaded, bytes.
    pub image_bytes_max: u64,
    /// Less free space than this on the disk of `data_dir` degrades `/healthz`, bytes.
    pub disk_free_bytes_min: u64,
    /// Check-ins and reports of one device in an hour, by whatever way; a minute's worth of them may come at once. More are
    /// told when to come back.
    pub device_messages_per_hour: u32,
    /// What all strangers at one address may ask in an hour, a minute's worth at once: by CoAP what is not sealed, by HTTPS
    /// what is refused for want of a good secret or claim token.
    pub stranger_questions_per_hour: u32,
    /// Devices kept in memory.
    pub devices_cached_max: u32,
    /// How often the times of last contact are written, milliseconds.
    pub last_seen_flush_ms: u32,
    /// Events kept; the oldest go first.
    pub events_kept_max: u64,
    /// How often webhooks look for new events, milliseconds.
    pub webhook_interval_ms: u32,
    /// Device connections open at once.
    pub connections_max: u32,
    /// Artifacts sent at once.
    pub artifact_streams_max: u32,
    /// Longest time for a TLS handshake or the head of a request, milliseconds.
    pub head_timeout_ms: u32,
    /// Longest time for the body of a device's message, milliseconds.
    pub body_timeout_ms: u32,
    /// A connection on which nothing moves for so long is closed, milliseconds.
    pub idle_timeout_ms: u32,
    /// How long open requests may take to end at shutdown, milliseconds.
    pub shutdown_grace_ms: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::new(),
            blobs_dir: None,
            store: None,
            store_password_file: None,
            store_tls_ca: None,
            device_listen: SocketAddr::from(([0, 0, 0, 0], 8443)),
            coap_listen: None,
            wake_broker: None,
            wake_broker_login_file: None,
            management_listen: SocketAddr::from(([127, 0, 0, 1], 8440)),
            device_url: None,
            tls_names: vec!["localhost".to_owned()],
            tls_certificate: None,
            tls_key: None,
            check_in_interval_s: 3_600,
            offer_ttl_s: 900,
            attempt_deadline_s: 86_400,
            retry_first_s: 600,
            retry_longest_s: 86_400,
            clock_jump_s_max: 3_600,
            delta_patience_s: 300,
            delta_ask_again_s: 15,
            delta_queue_max: 64,
            delta_workers_max: 1,
            delta_worker_s_max: 3_600,
            artifact_memory_bytes_max: 2 << 30,
            artifact_cache_bytes_max: 8 << 30,
            image_bytes_max: 256 << 20,
            disk_free_bytes_min: 256 << 20,
            device_messages_per_hour: 7_200,
            stranger_questions_per_hour: 3_600,
            devices_cached_max: 100_000,
            last_seen_flush_ms: 10_000,
            events_kept_max: 1_000_000,
            webhook_interval_ms: 1_000,
            connections_max: 4_096,
            artifact_streams_max: 512,
            head_timeout_ms: 10_000,
            body_timeout_ms: 15_000,
            idle_timeout_ms: 60_000,
            shutdown_grace_ms: 5_000,
        }
    }
}

/// Why a configuration is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, or a key that does not exist.
    #[error("reading the configuration")]
    Toml(#[source] toml::de::Error),
    /// A key is missing or out of range.
    #[error("{0}")]
    Key(&'static str),
}

impl Config {
    /// Reads a configuration file's text.
    ///
    /// # Errors
    /// See [`ConfigError`]. Ranges are checked when a server starts, and by [`Config::check`].
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(ConfigError::Toml)
    }

    /// The defaults, with this data directory.
    #[must_use]
    pub fn in_dir(data_dir: impl Into<PathBuf>) -> Self {
        Self { data_dir: data_dir.into(), ..Self::default() }
    }

    /// Whether a server could start with this.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn check(&self) -> Result<(), ConfigError> {
        self.clone().resolve().map(drop)
    }

    fn check_ranges(&self) -> Result<(), ConfigError> {
        ensure(!self.data_dir.as_os_str().is_empty(), "data_dir must be set")?;
        ensure(!self.tls_names.is_empty(), "tls_names must have at least one name")?;
        ensure(self.check_in_interval_s > 0, "check_in_interval_s must be above zero")?;
        ensure(
            self.retry_first_s <= self.retry_longest_s,
            "retry_longest_s must not be below retry_first_s",
        )?;
        ensure(self.connections_max > 0, "connections_max must be above zero")?;
        ensure(self.artifact_streams_max > 0, "artifact_streams_max must be above zero")?;
        ensure(self.devices_cached_max > 0, "devices_cached_max must be above zero")?;
        ensure(self.delta_workers_max > 0, "delta_workers_max must be above zero")?;
        ensure(self.delta_queue_max > 0, "delta_queue_max must be above zero")?;
        ensure(self.last_seen_flush_ms > 0, "last_seen_flush_ms must be above zero")?;
        ensure(self.webhook_interval_ms > 0, "webhook_interval_ms must be above zero")?;
        ensure(self.events_kept_max > 0, "events_kept_max must be above zero")
    }

    #[allow(clippy::too_many_lines, reason = "two lists of every key, and no rule")]
    pub(crate) fn resolve(self) -> Result<Settings, ConfigError> {
        self.check_ranges()?;
        let Self {
            data_dir,
            blobs_dir,
            store,
            store_password_file,
            store_tls_ca,
            device_listen,
            coap_listen,
            wake_broker,
            wake_broker_login_file,
            management_listen,
            device_url,
            tls_names,
            tls_certificate,
            tls_key,
            check_in_interval_s,
            offer_ttl_s,
            attempt_deadline_s,
            retry_first_s,
            retry_longest_s,
            clock_jump_s_max,
            delta_patience_s,
            delta_ask_again_s,
            delta_queue_max,
            delta_workers_max,
            delta_worker_s_max,
            artifact_memory_bytes_max,
            artifact_cache_bytes_max,
            image_bytes_max,
            disk_free_bytes_min,
            device_messages_per_hour,
            stranger_questions_per_hour,
            devices_cached_max,
            last_seen_flush_ms,
            events_kept_max,
            webhook_interval_ms,
            connections_max,
            artifact_streams_max,
            head_timeout_ms,
            body_timeout_ms,
            idle_timeout_ms,
            shutdown_grace_ms,
        } = self;
        let retry = RetryPolicy { first_s: retry_first_s.into(), longest_s: retry_longest_s.into() };
        Ok(Settings {
            store: place(&data_dir, store, (store_password_file, store_tls_ca))?,
            blobs_dir: blobs_dir.unwrap_or_else(|| data_dir.join("blobs")),
            data_dir,
            management_listen,
            coap_listen,
            wake_broker: broker(wake_broker, wake_broker_login_file)?,
            door: Door {
                listen: device_listen,
                url: device_url,
                names: tls_names,
                certificate: certificate(tls_certificate, tls_key)?,
                connections_max: usize::try_from(connections_max).unwrap_or(usize::MAX),
                head_timeout: ms(head_timeout_ms),
                idle_timeout: ms(idle_timeout_ms),
            },
            pace: Pace { check_in_interval_s, offer_ttl_s, attempt_deadline_s, retry },
            deltas: Deltas {
                patience_s: delta_patience_s.into(),
                ask_again_s: delta_ask_again_s.max(1),
                queue_max: usize::try_from(delta_queue_max).unwrap_or(usize::MAX),
                workers_max: delta_workers_max,
                worker_time: Duration::from_secs(delta_worker_s_max.into()),
                memory_bytes_max: artifact_memory_bytes_max,
            },
            clock_jump_s_max: clock_jump_s_max.into(),
            image_bytes_max,
            artifact_cache_bytes_max,
            disk_free_bytes_min,
            device_rate: an_hour(device_messages_per_hour, "device_messages_per_hour must be above zero")?,
            stranger_rate: an_hour(
                stranger_questions_per_hour,
                "stranger_questions_per_hour must be above zero",
            )?,
            devices_cached_max: usize::try_from(devices_cached_max).unwrap_or(usize::MAX),
            last_seen_flush: ms(last_seen_flush_ms),
            events_kept_max,
            webhook_interval: ms(webhook_interval_ms),
            artifact_streams_max: usize::try_from(artifact_streams_max).unwrap_or(usize::MAX),
            body_timeout: ms(body_timeout_ms),
            shutdown_grace: ms(shutdown_grace_ms),
        })
    }
}

fn place(
    data_dir: &Path,
    store: Option<String>,
    (password_file, tls_ca): (Option<PathBuf>, Option<PathBuf>),
) -> Result<Place, ConfigError> {
    let Some(address) = store else { return Ok(Place::File(data_dir.join("store.sqlite"))) };
    let password = password_file.map(std::fs::read_to_string).transpose();
    let password = password.map_err(|_| ConfigError::Key("store_password_file cannot be read"))?;
    let authorities = tls_ca.map(std::fs::read).transpose();
    let authorities = authorities.map_err(|_| ConfigError::Key("store_tls_ca cannot be read"))?;
    let password = password.as_deref().map(str::trim_end);
    Place::database(&address, password, authorities.as_deref()).ok_or(ConfigError::Key(
        "store must be the address of a PostgreSQL database, without a password, in a build with feature postgres, \
         and store_tls_ca the certificates that vouch for it if it wants TLS",
    ))
}

fn broker(url: Option<String>, login_file: Option<PathBuf>) -> Result<Option<(Broker, Login)>, ConfigError> {
    let login = login_file.map(std::fs::read_to_string).transpose();
    let login = login.map_err(|_| ConfigError::Key("wake_broker_login_file cannot be read"))?;
    let login = Login(login.as_deref().map_or("", str::trim_end).to_owned());
    let broker = url.map(|url| {
        Broker::of(&url).ok_or(ConfigError::Key(
            "wake_broker must be mqtts://HOST[:PORT][/PREFIX], or mqtt:// on this machine",
        ))
    });
    Ok(broker.transpose()?.map(|broker| (broker, login)))
}

fn certificate(chain: Option<PathBuf>, key: Option<PathBuf>) -> Result<Certificate, ConfigError> {
    match (chain, key) {
        (Some(chain), Some(key)) => Ok(Certificate::Given { chain, key }),
        (None, None) => Ok(Certificate::SelfMade),
        _ => Err(ConfigError::Key("tls_certificate and tls_key go together")),
    }
}

fn ensure(holds: bool, otherwise: &'static str) -> Result<(), ConfigError> {
    if holds { Ok(()) } else { Err(ConfigError::Key(otherwise)) }
}

fn an_hour(questions: u32, otherwise: &'static str) -> Result<Rate, ConfigError> {
    NonZeroU32::new(questions).map(Rate::an_hour).ok_or(ConfigError::Key(otherwise))
}

fn ms(ms: u32) -> Duration {
    Duration::from_millis(ms.into())
}

/// What the rooms of this crate use.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) data_dir: PathBuf,
    pub(crate) blobs_dir: PathBuf,
    pub(crate) store: Place,
    pub(crate) management_listen: SocketAddr,
    pub(crate) coap_listen: Option<SocketAddr>,
    /// By which devices are called.
    pub(crate) wake_broker: Option<(Broker, Login)>,
    pub(crate) door: Door,
    pub(crate) pace: Pace,
    pub(crate) deltas: Deltas,
    pub(crate) clock_jump_s_max: u64,
    pub(crate) image_bytes_max: u64,
    pub(crate) artifact_cache_bytes_max: u64,
    pub(crate) disk_free_bytes_min: u64,
    pub(crate) device_rate: Rate,
    pub(crate) stranger_rate: Rate,
    pub(crate) devices_cached_max: usize,
    pub(crate) last_seen_flush: Duration,
    pub(crate) events_kept_max: u64,
    pub(crate) webhook_interval: Duration,
    pub(crate) artifact_streams_max: usize,
    pub(crate) body_timeout: Duration,
    pub(crate) shutdown_grace: Duration,
}

/// Where and how devices come in.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    pub(crate) listen: SocketAddr,
    pub(crate) url: Option<String>,
    pub(crate) names: Vec<String>,
    pub(crate) certificate: Certificate,
    pub(crate) connections_max: usize,
    pub(crate) head_timeout: Duration,
    pub(crate) idle_timeout: Duration,
}

/// Whose certificate the device plane shows.
#[derive(Debug, Clone)]
pub(crate) enum Certificate {
    /// Made at first start and kept.
    SelfMade,
    /// Somebody else's.
    Given { chain: PathBuf, key: PathBuf },
}

/// How fast things go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    pub(crate) check_in_interval_s: u32,
    pub(crate) offer_ttl_s: u32,
    pub(crate) attempt_deadline_s: u32,
    pub(crate) retry: RetryPolicy,
}

/// How deltas are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deltas {
    pub(crate) patience_s: u64,
    pub(crate) ask_again_s: u32,
    pub(crate) queue_max: usize,
    pub(crate) workers_max: u32,
    pub(crate) worker_time: Duration,
    pub(crate) memory_bytes_max: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_and_impossible_values_are_refused() {
        let check = |text: &str, good: bool| {
            let resolved = Config::parse(text).and_then(Config::resolve);
            assert_eq!(resolved.is_ok(), good, "{text}: {resolved:?}");
        };
        check("data_dir = '/x'", true);
        check("", false);
        check("data_dir = '/x'\ntypo = 1", false);
        check("data_dir = '/x'\ncheck_in_interval_s = 0", false);
        check("data_dir = '/x'\ndevice_messages_per_hour = 0", false);
        check("data_dir = '/x'\nstore = 'postgres://lapwing@db/fleet'", cfg!(feature = "postgres"));
        check("data_dir = '/x'\nstore = 'postgres://lapwing:secret@db/fleet'", false);
        check("data_dir = '/x'\nstore = 'postgres://lapwing@db/fleet?sslmode=require'", false);
        check("data_dir = '/x'\nstore = 'mysql://db'", false);
        check("data_dir = '/x'\nwake_broker = 'mqtts://broker.example/fleet'", true);
        check("data_dir = '/x'\nwake_broker = 'mqtt://broker.example/fleet'", false);
        check("data_dir = '/x'\ntls_key = '/k'", false);
        check("data_dir = '/x'\nretry_first_s = 9\nretry_longest_s = 8", false);
    }
}
