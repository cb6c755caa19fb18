//! `lapwing device`: what stands in the field.
//!
//! Touches: a new device's directory for `provision`; the server's management plane for the rest.

mod provision;

use crate::output::Said;
use anyhow::Result;
use clap::Subcommand;

/// The commands.
#[derive(Subcommand)]
pub(crate) enum DeviceCommand {
    /// Make the directory that a device starts from: trust, slots, configuration, claim token.
    Provision(provision::ProvisionArgs),
}

/// Does what the command says.
pub(crate) fn run(command: DeviceCommand) -> Result<Said> {
    match command {
        DeviceCommand::Provision(args) => provision::run(&args),
    }
}
