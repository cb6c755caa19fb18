//! `lapwing release`: from an image to a statement that devices believe.
//!
//! Touches: images, release files, the signing directory; the server where a command is given one.

mod affected;
mod attest;
mod create;
mod forecast;
mod inspect;
mod push;
mod retention;
mod shelf;
mod sign;
mod verify;
mod watch;

pub(crate) use create::unsigned;
pub(crate) use push::{Set, is_published, publish};
pub(crate) use shelf::Published;
pub(crate) use sign::{SignTerms, sign};

use crate::output::Said;
use anyhow::Result;
use clap::Subcommand;

/// The commands.
#[derive(Subcommand)]
pub(crate) enum ReleaseCommand {
    /// Make a release for an image. The same inputs give the same bytes.
    Create(Box<create::CreateArgs>),
    /// Add a signature to a release.
    Sign(sign::SignArgs),
    /// Show what a release says. Believes nothing.
    Inspect(inspect::InspectArgs),
    /// Check a release as a device would, and compare a rebuilt image.
    Verify(verify::VerifyArgs),
    /// Say what an update will cost before it is published, and whether deltas pay.
    Forecast(Box<forecast::ForecastArgs>),
    /// Upload images and publish their releases as one version set.
    Push(push::PushArgs),
    /// Ship whatever lands in a folder: no further command, and nobody looks.
    Watch(watch::WatchArgs),
    /// Show what is published.
    List(shelf::ListArgs),
    /// Offer a held version set to devices.
    Unhold(shelf::MoveArgs),
    /// Stop offering a version set. Devices that did not switch yet keep what they run.
    Withdraw(shelf::MoveArgs),
    /// Name the releases that hold a component or a licence, and the devices that run them.
    Affected(affected::AffectedArgs),
    /// Add what a build system attests of a release's image: tests that passed, or where it came from.
    Attest(attest::AttestArgs),
    /// Show which artifacts the server keeps ready, which would go, and why.
    Retention(retention::RetentionArgs),
}

/// Does what the command says.
pub(crate) fn run(command: ReleaseCommand, json: bool) -> Result<Said> {
    match command {
        ReleaseCommand::Create(args) => create::run(*args),
        ReleaseCommand::Sign(args) => sign::run(&args),
        ReleaseCommand::Inspect(args) => inspect::run(&args),
        ReleaseCommand::Verify(args) => verify::run(&args),
        ReleaseCommand::Forecast(args) => forecast::run(&args),
        ReleaseCommand::Push(args) => push::run(&args),
        ReleaseCommand::Watch(args) => watch::run(&args, json),
        ReleaseCommand::List(args) => shelf::list(&args),
        ReleaseCommand::Unhold(args) => shelf::unhold(&args),
        ReleaseCommand::Withdraw(args) => shelf::withdraw(&args),
        ReleaseCommand::Affected(args) => affected::run(&args),
        ReleaseCommand::Attest(args) => attest::run(&args),
        ReleaseCommand::Retention(args) => retention::run(&args),
    }
}
