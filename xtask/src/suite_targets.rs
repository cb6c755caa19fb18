//! Suite `targets`: the same artifacts make the same images on machines unlike this one, which QEMU plays.
//!
//! Touches: `child`, `set_up`. Never: passes over a machine that cannot be had; the summary names it.

use crate::child::{self, cargo};
use crate::house::{House, PROFILE};
use crate::set_up;
use crate::suites::Outcome;

/// A machine with Linux.
struct Machine {
    target: &'static str,
    /// What Debian calls its tools and folders.
    gnu: &'static str,
    libraries: &'static str,
    emulator: &'static str,
}

/// One of 32 bits, and one with the most significant byte first.
const MACHINES: [Machine; 2] = [
    Machine {
        target: "armv7-unknown-linux-gnueabihf",
        gnu: "arm-linux-gnueabihf",
        libraries: "libc6-dev-armhf-cross",
        emulator: "qemu-arm",
    },
    Machine {
        target: "s390x-unknown-linux-gnu",
        gnu: "s390x-linux-gnu",
        libraries: "libc6-dev-s390x-cross",
        emulator: "qemu-s390x",
    },
];

/// The tests of `lapwing-delta` that say what an artifact becomes; the others would take half an hour there.
const TESTS: [&str; 3] = ["vectors", "hostile", "resuming"];

const BOARD: &str = "thumbv7em-none-eabihf";

/// Runs the suite.
pub(crate) fn targets(house: &House) -> Outcome {
    let mut missing = Vec::new();
    let mut tried = Vec::new();
    for machine in &MACHINES {
        match machine.set_up(house) {
            Ok(()) => tried.push(machine.test(house)),
            Err(reason) => missing.push(reason),
        }
    }
    match board_set_up(house) {
        Ok(()) => tried.push(test_board(house)),
        Err(reason) => missing.push(reason),
    }
    let reasons = missing.join("; ");
    match tried.iter().find_map(|tried| tried.as_ref().err()) {
        Some(reason) => Outcome::Failed(reason.clone()),
        None if tried.is_empty() => Outcome::Skipped(reasons),
        None if missing.is_empty() => Outcome::Passed(String::new()),
        None => Outcome::Passed(format!("not every machine was tried: {reasons}")),
    }
}

impl Machine {
    fn set_up(&self, house: &House) -> Result<(), String> {
        let Self { target, gnu, libraries, emulator } = self;
        set_up::rust_target(house, target)?;
        set_up::debian_package(house, &format!("{gnu}-gcc"), &format!("gcc-{gnu}"))?;
        set_up::debian_package(house, &format!("/usr/{gnu}/lib/libc.so.6"), libraries)?;
        set_up::debian_package(house, emulator, "qemu-user")
    }

    fn test(&self, house: &House) -> Result<(), String> {
        let Self { target, gnu, emulator, .. } = self;
        let variable = format!("CARGO_TARGET_{}", target.to_uppercase().replace('-', "_"));
        let arguments = ["test", "--profile", PROFILE, "--target", target, "-p", "lapwing-delta"];
        let mut command = cargo(house, &arguments);
        command.env(format!("{variable}_LINKER"), format!("{gnu}-gcc"));
        command.env(format!("{variable}_RUNNER"), format!("{emulator} -L /usr/{gnu}"));
        child::run(command.args(["--test", "it", "--"]).args(TESTS))
    }
}

/// Makes what a bare board needs available.
///
/// # Errors
/// The reason why it cannot be had.
pub(crate) fn board_set_up(house: &House) -> Result<(), String> {
    set_up::rust_target(house, BOARD)?;
    set_up::debian_package(house, "qemu-system-arm", "qemu-system-arm")
}

/// Builds the program that a board runs.
///
/// # Errors
/// When it does not build.
pub(crate) fn build_board(house: &House) -> Result<(), String> {
    child::run(&mut cargo(house, &["build", "--profile", "device", "--target", BOARD, "-p", "lapwing-metal"]))
}

fn test_board(house: &House) -> Result<(), String> {
    build_board(house)?;
    child::run(&mut cargo(house, &["test", "--profile", PROFILE, "-p", "lapwing-metal"]))
}
