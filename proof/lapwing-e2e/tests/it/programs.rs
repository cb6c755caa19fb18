//! Where the real binaries are, and what they said.
//!
//! Touches: the folder that cargo built this test into.

use std::path::PathBuf;
use std::process::Command;

/// A program of the workspace, built by `cargo xtask test` into the same folder as this test.
pub(crate) fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let built = test.ancestors().nth(2).unwrap().join(name);
    assert!(built.exists(), "build {name} first: {} is not there", built.display());
    built
}

/// Runs a program that must end well, and gives what it said.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}: {}{}", said(&output.stdout), said(&output.stderr));
    said(&output.stdout)
}
