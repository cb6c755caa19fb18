//! `cargo xtask bench agent`: what the agent costs a device, measured on the static device build.
//!
//! Touches: a fleet of real programs, `/proc`, `docs/benchmarks/`. Prints a table for people and writes
//! the figures with the command that made them. Never: rounds a goal into holding.

use anyhow::{Context, Result, ensure};
use lapwing_e2e::{
    Binaries, Fleet, Process, children, field, figures, internet_sockets, print_goals, wait_until,
    write_figures,
};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);
const TARGET: &str = "x86_64-unknown-linux-musl/device/lapwing-agent";
const PSS_KIB_MAX: u64 = 2 * 1024;
const BINARY_KIB_MAX: u64 = 2 * 1024;
/// Beside the idle memory and the profile.
const PEAK_SLACK_KIB: u64 = 1024;
/// What `memory_profile = "64KiB"` allows.
const PROFILE_KIB: u64 = 64;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    ensure!(arguments.next().as_deref() == Some("agent"), "bench what? There is: agent");
    let mut out = PathBuf::from("docs/benchmarks/agent.json");
    while let Some(flag) = arguments.next() {
        match flag.as_str() {
            // The measurement takes seconds as it is.
            "--quick" => {}
            "--out" => out = arguments.next().context("--out wants a file")?.into(),
            other => anyhow::bail!("no flag {other}; there are: --quick, --out FILE"),
        }
    }
    let binaries = Binaries::find()?;
    let agent = binaries.folder().parent().context("find the target folder")?.join(TARGET);
    ensure!(agent.is_file(), "no {}: `cargo xtask test --only agent` builds it", agent.display());
    let dir = tempfile::tempdir()?;
    let report = report(&measure(&binaries, &agent, dir.path())?);
    for row in report["rows"].as_array().into_iter().flatten() {
        println!("{}", row.to_string().trim_matches(['{', '}']));
    }
    print_goals(&report);
    write_figures(&report, &out)
}

#[derive(Debug)]
struct Figures {
    binary_kib: u64,
    idle: Memory,
    threads: u64,
    sockets: u64,
    peak_rss_kib: u64,
    image_kib: u64,
}

#[derive(Debug)]
struct Memory {
    pss_kib: u64,
    rss_kib: u64,
}

fn measure(binaries: &Binaries, agent: &Path, dir: &Path) -> Result<Figures> {
    let fleet = Fleet::start(binaries, dir)?;
    fleet.push("1.0.0")?;
    let device = fleet.provision("bench", "1.0.0")?;
    let config = device.dir().join("agent.toml");
    let text = fs::read_to_string(&config)?;
    let text = text.replace("[restart]", "[restart]\nhow = \"exit\"");
    // Long enough between check-ins to be found idle, small enough memory to be a device.
    let text = text.replace("check_in_interval_ms = 1000", "check_in_interval_ms = 3000");
    fs::write(&config, format!("memory_profile = \"64KiB\"\n{text}"))?;
    let mut command = Command::new(agent);
    command.args(["run", "--config"]).arg(&config);
    let mut running = Process::start(command, &dir.join("agent.log"))?;
    let pid = running.pid();
    wait_until(PATIENCE, || {
        ensure!(running.ended()?.is_none(), "the agent ended: {}", running.log());
        let known = fleet.get("/api/v1/devices/bench").is_ok();
        Ok((known && internet_sockets(pid) == 0).then_some(()))
    })?;
    let idle = memory(pid)?;
    let (threads, sockets) = (field(pid, "status", "Threads:")?, internet_sockets(pid));
    // The first image with other contents comes whole: there is no base that it could be a delta of.
    let image_kib = fleet.push("1.2.0")? / 1024;
    let mut peak_rss_kib = idle.rss_kib;
    wait_until(PATIENCE, || {
        peak_rss_kib = peak_rss_kib.max(field(pid, "status", "VmHWM:").unwrap_or(0));
        running.ended()
    })?;
    ensure!(children(pid).is_empty(), "the agent left nobody behind");
    let binary_kib = fs::metadata(agent)?.len().div_ceil(1024);
    Ok(Figures { binary_kib, idle, threads, sockets, peak_rss_kib, image_kib })
}

fn memory(pid: u32) -> Result<Memory> {
    let pss_kib = field(pid, "smaps_rollup", "Pss:")?;
    Ok(Memory { pss_kib, rss_kib: field(pid, "smaps_rollup", "Rss:")? })
}

fn report(measured: &Figures) -> Value {
    let Figures { binary_kib, idle, threads, sockets, peak_rss_kib, image_kib } = measured;
    let goal = |id: &str, goal: u64, value: u64| json!({ "id": id, "goal": goal, "value": value, "unit": "KiB", "holds": value <= goal });
    let rows = [
        json!({ "what": "idle, after a check-in over HTTPS", "pss_kib": idle.pss_kib, "rss_kib": idle.rss_kib,
                "threads": threads, "internet_sockets": sockets }),
        json!({ "what": "update in profile 64KiB", "peak_rss_kib": peak_rss_kib, "image_kib": image_kib }),
        json!({ "what": "binary, stripped, static musl, HTTPS included", "kib": binary_kib }),
    ];
    let goals = [
        goal("V1.pss", PSS_KIB_MAX, idle.pss_kib),
        goal("V1.binary", BINARY_KIB_MAX, *binary_kib),
        goal("V2", idle.rss_kib + PROFILE_KIB + PEAK_SLACK_KIB, *peak_rss_kib),
    ];
    figures("cargo xtask bench agent", &rows, &goals)
}
