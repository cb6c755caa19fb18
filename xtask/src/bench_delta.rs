//! Starts the bench of deltas: our program as users get it, and whatever peers can be had here.
//!
//! Touches: cargo, apt-get. What is measured, and how, stands in `lapwing-e2e`.
//! Never: fails for want of a peer; the bench says who is left out.

use crate::child::{self, cargo};
use crate::house::{self, House};
use crate::set_up;
use crate::suite_targets;

/// Times of unoptimised programs would say nothing.
const PROFILE: &str = "release";
/// Programs, and the packages that bring them: peers, fetchers, and what measures.
const TOOLS: &[(&str, &str)] = &[
    ("/usr/bin/time", "time"),
    ("bsdiff", "bsdiff"),
    ("bzip2", "bzip2"),
    ("zstd", "zstd"),
    ("xdelta3", "xdelta3"),
    ("pip3", "python3-pip"),
    ("npm", "npm"),
    ("objcopy", "binutils"),
];

/// Measures on a Cortex-M what applying takes.
///
/// # Errors
/// When QEMU cannot be had, or as [`run`].
pub(crate) fn metal(house: &House, arguments: &[String]) -> Result<(), String> {
    suite_targets::board_set_up(house)?;
    suite_targets::build_board(house)?;
    // What is counted depends on no clock, and what is made on no optimiser.
    start(house, house::PROFILE, &[&["--metal".to_owned()], arguments].concat())
}

/// Builds, and measures.
///
/// # Errors
/// When something of ours does not build, or the bench fails.
pub(crate) fn run(house: &House, arguments: &[String]) -> Result<(), String> {
    start(house, PROFILE, arguments)
}

fn start(house: &House, profile: &str, arguments: &[String]) -> Result<(), String> {
    let tools = TOOLS.iter().map(|(program, package)| set_up::debian_package(house, program, package));
    let target = set_up::rust_target(house, "thumbv7em-none-eabihf");
    tools.chain([target]).filter_map(Result::err).for_each(|reason| eprintln!("!!! {reason}"));
    let build = ["build", "--quiet", "--profile", profile, "-p", "lapwing", "-p", "lapwing-e2e"];
    child::run(cargo(house, &build).args(["--bin", "lapwing", "--bin", "lapwing-bench-delta"]))?;
    let bench = house.target_folder().join(profile).join("lapwing-bench-delta");
    child::run(child::program(house, &bench.to_string_lossy(), &[]).args(arguments))
}
