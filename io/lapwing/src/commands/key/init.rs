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
use serde_json::json;
use std::path::PathBuf;

/// The roles whose keys the signing side holds.
const ROLES: [KeyRole; 3] = [KeyRole::Root, KeyRole::Release, KeyRole::Delegator];

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
    let mut made = Vec::new();
    for role in ROLES {
        let wanted = match role {
            KeyRole::Root => args.root_keys,
            KeyRole::Release => args.release_keys,
            KeyRole::Delegator | KeyRole::Online => 1,
        };
        for _ in dir.keys(role)?.len()..usize::from(wanted) {
            let (path, public) = dir.make_key(role)?;
            words += &format!("  made {role} key {} in {}\n", public.id(), path.display());
            made.push(key_as_json(role, &path, &public));
        }
    }
    words += "Key files are for trials: whoever reads them can sign for the fleet.\n";
    words += "Next: `lapwing key enroll --server URL` makes the first root document and delegation.\n";
    Ok(Said::new(words, json!({ "fleet": dir.fleet().to_string(), "dir": dir.path(), "made": made })))
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

fn key_as_json(
    role: KeyRole,
    path: &std::path::Path,
    public: &lapwing_core::trust::PublicKey,
) -> serde_json::Value {
    json!({
        "role": role.to_string(),
        "file": path,
        "id": public.id().to_string(),
        "public": signer::public_in_words(public),
    })
}
