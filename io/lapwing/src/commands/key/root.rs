//! `lapwing key root`: the documents that say whom a fleet believes.
//!
//! Touches: the signing directory. A document that lacks signatures waits as `root-N.partial.cbor`.
//! Never: drops a release key or TLS anchor early, unless called an emergency.

use super::draft::{RoleDraft, RootDraft, encode};
use super::terms::{TermsArgs, VALID_DAYS};
use crate::cli::{DirArgs, SignerArgs};
use crate::exit::{Code, Refusal};
use crate::output::Said;
use crate::signer::{self, Key, KeyRole};
use crate::signing_dir::SigningDir;
use crate::trust_chain::{TrustChain, context, root_as_json, root_in_words};
use crate::{calendar, durable};
use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use lapwing_core::envelope::{Envelope, Form, Kind};
use lapwing_core::limits::{DELEGATION_DAYS_MAX, ENVELOPE_BYTES_MAX};
use lapwing_core::trust::{Limits, PublicKey, Revoked, RoleName, Root, TlsAnchor};
use lapwing_core::{Digest, KeyId, OpenError, UnixSeconds, cbor, may_follow};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};

/// The commands.
#[derive(Subcommand)]
pub(crate) enum RootCommand {
    /// Make and sign the first root document.
    Create(CreateArgs),
    /// Make and sign the next one: other keys, thresholds, limits or TLS anchors.
    Rotate(Box<RotateArgs>),
    /// Add signatures to one that waits for them.
    Sign(SignArgs),
}

/// Does what the command says.
pub(crate) fn run(command: RootCommand) -> Result<Said> {
    match command {
        RootCommand::Create(args) => create(&args),
        RootCommand::Rotate(args) => rotate(&args),
        RootCommand::Sign(args) => sign(&args),
    }
}

/// Arguments of `key root create`.
#[derive(Args)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    dir: DirArgs,
    /// A root key, by its key file or public key; without it those in the signing directory.
    #[arg(long, value_name = "KEY")]
    root_key: Vec<String>,
    /// A release key, likewise.
    #[arg(long, value_name = "KEY")]
    release_key: Vec<String>,
    /// A delegator key, likewise.
    #[arg(long, value_name = "KEY")]
    delegator_key: Vec<String>,
    #[command(flatten)]
    terms: TermsArgs,
    #[command(flatten)]
    signer: SignerArgs,
}

fn create(args: &CreateArgs) -> Result<Said> {
    let dir = args.dir.open()?;
    let roles = [
        role_of(&dir, KeyRole::Root, &args.root_key)?,
        role_of(&dir, KeyRole::Release, &args.release_key)?,
        role_of(&dir, KeyRole::Delegator, &args.delegator_key)?,
    ];
    let mut draft = first_draft(&dir, args.terms.issued(), args.terms.not_after(), roles);
    args.terms.apply(&mut draft);
    sign_and_keep(&dir, draft, &args.signer)
}

/// Makes and signs the first document with the keys at hand and one TLS anchor.
pub(crate) fn first_root(dir: &SigningDir, anchor: TlsAnchor, signer: &SignerArgs) -> Result<Said> {
    let role = |role| role_of(dir, role, &[]);
    let roles = [role(KeyRole::Root)?, role(KeyRole::Release)?, role(KeyRole::Delegator)?];
    let issued = calendar::now();
    let mut draft = first_draft(dir, issued, issued.after(u64::from(VALID_DAYS) * calendar::DAY_S), roles);
    draft.tls_anchors.push(anchor);
    sign_and_keep(dir, draft, signer)
}

/// The first document's draft, without TLS anchors.
fn first_draft(
    dir: &SigningDir,
    issued: UnixSeconds,
    not_after: UnixSeconds,
    [root, release, delegator]: [RoleDraft; 3],
) -> RootDraft {
    let limits =
        Limits { delegation_days_max: DELEGATION_DAYS_MAX, security_ceiling: u32::MAX, emergency: false };
    let (revoked, tls_anchors) = (Vec::new(), Vec::new());
    let fleet = dir.fleet();
    RootDraft { fleet, version: 1, issued, not_after, root, release, delegator, limits, revoked, tls_anchors }
}

fn role_of(dir: &SigningDir, role: KeyRole, named: &[String]) -> Result<RoleDraft> {
    let mut draft = RoleDraft { threshold: 1, keys: Vec::new() };
    for name in named {
        draft.add(public_of(name)?);
    }
    if named.is_empty() {
        dir.keys(role)?.iter().for_each(|key| draft.add(key.public().clone()));
    }
    Ok(draft)
}

