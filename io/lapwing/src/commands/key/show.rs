//! `lapwing key show`: keys, root documents and the delegation, in words.
//!
//! Touches: the signing directory, read only.

use crate::cli::DirArgs;
use crate::output::Said;
use crate::signer::{Key, KeyRole};
use crate::trust_chain::{
    delegation_as_json, delegation_in_words, key_as_json, peek_delegation, root_as_json, root_in_words,
};
use anyhow::Result;
use clap::Args;
use serde_json::json;

/// Arguments of `key show`.
#[derive(Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    dir: DirArgs,
}

/// Shows everything.
pub(crate) fn run(args: &ShowArgs) -> Result<Said> {
    let dir = args.dir.open()?;
    let mut words = format!("fleet {}\n", dir.fleet());
    let mut keys = Vec::new();
    for role in [KeyRole::Root, KeyRole::Release, KeyRole::Delegator] {
        for key in dir.keys(role)? {
            words += &format!("{role} {key}\n");
            keys.push(as_json(role, &key));
        }
    }
    let chain = if dir.has_root() { Some(dir.chain()?) } else { None };
    let roots = chain.as_ref().map_or(&[][..], |chain| chain.roots());
    roots.iter().for_each(|root| words += &root_in_words(root));
    let delegation = match dir.newest_delegation()? {
        None => serde_json::Value::Null,
        Some(bytes) => {
            let delegation = peek_delegation(&bytes)?;
            words += &delegation_in_words(&delegation);
            let refused = chain.as_ref().and_then(|chain| chain.anchor().delegate(&bytes).err());
            if let Some(error) = refused {
                words += &format!(
                    "  devices will not believe it: {error}. Make another with `lapwing key delegate`.\n"
                );
            }
            let mut json = delegation_as_json(&delegation);
            json["refused"] = json!(refused.map(|error| error.to_string()));
            json
        }
    };
    let roots: Vec<_> = roots.iter().map(root_as_json).collect();
    let json =
        json!({ "fleet": dir.fleet().to_string(), "keys": keys, "roots": roots, "delegation": delegation });
    Ok(Said::new(words, json))
}

fn as_json(role: KeyRole, key: &Key) -> serde_json::Value {
    let mut json = key_as_json(key.public());
    json["role"] = json!(role.to_string());
    json
}
