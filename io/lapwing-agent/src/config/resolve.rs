//! From keys to settings: every key is taken apart by name, so one that nobody uses does not compile.
//!
//! Touches: `raw`. Entered from: `config`. Defaults are those of the brain.
//! Never: reads a file.

use super::raw::{
    RawCoap, RawConfig, RawDataBudget, RawHttp, RawMeasuring, RawProvisioned, RawRestart, RawTalking,
    RawTrial, RawTries, RawVersions, RawWake,
};
use super::{AgentSettings, CommandLine, ConfigError, MeasuringSettings, RestartSettings, WakeSettings};
use crate::limits::COMMAND_WORDS_MAX;
use lapwing_core::limits::{FACT_NAME_BYTES_MAX, FACT_VALUE_BYTES_MAX, FACTS_MAX};
use lapwing_core::{Bump, StartLimits, Version};
use lapwing_delta::Profile;
use lapwing_device::limits::BUDGET_TALK_BYTES;
use lapwing_device::{
    Awake, DataBudget, Identity, Provisioned, Settings, Talking, Trial, Tries, VersionPolicy,
};
use lapwing_transport::client::limits::{BLOCK_AIR_BYTES, CONNECTION_AIR_BYTES, SERVERS_MAX};
use lapwing_transport::client::{ClientSettings, PlainHttp, ServerUrl};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

const BATTERY_FLOOR_MV: u16 = 3_300;
const COMMAND_TIMEOUT_MS: u64 = 10_000;
const RESTART_TIMEOUT_MS: u64 = 60_000;
/// On NB-IoT the first exchange after sleep may take that long.
const COAP_FIRST_TIMER_MS: u64 = 10_000;
const STOP_TIMEOUT_MS: u64 = 10_000;
const MEASURING_INTERVAL_MS: u64 = 10_000;
const NB_IOT_CHECK_IN_INTERVAL_MS: u64 = 86_400_000;
const NB_IOT_DAY_BYTES: u64 = 30_000;
const NB_IOT_TIMEOUT_MS: u64 = 120_000;
const LAUNCHER: &str = "/usr/bin/lapwing-launcher";

pub(super) fn resolve(raw: RawConfig, dir: &Path) -> Result<AgentSettings, ConfigError> {
    let RawConfig {
        device_id,
        hardware,
        component,
        servers,
        insecure_http,
        device_dir,
        bootloader_version,
        memory_profile,
        slot_bytes_max,
        checkpoint_bytes,
        transfer_bytes_per_s_max,
        wake,
        link_profile,
        facts,
        provisioned,
        talking,
        http,
        coap,
        data_budget,
        tries,
        trial,
        versions,
        measuring,
        restart,
    } = raw;
    let identity = Identity {
        device: parsed("device_id", &device_id)?,
        hardware: parsed("hardware", &hardware)?,
        bootloader: bootloader_version,
        component: parsed("component", &component)?,
        profile: profile(&memory_profile)? as u8,
        slot_bytes_max,
        provisioned: resolve_provisioned(provisioned)?,
    };
    let (measuring, battery_floor_mv) = resolve_measuring(measuring)?;
    let (how_to_restart, launcher) = resolve_restart(restart)?;
    let plain_http = if insecure_http { PlainHttp::Anywhere } else { PlainHttp::LoopbackOnly };
    at_least("checkpoint_bytes", checkpoint_bytes, 1024)?;
    let usual = Usual::of(link_profile.as_deref())?;
    let client = resolve_http(http, &usual, resolve_servers(&servers, plain_http)?, plain_http)?;
    let talking = resolve_talking(talking, &usual)?;
    if wake.is_some() && talking.awake.is_some() {
        return Err(wrong("wake", "is not for a link that rests: leave out it or `awake_ms`"));
    }
    // On the way that devices on thin links go.
    let fetch_undisturbed = client.servers.first().is_some_and(ServerUrl::is_coap);
    Ok(AgentSettings {
        device_dir: device_dir.map_or_else(|| dir.to_owned(), |given| dir.join(given)),
        brain: Settings {
            identity,
            talking: Talking { fetch_undisturbed, ..talking },
            tries: resolve_tries(tries),
            trial: resolve_trial(trial)?,
            versions: resolve_versions(versions)?,
            budget: resolve_budget(data_budget, &usual, &client.servers)?,
            battery_floor_mv,
        },
        wake: wake.map(|wake| resolve_wake(&wake, &client)).transpose()?,
        client,
        coap_first_timer_ms: resolve_coap(coap)?,
        facts: resolve_facts(facts)?,
        measuring,
        restart: how_to_restart,
        launcher: dir.join(launcher),
        checkpoint_bytes,
        transfer_bytes_per_s_max,
        slot: None,
    })
}

