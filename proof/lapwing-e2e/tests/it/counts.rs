//! Enumerates a recording by both models, says how much was tried, and whether tracing works here.
//!
//! Touches: the error stream, past the test harness: these counts are part of the result.

use lapwing_e2e::{Crash, Findings, Model, Plan, Recording, enumerate, tracing_possible};
use std::io::Write;
use std::time::Instant;

/// Enough to see that something is wrong.
const BAD_MAX: usize = 100;
const SEED: u64 = 20_261_121;

/// Says in large letters that nothing is proven here, where that is so.
pub(crate) fn nothing_traced(test: &str) -> bool {
    let Err(why) = tracing_possible() else { return false };
    say(&format!("!!!\n!!! {test} SKIPPED, no crash state was tried: {why}\n!!!"));
    true
}

/// What both models find, so many states per cut.
pub(crate) fn both_models(
    name: &str,
    recording: &Recording,
    promises: &[usize],
    states_per_cut: usize,
    judge: &dyn Fn(&Crash<'_>) -> Result<String, String>,
) -> [Findings; 2] {
    [Model::Ordered, Model::Posix].map(|model| {
        let start = Instant::now();
        let plan = Plan { model, states_per_cut, seed: SEED, bad_max: BAD_MAX, promises };
        let findings = enumerate(recording, &plan, judge);
        let text = findings.to_string();
        let first = text.lines().next().unwrap_or_default();
        say(&format!("{name}, {first} ({:.1} s)", start.elapsed().as_secs_f64()));
        findings
    })
}

pub(crate) fn say(line: &str) {
    // The harness captures print macros of tests that pass; a stream written to directly it does not.
    let _ = writeln!(std::io::stderr(), "{line}");
}
