//! Root documents from the first to the newest, each believed because of the one before.
//!
//! Touches: files it is asked to read. Entered from: every command that has to believe something.
//! Never: skips a document, or takes the first one from anywhere but where the caller says.

use crate::exit::{Code, Refusal};
use crate::{calendar, durable, signer};
use anyhow::{Context, Result, anyhow};
use lapwing_core::cbor::decode;
use lapwing_core::envelope::{self, Envelope, Kind};
use lapwing_core::limits::ENVELOPE_BYTES_MAX;
use lapwing_core::trust::{Delegation, Powers, PublicKey, RoleName, Root, TlsAnchor};
use lapwing_core::{FleetId, TrustAnchor};
use serde_json::{Value, json};
use std::path::Path;

/// The roles of a root document, by the names people use.
pub(crate) const ROLES: [(&str, RoleName); 3] =
    [("root", RoleName::Root), ("release", RoleName::Release), ("delegator", RoleName::Delegator)];

/// The documents, as bytes and as values, and what they add up to.
pub(crate) struct TrustChain {
    envelopes: Vec<Vec<u8>>,
    roots: Vec<Root>,
    anchor: TrustAnchor,
}

impl TrustChain {
    /// A chain that begins with this document.
    pub(crate) fn begin(bytes: Vec<u8>) -> Result<Self> {
        let anchor =
            TrustAnchor::provisioned(&bytes).map_err(|error| distrust("the root document", error))?;
        Ok(Self { roots: vec![anchor.root().clone()], envelopes: vec![bytes], anchor })
    }

    /// The chain with the next document.
    pub(crate) fn and(mut self, bytes: Vec<u8>) -> Result<Self> {
        self.anchor =
            self.anchor.advance(&bytes).map_err(|error| distrust("the next root document", error))?;
        self.roots.push(self.anchor.root().clone());
        self.envelopes.push(bytes);
        Ok(self)
    }

    /// The chain of the documents in these files, in this order.
    pub(crate) fn read(paths: &[impl AsRef<Path>]) -> Result<Self> {
        let read = |path: &Path| durable::read_at_most(path, ENVELOPE_BYTES_MAX);
        let mut chain: Option<Self> = None;
        for path in paths {
            let path = path.as_ref();
            let bytes = read(path)?;
            let longer = match chain {
                None => Self::begin(bytes),
                Some(chain) => chain.and(bytes),
            };
            chain = Some(longer.with_context(|| format!("believe {}", path.display()))?);
        }
        chain.ok_or_else(|| Refusal::new(Code::NotFound, "find a root document").into())
    }

    /// What a device that walked all of them believes.
    pub(crate) fn anchor(&self) -> &TrustAnchor {
        &self.anchor
    }

    /// The newest document.
    pub(crate) fn newest(&self) -> &Root {
        self.anchor.root()
    }

    /// All documents, oldest first.
    pub(crate) fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// All documents as they are signed, oldest first.
    pub(crate) fn envelopes(&self) -> &[Vec<u8>] {
        &self.envelopes
    }
}

/// The refusal that says why signed bytes are not believed.
pub(crate) fn distrust(what: &str, error: lapwing_core::OpenError) -> anyhow::Error {
    let refusal = Refusal::new(Code::Verification, format!("believe {what}: {error}"));
    match error {
        lapwing_core::OpenError::Threshold { .. } => refusal
            .advice("sign it with keys that the newest root document names; `lapwing key show` lists them"),
        _ => refusal
            .advice("get it again from where it was signed; `lapwing key show` says what is believed here"),
    }
    .into()
}

/// The context that root documents, delegations and releases are signed for.
pub(crate) fn context(kind: Kind, fleet: FleetId) -> envelope::Context<'static> {
    envelope::Context { kind, fleet, session: None }
}

/// The delegation inside an envelope that may not be believed any more.
pub(crate) fn peek_delegation(bytes: &[u8]) -> Result<Delegation> {
    let envelope = Envelope::parse(bytes).map_err(|error| anyhow!("read the delegation: {error}"))?;
    decode(envelope.payload).map_err(|error| anyhow!("read the delegation: {error}"))
}

