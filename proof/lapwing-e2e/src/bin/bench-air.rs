//! `cargo xtask bench air`: check-ins and cells of `bench link` once more, with the real programs over real sockets.
//!
//! Touches: a fleet of real programs, the proxy that puts a radio link between them, `docs/benchmarks/`.
//! Never: models anything; the figures are what a clock said.

use anyhow::{Context, Result, bail, ensure};
use lapwing_e2e::{Binaries, Fleet, Process, figures, print_goals, wait_until, write_figures};
use lapwing_link::{Air, Proxy, Side};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Rate in bits per second, round trip in milliseconds, loss in a thousand, bytes of the image.
const CELLS: [(u64, u64, u16, usize); 3] =
    [(20_000, 1_500, 10, 25_000), (60_000, 500, 0, 100_000), (60_000, 500, 50, 100_000)];
const RUNS: u64 = 3;
/// Addresses and ports of IPv6 and UDP, which the link counts, and of IPv4 and UDP.
const IPV6_BYTES: u64 = 48;
const IPV4_BYTES: u64 = 28;
const PATIENCE: Duration = Duration::from_secs(300);
/// Kinds of check-in: what they are, what in the agent's configuration makes them, whether there is something to offer.
const CHECK_INS: [(&str, &str, &str, bool); 3] = [
    ("nothing new", "[talking]", "[talking]\nalways_signed = false\nreport_promptly = false", false),
    ("signed status", "[talking]", "[talking]\nreport_promptly = false", false),
    // What it must not take by itself it is offered again and again.
    (
        "offer with its release",
        "[talking]",
        "[versions]\nauto_update = false\n[talking]\nreport_promptly = false",
        true,
    ),
];
/// Exchanges that are like no other: the first after a start, those of the trust chain, a report.
const ODD_EXCHANGES: u64 = 8;

fn main() -> Result<()> {
    let (mut out, mut runs) = (PathBuf::from("docs/benchmarks/air.json"), RUNS);
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        match flag.as_str() {
            "--quick" => runs = 1,
            "--out" => out = arguments.next().context("--out wants a file")?.into(),
            other => bail!("no flag {other}; there are: --quick, --out FILE"),
        }
    }
    let binaries = Binaries::find()?;
    let (mut rows, mut answers) = (Vec::new(), Vec::new());
    for kind in CHECK_INS {
        let folder = tempfile::tempdir()?;
        let [to_device, to_server] = check_in(&binaries, folder.path(), kind)?;
        let air_bytes_ipv4 = to_device + to_server - 2 * (IPV6_BYTES - IPV4_BYTES);
        let datagram_bytes = [to_server - IPV6_BYTES, to_device - IPV6_BYTES];
        let row =
            json!({ "what": kind.0, "datagram_bytes": datagram_bytes, "air_bytes_ipv4": air_bytes_ipv4 });
        println!("{row}");
        rows.push(row);
        answers.push((air_bytes_ipv4, datagram_bytes[1]));
    }
    let mut seconds = Vec::new();
    for (cell, seed) in CELLS.into_iter().flat_map(|cell| (1..=runs).map(move |seed| (cell, seed))) {
        let folder = tempfile::tempdir()?;
        let row = fetch(&binaries, folder.path(), cell, seed)?;
        println!("{}", row.to_string().trim_matches(['{', '}']));
        if cell == CELLS[0] {
            seconds.extend(row["seconds"].as_f64());
        }
        rows.push(row);
    }
    let goal = |id: &str, unit: &str, goal: f64, value: f64| {
        let value = (value * 100.0).round() / 100.0;
        json!({ "id": id, "goal": goal, "value": value, "unit": unit, "holds": value <= goal })
    };
    let slowest = seconds.iter().copied().fold(0.0, f64::max);
    let goals = [
        goal("A1", "bytes, idle check-in both ways, IPv4", 120.0, answers[0].0 as f64),
        goal("A2", "bytes of UDP payload, signed status", 110.0, answers[1].1 as f64),
        goal("A3", "bytes of UDP payload, offer with release", 480.0, answers[2].1 as f64),
        goal("A4", "s, 25 KB, mean", 14.0, seconds.iter().sum::<f64>() / seconds.len() as f64),
        goal("A4", "s, 25 KB, the slowest", 18.0, slowest),
    ];
    let figures = figures("cargo xtask bench air", &rows, &goals);
    print_goals(&figures);
    write_figures(&figures, &out)
}

