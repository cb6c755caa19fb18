//! `lapwing device`: what stands in the field.
//!
//! Touches: a new device's directory for `provision`; the server's management plane for the rest.

mod field;
mod provision;
mod token;

pub(crate) use field::all_devices;

use crate::output::Said;
use anyhow::Result;
use clap::Subcommand;

/// The commands.
#[derive(Subcommand)]
pub(crate) enum DeviceCommand {
    /// Make the directory that a device starts from: trust, slots, configuration, claim token.
    Provision(Box<provision::ProvisionArgs>),
    /// List the devices.
    List(field::ListArgs),
    /// Show all that is known of a device.
    Show(field::OneArgs),
    /// Say why a device is not updating.
    Why(field::OneArgs),
    /// Offer a device its update at its next check-in, whatever it waits for.
    UpdateNow(field::OneArgs),
    /// Keep a device at a version, or let it move again.
    Pin(field::PinArgs),
    /// Set facts of a device, such as its tier: they take the place of what it reports.
    Set(field::SetArgs),
    /// Let a device try again what failed before.
    Retry(field::OneArgs),
    /// Let a device out of quarantine, or back in after it was forgotten.
    Admit(field::OneArgs),
    /// Remove a device and all that is known of it.
    Forget(field::OneArgs),
    /// Let a device claim its place once with a new secret, after its storage was exchanged.
    Replace(field::OneArgs),
    /// Claim tokens, which let new devices in: make, list, take back.
    #[command(subcommand)]
    Token(token::TokenCommand),
}

/// Does what the command says.
pub(crate) fn run(command: DeviceCommand) -> Result<Said> {
    match command {
        DeviceCommand::Provision(args) => provision::run(&args),
        DeviceCommand::List(args) => field::list(&args),
        DeviceCommand::Show(args) => field::show(&args),
        DeviceCommand::Why(args) => field::why(&args),
        DeviceCommand::UpdateNow(args) => field::update_now(&args),
        DeviceCommand::Pin(args) => field::pin(&args),
        DeviceCommand::Set(args) => field::set(&args),
        DeviceCommand::Retry(args) => field::retry(&args),
        DeviceCommand::Admit(args) => field::admit(&args),
        DeviceCommand::Forget(args) => field::forget(&args),
        DeviceCommand::Replace(args) => field::replace(&args),
        DeviceCommand::Token(command) => token::run(command),
    }
}
