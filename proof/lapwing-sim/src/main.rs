//! Narrates simulated runs: a seed, a scenario, or many seeds in search of one that ends wrong.
//!
//! Touches: standard output, `scenarios/`. `cargo xtask sim` and `cargo xtask cuts` end here.

mod bench;
mod swarm;

use lapwing_sim::{World, any, cut_at_random, fleet, play};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
Simulated devices with the real brain. Everything follows from a number.

  lapwing-sim                     one good update, then one image that never starts
  lapwing-sim SEED                the story of chance with this seed, narrated
  lapwing-sim --count N [FROM]    N of them; those that end wrong are named
  lapwing-sim --fleet SEED        a rollout to a whole fleet, as operators read it
  lapwing-sim scenario [NAME]     a story from scenarios/; without NAME it lists them
  lapwing-sim cuts --count N      cut the power N times, in single cuts and pairs, and look what boots
";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words[..] {
        [] => narrate("good-update").and_then(|()| narrate("three-boots")),
        ["--help" | "-h" | "help"] => {
            print!("{HELP}\n{}", swarm::HELP);
            Ok(())
        }
        ["scenario"] => list(),
        ["scenario", name] => narrate(name),
        ["--count", count] => number(count).and_then(|count| many(count, 0)),
        ["--count", count, from] => number(count).and_then(|count| many(count, number(from)?)),
        ["cuts", "--count", count] => number(count).and_then(cuts),
        ["bench-cuts", ref options @ ..] => bench::cuts(options),
        ["bench-rollout", ref options @ ..] => bench::rollout(options),
        ["--swarm", ..] => swarm::run(&words),
        ["--fleet", seed] => number(seed).map(|seed| print!("{}", fleet::narrate(seed))),
        [seed] => number(seed).and_then(|seed| show(&any(seed, true))),
        _ => Err(HELP.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text} is not a number\n{HELP}"))
}

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

/// The narration of a run, and whether all of it held.
fn show(world: &World) -> Result<(), String> {
    let mut text = String::new();
    for line in world.transcript.iter().flatten() {
        writeln!(text, "{line}").map_err(|error| error.to_string())?;
    }
    print!("{text}");
    println!("\n    {}", world.summary());
    if world.violations.is_empty() { Ok(()) } else { Err(world.violations.join("\n")) }
}

fn narrate(name: &str) -> Result<(), String> {
    let file = scenarios().join(name).with_extension("txt");
    let script = std::fs::read_to_string(&file).map_err(|_| format!("there is no scenario {name}"))?;
    println!("{name}");
    let comments = script.lines().filter_map(|line| line.strip_prefix("# "));
    comments.for_each(|line| println!("    {line}"));
    println!();
    let shown = show(&play(&script)?);
    println!();
    shown
}

fn list() -> Result<(), String> {
    let folder = std::fs::read_dir(scenarios()).map_err(|error| error.to_string())?;
    let mut names: Vec<_> = folder.flatten().map(|entry| entry.path()).collect();
    names.retain(|path| path.extension().is_some_and(|ending| ending == "txt"));
    names.sort();
    names.iter().filter_map(|path| path.file_stem()).for_each(|name| println!("{}", name.display()));
    Ok(())
}

fn many(count: u64, from: u64) -> Result<(), String> {
    let mut bad = 0;
    for seed in from..from.saturating_add(count) {
        let world = any(seed, false);
        if !world.violations.is_empty() {
            bad += 1;
            println!("cargo xtask sim {seed}");
            world.violations.iter().for_each(|what| println!("    {what:.300}"));
        }
    }
    println!("{count} seeds, {bad} bad");
    if bad == 0 { Ok(()) } else { Err(format!("{bad} seeds ended wrong")) }
}

fn cuts(count: u64) -> Result<(), String> {
    let tally = cut_at_random(count);
    println!("{} runs with the power cut, {} bad", tally.runs, tally.failures.len());
    tally.failures.iter().take(10).for_each(|failure| println!("{failure:?}"));
    if tally.failures.is_empty() { Ok(()) } else { Err("some ended wrong".to_owned()) }
}
