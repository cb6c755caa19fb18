//! Feeds one decoder: by libFuzzer where a nightly toolchain exists, else by seeded mutations.
//!
//! Touches: rustup, the package `lapwing-fuzz`. What libFuzzer learns stays below the target folder;
//! an input that fails goes to `fuzz/corpus/TARGET`, where every later run tries it.

use crate::child::{self, cargo};
use crate::house::{House, PROFILE};

const PACKAGE: &str = "lapwing-fuzz";
const SECONDS_WITHOUT_COUNT: &str = "60";
const INPUT_BYTES_MAX: u32 = 8192;

/// What makes the compiler count edges for libFuzzer; our own checks stay on.
const COVERAGE_FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Coverflow-checks=on -Cdebug-assertions=on";

/// Runs `fuzz TARGET [--count N] [--seed S]`; without TARGET it lists them.
///
/// # Errors
/// When the driver does not build, or an input fails.
pub(crate) fn run(house: &House, arguments: &[String]) -> Result<(), String> {
    if !house.has(PACKAGE) {
        return Err(format!("{PACKAGE} does not exist yet"));
    }
    let Some((target, options)) = arguments.split_first() else { return replay(house, arguments) };
    let mut nightly = child::program(house, "rustup", &["run", "nightly", "rustc", "-vV"]);
    let Some(host) = child::output(&mut nightly).and_then(|text| host_of(&text)) else {
        eprintln!("!!! no nightly toolchain, so no libFuzzer: seeded mutations instead");
        return replay(house, arguments);
    };
    libfuzzer(house, &host, target, options)
}

fn replay(house: &House, arguments: &[String]) -> Result<(), String> {
    let run = ["run", "--quiet", "--profile", PROFILE, "-p", PACKAGE, "--bin", PACKAGE, "--"];
    child::run(cargo(house, &run).args(arguments))
}

fn libfuzzer(house: &House, host: &str, target: &str, options: &[String]) -> Result<(), String> {
    let scratch = house.target_folder().join("fuzz");
    let learnt = scratch.join("corpus").join(target);
    let kept = house.root.join("fuzz/corpus").join(target);
    for folder in [&learnt, &kept] {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let run = ["run", "nightly", "cargo", "run", "--quiet", "--profile", PROFILE, "-p", PACKAGE];
    let mut command = child::program(house, "rustup", &run);
    // A target of its own keeps the coverage flags away from build scripts.
    command.args(["--features", "libfuzzer", "--bin", "lapwing-libfuzzer", "--target", host]);
    command.arg("--target-dir").arg(&scratch).args(["--"]);
    command.args([&learnt, &kept, &house.root.join("formats/vectors")]);
    command.arg(format!("-max_len={INPUT_BYTES_MAX}"));
    command.arg(format!("-artifact_prefix={}/", kept.display()));
    command.args(limits(options)?);
    child::run(command.env("RUSTFLAGS", COVERAGE_FLAGS).env("LAPWING_FUZZ_TARGET", target))
}

/// Our options as libFuzzer spells them.
fn limits(options: &[String]) -> Result<Vec<String>, String> {
    let mut limits = vec![format!("-max_total_time={SECONDS_WITHOUT_COUNT}")];
    for pair in options.chunks(2) {
        match pair {
            [flag, number] if flag == "--count" => limits = vec![format!("-runs={number}")],
            [flag, number] if flag == "--seed" => limits.push(format!("-seed={number}")),
            _ => return Err(format!("expected --count N or --seed S, not {}", pair.join(" "))),
        }
    }
    Ok(limits)
}

fn host_of(version: &str) -> Option<String> {
    version.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_replaces_the_time_limit() {
        let options = |text: &str| limits(&text.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(limits(&[]), Ok(vec!["-max_total_time=60".into()]));
        assert_eq!(options("--count 5 --seed 7"), Ok(vec!["-runs=5".into(), "-seed=7".into()]));
        assert!(options("--fast 1").is_err());
    }

    #[test]
    fn the_host_is_read_from_the_version() {
        assert_eq!(host_of("rustc 1\nhost: a-b-c\n").as_deref(), Some("a-b-c"));
        assert_eq!(host_of("rustc 1"), None);
    }
}
