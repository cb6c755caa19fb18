//! `lapwing release inspect`: what a release says.
//!
//! Touches: the release file. Never: believes it.

use crate::cli::DirArgs;
use crate::output::Said;
use crate::release_file::ReleaseFile;
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;

/// Arguments of `release inspect`.
#[derive(Args)]
pub(crate) struct InspectArgs {
    /// The release.
    #[arg(value_name = "RELEASE")]
    file: PathBuf,
    #[command(flatten)]
    dir: DirArgs,
}

/// Shows the release.
pub(crate) fn run(args: &InspectArgs) -> Result<Said> {
    let file = ReleaseFile::read(&args.file)?;
    // For the names of hardware only, which the release does not carry.
    let names = args.dir.open().and_then(|dir| dir.hardware()).unwrap_or_default();
    Ok(Said::new(file.in_words(&names), file.as_json()))
}
