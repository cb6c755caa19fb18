//! `lapwing release create`: the statement, unsigned unless told otherwise.
//!
//! Touches: the image, the recipe, the signing directory's log of seqs.
//! Never: reads the clock or anything else that differs between two runs with the same inputs.

use super::{Published, SignTerms, push, sign};
use crate::cli::{DirArgs, SignerArgs};
use crate::durable;
use crate::management::ManagementArgs;
use crate::output::{Said, note};
use crate::recipe::{DEFAULT_COMPONENT, Image, Known, Recipe, resolve};
use crate::release_file::ReleaseFile;
use crate::signer;
use crate::signing_dir::SigningDir;
use crate::trust_chain::context;
use anyhow::{Context, Result};
use clap::Args;
use lapwing_core::envelope::{Form, Kind};
use lapwing_core::{ComponentName, FleetId, HardwareClass, Semver};
use serde_json::json;
use std::path::PathBuf;

/// Arguments of `release create`.
#[derive(Args)]
pub(crate) struct CreateArgs {
    /// The image: exactly the bytes that a slot shall hold.
    #[arg(long, value_name = "FILE")]
    image: PathBuf,
    /// Read what the release says from this file; arguments go before it.
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,
    /// Where to put the release [default: COMPONENT-VERSION.release]
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Sign it at once, as `lapwing release sign` does.
    #[arg(long)]
    sign: bool,
    #[command(flatten)]
    terms: SignTerms,
    /// Ask the server too which seqs and versions are taken, for a signing directory that was not always
    /// there.
    #[arg(long)]
    ask_server: bool,
    #[command(flatten)]
    management: ManagementArgs,
    #[command(flatten)]
    dir: DirArgs,
    #[command(flatten)]
    signer: SignerArgs,
    #[command(flatten, next_help_heading = "What the release says")]
    says: Recipe,
}

/// Makes the release file.
pub(crate) fn run(args: CreateArgs) -> Result<Said> {
    let recipe = match &args.recipe {
        Some(path) => args.says.or(Recipe::read(path)?),
        None => args.says,
    };
    let image = Image::read(&args.image)?;
    // A build machine may have no signing directory; then it must name the seq.
    let dir = if recipe.seq.is_some() && !args.sign { args.dir.open().ok() } else { Some(args.dir.open()?) };
    let log = dir.as_ref().map(SigningDir::log).transpose()?;
    let chain = dir.as_ref().filter(|dir| dir.has_root()).map(SigningDir::chain).transpose()?;
    let security_ceiling = chain.map(|chain| chain.newest().limits.security_ceiling);
    let published = args.ask_server.then(|| ask(&args.management, &recipe)).transpose()?.unwrap_or_default();
    let known = Known { log: log.as_ref(), published: &published, security_ceiling };
    let hardware = recipe.hardware.clone();
    let (release, payload) = resolve(recipe, image, &known)?;
    if Semver::of(&release.version).is_none() {
        note("its version is not like 1.4.0, so version rules and paths cannot count with it");
    }
    let name = format!("{}-{}.release", release.component, release.version);
    let mut file = unsigned(&payload)?;
    if let Some(dir) = &dir {
        dir.know_hardware(&hardware)?;
    }
    if let Some(dir) = dir.filter(|_| args.sign) {
        file = sign::sign(&dir, file, &args.signer, &args.terms)?;
    }
    let out = args.out.unwrap_or_else(|| PathBuf::from(name));
    durable::write(&out, &file.bytes, durable::PUBLIC).context("keep the release")?;
    let mut json = file.as_json();
    json["file"] = json!(out);
    let next = match args.sign {
        true => push::next(&out),
        false => format!("Next: `lapwing release sign {}`\n", out.display()),
    };
    Ok(Said::new(format!("{}in {}\n{next}", file.in_words(&hardware), out.display()), json))
}

fn ask(management: &ManagementArgs, recipe: &Recipe) -> Result<Published> {
    let classes: Vec<HardwareClass> = recipe.hardware.iter().map(|hardware| hardware.class).collect();
    let component = recipe.component.as_ref().map_or(DEFAULT_COMPONENT, ComponentName::as_str);
    Published::ask(&management.open()?, component, &classes)
}

/// The release that says `payload`, signed by nobody yet.
pub(crate) fn unsigned(payload: &[u8]) -> Result<ReleaseFile> {
    // Without signatures the fleet is not in the bytes yet.
    let bytes = signer::seal(&context(Kind::Release, FleetId([0; 16])), Form::Several, payload, &[])?;
    ReleaseFile::parse(bytes).context("read what was made")
}
