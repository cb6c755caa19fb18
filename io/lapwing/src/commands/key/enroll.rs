//! `lapwing key enroll`: all that a newcomer's signing side and server need of one another, in one go.
//!
//! Touches: the signing directory, the management plane. May be run again: what is there stays.
//! Never: gives the server a private key; it gets documents and gives its public identity.

use super::root::first_root;
use super::{delegate, init};
use crate::calendar;
use crate::cli::{DirArgs, SignerArgs};
use crate::exit::{Code, Refusal};
use crate::management::{Management, ManagementArgs};
use crate::output::Said;
use crate::signer::{self, KeyRole};
use crate::signing_dir::SigningDir;
use crate::trust_chain::{delegation_in_words, peek_delegation, root_in_words};
use anyhow::{Context, Result};
use clap::Args;
use lapwing_core::trust::{Delegation, PublicKey, TlsAnchor};
use lapwing_core::{Digest, FleetId};
use serde_json::{Value, json};

/// Arguments of `key enroll`.
#[derive(Args)]
pub(crate) struct EnrollArgs {
    #[command(flatten)]
    dir: DirArgs,
    #[command(flatten)]
    management: ManagementArgs,
    #[command(flatten)]
    signer: SignerArgs,
}

/// What a server says of itself.
pub(crate) struct Identity {
    /// Whose server it is, once it has a root document.
    pub(crate) fleet: Option<FleetId>,
    /// What it signs statuses and offers with.
    pub(crate) online: PublicKey,
    /// The SHA-256 of its TLS key's SubjectPublicKeyInfo.
    pub(crate) tls: Digest,
    /// Where devices reach it.
    pub(crate) device_url: String,
    /// Its newest root document, zero if none.
    pub(crate) root_version: u32,
    /// Its newest delegation, zero if none.
    pub(crate) delegation_version: u32,
}

impl Identity {
    /// Asks the server.
    pub(crate) fn of(server: &Management) -> Result<Self> {
        let answer = server.get("/api/v1/identity").context("learn the server's identity")?;
        Self::read(&answer)
            .context("learn the server's identity: its answer lacks a field or has a false one")
    }

    fn read(answer: &Value) -> Option<Self> {
        let number =
            |key: &str| answer[key].as_u64().and_then(|number| u32::try_from(number).ok()).unwrap_or(0);
        let fleet = match &answer["fleet"] {
            Value::Null => None,
            fleet => Some(fleet.as_str()?.parse().ok()?),
        };
        Some(Self {
            fleet,
            online: signer::parse_public(answer["online_key"]["public"].as_str()?).ok()?,
            tls: answer["tls_spki_sha256"].as_str()?.parse().ok()?,
            device_url: answer["device_url"].as_str()?.to_owned(),
            root_version: number("root_version"),
            delegation_version: number("delegation_version"),
        })
    }
}

/// Makes what is missing on both sides.
pub(crate) fn run(args: &EnrollArgs) -> Result<Said> {
    let server = args.management.open()?;
    let identity = Identity::of(&server)?;
    let dir = SigningDir::make(&args.dir.dir, None)?;
    if identity.fleet.is_some_and(|fleet| fleet != dir.fleet()) {
        let what = "enroll: the server belongs to another fleet";
        return Err(Refusal::new(Code::Conflict, what).advice("give each fleet a server of its own").into());
    }
    // Keys that the root document names may live elsewhere; new ones would be of no use to it.
    if !dir.has_root() {
        init::make_missing_keys(&dir)?;
        first_root(&dir, TlsAnchor::Server(identity.tls), &args.signer)?;
    }
    let chain = dir.chain()?;
    let pin = TlsAnchor::Server(identity.tls);
    if !chain.newest().tls_anchors.contains(&pin) {
        let what = "enroll: the root document does not hold this server's TLS key";
        let advice = format!("add it: lapwing key root rotate --tls-server {}", identity.tls);
        return Err(Refusal::new(Code::Policy, what).advice(advice).into());
    }
    for (root, bytes) in
        chain.roots().iter().zip(chain.envelopes()).filter(|(root, _)| root.version > identity.root_version)
    {
        server
            .put("/api/v1/trust/root", bytes)
            .with_context(|| format!("give the server root {}", root.version))?;
    }
    let delegation = delegate_to(&dir, &server, &identity, &args.signer)?;
    let words = format!(
        "{}{}the server at {} may now sign for fleet {}\nNext: `lapwing release create --sign --image FILE \
         --hardware vendor.example/class-name --release-version 1.0.0`\n",
        root_in_words(chain.newest()),
        delegation_in_words(&peek_delegation(&delegation)?),
        identity.device_url,
        dir.fleet()
    );
    let json = json!({
        "fleet": dir.fleet().to_string(),
        "dir": dir.path(),
        "root_version": chain.newest().version,
        "delegation_version": peek_delegation(&delegation)?.version,
        "device_url": identity.device_url,
    });
    Ok(Said::new(words, json))
}

/// Days before its end that a delegation is renewed: the first alarm's day.
const RENEW_DAYS: u64 = 30;

/// Gives the server a delegation for its online key: the newest if that is for it and lasts a while,
/// else one that is made now.
pub(crate) fn delegate_to(
    dir: &SigningDir,
    server: &Management,
    identity: &Identity,
    signer: &SignerArgs,
) -> Result<Vec<u8>> {
    let held = dir.newest_delegation()?.filter(|bytes| serves(dir, bytes, &identity.online));
    let bytes = match held {
        Some(bytes) => bytes,
        None => {
            let keys = signer.keys(Some(dir), KeyRole::Delegator)?;
            let online = std::slice::from_ref(&identity.online);
            delegate::make(dir, online, delegate::window_start(), delegate::DAYS, &keys)?.1
        }
    };
    if peek_delegation(&bytes)?.version > identity.delegation_version {
        server.put("/api/v1/trust/delegation", &bytes).context("give the server its delegation")?;
    }
    Ok(bytes)
}

/// Whether a delegation is believed, is for this key, and lasts a while.
fn serves(dir: &SigningDir, bytes: &[u8], online: &PublicKey) -> bool {
    let later = calendar::now().after(RENEW_DAYS * calendar::DAY_S);
    let is_for = |held: Delegation| held.not_after > later && held.keys.iter().any(|key| key.key == *online);
    let believed = || dir.chain().is_ok_and(|chain| chain.anchor().delegate(bytes).is_ok());
    peek_delegation(bytes).is_ok_and(is_for) && believed()
}