fn resolve_provisioned(raw: RawProvisioned) -> Result<Provisioned, ConfigError> {
    let RawProvisioned { version, seq, security_version } = raw;
    let version: Version = parsed("version", version.as_deref().unwrap_or("0.0.0"))?;
    Ok(Provisioned { version, seq, security_version })
}

/// What holds where nothing was said.
struct Usual {
    talking: Talking,
    day_bytes: Option<u64>,
    stall_timeout_ms: u64,
    exchange_timeout_ms: u64,
}

impl Usual {
    fn of(link_profile: Option<&str>) -> Result<Self, ConfigError> {
        let broadband = Self {
            talking: Talking::default(),
            day_bytes: None,
            stall_timeout_ms: 30_000,
            exchange_timeout_ms: 60_000,
        };
        match link_profile {
            None | Some("broadband") => Ok(broadband),
            Some("nb-iot") => Ok(Self {
                talking: Talking {
                    check_in_interval_ms: NB_IOT_CHECK_IN_INTERVAL_MS,
                    always_signed: false,
                    report_promptly: false,
                    ..broadband.talking
                },
                day_bytes: Some(NB_IOT_DAY_BYTES),
                stall_timeout_ms: NB_IOT_TIMEOUT_MS,
                exchange_timeout_ms: NB_IOT_TIMEOUT_MS,
            }),
            Some(_) => Err(wrong("link_profile", "must be broadband or nb-iot")),
        }
    }
}

fn resolve_talking(raw: RawTalking, usual: &Usual) -> Result<Talking, ConfigError> {
    let RawTalking {
        check_in_interval_ms,
        boot_spread_ms,
        answer_window_ms,
        retry_first_ms,
        retry_max_ms,
        signed_status_max_age_ms,
        always_signed,
        report_promptly,
        awake_ms,
        awake_every_ms,
    } = raw;
    let usual = usual.talking;
    let resolved = Talking {
        check_in_interval_ms: check_in_interval_ms.unwrap_or(usual.check_in_interval_ms),
        // What the owner of a device wrote down is a promise that no server stretches.
        check_in_interval_ms_max: check_in_interval_ms.unwrap_or(usual.check_in_interval_ms_max),
        boot_spread_ms: boot_spread_ms.unwrap_or(usual.boot_spread_ms),
        answer_window_ms: answer_window_ms.unwrap_or(usual.answer_window_ms),
        retry_first_ms: retry_first_ms.unwrap_or(usual.retry_first_ms),
        retry_max_ms: retry_max_ms.unwrap_or(usual.retry_max_ms),
        signed_status_max_age_ms: signed_status_max_age_ms.unwrap_or(usual.signed_status_max_age_ms),
        always_signed: always_signed.unwrap_or(usual.always_signed),
        report_promptly: report_promptly.unwrap_or(usual.report_promptly),
        fetch_undisturbed: usual.fetch_undisturbed,
        awake: match (awake_ms, awake_every_ms) {
            (None, None) => None,
            (Some(awake_ms), Some(every_ms)) => Some(Awake { awake_ms, every_ms }),
            _ => return Err(wrong("awake_ms", "and `awake_every_ms` want each other")),
        },
    };
    if let Some(Awake { awake_ms, every_ms }) = resolved.awake {
        at_least("awake_ms", awake_ms, 1_000)?;
        at_least("awake_every_ms", every_ms, awake_ms.saturating_add(1))?;
    }
    at_least("check_in_interval_ms", resolved.check_in_interval_ms, 100)?;
    at_least("retry_first_ms", resolved.retry_first_ms, 10)?;
    at_least("retry_max_ms", resolved.retry_max_ms, resolved.retry_first_ms)?;
    Ok(resolved)
}

