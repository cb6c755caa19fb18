//! `lapwing delta make`: the artifact from one image to another.
//!
//! Touches: the files of two images and of the artifact. Never: gives out what did not prove right.

use super::Memory;
use super::files::BaseFile;
use crate::durable;
use crate::output::{Said, progress_bar};
use anyhow::{Context, Result};
use clap::Args;
use indicatif::ProgressBar;
use lapwing_delta::{Base, Header, NoBase, Progress, Stage, make, make_memory_bytes};
use serde_json::json;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Arguments of `delta make`.
#[derive(Args)]
pub(crate) struct MakeArgs {
    /// The image that devices run. Without it, a full image is made.
    #[arg(long, value_name = "FILE")]
    base: Option<PathBuf>,
    /// The image that they shall run.
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
    /// Where to put the artifact.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The memory that a device has to apply it in.
    #[arg(long, value_name = "PROFILE", default_value = "256KiB")]
    profile: Memory,
}

/// Makes the artifact.
pub(crate) fn run(args: &MakeArgs) -> Result<Said> {
    let (artifact, header) = made(args.base.as_deref(), &args.image, args.profile)?;
    durable::write(&args.out, &artifact, durable::PUBLIC)?;
    let base_bytes = args.base.as_ref().and_then(|base| base.metadata().ok()).map_or(0, |base| base.len());
    let image_bytes = u64::from(header.target_bytes());
    let kind = if header.is_full() { "full image" } else { "delta" };
    let words = format!(
        "{}: {kind}, {} bytes, {} of the image's {}; applies in {} bytes of memory",
        args.out.display(),
        artifact.len(),
        share(artifact.len() as u64, image_bytes),
        image_bytes,
        header.required_memory_bytes(),
    );
    let json = json!({
        "kind": kind,
        "profile": args.profile.name(),
        "artifact_bytes": artifact.len(),
        "image_bytes": image_bytes,
        "apply_memory_bytes": header.required_memory_bytes(),
        "apply_scratch_bytes": header.scratch_bytes(),
        "make_memory_bytes_max": make_memory_bytes(base_bytes, image_bytes, args.profile.profile()),
    });
    Ok(Said::new(words, json))
}

/// The artifact and its header, with a bar for whoever watches.
pub(crate) fn made(base: Option<&Path>, image: &Path, memory: Memory) -> Result<(Vec<u8>, Header)> {
    let mut base: Box<dyn Base> = match base {
        Some(base) => Box::new(BaseFile::open(base)?),
        None => Box::new(NoBase),
    };
    let mut image = BaseFile::open(image)?;
    let bar = progress_bar(0, "");
    let artifact = make(&mut *base, &mut image, memory.profile(), &mut |progress| show(&bar, progress));
    bar.finish_and_clear();
    let artifact = artifact.context("make the artifact")?;
    let header = Header::read(&mut artifact.as_slice()).context("read the artifact that was made")?;
    Ok((artifact, header))
}

/// `part` of `whole` in percent, for people.
pub(crate) fn share(part: u64, whole: u64) -> String {
    let per_mille = part.saturating_mul(1000).checked_div(whole).unwrap_or(0);
    format!("{}.{} %", per_mille / 10, per_mille % 10)
}

fn show(bar: &ProgressBar, progress: Progress) -> ControlFlow<()> {
    let stage = match progress.stage {
        Stage::Index => "index",
        Stage::Match => "match",
        Stage::Choose => "choose",
        Stage::Encode => "encode",
        Stage::Prove => "prove",
    };
    if bar.message() != stage {
        bar.set_message(stage);
    }
    bar.set_length(progress.total_bytes);
    bar.set_position(progress.done_bytes);
    ControlFlow::Continue(())
}
