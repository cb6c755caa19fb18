//! `lapwing key init` and `lapwing key new`: keys in files, for trials.
//!
//! Touches: the signing directory.

use crate::cli::DirArgs;
use crate::output::Said;
use crate::signer::{self, KeyRole};
use crate::signing_dir::SigningDir;
use anyhow::Result;
use clap::Args;
use lapwing_core::FleetId;
use lapwing_core::trust::PublicKey;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Arguments of `key init`.
#[derive(Args)]
pub(crate) struct InitArgs {
    #[command(flatten)]
    dir: DirArgs,
    /// The fleet's id, 32 hexadecimal digits; chosen at random without it.
    #[arg(long, value_name = "HEX")]
    fleet: Option<FleetId>,
    /// How many root keys to make.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8))]
    root_keys: u8,
    /// How many release keys to make.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8))]
    release_keys: u8,
}

/// Makes the directory, and the keys that are not there yet.
pub(crate) fn init(args: &InitArgs) -> Result<Said> {
    let dir = SigningDir::make(&args.dir.dir, args.fleet)?;
    let mut words = format!("fleet {}, keys in {}\n", dir.fleet(), dir.path().join("keys").display());
    let made = make_keys(&dir, args.root_keys, args.release_keys)?;
    for (role, path, public) in &made {
        words += &format!("  made {role} key {} in {}\n", public.id(), path.display());
    }
    let made: Vec<_> = made.iter().map(|(role, path, public)| key_as_json(*role, path, public)).collect();
    words += "Key files are for trials: whoever reads them can sign for the fleet.\n";
    words += "Next: `lapwing key enroll --server URL` makes the first root document and delegation.\n";
    Ok(Said::new(words, json!({ "fleet": dir.fleet().to_string(), "dir": dir.path(), "made": made })))
}

/// Makes one key of every role that has none.
pub(crate) fn make_missing_keys(dir: &SigningDir) -> Result<()> {
    make_keys(dir, 1, 1).map(drop)
}

/// Makes the keys that are missing to have so many.
fn make_keys(dir: &SigningDir, root: u8, release: u8) -> Result<Vec<(KeyRole, PathBuf, PublicKey)>> {
    let mut made = Vec::new();
    for (role, wanted) in [(KeyRole::Root, root), (KeyRole::Release, release), (KeyRole::Delegator, 1)] {
        for _ in dir.keys(role)?.len()..usize::from(wanted) {
            let (path, public) = dir.make_key(role)?;
            made.push((role, path, public));
        }
    }
    Ok(made)
}

/// Arguments of `key new`.
#[derive(Args)]
pub(crate) struct NewArgs {
    #[command(flatten)]
    dir: DirArgs,
    /// What the key is for.
    #[arg(long)]
    role: KeyRole,
    /// Put the key file here instead of into the signing directory.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Makes one key.
pub(crate) fn new(args: &NewArgs) -> Result<Said> {
    let (path, public) = match &args.out {
        Some(path) => (path.clone(), signer::make_key_file(path, args.role)?),
        None => args.dir.open()?.make_key(args.role)?,
    };
    let words = format!(
        "made {} key {} in {}\n  {}\n",
        args.role,
        public.id(),
        path.display(),
        signer::public_in_words(&public)
    );
    Ok(Said::new(words, key_as_json(args.role, &path, &public)))
}

fn key_as_json(role: KeyRole, path: &Path, public: &PublicKey) -> serde_json::Value {
    json!({
        "role": role.to_string(),
        "file": path,
        "id": public.id().to_string(),
        "public": signer::public_in_words(public),
    })
}
