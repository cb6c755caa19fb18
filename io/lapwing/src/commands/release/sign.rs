//! `lapwing release sign`: one more signature.
//!
//! Touches: the release file, the signing directory. The log knows the seq before the signature exists.

use super::push;
use crate::cli::{DirArgs, SignerArgs};
use crate::durable;
use crate::exit::{Code, Refusal};
use crate::output::Said;
use crate::release_file::ReleaseFile;
use crate::signer::{self, Key, KeyRole};
use crate::signing_dir::SigningDir;
use crate::trust_chain::context;
use anyhow::{Context, Result};
use clap::Args;
use lapwing_core::envelope::{Envelope, Form, Kind};
use lapwing_core::trust::{RoleName, Root};
use lapwing_core::{Semver, Version};
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `release sign`.
#[derive(Args)]
pub(crate) struct SignArgs {
    /// The release.
    #[arg(value_name = "RELEASE")]
    file: PathBuf,
    /// Put the signed release here instead of in its place.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    terms: SignTerms,
    #[command(flatten)]
    dir: DirArgs,
    #[command(flatten)]
    signer: SignerArgs,
}

/// How to sign.
#[derive(Args, Default)]
pub(crate) struct SignTerms {
    /// Leave room for more signatures. The first signature decides: without this, and with a
    /// threshold of one, it stays the only one.
    #[arg(long)]
    several: bool,
    /// Sign a version that is not like 1.4.0. Version rules, paths and the order of `release watch` cannot
    /// count with it, and devices with `non_semver = false` refuse it.
    #[arg(long)]
    allow_non_semver: bool,
}

/// Signs the release file.
pub(crate) fn run(args: &SignArgs) -> Result<Said> {
    let dir = args.dir.open()?;
    let file = sign(&dir, ReleaseFile::read(&args.file)?, &args.signer, &args.terms)?;
    let out = args.out.as_ref().unwrap_or(&args.file);
    durable::write(out, &file.bytes, durable::PUBLIC).context("keep the release")?;
    let mut words = format!("{}in {}\n", file.in_words(&dir.hardware()?), out.display());
    let mut json = file.as_json();
    json["file"] = json!(out);
    let mut next = push::next(out);
    if dir.has_root() {
        let chain = dir.chain()?;
        let refused = chain.anchor().open_release(&file.bytes).err().map(|error| error.to_string());
        words += &refused.as_ref().map_or(String::new(), |refused| format!("not complete: {refused}\n"));
        if refused.is_some() {
            next = "Next: `lapwing release sign`, wherever another release key is at hand.\n".to_owned();
        }
        json["refused"] = json!(refused);
    }
    Ok(Said::new(words + &next, json))
}

/// Notes the release in the signing directory's log, then signs it.
pub(crate) fn sign(
    dir: &SigningDir,
    file: ReleaseFile,
    signer: &SignerArgs,
    terms: &SignTerms,
) -> Result<ReleaseFile> {
    check_version(&file.release.version, terms)?;
    let keys = signer.keys(Some(dir), KeyRole::Release)?;
    if keys.is_empty() {
        return Err(signer::no_key(KeyRole::Release).into());
    }
    let chain = if dir.has_root() { Some(dir.chain()?) } else { None };
    let root = chain.as_ref().map(|chain| chain.newest());
    if let Some(root) = root {
        keys.iter().try_for_each(|key| check_role(root, key))?;
    }
    dir.log()?.note(&file.release, &file.payload)?;
    let signed_for = context(Kind::Release, dir.fleet());
    let unsigned = Envelope::parse(&file.bytes).is_ok_and(|envelope| envelope.signatures.is_empty());
    let alone = keys.len() == 1 && root.is_none_or(|root| root.release.threshold == 1);
    let bytes = if unsigned {
        let form = if terms.several || !alone { Form::Several } else { Form::Single };
        signer::seal(&signed_for, form, &file.payload, &keys)?
    } else {
        signer::add_signatures(&signed_for, &file.bytes, &keys)?
    };
    ReleaseFile::parse(bytes).context("read what was signed")
}

/// A version that nobody can order is a slip far more often than a wish.
fn check_version(version: &Version, terms: &SignTerms) -> Result<()> {
    if terms.allow_non_semver || Semver::of(version).is_some() {
        return Ok(());
    }
    let what = format!("sign version {version}: it is not like 1.4.0");
    let advice = "create it again with another --release-version, or sign it with --allow-non-semver";
    Err(Refusal::new(Code::Policy, what).advice(advice).into())
}

/// A signature by a key that the root document does not know would be worth nothing.
fn check_role(root: &Root, key: &Key) -> Result<()> {
    if root.keys_of(RoleName::Release).any(|held| held == key.public()) {
        return Ok(());
    }
    let what = format!("sign with {key}: root {} does not know it as a release key", root.version);
    let advice = "add it with `lapwing key root rotate --add-release-key`, or sign with another";
    Err(Refusal::new(Code::Policy, what).advice(advice).into())
}
