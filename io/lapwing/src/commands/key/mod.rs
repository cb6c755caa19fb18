//! `lapwing key`: who may do what.
//!
//! Touches: the signing directory; the server where a command is given one.

mod delegate;
mod draft;
mod enroll;
mod init;
mod root;
mod show;
mod terms;

pub(crate) use enroll::{Identity, delegate_to};

use crate::output::Said;
use anyhow::Result;
use clap::Subcommand;

/// The commands.
#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a signing directory with a root, a release and a delegator key.
    Init(init::InitArgs),
    /// Make one more key of a role.
    New(init::NewArgs),
    /// Root documents: the keys of a fleet, their roles, limits and TLS anchors.
    #[command(subcommand)]
    Root(root::RootCommand),
    /// Let the server's online key sign offers and statuses for a while.
    Delegate(delegate::DelegateArgs),
    /// Introduce a server: fetch its identity, make the first root document and delegation, upload both.
    /// Makes the signing directory and its keys too where they are missing.
    Enroll(enroll::EnrollArgs),
    /// Show keys, root documents and the delegation.
    Show(show::ShowArgs),
}

/// Does what the command says.
pub(crate) fn run(command: KeyCommand) -> Result<Said> {
    match command {
        KeyCommand::Init(args) => init::init(&args),
        KeyCommand::New(args) => init::new(&args),
        KeyCommand::Root(command) => root::run(command),
        KeyCommand::Delegate(args) => delegate::run(&args),
        KeyCommand::Enroll(args) => enroll::run(&args),
        KeyCommand::Show(args) => show::run(&args),
    }
}
