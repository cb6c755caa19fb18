//! `lapwing delta`: artifacts made, applied, looked into and compared, without a fleet.
//!
//! Touches: images and artifacts in files. Servers and devices do the same by themselves.

mod apply;
mod compare;
mod files;
mod inspect;
mod make;

use crate::exit::{Code, Refusal};
use crate::output::Said;
use anyhow::Result;
use clap::{Subcommand, ValueEnum};
use lapwing_delta::{Header, Profile};
use std::path::Path;

pub(crate) use make::made;

/// The commands.
#[derive(Subcommand)]
pub(crate) enum DeltaCommand {
    /// Make the smallest artifact that turns one image into another; a full image if that is smaller.
    Make(make::MakeArgs),
    /// Turn an artifact and its base into the image, in the memory a device would need.
    Apply(apply::ApplyArgs),
    /// Show what an artifact makes of what, the memory that takes, and where its bytes go.
    Inspect(inspect::InspectArgs),
    /// Make and apply the artifact in every profile, and compare.
    Bench(compare::CompareArgs),
}

/// Does what the command says.
pub(crate) fn run(command: DeltaCommand) -> Result<Said> {
    match command {
        DeltaCommand::Make(args) => make::run(&args),
        DeltaCommand::Apply(args) => apply::run(&args),
        DeltaCommand::Inspect(args) => inspect::run(&args),
        DeltaCommand::Bench(args) => compare::run(&args),
    }
}

/// The memory that applying may take, everything included, as `memory_profile` of the agent has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Memory {
    /// 64 KiB.
    #[value(name = "64KiB")]
    Kib64,
    /// 256 KiB.
    #[value(name = "256KiB")]
    Kib256,
    /// 1 MiB.
    #[value(name = "1MiB")]
    Mib1,
    /// Up to 32 MiB.
    #[value(name = "free")]
    Free,
}

impl Memory {
    /// As the delta crate has it.
    pub(crate) const fn profile(self) -> Profile {
        match self {
            Self::Kib64 => Profile::Kib64,
            Self::Kib256 => Profile::Kib256,
            Self::Mib1 => Profile::Mib1,
            Self::Free => Profile::Free,
        }
    }

    /// What a device says of itself with this number.
    pub(crate) const fn from_number(number: u64) -> Self {
        match number {
            0 | 1 => Self::Kib64,
            2 => Self::Kib256,
            3 => Self::Mib1,
            _ => Self::Free,
        }
    }

    /// The profile's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Kib64 => "64KiB",
            Self::Kib256 => "256KiB",
            Self::Mib1 => "1MiB",
            Self::Free => "free",
        }
    }
}

fn profile_name(profile: Profile) -> &'static str {
    let all = Memory::value_variants();
    all.iter().find(|memory| memory.profile() == profile).map_or("unknown", |memory| memory.name())
}

/// What a bad artifact or a wrong base is: nothing may be made of it.
fn unfit(path: &Path, error: impl std::fmt::Display) -> Refusal {
    Refusal::new(Code::Verification, format!("use {}: {error}", path.display()))
}

/// The header of the artifact in `path`, read from its start.
fn header_of(path: &Path, artifact: &mut files::ArtifactFile) -> Result<Header> {
    Ok(Header::read(artifact).map_err(|error| unfit(path, error))?)
}
