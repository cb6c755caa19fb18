//! A program that embeds the agent and lives in its slots: prints its version, again and again.
//!
//! `LAPWING_BEACON_VERSION` and `LAPWING_BEACON_BEHAVIOUR` (`good`, `crash-at-start`, `unhealthy`) are
//! taken from the environment of the build, so that each version is an image of its own, as releases are.
//! Never: touches a slot or the slot table; the agent does.

use lapwing_agent::{Agent, AgentSettings, DEFAULT_CONFIG_NAME, Ended, Health};
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::{env, thread};

const VERSION: &str = match option_env!("LAPWING_BEACON_VERSION") {
    Some(version) => version,
    None => "0.0.0",
};
const BEHAVIOUR: &str = match option_env!("LAPWING_BEACON_BEHAVIOUR") {
    Some(behaviour) => behaviour,
    None => "good",
};

const USAGE: &str = "beacon [--config AGENT.TOML] [--every-ms N] [--beats N]";

fn main() -> ExitCode {
    // Looked at while running, so that this version too is the whole program.
    if std::hint::black_box(BEHAVIOUR) == "crash-at-start" {
        eprintln!("beacon {VERSION} crashes at start");
        std::process::abort();
    }
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("beacon: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What the program is for. The agent runs beside it, in a thread of its own.
fn run() -> Result<ExitCode, Box<dyn Error>> {
    let Flags { config, every_ms, beats } = Flags::parse()?;
    let settings = AgentSettings::load(&config)?;
    let _ = log::set_logger(&PrintLog);
    log::set_max_level(log::LevelFilter::Info);
    let mut agent = Agent::new(settings)?
        .with_health_check(Box::new(health))
        .with_facts(Box::new(|| vec![("beacon".to_owned(), VERSION.to_owned())]));
    let handle = agent.handle();
    let updater = thread::spawn(move || agent.run());

    println!("beacon {VERSION} starts, pid {}, slot {}", std::process::id(), slot());
    let (mut beat, mut seen) = (0_u64, Vec::new());
    while !updater.is_finished() && beats.is_none_or(|beats| beat < beats) {
        beat += 1;
        BEATS.store(beat, Ordering::Relaxed);
        println!("beacon {VERSION} beat {beat} {}", words(beat, &mut seen));
        thread::sleep(Duration::from_millis(every_ms));
    }
    handle.cancel();
    match updater.join() {
        // Whoever supervises this program starts the launcher again.
        Ok(Ok(Ended::Restart | Ended::Cancelled)) => Ok(ExitCode::SUCCESS),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err("the agent's thread is gone".into()),
    }
}

static BEATS: AtomicU64 = AtomicU64::new(0);

/// Healthy as soon as it has beaten once, unless this version was built to be ill.
fn health() -> Health {
    match (BEHAVIOUR, BEATS.load(Ordering::Relaxed)) {
        ("unhealthy", _) => Health::Failing,
        (_, 0) => Health::Unknown,
        _ => Health::Good,
    }
}

fn slot() -> String {
    env::var("LAPWING_SLOT").unwrap_or_else(|_| "?".to_owned())
}

/// What makes one version's code another's, as features do.
mod feature {
    use super::VERSION;

    const MINOR: u8 = VERSION.as_bytes()[2];

    /// Since 1.1: counts the letters of a line.
    pub(super) const LETTERS: bool = MINOR >= b'1';
    /// Since 1.2: sorts the numbers it has seen.
    pub(super) const MEDIAN: bool = MINOR >= b'2';
    /// Since 1.4: says which lines were long.
    pub(super) const LONG_LINES: bool = MINOR >= b'4';
}

/// What this version has to say about a beat.
fn words(beat: u64, seen: &mut Vec<u64>) -> String {
    let mut line = format!("{:016x}", signature(beat));
    if feature::LETTERS {
        let letters = line.chars().filter(char::is_ascii_alphabetic).count();
        line.push_str(&format!(" letters={letters}"));
    }
    if feature::MEDIAN {
        seen.push(beat.wrapping_mul(0x9e37_79b9) >> 7);
        seen.sort_unstable();
        let median = seen.get(seen.len() / 2).copied().unwrap_or(0);
        line.push_str(&format!(" median={median}"));
        seen.truncate(64);
    }
    if feature::LONG_LINES && line.len() > 40 {
        line = line.split(' ').rev().collect::<Vec<_>>().join("; ");
    }
    line
}

/// Some work whose numbers differ from version to version.
fn signature(beat: u64) -> u64 {
    let seed = VERSION.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    (seed ^ beat).rotate_left(13).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

struct Flags {
    config: PathBuf,
    every_ms: u64,
    beats: Option<u64>,
}

impl Flags {
    fn parse() -> Result<Self, Box<dyn Error>> {
        let (mut config, mut every_ms, mut beats) = (None, 1_000, None);
        let mut words = env::args().skip(1);
        while let Some(flag) = words.next() {
            let value = words.next().ok_or(USAGE)?;
            match flag.as_str() {
                "--config" => config = Some(PathBuf::from(value)),
                "--every-ms" => every_ms = value.parse()?,
                "--beats" => beats = Some(value.parse()?),
                _ => return Err(USAGE.into()),
            }
        }
        // The launcher says where the device is.
        let beside = || env::var_os("LAPWING_ROOT").map(|root| PathBuf::from(root).join(DEFAULT_CONFIG_NAME));
        Ok(Self { config: config.or_else(beside).ok_or(USAGE)?, every_ms, beats })
    }
}

/// The agent's log, among the program's own lines.
struct PrintLog;

impl log::Log for PrintLog {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("lapwing")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            println!("agent {:<5} {}", record.level(), record.args());
        }
    }

    fn flush(&self) {}
}
