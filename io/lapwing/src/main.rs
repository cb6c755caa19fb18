//! The one binary `lapwing`: keys, releases, devices, and the server.
//!
//! Touches: every room below. What went wrong is printed once, here, with what to do about it.
//! Never: decides what a device or a fleet does next; the brains under `pure/` do.

mod cli;
mod commands;

mod signed_log;
mod signer;
mod signing_dir;
mod trust_chain;

mod management;
mod watch;

mod agent_keys;
mod hardware;
mod recipe;
mod release_file;

mod base64url;
mod calendar;
mod durable;
mod exit;
mod hex;
mod output;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    // No command for people: the server starts this very program to make an artifact.
    if std::env::args_os().nth(1).is_some_and(|word| word == commands::serve::DELTA_WORKER) {
        return lapwing_server::delta_worker();
    }
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return exit::explain_usage(&error, std::env::args_os().any(|word| word == "--json")),
    };
    match commands::run(cli.command, cli.json) {
        Ok(said) => said.print(cli.json),
        Err(error) => exit::explain(&error, cli.json),
    }
}