/// A root document in words.
pub(crate) fn root_in_words(root: &Root) -> String {
    let mut words = format!(
        "root {} of fleet {}\n  issued {}, blocks installing after {}\n",
        root.version,
        root.fleet,
        calendar::in_words(root.issued),
        calendar::in_words(root.not_after)
    );
    for (name, role) in ROLES {
        let keys: Vec<String> = root.keys_of(role).map(|key| key.id().to_string()).collect();
        let threshold = root.role(role).threshold;
        words += &format!("  {name}: {threshold} of {} ({})\n", keys.len(), keys.join(", "));
    }
    words += &format!(
        "  limits: delegations of at most {} days, security floor at most {}\n",
        root.limits.delegation_days_max, root.limits.security_ceiling
    );
    for anchor in &root.tls_anchors {
        words += &match anchor {
            TlsAnchor::Server(pin) => format!("  TLS: the server's own key {pin}\n"),
            TlsAnchor::Authority(pin) => format!("  TLS: the authority's key {pin}\n"),
        };
    }
    for revoked in &root.revoked {
        words += &format!("  revoked: {}, nothing up to seq {} counts\n", revoked.key, revoked.seq_base);
    }
    if root.limits.emergency {
        words += "  made in an emergency: the overlap of old and new keys was waived\n";
    }
    words
}

/// A root document as JSON.
pub(crate) fn root_as_json(root: &Root) -> Value {
    let roles = ROLES.map(|(name, role)| {
        let keys: Vec<Value> = root.keys_of(role).map(key_as_json).collect();
        (name.to_owned(), json!({ "threshold": root.role(role).threshold, "keys": keys }))
    });
    let anchor_as_json = |anchor: &TlsAnchor| match anchor {
        TlsAnchor::Server(pin) => json!({ "kind": "server", "spki_sha256": pin.to_string() }),
        TlsAnchor::Authority(pin) => json!({ "kind": "authority", "spki_sha256": pin.to_string() }),
    };
    let revoked: Vec<Value> = root
        .revoked
        .iter()
        .map(|revoked| json!({ "key": revoked.key.to_string(), "seq_base": revoked.seq_base }))
        .collect();
    json!({
        "fleet": root.fleet.to_string(),
        "version": root.version,
        "issued": root.issued.0,
        "not_after": root.not_after.0,
        "roles": Value::Object(roles.into_iter().collect()),
        "delegation_days_max": root.limits.delegation_days_max,
        "security_ceiling": root.limits.security_ceiling,
        "emergency": root.limits.emergency,
        "revoked": revoked,
        "tls_anchors": root.tls_anchors.iter().map(anchor_as_json).collect::<Vec<_>>(),
    })
}

/// A delegation in words.
pub(crate) fn delegation_in_words(delegation: &Delegation) -> String {
    let mut words = format!(
        "delegation {}\n  from {} to {}\n",
        delegation.version,
        calendar::in_words(delegation.not_before),
        calendar::in_words(delegation.not_after)
    );
    for online in &delegation.keys {
        words += &format!("  {} may sign {}\n", online.key.id(), powers(online.powers).join(", "));
    }
    words
}

/// A delegation as JSON.
pub(crate) fn delegation_as_json(delegation: &Delegation) -> Value {
    let online = |online: &lapwing_core::trust::OnlineKey| json!({ "key": key_as_json(&online.key), "powers": powers(online.powers) });
    json!({
        "fleet": delegation.fleet.to_string(),
        "version": delegation.version,
        "not_before": delegation.not_before.0,
        "not_after": delegation.not_after.0,
        "keys": delegation.keys.iter().map(online).collect::<Vec<_>>(),
    })
}

/// A public key as JSON.
pub(crate) fn key_as_json(key: &PublicKey) -> Value {
    json!({ "id": key.id().to_string(), "public": signer::public_in_words(key) })
}

fn powers(powers: Powers) -> Vec<&'static str> {
    let all = [("status", Powers::STATUS), ("offers", Powers::OFFER), ("flags", Powers::FLAGS)];
    all.into_iter().filter(|(_, power)| powers.has(*power)).map(|(name, _)| name).collect()
}