fn resolve_servers(servers: &[String], plain: PlainHttp) -> Result<Vec<ServerUrl>, ConfigError> {
    if servers.is_empty() || servers.len() > SERVERS_MAX {
        return Err(wrong("servers", format!("must name 1 to {SERVERS_MAX} servers")));
    }
    let parse = |text: &String| {
        let url: ServerUrl = parsed("servers", text)?;
        let what = "must be https or coap, or on this machine, unless `insecure_http` is true";
        if url.is_allowed(plain) { Ok(url) } else { Err(wrong("servers", what)) }
    };
    servers.iter().map(parse).collect()
}

fn resolve_http(
    raw: RawHttp,
    usual: &Usual,
    servers: Vec<ServerUrl>,
    plain_http: PlainHttp,
) -> Result<ClientSettings, ConfigError> {
    let RawHttp { connect_timeout_ms, stall_timeout_ms, exchange_timeout_ms } = raw;
    let timeout = |key, given: Option<u64>, usual_ms| {
        let ms = given.unwrap_or(usual_ms);
        at_least(key, ms, 1).map(|()| Duration::from_millis(ms))
    };
    Ok(ClientSettings {
        servers,
        plain_http,
        connect_timeout: timeout("connect_timeout_ms", connect_timeout_ms, 10_000)?,
        stall_timeout: timeout("stall_timeout_ms", stall_timeout_ms, usual.stall_timeout_ms)?,
        exchange_timeout: timeout("exchange_timeout_ms", exchange_timeout_ms, usual.exchange_timeout_ms)?,
    })
}

fn resolve_wake(raw: &RawWake, client: &ClientSettings) -> Result<WakeSettings, ConfigError> {
    match raw {
        RawWake::Observe if client.servers.iter().any(ServerUrl::is_coap) => Ok(WakeSettings::Observe),
        #[cfg(feature = "wake-mqtt")]
        RawWake::Mqtt(broker) => Ok(WakeSettings::Mqtt(parsed("wake", broker)?)),
        RawWake::Observe => Err(wrong("wake", "is observe, so `servers` must name one by coap://")),
    }
}

fn resolve_coap(raw: RawCoap) -> Result<u64, ConfigError> {
    let RawCoap { first_timer_ms } = raw;
    let first_timer_ms = first_timer_ms.unwrap_or(COAP_FIRST_TIMER_MS);
    at_least("first_timer_ms", first_timer_ms, 500).map(|()| first_timer_ms)
}

fn resolve_budget(
    raw: RawDataBudget,
    usual: &Usual,
    servers: &[ServerUrl],
) -> Result<DataBudget, ConfigError> {
    let RawDataBudget { day_bytes, month_bytes } = raw;
    // By HTTP a block costs a connection.
    let by_coap = servers.iter().all(ServerUrl::is_coap);
    let fetch_bytes_min = if by_coap { BLOCK_AIR_BYTES } else { CONNECTION_AIR_BYTES + 2 * BLOCK_AIR_BYTES };
    let budget = DataBudget { day_bytes: day_bytes.or(usual.day_bytes), month_bytes, fetch_bytes_min };
    for (key, bytes) in [("day_bytes", budget.day_bytes), ("month_bytes", month_bytes)] {
        bytes.map_or(Ok(()), |bytes| at_least(key, bytes, BUDGET_TALK_BYTES + fetch_bytes_min))?;
    }
    Ok(budget)
}

