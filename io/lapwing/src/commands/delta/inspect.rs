//! `lapwing delta inspect`: what an artifact says of itself, and where its bytes go.
//!
//! Touches: the artifact, and its base if that is at hand. Never: believes it; only applying proves it.

use super::apply::check_base;
use super::files::{ArtifactFile, BaseFile};
use super::make::share;
use super::{header_of, profile_name, unfit};
use crate::hex;
use crate::output::{Said, table};
use anyhow::Result;
use clap::Args;
use lapwing_delta::{Account, Entry, NoBase};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Arguments of `delta inspect`.
#[derive(Args)]
pub(crate) struct InspectArgs {
    /// The artifact.
    #[arg(value_name = "ARTIFACT")]
    artifact: PathBuf,
    /// The image that a delta starts from: only with it can be seen where its bytes go.
    #[arg(long, value_name = "FILE")]
    base: Option<PathBuf>,
}

/// Shows it.
pub(crate) fn run(args: &InspectArgs) -> Result<Said> {
    let mut source = ArtifactFile::open(&args.artifact)?;
    let header = header_of(&args.artifact, &mut source)?;
    let account = match args.base.as_deref().map(BaseFile::open).transpose()? {
        _ if header.is_full() => Some(Account::of(&header, &mut NoBase, &mut source)),
        None => None,
        Some(mut base) => {
            check_base(&header, &args.artifact, &mut base)?;
            Some(Account::of(&header, &mut base, &mut source))
        }
    };
    let account = account.transpose().map_err(|error| unfit(&args.artifact, error))?;
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
    words += &match &account {
        Some(account) => in_words(account, header.artifact_bytes(), header.target_bytes().into()),
        None => "where its bytes go is seen with --base\n".to_owned(),
    };
    let json = json!({
        "kind": kind,
        "profile": profile_name(header.profile()),
        "base_digest_start": base,
        "base_bytes": header.base_bytes(),
        "image_digest_start": image,
        "codec": header.codec(),
        "image_bytes": header.target_bytes(),
        "artifact_bytes": source.length_bytes,
        "apply_memory_bytes": header.required_memory_bytes(),
        "apply_scratch_bytes": header.scratch_bytes(),
        "account": account.as_ref().map(as_json),
    });
    Ok(Said::new(words, json))
}

fn in_words(account: &Account, artifact_bytes: u64, image_bytes: u64) -> String {
    let line = |name: &str, bytes: u64, makes: String| {
        vec![name.to_owned(), bytes.to_string(), share(bytes, artifact_bytes), makes]
    };
    let entry = |name: &str, Entry { target_bytes, body_bytes }: Entry| {
        line(name, body_bytes, format!("{} of the image", share(target_bytes, image_bytes)))
    };
    let rows = vec![
        line("header", account.header_bytes, String::new()),
        line("map", account.map_bytes, format!("{} stretches of the base", account.map_records)),
        entry("references", account.references),
        entry("instructions", account.instructions),
        entry("data", account.data),
        entry("literals", account.literals),
        line("coder", account.coder_bytes, String::new()),
    ];
    table(&["PART", "BYTES", "SHARE", "FOR"], rows)
}

fn as_json(account: &Account) -> Value {
    let entry = |entry: Entry| json!({ "body_bytes": entry.body_bytes, "image_bytes": entry.target_bytes });
    json!({
        "header_bytes": account.header_bytes,
        "map_bytes": account.map_bytes,
        "map_records": account.map_records,
        "references": entry(account.references),
        "instructions": entry(account.instructions),
        "data": entry(account.data),
        "literals": entry(account.literals),
        "coder_bytes": account.coder_bytes,
    })
}