/// The public key that `name` stands for: the key itself, or the file it lies in.
fn public_of(name: &str) -> Result<PublicKey> {
    match signer::parse_public(name) {
        Ok(public) => Ok(public),
        Err(_) => signer::read_key_file(Path::new(name)).map(|(_, key)| key.public().clone()),
    }
}

/// Arguments of `key root rotate`.
#[derive(Args)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    dir: DirArgs,
    /// Add a root key, by its key file or public key.
    #[arg(long, value_name = "KEY")]
    add_root_key: Vec<String>,
    /// Drop a root key, by its id.
    #[arg(long, value_name = "ID")]
    drop_root_key: Vec<KeyId>,
    /// Add a release key.
    #[arg(long, value_name = "KEY")]
    add_release_key: Vec<String>,
    /// Drop a release key. Refused before the others overlapped it for 90 days.
    #[arg(long, value_name = "ID")]
    drop_release_key: Vec<KeyId>,
    /// Add a delegator key.
    #[arg(long, value_name = "KEY")]
    add_delegator_key: Vec<String>,
    /// Drop a delegator key.
    #[arg(long, value_name = "ID")]
    drop_delegator_key: Vec<KeyId>,
    /// Drop a TLS anchor. Refused before another overlapped it for 90 days.
    #[arg(long, value_name = "HEX")]
    drop_tls: Vec<Digest>,
    /// Revoke a dropped release key: devices take SEQ for already confirmed.
    #[arg(long, value_name = "ID:SEQ", value_parser = parse_revoked)]
    revoke: Vec<Revoked>,
    /// Waive the overlap, in plain sight: the document says so. Devices that slept through it are lost
    /// until somebody visits them.
    #[arg(long)]
    emergency: bool,
    #[command(flatten)]
    terms: TermsArgs,
    #[command(flatten)]
    signer: SignerArgs,
}

fn parse_revoked(text: &str) -> Result<Revoked, String> {
    let wrong = || "expected a key id, a colon and a seq".to_owned();
    let (key, seq) = text.split_once(':').ok_or_else(wrong)?;
    Ok(Revoked { key: key.parse().map_err(|_| wrong())?, seq_base: seq.parse().map_err(|_| wrong())? })
}

fn rotate(args: &RotateArgs) -> Result<Said> {
    let dir = args.dir.open()?;
    let chain = dir.chain()?;
    let mut draft = RootDraft::after(chain.newest(), args.terms.issued(), args.terms.not_after());
    change_role(&mut draft.root, &args.add_root_key, &args.drop_root_key)?;
    change_role(&mut draft.release, &args.add_release_key, &args.drop_release_key)?;
    change_role(&mut draft.delegator, &args.add_delegator_key, &args.drop_delegator_key)?;
    for pin in &args.drop_tls {
        let before = draft.tls_anchors.len();
        draft.tls_anchors.retain(|anchor| pin_of(anchor) != pin);
        if draft.tls_anchors.len() == before {
            let what = format!("drop TLS anchor {pin}: it is not held");
            return Err(Refusal::new(Code::NotFound, what)
                .advice("`lapwing key show` lists those held")
                .into());
        }
    }
    draft.revoked.extend(&args.revoke);
    draft.limits.emergency = args.emergency;
    args.terms.apply(&mut draft);
    sign_and_keep(&dir, draft, &args.signer)
}

fn pin_of(anchor: &TlsAnchor) -> &Digest {
    match anchor {
        TlsAnchor::Server(pin) | TlsAnchor::Authority(pin) => pin,
    }
}

fn change_role(role: &mut RoleDraft, add: &[String], drop: &[KeyId]) -> Result<()> {
    for id in drop {
        let before = role.keys.len();
        role.keys.retain(|key| key.id() != *id);
        if role.keys.len() == before {
            let what = format!("drop key {id}: it has no such role");
            return Err(Refusal::new(Code::NotFound, what)
                .advice("`lapwing key show` lists each role's keys")
                .into());
        }
    }
    add.iter().try_for_each(|name| public_of(name).map(|key| role.add(key)))
}

/// Signs a draft with the keys at hand and keeps it: whole, or as one that waits for signatures.
fn sign_and_keep(dir: &SigningDir, draft: RootDraft, signer: &SignerArgs) -> Result<Said> {
    if dir.root_path(draft.version).exists() {
        let what = format!("make root {}: there is one already", draft.version);
        return Err(Refusal::new(Code::Conflict, what)
            .advice("change it with `lapwing key root rotate`")
            .into());
    }
    let root = draft.finish()?;
    let chain = if root.version == 1 { None } else { Some(dir.chain()?) };
    check_rotation(chain.as_ref(), &root)?;
    let keys = may_sign(signer.keys(Some(dir), KeyRole::Root)?, chain.as_ref(), &root);
    let payload = encode(&root)?;
    let signed_for = context(Kind::Root, root.fleet);
    if keys.len() == 1 {
        let bytes = signer::seal(&signed_for, Form::Single, &payload, &keys)?;
        if missing(chain.as_ref(), &bytes)?.is_none() {
            return keep(dir, chain.as_ref(), &root, &bytes);
        }
    }
    let bytes = signer::seal(&signed_for, Form::Several, &payload, &keys)?;
    keep(dir, chain.as_ref(), &root, &bytes)
}

