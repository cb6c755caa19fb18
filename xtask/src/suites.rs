//! The suites of `cargo xtask test`: which there are, in order, and the table at the end.
//!
//! Touches: `suite_bodies` does the work. A suite whose packages do not exist yet is not in the list.
//! Never: stops at a failure; a skipped suite is named with its reason, never passed over.

use crate::console;
use crate::house::House;
use crate::suite_bodies as body;
use crate::{suite_log, suite_targets};
use std::fs;
use std::time::{Duration, Instant};

/// One suite of the table.
struct Suite {
    name: &'static str,
    /// It is in the list as soon as one of these packages exists, or always if none is named.
    packages: &'static [&'static str],
    run: fn(&House) -> Outcome,
}

/// How a suite ended.
pub(crate) enum Outcome {
    /// All good; the text is a figure or a caveat worth a place in the summary.
    Passed(String),
    Failed(String),
    /// Something it needs cannot be had here.
    Skipped(String),
}

const SUITES: &[Suite] = &[
    Suite { name: "tidy", packages: &[], run: body::tidy },
    Suite { name: "fmt", packages: &[], run: body::fmt },
    Suite { name: "clippy", packages: &[], run: body::clippy },
    Suite { name: "unit", packages: &[], run: body::unit },
    Suite { name: "store", packages: &["lapwing-server"], run: body::store },
    Suite { name: "nostd", packages: body::BARE_METAL_PACKAGES, run: body::nostd },
    Suite { name: "targets", packages: &["lapwing-metal"], run: suite_targets::targets },
    Suite { name: "launcher", packages: &["lapwing-launcher"], run: body::launcher },
    Suite { name: "agent", packages: &["lapwing-agent"], run: body::agent },
    Suite { name: "sim", packages: &["lapwing-sim"], run: body::sim },
    Suite { name: "link", packages: &["lapwing-link"], run: body::link },
    Suite { name: "e2e", packages: &["lapwing-e2e"], run: body::e2e },
    Suite { name: "api", packages: &["lapwing-server"], run: body::api },
    Suite { name: "console", packages: &["lapwing-server"], run: console::suite },
    Suite { name: "docs", packages: &[], run: body::docs },
    Suite { name: "deny", packages: &[], run: body::deny },
    Suite { name: "fuzz", packages: &["lapwing-fuzz"], run: body::fuzz },
];

/// Runs the suites in order, all or those named, and prints the table.
///
/// # Errors
/// When a name is unknown or any suite failed.
pub(crate) fn run(house: &House, only: &[String]) -> Result<(), String> {
    let present =
        |suite: &&Suite| suite.packages.is_empty() || suite.packages.iter().any(|package| house.has(package));
    let suites: Vec<&Suite> = SUITES.iter().filter(present).collect();
    if let Some(unknown) = only.iter().find(|name| suites.iter().all(|suite| suite.name != *name)) {
        let names: Vec<_> = suites.iter().map(|suite| suite.name).collect();
        return Err(format!("no suite {unknown}; there are: {}", names.join(", ")));
    }
    let wanted = suites.iter().filter(|suite| only.is_empty() || only.iter().any(|name| name == suite.name));
    let ended: Vec<Ended> = wanted.map(|suite| run_one(house, suite)).collect();
    print!("{}", summary(&ended));
    let tests =
        ended.iter().filter_map(|ended| ended.tests).reduce(|sum, tests| (sum.0 + tests.0, sum.1 + tests.1));
    if let Some((passed, failed)) = tests {
        println!("tests: {passed} passed, {failed} failed");
    }
    let failed = ended.iter().filter(|ended| matches!(ended.outcome, Outcome::Failed(_))).count();
    if failed == 0 { Ok(()) } else { Err(format!("{failed} of {} suites failed", ended.len())) }
}

struct Ended {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
    /// Passed and failed, where they were counted.
    tests: Option<(u64, u64)>,
}

fn run_one(house: &House, suite: &Suite) -> Ended {
    eprintln!("\n=== {} ===", suite.name);
    let start = Instant::now();
    let (outcome, log) = match suite_log::begin(house, suite.name) {
        Ok(None) => ((suite.run)(house), None),
        Ok(Some(log)) => {
            let outcome = (suite.run)(&house.writing_to(&log));
            (outcome, Some(String::from_utf8_lossy(&fs::read(&log).unwrap_or_default()).into_owned()))
        }
        Err(reason) => (Outcome::Failed(reason), None),
    };
    let took = start.elapsed();
    if let Some(log) = &log {
        let failed = matches!(outcome, Outcome::Failed(_));
        let shown = if failed { suite_log::why_failed(log) } else { suite_log::loud(log) };
        shown.iter().for_each(|line| eprintln!("{line}"));
    }
    match &outcome {
        Outcome::Passed(_) => eprintln!("=== {}: ok in {:.1} s", suite.name, took.as_secs_f64()),
        Outcome::Failed(reason) => eprintln!("=== {}: FAILED: {reason}", suite.name),
        Outcome::Skipped(reason) => eprintln!("!!!\n!!! {} SKIPPED: {reason}\n!!!", suite.name),
    }
    Ended { name: suite.name, outcome, took, tests: log.as_deref().map(suite_log::tests) }
}

fn summary(ended: &[Ended]) -> String {
    let mut table = format!("\n{:<10} {:<8} {:>9}  note\n", "suite", "outcome", "time");
    for Ended { name, outcome, took, .. } in ended {
        let (word, note) = match outcome {
            Outcome::Passed(note) => ("ok", note),
            Outcome::Failed(reason) => ("FAILED", reason),
            Outcome::Skipped(reason) => ("SKIPPED", reason),
        };
        let line = format!("{name:<10} {word:<8} {:>7.1} s  {note}", took.as_secs_f64());
        table.push_str(line.trim_end());
        table.push('\n');
    }
    let total: Duration = ended.iter().map(|ended| ended.took).sum();
    table.push_str(&format!("{:<10} {:<8} {:>7.1} s\n", "all", "", total.as_secs_f64()));
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_names_every_suite_with_its_reason() {
        let second = Duration::from_secs(1);
        let table = summary(&[
            Ended { name: "one", outcome: Outcome::Passed(String::new()), took: second, tests: None },
            Ended { name: "two", outcome: Outcome::Failed("broken".into()), took: second, tests: None },
            Ended {
                name: "three",
                outcome: Outcome::Skipped("no network".into()),
                took: second,
                tests: None,
            },
        ]);
        assert!(table.contains("one        ok           1.0 s\n"));
        assert!(table.contains("two        FAILED       1.0 s  broken\n"));
        assert!(table.contains("three      SKIPPED      1.0 s  no network\n"));
        assert!(table.contains("3.0 s"));
    }
}
