//! `lapwing release attest`: what a build system says of an image, so that plans may require it.
//!
//! Touches: release files and attestations, the management plane. Never: checks signatures of attestations.

use crate::management::{Management, ManagementArgs};
use crate::output::{Said, text};
use crate::recipe::Image;
use crate::release_file::ReleaseFile;
use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Arguments of `release attest`.
#[derive(Args)]
pub(crate) struct AttestArgs {
    /// The release, which is published.
    #[arg(value_name = "RELEASE")]
    release: PathBuf,
    /// In-toto statements about its image, in JSON, in DSSE envelopes or without.
    #[arg(value_name = "ATTESTATION", required = true)]
    attestations: Vec<PathBuf>,
    #[command(flatten)]
    management: ManagementArgs,
}

/// Uploads them, one after the other.
pub(crate) fn run(args: &AttestArgs) -> Result<Said> {
    let release = ReleaseFile::read(&args.release)?.digest().to_string();
    let server = args.management.open()?;
    let attested = args.attestations.iter().map(|path| attest(&server, &release, path));
    let attested = attested.collect::<Result<Vec<_>>>()?;
    let line = |attested: &Value| format!("attested: {}\n", text(&attested["predicate_type"]));
    let words: String = attested.iter().map(line).collect();
    Ok(Said::new(words, json!(attested)))
}

fn attest(server: &Management, release: &str, path: &Path) -> Result<Value> {
    let document = Image::read(path)?.digest;
    let attest = || {
        server.put_file(&format!("/api/v1/blobs/{document}"), path)?;
        let body = json!({ "document": document.to_string() });
        server.post(&format!("/api/v1/releases/{release}/attestations"), &body)
    };
    attest().with_context(|| format!("attest {}", path.display()))
}
