//! A root document while it is being drawn up: keys by role, before they are numbered.
//!
//! Touches: nothing. Entered from: `root`, `enroll`.

use crate::exit::{Code, Refusal};
use anyhow::{Context, Result, anyhow};
use lapwing_core::limits::{PAYLOAD_BYTES_MAX, ROLE_KEYS_MAX};
use lapwing_core::trust::{Limits, PublicKey, Revoked, Role, RoleName, Root, TlsAnchor};
use lapwing_core::{FleetId, UnixSeconds, cbor};

/// Keys of one role and how many of them must agree.
#[derive(Clone, Default)]
pub(crate) struct RoleDraft {
    pub(crate) threshold: u8,
    pub(crate) keys: Vec<PublicKey>,
}

impl RoleDraft {
    fn of(root: &Root, name: RoleName) -> Self {
        Self { threshold: root.role(name).threshold, keys: root.keys_of(name).cloned().collect() }
    }

    /// Adds a key, once.
    pub(crate) fn add(&mut self, key: PublicKey) {
        if !self.keys.contains(&key) {
            self.keys.push(key);
        }
    }
}

/// Everything that a root document says.
pub(crate) struct RootDraft {
    pub(crate) fleet: FleetId,
    pub(crate) version: u32,
    pub(crate) issued: UnixSeconds,
    pub(crate) not_after: UnixSeconds,
    pub(crate) root: RoleDraft,
    pub(crate) release: RoleDraft,
    pub(crate) delegator: RoleDraft,
    pub(crate) limits: Limits,
    pub(crate) revoked: Vec<Revoked>,
    pub(crate) tls_anchors: Vec<TlsAnchor>,
}

impl RootDraft {
    /// The document after `last`, saying the same.
    pub(crate) fn after(last: &Root, issued: UnixSeconds, not_after: UnixSeconds) -> Self {
        Self {
            fleet: last.fleet,
            version: last.version.saturating_add(1),
            issued,
            not_after,
            root: RoleDraft::of(last, RoleName::Root),
            release: RoleDraft::of(last, RoleName::Release),
            delegator: RoleDraft::of(last, RoleName::Delegator),
            limits: Limits { emergency: false, ..last.limits },
            revoked: last.revoked.to_vec(),
            tls_anchors: last.tls_anchors.to_vec(),
        }
    }

    /// The document, if it is one that devices would take.
    pub(crate) fn finish(self) -> Result<Root> {
        let mut keys: Vec<PublicKey> = Vec::new();
        let mut number = |draft: &RoleDraft| -> Result<Role> {
            let mut positions: Vec<u8> = Vec::new();
            for key in &draft.keys {
                let known = keys.iter().position(|known| known == key);
                let position = known.unwrap_or_else(|| {
                    keys.push(key.clone());
                    keys.len() - 1
                });
                positions.push(u8::try_from(position)?);
            }
            positions.sort_unstable();
            Ok(Role { threshold: draft.threshold, keys: bounded("keys in a role", &positions)? })
        };
        for (name, role) in [("root", &self.root), ("release", &self.release), ("delegator", &self.delegator)]
        {
            check_threshold(name, role)?;
        }
        let (root, release, delegator) =
            (number(&self.root)?, number(&self.release)?, number(&self.delegator)?);
        let document = Root {
            fleet: self.fleet,
            version: self.version,
            issued: self.issued,
            not_after: self.not_after,
            keys: bounded("keys", &keys)?,
            root,
            release,
            delegator,
            limits: self.limits,
            revoked: bounded("revoked keys", &self.revoked)?,
            tls_anchors: bounded("TLS anchors", &self.tls_anchors)?,
        };
        let payload = encode(&document)?;
        cbor::decode::<Root>(&payload).map_err(|error| anyhow!("{error}")).context(
            "make the root document: it contradicts itself (a revoked key that may still sign, \
             an end before its beginning, a window over 100 days)",
        )
    }
}

/// The payload of a root document.
pub(crate) fn encode(root: &Root) -> Result<Vec<u8>> {
    let mut buffer = [0; PAYLOAD_BYTES_MAX];
    let payload = cbor::encode(root, &mut buffer);
    payload.map(<[u8]>::to_vec).map_err(|_| anyhow!("make the root document: it is too large"))
}

fn check_threshold(name: &str, role: &RoleDraft) -> Result<()> {
    let reachable = (1..=role.keys.len().min(ROLE_KEYS_MAX)).contains(&usize::from(role.threshold));
    if reachable {
        return Ok(());
    }
    let what =
        format!("make the root document: {} of {} {name} keys cannot agree", role.threshold, role.keys.len());
    Err(Refusal::new(Code::Policy, what).advice(format!("add {name} keys or change the threshold")).into())
}

fn bounded<T: Clone, const N: usize>(what: &str, list: &[T]) -> Result<heapless::Vec<T, N>> {
    heapless::Vec::from_slice(list).map_err(|_| anyhow!("make the root document: more than {N} {what}"))
}