/// Bytes at the IP layer of an answer and of its question, once a device asks the same again and again.
fn check_in(
    binaries: &Binaries,
    dir: &Path,
    (_, usual, other, newer): (&str, &str, &str, bool),
) -> Result<[u64; 2]> {
    let fleet = Fleet::start(binaries, dir)?;
    let (old, new) = (dir.join("old"), dir.join("new"));
    fs::write(&old, noise(0, 25_000))?;
    fs::write(&new, noise(1, 25_000))?;
    fleet.push_image(&old, "1.0.0")?;
    if newer {
        fleet.push_image(&new, "1.1.0")?;
    }
    let proxy = Proxy::start(fleet.coap_addr()?, Air::nb_iot(20_000_000, 10, 0), 1)?;
    let device = fleet.provision_coap("thin-1", &old, &[&format!("coap://{}", proxy.address())])?;
    let config = device.dir().join("agent.toml");
    let text = fs::read_to_string(&config)?.replace("[restart]", "[restart]\nhow = \"exit\"");
    fs::write(&config, text.replace(usual, other))?;
    let mut command = Command::new(binaries.program("lapwing-agent"));
    command.args(["run", "--config"]).arg(&config);
    let mut agent = Process::start(command, &dir.join("agent.log"))?;
    let settled = |exchanges: u64| {
        wait_until(PATIENCE, || {
            let both = [Side::Device, Side::Server].map(|side| proxy.counters(side));
            Ok(both.iter().all(|side| side.packets >= exchanges).then_some(both))
        })
    };
    let before = settled(ODD_EXCHANGES)?;
    let after = settled(before[0].packets + 3)?;
    agent.kill()?;
    Ok([0, 1].map(|side: usize| {
        (after[side].bytes - before[side].bytes).div_ceil(after[side].packets - before[side].packets)
    }))
}

/// One download by the real agent, from the moment it begins to its last byte.
fn fetch(
    binaries: &Binaries,
    dir: &Path,
    (rate_bps, round_trip_ms, loss_permille, image_bytes): (u64, u64, u16, usize),
    seed: u64,
) -> Result<Value> {
    let fleet = Fleet::start(binaries, dir)?;
    let (old, image) = (dir.join("old"), dir.join("new"));
    fs::write(&old, noise(0, image_bytes))?;
    fs::write(&image, noise(seed, image_bytes))?;
    fleet.push_image(&old, "1.0.0")?;
    let proxy = Proxy::start(fleet.coap_addr()?, Air::nb_iot(rate_bps, round_trip_ms, loss_permille), seed)?;
    let device = fleet.provision_coap("thin-1", &old, &[&format!("coap://{}", proxy.address())])?;
    let config = device.dir().join("agent.toml");
    let text = fs::read_to_string(&config)?.replace("[restart]", "[restart]\nhow = \"exit\"");
    let text =
        text.replace("check_in_interval_ms = 1000", "check_in_interval_ms = 60000\nreport_promptly = false");
    fs::write(&config, format!("{text}\n[http]\nstall_timeout_ms = 120000\nexchange_timeout_ms = 120000\n"))?;
    fleet.push_image(&image, "1.1.0")?;
    let mut command = Command::new(binaries.program("lapwing-agent"));
    command.args(["run", "--config"]).arg(&config);
    let mut agent = Process::start(command, &dir.join("agent.log"))?;
    let blocks = device.dir().join("artifact/blocks");
    wait_until(PATIENCE, || {
        ensure!(agent.ended()?.is_none(), "the agent ended: {}", agent.log());
        Ok(blocks.exists().then_some(()))
    })?;
    let (began, before) = (Instant::now(), [Side::Device, Side::Server].map(|side| proxy.counters(side)));
    wait_until(PATIENCE, || Ok(agent.log().contains("update.download.completed").then_some(())))
        .with_context(|| agent.log())?;
    let seconds = began.elapsed().as_secs_f64();
    let after = [Side::Device, Side::Server].map(|side| proxy.counters(side));
    agent.kill()?;
    let [to_device, to_server] = [0, 1].map(|side: usize| {
        (after[side].bytes - before[side].bytes, after[side].packets - before[side].packets)
    });
    Ok(json!({
        "rate_bps": rate_bps,
        "round_trip_ms": round_trip_ms,
        "loss_permille": loss_permille,
        "image_bytes": image_bytes,
        "seed": seed,
        "seconds": (seconds * 100.0).round() / 100.0,
        "bytes_on_air": to_device.0 + to_server.0,
        "uplink_packets": to_server.1,
        "largest_packet_bytes": after[0].largest_bytes.max(after[1].largest_bytes),
    }))
}

/// Bytes that do not compress.
fn noise(seed: u64, size_bytes: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..size_bytes).map(|_| next()).collect()
}
