//! The command line: what is refused, and what the launcher says about itself.
//!
//! Touches: `device`.
//! Never: starts an image on a line that was not understood.

use crate::device::{Device, NEW, complained, launcher, output, said};
use std::process::Command;

fn check(words: &[&str], code: i32, expected: &str) {
    let output = output(Command::new(launcher()).args(words));
    assert_eq!(output.status.code(), Some(code), "{words:?}");
    let text = said(&output) + &complained(&output);
    assert!(text.contains(expected), "{words:?}: {text}");
}

#[test]
fn help_and_version_go_to_stdout() {
    for flag in ["--help", "-h"] {
        check(&[flag], 0, "lapwing-launcher run --root DIR");
    }
    check(&["run", "--help"], 0, "Exit codes");
    check(&["--version"], 0, concat!("lapwing-launcher ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_wrong_line_is_refused_by_name() {
    check(&[], 120, "expected run or supervise");
    check(&["walk"], 120, "expected run or supervise: walk");
    check(&["run"], 120, "missing flag --root");
    check(&["run", "--root"], 120, "missing value of --root");
    check(&["run", "--root", "/", "--fast"], 120, "unknown flag --fast");
    check(&["run", "--root", "/", "--restart-delay-ms", "1"], 120, "unknown flag --restart-delay-ms");
    check(&["supervise", "--root", "/", "--restart-delay-ms", "soon"], 120, "after --restart-delay-ms");
}

#[test]
fn a_root_that_is_not_there_is_told() {
    check(&["run", "--root", "/nowhere/at/all"], 121, "failed to open /nowhere/at/all: No such file");
}

#[test]
fn an_empty_root_has_nothing_to_start() {
    let dir = tempfile::TempDir::new().unwrap();
    check(&["run", "--root", dir.path().to_str().unwrap()], 122, "no slot can be started");
}

#[test]
fn a_wrong_line_spends_no_try() {
    let device = Device::on_trial(NEW);
    let before = device.table();
    assert_eq!(device.run(&["--fast"]).status.code(), Some(120));
    assert_eq!(device.table(), before);
}
