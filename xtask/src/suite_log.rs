//! What the commands of a suite print, when nobody watches: kept whole in a file, and what matters of it shown.
//!
//! Touches: `suites/NAME.log` in the target folder. A suite that passes says one line, so that what failed is
//! what is read. Never: hides what a test says about something that it could not try.

use crate::house::House;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::PathBuf;

/// Lines of failed tests that are shown, and lines from the end of the log.
const FAILURE_LINES_MAX: usize = 300;
const LAST_LINES: usize = 40;
/// How a line begins that nobody may miss.
const LOUD: &str = "!!!";

/// The empty log of a suite, or none where somebody watches.
///
/// # Errors
/// When the file cannot be made.
pub(crate) fn begin(house: &House, suite: &str) -> Result<Option<PathBuf>, String> {
    if io::stderr().is_terminal() {
        return Ok(None);
    }
    let folder = house.target_folder().join("suites");
    let path = folder.join(format!("{suite}.log"));
    let made = fs::create_dir_all(&folder).and_then(|()| fs::write(&path, ""));
    made.map(|()| Some(path.clone())).map_err(|error| format!("{}: {error}", path.display()))
}

/// Tests that passed and failed, by the closing lines of their binaries.
pub(crate) fn tests(log: &str) -> (u64, u64) {
    let count = |line: &str, word: &str| -> u64 {
        let before = line.split_once(word).and_then(|(before, _)| before.split_whitespace().last());
        before.and_then(|number| number.parse().ok()).unwrap_or(0)
    };
    let closing = log.lines().filter(|line| line.starts_with("test result: "));
    closing.fold((0, 0), |(passed, failed), line| {
        (passed + count(line, " passed"), failed + count(line, " failed"))
    })
}

/// What must be seen of a suite that passed: what was not tried, and why.
pub(crate) fn loud(log: &str) -> Vec<&str> {
    let mut loud: Vec<&str> = log.lines().filter(|line| line.starts_with(LOUD)).collect();
    loud.dedup();
    loud
}

/// What shows why a suite failed: each failed test with what it said, then how the log ends.
pub(crate) fn why_failed(log: &str) -> Vec<&str> {
    let lines: Vec<&str> =
        log.lines().filter(|line| !(line.starts_with("test ") && line.ends_with("... ok"))).collect();
    let (mut failures, mut inside) = (Vec::new(), false);
    for line in &lines {
        inside = (inside || *line == "failures:") && !line.starts_with("test result: ");
        if inside {
            failures.push(*line);
        }
    }
    failures.truncate(FAILURE_LINES_MAX);
    let last = lines.iter().skip(lines.len().saturating_sub(LAST_LINES));
    failures.into_iter().chain(last.copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "test a ... ok
successes:
---- a stdout ----
!!! no broker here
!!! no broker here
test result: ok. 3 passed; 0 failed; 0 ignored
test b ... FAILED
failures:
---- b stdout ----
it broke
failures:
    b
test result: FAILED. 4 passed; 1 failed; 0 ignored
error: 1 target failed";

    #[test]
    fn tests_are_counted_over_all_binaries() {
        assert_eq!(tests(LOG), (7, 1));
        assert_eq!(tests("a test result: of 5 passed"), (0, 0));
    }

    #[test]
    fn what_failed_is_shown_with_what_it_said_and_the_end() {
        let shown = why_failed(LOG);
        assert_eq!(shown[..4], ["failures:", "---- b stdout ----", "it broke", "failures:"]);
        assert_eq!(shown.last(), Some(&"error: 1 target failed"));
        assert!(!shown.contains(&"test a ... ok"));
        let long = format!("failures:\n{}", "x\n".repeat(1000));
        assert_eq!(why_failed(&long).len(), FAILURE_LINES_MAX + LAST_LINES);
    }

    #[test]
    fn what_was_not_tried_is_always_shown() {
        assert_eq!(loud(LOG), ["!!! no broker here"]);
    }
}
