//! The commands, a room each.
//!
//! Touches: each what it is for. Entered from: `main`.

pub(crate) mod audit;
pub(crate) mod delta;
pub(crate) mod device;
pub(crate) mod fleet;
pub(crate) mod group;
pub(crate) mod key;
pub(crate) mod plan;
pub(crate) mod release;
pub(crate) mod rollout;
pub(crate) mod serve;
pub(crate) mod store;
pub(crate) mod token;
pub(crate) mod webhook;

use crate::cli::{Cli, Command};
use crate::output::Said;
use anyhow::Result;
use clap::CommandFactory;
use serde_json::json;

/// Does what the command says. Those that go on for ever speak in JSON meanwhile if `json` is set.
pub(crate) fn run(command: Command, json: bool) -> Result<Said> {
    match command {
        Command::Key(command) => key::run(command),
        Command::Release(command) => release::run(command, json),
        Command::Device(command) => device::run(command),
        Command::Fleet(command) => fleet::run(command),
        Command::Group(command) => group::run(command),
        Command::Plan(command) => plan::run(command),
        Command::Rollout(command) => rollout::run(command, json),
        Command::Delta(command) => delta::run(command),
        Command::Token(command) => token::run(command),
        Command::Audit(command) => audit::run(command),
        Command::Webhook(command) => webhook::run(command),
        Command::Store(command) => store::run(&command),
        Command::Serve(args) => serve::run(&args, json),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "lapwing", &mut script);
            let script = String::from_utf8_lossy(&script).into_owned();
            Ok(Said::new(script.clone(), json!({ "shell": shell.to_string(), "script": script })))
        }
    }
}