fn resolve_tries(raw: RawTries) -> Tries {
    let RawTries { wrong_digests, deltas } = raw;
    let usual = Tries::default();
    Tries {
        wrong_digests: wrong_digests.unwrap_or(usual.wrong_digests),
        deltas: deltas.unwrap_or(usual.deltas),
    }
}

fn resolve_trial(raw: RawTrial) -> Result<Trial, ConfigError> {
    let RawTrial {
        healthy_min_ms,
        deadline_ms,
        stretch_max_ms,
        unhealthy_max_ms,
        needs_check_in,
        sign_of_life_ms,
        checkpoint_ms,
        reboots_max,
        reboot_window_ms,
        watchdogs_max,
        watchdog_window_ms,
        silent_starts_max,
        trial_starts_max,
        follow_ups_ms,
    } = raw;
    let usual = Trial::default();
    let resolved = Trial {
        healthy_min_ms: healthy_min_ms.unwrap_or(usual.healthy_min_ms),
        deadline_ms: deadline_ms.unwrap_or(usual.deadline_ms),
        stretch_max_ms: stretch_max_ms.unwrap_or(usual.stretch_max_ms),
        unhealthy_max_ms: unhealthy_max_ms.unwrap_or(usual.unhealthy_max_ms),
        needs_check_in: needs_check_in.unwrap_or(usual.needs_check_in),
        sign_of_life_ms: sign_of_life_ms.unwrap_or(usual.sign_of_life_ms),
        checkpoint_ms: checkpoint_ms.unwrap_or(usual.checkpoint_ms),
        reboots_max: reboots_max.unwrap_or(usual.reboots_max),
        reboot_window_ms: reboot_window_ms.unwrap_or(usual.reboot_window_ms),
        watchdogs_max: watchdogs_max.unwrap_or(usual.watchdogs_max),
        watchdog_window_ms: watchdog_window_ms.unwrap_or(usual.watchdog_window_ms),
        limits: StartLimits {
            silent_starts: silent_starts_max.unwrap_or(usual.limits.silent_starts),
            trial_starts: trial_starts_max.unwrap_or(usual.limits.trial_starts),
        },
        follow_ups_ms: match follow_ups_ms {
            None => usual.follow_ups_ms,
            Some(given) => <[u64; 3]>::try_from(given)
                .ok()
                .filter(|times| times.is_sorted())
                .ok_or_else(|| wrong("follow_ups_ms", "must be three rising times"))?,
        },
    };
    at_least("silent_starts_max", resolved.limits.silent_starts.into(), 1)?;
    at_least("trial_starts_max", resolved.limits.trial_starts.into(), 1)?;
    at_least("checkpoint_ms", resolved.checkpoint_ms, 100)?;
    at_least("deadline_ms", resolved.deadline_ms, resolved.healthy_min_ms.max(1))?;
    Ok(resolved)
}

fn resolve_versions(raw: RawVersions) -> Result<VersionPolicy, ConfigError> {
    let RawVersions { auto_update, largest_step, non_semver } = raw;
    let usual = VersionPolicy::default();
    let largest = match largest_step.as_deref() {
        None => usual.largest,
        Some("patch") => Bump::Patch,
        Some("minor") => Bump::Minor,
        Some("major") => Bump::Major,
        Some(_) => return Err(wrong("largest_step", "must be patch, minor or major")),
    };
    Ok(VersionPolicy {
        auto_update: auto_update.unwrap_or(usual.auto_update),
        largest,
        non_semver: non_semver.unwrap_or(usual.non_semver),
    })
}

