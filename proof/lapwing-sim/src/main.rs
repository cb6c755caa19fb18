//! Narrates simulated runs: one seed, one scenario, or many seeds in search of one that ends wrong.
//!
//! Touches: standard output. `cargo xtask sim` and `cargo xtask cuts` end here.
#![allow(missing_docs)]
use std::process::ExitCode;
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| arguments.get(at).and_then(|text| text.parse::<u64>().ok());
    if arguments.first().map(String::as_str) == Some("--count") {
        let count = number(1).unwrap_or(100);
        let first = number(2).unwrap_or(0);
        let mut bad = 0;
        for seed in first..first + count {
            let world = lapwing_sim::any(seed, false);
            if !world.violations.is_empty() {
                bad += 1;
                println!("seed {seed}: {:.400?}", world.violations);
            }
        }
        println!("{count} seeds, {bad} bad");
        return ExitCode::SUCCESS;
    }
    let world = lapwing_sim::any(number(0).unwrap_or(0), true);
    for line in world.transcript.unwrap_or_default() {
        println!("{line}");
    }
    ExitCode::SUCCESS
}
