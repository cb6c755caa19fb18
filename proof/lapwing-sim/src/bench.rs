//! How many power cuts and failing effects were tried, and what came of them: `cargo xtask bench cuts
//! [--quick] [--out FILE]`.
//!
//! Touches: `docs/benchmarks/cuts.json`, or FILE. The counts depend on nothing but the code; the time on the machine.

use lapwing_sim::{Expected, Pace, STORIES, Tally, any, cut_at_random, update};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// How thoroughly to measure.
struct Depth {
    command: &'static str,
    /// Each so many points of a run are cut.
    stride: u64,
    /// Each so many points of a recovery.
    second: u64,
    chains: u64,
    seeds: u64,
}

const WHOLE: Depth =
    Depth { command: "cargo xtask bench cuts", stride: 1, second: 7, chains: 20_000, seeds: 10_000 };
const QUICK: Depth =
    Depth { command: "cargo xtask bench cuts --quick", stride: 9, second: 13, chains: 1_000, seeds: 500 };

pub(crate) fn cuts(options: &[&str]) -> Result<(), String> {
    let (depth, out) = match options {
        [] => (WHOLE, None),
        ["--quick"] => (QUICK, None),
        ["--out", file] => (WHOLE, Some(*file)),
        ["--quick", "--out", file] | ["--out", file, "--quick"] => (QUICK, Some(*file)),
        _ => return Err("bench-cuts [--quick] [--out FILE]".to_owned()),
    };
    let rows = measure(&depth);
    let bad: u64 = rows.iter().filter_map(|row| row["bad"].as_u64()).sum();
    let report = json!({
        "command": depth.command,
        "commit": git(&["rev-parse", "--short", "HEAD"]),
        "machine": machine(),
        "rows": rows,
        "goals": [],
    });
    let file = out.map_or_else(|| Path::new("docs/benchmarks/cuts.json").to_owned(), |out| out.into());
    let text = serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?;
    fs::write(&file, text + "\n").map_err(|error| format!("{}: {error}", file.display()))?;
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