fn resolve_measuring(raw: RawMeasuring) -> Result<(MeasuringSettings, u16), ConfigError> {
    let RawMeasuring {
        interval_ms,
        disk_free_bytes_min,
        memory_available_bytes_min,
        health_command,
        conditions_command,
        command_timeout_ms,
        battery_floor_mv,
        opted_out,
    } = raw;
    let timeout_ms = command_timeout_ms.unwrap_or(COMMAND_TIMEOUT_MS);
    let interval_ms = interval_ms.unwrap_or(MEASURING_INTERVAL_MS);
    at_least("interval_ms", interval_ms, 50)?;
    let settings = MeasuringSettings {
        interval_ms,
        disk_free_bytes_min,
        memory_available_bytes_min,
        health: health_command.map(|words| command("health_command", words, timeout_ms)).transpose()?,
        conditions: conditions_command
            .map(|words| command("conditions_command", words, timeout_ms))
            .transpose()?,
        opted_out,
    };
    Ok((settings, battery_floor_mv.unwrap_or(BATTERY_FLOOR_MV)))
}

fn resolve_restart(raw: RawRestart) -> Result<(RestartSettings, PathBuf), ConfigError> {
    let RawRestart { how, launcher, command: words, command_timeout_ms, stop_timeout_ms } = raw;
    let how = match (how.as_deref(), words) {
        (None | Some("launcher"), None) => RestartSettings::Launcher,
        (Some("exit"), None) => RestartSettings::Exit,
        (Some("child"), None) => {
            RestartSettings::Child { stop_timeout_ms: stop_timeout_ms.unwrap_or(STOP_TIMEOUT_MS) }
        }
        (Some("command"), Some(words)) => {
            let timeout_ms = command_timeout_ms.unwrap_or(RESTART_TIMEOUT_MS);
            RestartSettings::Command(command("command", words, timeout_ms)?)
        }
        (Some("command"), None) => return Err(wrong("command", "is needed when `how` is command")),
        (None | Some("launcher" | "exit" | "child"), Some(_)) => {
            return Err(wrong("command", "is only used when `how` is command"));
        }
        _ => return Err(wrong("how", "must be launcher, exit, command or child")),
    };
    Ok((how, launcher.unwrap_or_else(|| PathBuf::from(LAUNCHER))))
}

fn resolve_facts(facts: BTreeMap<String, String>) -> Result<Vec<(String, String)>, ConfigError> {
    let fits = |(name, value): (&String, &String)| {
        (1..=FACT_NAME_BYTES_MAX).contains(&name.len()) && value.len() <= FACT_VALUE_BYTES_MAX
    };
    if facts.len() > FACTS_MAX || !facts.iter().all(fits) {
        let what = format!(
            "must be at most {FACTS_MAX} names of {FACT_NAME_BYTES_MAX} and values of {FACT_VALUE_BYTES_MAX} bytes"
        );
        return Err(wrong("facts", what));
    }
    Ok(facts.into_iter().collect())
}

fn profile(text: &str) -> Result<Profile, ConfigError> {
    match text {
        "64KiB" => Ok(Profile::Kib64),
        "256KiB" => Ok(Profile::Kib256),
        "1MiB" => Ok(Profile::Mib1),
        "free" => Ok(Profile::Free),
        _ => Err(wrong("memory_profile", "must be 64KiB, 256KiB, 1MiB or free")),
    }
}

fn command(key: &'static str, words: Vec<String>, timeout_ms: u64) -> Result<CommandLine, ConfigError> {
    if words.is_empty() || words.len() > COMMAND_WORDS_MAX {
        return Err(wrong(key, format!("must have 1 to {COMMAND_WORDS_MAX} words")));
    }
    at_least("command_timeout_ms", timeout_ms, 1)?;
    Ok(CommandLine { words, timeout_ms })
}

fn parsed<T: FromStr<Err: Display>>(key: &'static str, text: &str) -> Result<T, ConfigError> {
    text.parse().map_err(|error| wrong(key, format!("is not valid: {error}")))
}

fn at_least(key: &'static str, value: u64, least: u64) -> Result<(), ConfigError> {
    if value < least { Err(wrong(key, format!("must be at least {least}"))) } else { Ok(()) }
}

fn wrong(key: &'static str, what: impl Into<String>) -> ConfigError {
    ConfigError::Value { key, what: what.into() }
}
