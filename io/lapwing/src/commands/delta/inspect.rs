//! `lapwing delta inspect`: what an artifact says of itself.
//!
//! Touches: the artifact's header. Never: believes it; only applying proves it.

use super::files::ArtifactFile;
use super::make::share;
use super::{header_of, profile_name};
use crate::hex;
use crate::output::{Said, table};
use anyhow::Result;
use clap::Args;
use lapwing_delta::Parts;
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `delta inspect`.
#[derive(Args)]
pub(crate) struct InspectArgs {
    /// The artifact.
    #[arg(value_name = "ARTIFACT")]
    artifact: PathBuf,
}

/// Shows it.
pub(crate) fn run(args: &InspectArgs) -> Result<Said> {
    let mut source = ArtifactFile::open(&args.artifact)?;
    let header = header_of(&args.artifact, &mut source)?;
    let Parts { header_bytes, map_bytes, body_bytes, map_records } = header.parts();
    let (kind, base) = match header.base_digest_start() {
        Some(start) => ("delta", Some(hex::encode(&start))),
        None => ("full image", None),
    };
    let image = hex::encode(&header.target_digest_start());
    let mut words = format!(
        "{kind} of {} bytes for an image of {} bytes, SHA-256 {image}...\n",
        source.length_bytes,
        header.target_bytes(),
    );
    if let Some(base) = &base {
        words += &format!("from an image of {} bytes, SHA-256 {base}...\n", header.base_bytes());
    }
    words += &format!(
        "profile {}: applies in {} bytes of memory and {} of scratch area\n\n",
        profile_name(header.profile()),
        header.required_memory_bytes(),
        header.scratch_bytes(),
    );
    let row = |what: &str, bytes: u64, is: String| {
        vec![what.to_owned(), bytes.to_string(), share(bytes, header.artifact_bytes()), is]
    };
    words += &table(
        &["PART", "BYTES", "SHARE", "WHAT IT IS"],
        vec![
            row("header", header_bytes, "what it makes of what".to_owned()),
            row("map", map_bytes, format!("{map_records} stretches of the base that are used again")),
            row("body", body_bytes, "what is new, and where stretches differ".to_owned()),
        ],
    );
    let json = json!({
        "kind": kind,
        "profile": profile_name(header.profile()),
        "base_digest_start": base,
        "base_bytes": header.base_bytes(),
        "image_digest_start": image,
        "codec": header.codec(),
        "image_bytes": header.target_bytes(),
        "artifact_bytes": source.length_bytes,
        "header_bytes": header_bytes,
        "map_bytes": map_bytes,
        "map_records": map_records,
        "body_bytes": body_bytes,
        "apply_memory_bytes": header.required_memory_bytes(),
        "apply_scratch_bytes": header.scratch_bytes(),
    });
    Ok(Said::new(words, json))
}
