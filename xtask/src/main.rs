//! The one entrance: `cargo xtask COMMAND`; without arguments it lists the commands.
//!
//! Touches: child processes, the working tree. Depends on nothing but std, so that it starts at once.
//! Never: holds a check that CI runs in another way; CI calls only these commands.

mod api_check;
mod beacons;
mod bench_delta;
mod child;
mod commands;
mod console;
mod fuzz;
mod house;
mod manifest;
mod postgres;
mod quickstart;
mod rust_code;
mod set_up;
mod static_binary;
mod suite_bodies;
mod suite_log;
mod suite_targets;
mod suites;
mod tidy;
mod tree;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match commands::dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}
