//! `lapwing delta apply`: what a device does with an artifact, on files.
//!
//! Touches: base, artifact, a scratch file, the image's file, which is whole or not there.
//! Never: holds an image in memory, or more than the artifact's header asks for.

use super::files::{ArtifactFile, BaseFile, ScratchFile, TargetFile};
use super::{header_of, unfit};
use crate::durable;
use crate::hex;
use crate::output::{Said, progress_bar};
use anyhow::Result;
use clap::Args;
use lapwing_core::{Digest, Hasher};
use lapwing_delta::{Base, Header, NoBase, Ports, apply};
use serde_json::json;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

/// Bytes of the base that are read at a time to know its digest.
const READ_BYTES: usize = 4096;

/// Arguments of `delta apply`.
#[derive(Args)]
pub(crate) struct ApplyArgs {
    /// The artifact.
    #[arg(value_name = "ARTIFACT")]
    artifact: PathBuf,
    /// The image it starts from. A full image needs none.
    #[arg(long, value_name = "FILE")]
    base: Option<PathBuf>,
    /// Where to put the image.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Makes the image.
pub(crate) fn run(args: &ApplyArgs) -> Result<Said> {
    let (header, digest) = image_from(&args.artifact, args.base.as_deref(), &args.out)?;
    let words = format!("{}: {} bytes, SHA-256 {digest}", args.out.display(), header.target_bytes());
    let json = json!({
        "image": digest.to_string(),
        "image_bytes": header.target_bytes(),
        "memory_bytes": header.required_memory_bytes(),
        "scratch_bytes": header.scratch_bytes(),
    });
    Ok(Said::new(words, json))
}

/// Applies the artifact, after it compared the base with what the header names; gives the image's digest.
pub(super) fn image_from(artifact: &Path, base: Option<&Path>, out: &Path) -> Result<(Header, Digest)> {
    let mut source = ArtifactFile::open(artifact)?;
    let header = header_of(artifact, &mut source)?;
    let mut base_file = base.filter(|_| !header.is_full()).map(BaseFile::open).transpose()?;
    let base: &mut dyn Base = match &mut base_file {
        Some(file) => file,
        None => &mut NoBase,
    };
    check_base(&header, artifact, base)?;
    let mut memory = vec![0; header.required_memory_bytes()];
    let mut scratch = ScratchFile::beside(out)?;
    let bar = progress_bar(header.target_bytes().into(), "apply");
    let mut progress = |done_bytes| {
        bar.set_position(done_bytes);
        ControlFlow::Continue(())
    };
    let made = durable::write_with(out, durable::PUBLIC, |file| {
        let target = &mut TargetFile(file);
        let ports = Ports { base, artifact: &mut source, scratch: &mut scratch, target };
        apply(&header, ports, &mut memory, 0, &mut progress).map_err(std::io::Error::other)
    });
    bar.finish_and_clear();
    let digest = made.map_err(|error| unfit(artifact, format!("{error:#}")))?;
    Ok((header, digest))
}

/// A base of the right length and another content would only be noticed at the very end.
pub(super) fn check_base(header: &Header, artifact: &Path, base: &mut dyn Base) -> Result<()> {
    let Some(start) = header.base_digest_start() else { return Ok(()) };
    if digest(base).is_some_and(|digest| header.names_base(&digest)) {
        return Ok(());
    }
    let start = hex::encode(&start);
    let advice = format!("give it the image whose SHA-256 begins with {start} with --base");
    Err(unfit(artifact, "it starts from another image").advice(advice).into())
}

fn digest(base: &mut dyn Base) -> Option<Digest> {
    let mut hasher = Hasher::new();
    let mut piece = [0; READ_BYTES];
    let mut offset = 0;
    while offset < base.length_bytes() {
        let left = usize::try_from(base.length_bytes() - offset).unwrap_or(READ_BYTES);
        let piece = &mut piece[..left.min(READ_BYTES)];
        base.read_at(offset, piece).ok()?;
        hasher.update(piece);
        offset += piece.len() as u64;
    }
    Some(hasher.finish())
}
