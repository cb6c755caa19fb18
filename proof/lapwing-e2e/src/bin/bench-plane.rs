//! `cargo xtask bench plane`: what devices by CoAP cost a server, in memory and in time, and what a flood does to it.
//!
//! Touches: a fleet of real programs, `docs/benchmarks/`, `/proc`. Never: counts what its own side costs.

use anyhow::{Context, Result, bail};
use lapwing_e2e::{Binaries, Crowd, Fleet, Flooded, field, figures, write_figures};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

const DEVICES: u32 = 100_000;
const QUICK_DEVICES: u32 = 2_000;
/// Idle check-ins that are timed.
const CHECK_INS: u32 = 200_000;
const DATAGRAMS: u32 = 200_000;
/// Check-ins that are answered meanwhile.
const ANSWERS: u32 = 100;
/// The unit of `/proc/PID/stat`, which Linux fixed for all.
const TICKS_PER_S: u64 = 100;

fn main() -> Result<()> {
    let (mut out, mut devices) = (PathBuf::from("docs/benchmarks/plane.json"), DEVICES);
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        match flag.as_str() {
            "--quick" => devices = QUICK_DEVICES,
            "--out" => out = arguments.next().context("--out wants a file")?.into(),
            other => bail!("no flag {other}; there are: --quick, --out FILE"),
        }
    }
    let (folder, binaries) = (tempfile::tempdir()?, Binaries::find()?);
    let mut fleet = Fleet::start(&binaries, folder.path())?;
    let server = fleet.server().context("the server runs")?.pid();
    let mut rows = Vec::new();
    let mut row = |row: Value| {
        println!("{}", row.to_string().trim_matches(['{', '}']));
        rows.push(row);
    };
    let alone_kib = resident_kib(server)?;
    let mut crowd = Crowd::provisioned(&fleet, devices)?;
    let known_kib = resident_kib(server)?;
    crowd.check_in(1)?;
    let live_kib = resident_kib(server)?;
    row(json!({
        "what": "security contexts in use",
        "contexts": devices,
        "resident_kib_without": alone_kib,
        "resident_kib_provisioned": known_kib,
        "resident_kib": live_kib,
        "bytes_each": (live_kib - alone_kib) * 1_024 / u64::from(devices),
    }));
    row(check_ins(&mut crowd, server, devices)?);
    crowd.flood(DATAGRAMS, ANSWERS)?;
    row(flood(&mut crowd, server)?);
    write_figures(&figures("cargo xtask bench plane", &rows, &[]), &out)
}

/// Idle check-ins, as many devices at a time as keep the server busy.
fn check_ins(crowd: &mut Crowd, server: u32, devices: u32) -> Result<Value> {
    let times = CHECK_INS.div_ceil(devices);
    let (began, before_ms) = (Instant::now(), cpu_ms(server)?);
    let repeated = crowd.check_in(times)?;
    let (elapsed_ms, cpu_ms) = (began.elapsed().as_millis(), cpu_ms(server)? - before_ms);
    let count = u64::from(times * devices);
    Ok(json!({
        "what": "idle check-ins",
        "check_ins": count,
        "repeated": repeated,
        "elapsed_ms": u64::try_from(elapsed_ms)?,
        "server_cpu_ms": cpu_ms,
        "per_core_second": count * 1_000 / cpu_ms.max(1),
    }))
}

/// A flood of a server that has seen one, so that its tables are full.
fn flood(crowd: &mut Crowd, server: u32) -> Result<Value> {
    let (before_kib, before_ms) = (resident_kib(server)?, cpu_ms(server)?);
    let dropped_before = dropped(server)?;
    let Flooded { sent, repeated, longest } = crowd.flood(DATAGRAMS, ANSWERS)?;
    let (cpu_ms, lost) = (cpu_ms(server)? - before_ms, dropped(server)? - dropped_before);
    let taken = u64::from(sent).saturating_sub(lost);
    Ok(json!({
        "what": "forged datagrams, and ten devices meanwhile",
        "datagrams": sent,
        "dropped_by_the_system": lost,
        "resident_kib_before": before_kib,
        "resident_kib_after": resident_kib(server)?,
        "server_cpu_us_each": cpu_ms * 1_000 / taken.max(1),
        "devices_answered": ANSWERS,
        "devices_asked_again": repeated,
        "devices_waited_ms_max": u64::try_from(longest.as_millis())?,
    }))
}

fn resident_kib(pid: u32) -> Result<u64> {
    field(pid, "status", "VmRSS:")
}

/// Time that all threads of a process were at work.
fn cpu_ms(pid: u32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, behind_name) = text.rsplit_once(')').context("read /proc/PID/stat")?;
    let ticks = behind_name.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
    Ok(ticks.sum::<Result<u64, _>>()? * 1_000 / TICKS_PER_S)
}

/// Datagrams that found no room in a socket, of the machine.
fn dropped(pid: u32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/net/snmp"))?;
    let numbers =
        text.lines().filter_map(|line| line.strip_prefix("Udp: ")).nth(1).context("read /proc/net/snmp")?;
    Ok(numbers.split_whitespace().nth(4).context("find RcvbufErrors")?.parse()?)
}