/// Arguments of `key root sign`.
#[derive(Args)]
pub(crate) struct SignArgs {
    #[command(flatten)]
    dir: DirArgs,
    /// The waiting document; without it the one in the signing directory.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    signer: SignerArgs,
}

fn sign(args: &SignArgs) -> Result<Said> {
    let dir = args.dir.open()?;
    let chain = if dir.has_root() { Some(dir.chain()?) } else { None };
    let next = chain.as_ref().map_or(1, |chain| chain.newest().version + 1);
    let waiting = dir.partial_root_path(next);
    let path = args.file.as_ref().unwrap_or(&waiting);
    let bytes = durable::read_at_most(path, ENVELOPE_BYTES_MAX).map_err(|_| {
        Refusal::new(Code::NotFound, format!("find a waiting root {next} at {}", path.display()))
            .advice("name it with --file, or make it with `lapwing key root rotate`")
    })?;
    let envelope = Envelope::parse(&bytes).context("read the waiting root document")?;
    let root: Root = cbor::decode(envelope.payload).context("read the waiting root document")?;
    check_rotation(chain.as_ref(), &root)?;
    let keys = may_sign(args.signer.keys(Some(&dir), KeyRole::Root)?, chain.as_ref(), &root);
    if keys.is_empty() {
        return Err(signer::no_key(KeyRole::Root).into());
    }
    let bytes = signer::add_signatures(&context(Kind::Root, root.fleet), &bytes, &keys)?;
    keep(&dir, chain.as_ref(), &root, &bytes)
}

/// Of `keys`, those whose signature would count.
fn may_sign(keys: Vec<Key>, chain: Option<&TrustChain>, root: &Root) -> Vec<Key> {
    let roots = chain.map(TrustChain::newest).into_iter().chain([root]);
    let counting: Vec<&PublicKey> = roots.flat_map(|root| root.keys_of(RoleName::Root)).collect();
    keys.into_iter().filter(|key| counting.contains(&key.public())).collect()
}

fn check_rotation(chain: Option<&TrustChain>, next: &Root) -> Result<()> {
    let before = chain.map_or(&[][..], TrustChain::roots);
    may_follow(before, next).map_err(|error| {
        let advice = "keep old and new together for 90 days; only if a key was stolen, --emergency";
        Refusal::new(Code::Policy, format!("make root {}: {error}", next.version)).advice(advice).into()
    })
}

/// What keeps devices from believing the document, if anything.
fn missing(chain: Option<&TrustChain>, bytes: &[u8]) -> Result<Option<OpenError>> {
    let opened = match chain {
        None => lapwing_core::TrustAnchor::provisioned(bytes),
        Some(chain) => chain.anchor().advance(bytes),
    };
    match opened {
        Ok(_) => Ok(None),
        Err(error @ OpenError::Threshold { .. }) => Ok(Some(error)),
        Err(error) => Err(crate::trust_chain::distrust("the new root document", error)),
    }
}

fn keep(dir: &SigningDir, chain: Option<&TrustChain>, root: &Root, bytes: &[u8]) -> Result<Said> {
    let missing = missing(chain, bytes)?;
    let path = match missing {
        None => dir.root_path(root.version),
        Some(_) => dir.partial_root_path(root.version),
    };
    dir.keep(&path, bytes)?;
    let mut words = root_in_words(root);
    match &missing {
        None => {
            let _ = fs::remove_file(dir.partial_root_path(root.version));
            words += &format!("complete, in {}\n", path.display());
            words += match chain {
                None => {
                    "Next: `lapwing key delegate --online KEY` lets a server speak for the fleet, with the key it shows.\n"
                }
                Some(_) => {
                    "Next: `lapwing key enroll` gives it to the server, and the server to the devices.\n"
                }
            };
        }
        Some(missing) => {
            words += &format!("waits in {}: {missing}\n", path.display());
            words += "Next: `lapwing key root sign`, wherever another root key is at hand.\n";
        }
    }
    let mut json = root_as_json(root);
    json["file"] = json!(path);
    json["complete"] = json!(missing.is_none());
    Ok(Said::new(words, json))
}
