//! `lapwing release push`: a version set to the server, its images first.
//!
//! Touches: release and image files, the management plane. Never: sends what its own root does not believe.

use super::shelf;
use crate::base64url;
use crate::cli::DirArgs;
use crate::exit::{Code, Refusal};
use crate::hardware::Hardware;
use crate::management::{Management, ManagementArgs};
use crate::output::{Said, note};
use crate::recipe::Image;
use crate::release_file::ReleaseFile;
use crate::trust_chain::{TrustChain, distrust};
use anyhow::{Context, Result};
use clap::Args;
use lapwing_core::Digest;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Arguments of `release push`.
#[derive(Args)]
pub(crate) struct PushArgs {
    /// The releases of one version.
    #[arg(value_name = "RELEASE", required = true)]
    releases: Vec<PathBuf>,
    /// The images they name. One that the server has already may be left out.
    #[arg(long = "image", value_name = "FILE")]
    images: Vec<PathBuf>,
    /// The bills of materials they name: CycloneDX or SPDX, in JSON.
    #[arg(long = "sbom", value_name = "FILE")]
    bills: Vec<PathBuf>,
    /// The notes they name, for people.
    #[arg(long, value_name = "FILE")]
    notes: Vec<PathBuf>,
    /// Publish, but offer it to no device before `lapwing release unhold`.
    #[arg(long)]
    hold: bool,
    /// A remark for whoever looks at the version set later.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    dir: DirArgs,
    #[command(flatten)]
    management: ManagementArgs,
}

/// Uploads and publishes.
pub(crate) fn run(args: &PushArgs) -> Result<Said> {
    let releases = args.releases.iter().map(|path| ReleaseFile::read(path)).collect::<Result<Vec<_>>>()?;
    match args.dir.open().ok().filter(|dir| dir.has_root()) {
        Some(dir) => believe(&dir.chain()?, &releases)?,
        None => note("no root document at hand, so the server will be the first to check the signatures"),
    }
    let paths = args.images.iter().chain(&args.bills).chain(&args.notes);
    let files = paths.map(|path| Ok((path.clone(), Image::read(path)?.digest)));
    let files = files.collect::<Result<Vec<_>>>()?;
    let is_named = |digest: Digest| {
        releases.iter().map(|file| &file.release).any(|release| {
            release.image == digest || release.sbom == Some(digest) || release.notes == Some(digest)
        })
    };
    if let Some((path, _)) = files.iter().find(|(_, digest)| !is_named(*digest)) {
        let what = format!("push {}: no release here names this file", path.display());
        return Err(Refusal::new(Code::Conflict, what)
            .advice("push the release that was created from this very file, or leave the file out")
            .into());
    }
    let server = args.management.open()?;
    let names = args.dir.open().and_then(|dir| dir.hardware()).unwrap_or_default();
    let set = Set { releases: &releases.iter().collect::<Vec<_>>(), files: &files, names: &names };
    let published = publish(&server, &set, args.hold, args.note.as_deref())?;
    Ok(Said::new(in_words(&published, args.hold), published))
}

/// What comes after a release was signed.
pub(super) fn next(release: &Path) -> String {
    format!("Next: `lapwing release push {} --image FILE`\n", release.display())
}

/// Checks releases as every device will.
pub(crate) fn believe(chain: &TrustChain, releases: &[ReleaseFile]) -> Result<()> {
    releases.iter().try_for_each(|file| {
        let opened = chain.anchor().open_release(&file.bytes).map(drop);
        let name = format!("the release of {} {}", file.release.component, file.release.version);
        opened.map_err(|error| distrust(&name, error))
    })
}

/// What is published together.
pub(crate) struct Set<'a> {
    /// The releases of one version.
    pub(crate) releases: &'a [&'a ReleaseFile],
    /// Their images, bills of materials and notes.
    pub(crate) files: &'a [(PathBuf, Digest)],
    /// Hardware classes whose names are known, for people.
    pub(crate) names: &'a [Hardware],
}

/// Uploads files, then publishes the releases as one version set.
pub(crate) fn publish(server: &Management, set: &Set<'_>, hold: bool, remark: Option<&str>) -> Result<Value> {
    for (path, digest) in set.files {
        server
            .put_file(&format!("/api/v1/blobs/{digest}"), path)
            .with_context(|| format!("upload {}", path.display()))?;
    }
    let envelopes: Vec<String> = set.releases.iter().map(|file| base64url::encode(&file.bytes)).collect();
    let names: Map<String, Value> =
        set.names.iter().map(|hardware| (hardware.class.to_string(), json!(hardware.name))).collect();
    let mut body = json!({ "releases": envelopes, "hold": hold, "hardware_names": names });
    if let Some(remark) = remark {
        body["note"] = json!(remark);
    }
    server.post("/api/v1/version-sets", &body).context("publish the version set")
}

/// Whether the server has all these very releases.
pub(crate) fn is_published(server: &Management, releases: &[&ReleaseFile]) -> Result<bool> {
    let sets = shelf::sets(server)?;
    let known: Vec<&str> = sets
        .iter()
        .flat_map(|set| set["releases"].as_array().into_iter().flatten())
        .filter_map(|release| release["digest"].as_str())
        .collect();
    Ok(releases.iter().all(|file| known.contains(&file.digest().to_string().as_str())))
}

fn in_words(published: &Value, hold: bool) -> String {
    let mut words = format!("published version {}", published["version"].as_str().unwrap_or("?"));
    words += if hold { ", held: no device is offered it before `lapwing release unhold`\n" } else { "\n" };
    for release in published["releases"].as_array().into_iter().flatten() {
        let text = |key: &str| release[key].as_str().unwrap_or("?").to_owned();
        words += &format!("  {} seq {} ({})\n", text("component"), release["seq"], text("digest"));
    }
    words
}
