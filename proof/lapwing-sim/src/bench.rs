//! What is measured with made-up devices: `cargo xtask bench cuts`, power cuts and failing effects, and
//! `cargo xtask bench rollout`, what rollouts cost whom; both `[--quick] [--out FILE]`, the
//! second `--first-seed N` before them.
//!
//! Touches: `docs/benchmarks`, or FILE. The counts depend on nothing but the code; the time on the machine.

use lapwing_sim::fleet::{Depth as Telling, measure as measure_rollouts, svg};
use lapwing_sim::{Expected, Pace, STORIES, Tally, any, cut_at_random, update};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// How thoroughly to measure.
struct Depth {
    /// Each so many points of a run are cut.
    stride: u64,
    /// Each so many points of a recovery.
    second: u64,
    chains: u64,
    seeds: u64,
}

const WHOLE: Depth = Depth { stride: 1, second: 7, chains: 20_000, seeds: 10_000 };
const QUICK: Depth = Depth { stride: 9, second: 13, chains: 1_000, seeds: 500 };

const ROLLOUT_WHOLE: Telling =
    Telling { first_seed: 0, seeds: 200, seeds_beside: 40, devices: 100_000, devices_many: 1_000_000 };
const ROLLOUT_QUICK: Telling =
    Telling { first_seed: 0, seeds: 12, seeds_beside: 6, devices: 10_000, devices_many: 100_000 };

/// `cargo xtask bench rollout [--first-seed N] [--quick] [--out FILE]`: the fleet brain against made-up fleets. The
/// table goes to the screen, the figures to `docs/benchmarks/rollout.json`, the picture beside them.
pub(crate) fn rollout(options: &[&str]) -> Result<(), String> {
    let (first_seed, rest) = match options {
        ["--first-seed", seed, rest @ ..] => (seed.parse().map_err(|_| "--first-seed N".to_owned())?, rest),
        rest => (0, rest),
    };
    let (depth, file) = chosen("rollout", rest, (ROLLOUT_WHOLE, ROLLOUT_QUICK))?;
    let report = measure_rollouts(&Telling { first_seed, ..depth });
    print!("{report}");
    write(("rollout", options), &file, (report.json(), report.goals()))?;
    fs::write(file.with_extension("svg"), svg(&report)).map_err(|error| error.to_string())
}

/// How thoroughly to measure, and where the figures go.
fn chosen<D>(name: &str, options: &[&str], (whole, quick): (D, D)) -> Result<(D, PathBuf), String> {
    let usual = || Path::new("docs/benchmarks").join(name).with_extension("json");
    match options {
        [] => Ok((whole, usual())),
        ["--quick"] => Ok((quick, usual())),
        ["--out", file] => Ok((whole, file.into())),
        ["--quick", "--out", file] | ["--out", file, "--quick"] => Ok((quick, file.into())),
        _ => Err(format!("bench {name} [--quick] [--out FILE]")),
    }
}

pub(crate) fn cuts(options: &[&str]) -> Result<(), String> {
    let (depth, file) = chosen("cuts", options, (WHOLE, QUICK))?;
    let rows = measure(&depth);
    let bad: u64 = rows.iter().filter_map(|row| row["bad"].as_u64()).sum();
    write(("cuts", options), &file, (rows, Vec::new()))?;
    if bad == 0 { Ok(()) } else { Err(format!("{bad} runs ended wrong")) }
}

fn measure(depth: &Depth) -> Vec<Value> {
    let mut rows = Vec::new();
    for (program, may_run) in &STORIES {
        let expected = Expected { may_run, artifact_bytes: None };
        let world = update(1, Pace::Short, *program);
        rows.push(row(&format!("one cut, {program:?}"), |tally| {
            tally.singles(&world, depth.stride, expected)
        }));
        rows.push(row(&format!("one failing effect, {program:?}"), |tally| tally.faults(&world, expected)));
        let stride = depth.stride.max(3);
        rows.push(row(&format!("two cuts, {program:?}"), |tally| {
            tally.pairs(&world, stride, depth.second, expected);
        }));
    }
    rows.push(row("one to three cuts by chance, all of them", |tally| *tally = cut_at_random(depth.chains)));
    rows.push(row("stories of chance", |tally| {
        for seed in 0..depth.seeds {
            let world = any(seed, false);
            tally.runs += 1;
            if !world.violations.is_empty() {
                println!("cargo xtask sim {seed}");
                tally.bad_seeds += 1;
            }
        }
    }));
    rows
}

fn row(what: &str, run: impl FnOnce(&mut Tally)) -> Value {
    let began = Instant::now();
    let mut tally = Tally::default();
    run(&mut tally);
    let bad = (tally.failures.len() + tally.faulty.len()) as u64 + tally.bad_seeds;
    let seconds = began.elapsed().as_secs();
    println!("{what:<48} {:>7} runs, {bad} bad, {seconds} s", tally.runs);
    tally.failures.iter().take(3).for_each(|failure| println!("    {failure:?}"));
    json!({ "what": what, "points": tally.points, "runs": tally.runs, "bad": bad, "seconds": seconds })
}

/// Writes the figures of a bench to its file.
fn write(
    (name, options): (&str, &[&str]),
    file: &Path,
    (rows, goals): (Vec<Value>, Vec<Value>),
) -> Result<(), String> {
    let command = [&["cargo xtask bench", name], options].concat().join(" ");
    let report = json!({
        "command": command,
        "commit": git(&["rev-parse", "--short", "HEAD"]),
        "machine": machine(),
        "rows": rows,
        "goals": goals,
    });
    let text = serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?;
    fs::write(file, text + "\n").map_err(|error| format!("{}: {error}", file.display()))
}

fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores, {}", model.trim_start_matches([' ', '\t', ':']))
}

fn git(arguments: &[&str]) -> String {
    let output = Command::new("git").args(arguments).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
