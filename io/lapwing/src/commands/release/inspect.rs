//! `lapwing release inspect`: what a release says.
//!
//! Touches: the release file. Never: believes it.

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
}

/// Shows the release.
pub(crate) fn run(args: &InspectArgs) -> Result<Said> {
    let file = ReleaseFile::read(&args.file)?;
    Ok(Said::new(file.in_words(), file.as_json()))
}
