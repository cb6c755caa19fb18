//! The trust documents that this server passes on, and believes itself.
//!
//! Touches: `lapwing_core::TrustAnchor`. Walks the chain as a device does, from the first root kept.
//! Never: skips a root document, and never needs a private key.

use crate::store::{Sql, Store, StoreError, log_command, put_trust, trust_documents};
use lapwing_core::cbor::decode;
use lapwing_core::envelope::Envelope;
use lapwing_core::trust::{Delegation, Root};
use lapwing_core::{OpenError, RotationError, TrustAnchor, may_follow};
use lapwing_fleet::audit::Command;

const ROOT: &str = "root";
const DELEGATION: &str = "delegation";

/// Why a trust document is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TrustError {
    #[error("not believed: {0}")]
    Refused(#[from] OpenError),
    #[error("no root document yet")]
    NoRoot,
    #[error("{0}")]
    Overlap(RotationError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Everything held.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trust {
    anchor: Option<TrustAnchor>,
    roots: Vec<(u32, Vec<u8>)>,
    delegation: Option<Vec<u8>>,
}

impl Trust {
    /// What the store holds, checked again from the first document.
    pub(crate) async fn load(store: &Store) -> Result<Self, TrustError> {
        let (roots, delegations) =
            store.read(|c| Ok((trust_documents(c, ROOT)?, trust_documents(c, DELEGATION)?))).await?;
        let mut trust = Self::default();
        for (_, envelope) in roots {
            trust = trust.with_root(&envelope)?;
        }
        if let Some((_, envelope)) = delegations.last() {
            // A newer root may have dropped its delegator; then a new one must be made.
            trust = trust.clone().with_delegation(envelope).unwrap_or(trust);
        }
        Ok(trust)
    }

    /// With the next root document. The delegation stays if the new root still accepts it.
    fn with_root(&self, envelope: &[u8]) -> Result<Self, TrustError> {
        let anchor = match &self.anchor {
            None => TrustAnchor::provisioned(envelope)?,
            Some(anchor) => anchor.advance(envelope)?,
        };
        let mut roots = self.roots.clone();
        roots.push((anchor.root().version, envelope.to_vec()));
        let next = Self { anchor: Some(anchor), roots, delegation: None };
        Ok(match &self.delegation {
            Some(delegation) => next.clone().with_delegation(delegation).unwrap_or(next),
            None => next,
        })
    }

    fn with_delegation(self, envelope: &[u8]) -> Result<Self, TrustError> {
        let anchor = self.anchor.as_ref().ok_or(TrustError::NoRoot)?.delegate(envelope)?;
        Ok(Self { anchor: Some(anchor), delegation: Some(envelope.to_vec()), ..self })
    }

    /// Takes and keeps a root document. One that is held already changes nothing.
    pub(crate) async fn take_root(
        &self,
        store: &Store,
        envelope: Vec<u8>,
        done: Command,
    ) -> Result<Self, TrustError> {
        if self.roots.iter().any(|(_, held)| *held == envelope) {
            return Ok(self.clone());
        }
        let next = self.with_root(&envelope)?;
        self.may_be_followed_by(&next).map_err(TrustError::Overlap)?;
        let version = next.versions().0;
        keep(store, ROOT, version, envelope, done).await?;
        Ok(next)
    }

    /// The rule that the signing tool keeps too: who stole its keys cannot push a root past this server
    /// that strands sleeping devices.
    fn may_be_followed_by(&self, next: &Self) -> Result<(), RotationError> {
        let of = |(_, envelope): &(u32, Vec<u8>)| decode(Envelope::parse(envelope).ok()?.payload).ok();
        let chain: Vec<Root> = self.roots.iter().filter_map(of).collect();
        next.anchor().map_or(Ok(()), |anchor| may_follow(&chain, anchor.root()))
    }

    /// Takes and keeps a delegation that is newer than the one held.
    pub(crate) async fn take_delegation(
        &self,
        store: &Store,
        envelope: Vec<u8>,
        done: Command,
    ) -> Result<Self, TrustError> {
        if self.delegation.as_ref() == Some(&envelope) {
            return Ok(self.clone());
        }
        let next = self.clone().with_delegation(&envelope)?;
        let version = next.versions().1;
        if version == self.versions().1 {
            return Err(TrustError::Refused(OpenError::Superseded));
        }
        keep(store, DELEGATION, version, envelope, done).await?;
        Ok(next)
    }

    /// The anchor, once there is a root document.
    pub(crate) fn anchor(&self) -> Option<&TrustAnchor> {
        self.anchor.as_ref()
    }

    /// The delegation held.
    pub(crate) fn delegation(&self) -> Option<&Delegation> {
        self.anchor.as_ref().and_then(TrustAnchor::delegation)
    }

    /// Versions of the newest root document and delegation, zero if there is none.
    pub(crate) fn versions(&self) -> (u32, u32) {
        self.anchor.as_ref().map_or((0, 0), |a| (a.root().version, a.delegation_version()))
    }

    /// A root document's envelope.
    pub(crate) fn root_envelope(&self, version: u32) -> Option<&[u8]> {
        self.roots.iter().find(|(held, _)| *held == version).map(|(_, envelope)| envelope.as_slice())
    }

    /// The newest delegation's envelope.
    pub(crate) fn delegation_envelope(&self) -> Option<&[u8]> {
        self.delegation.as_deref()
    }
}

async fn keep(
    store: &Store,
    kind: &'static str,
    version: u32,
    envelope: Vec<u8>,
    done: Command,
) -> Result<(), TrustError> {
    let done = done.after(version);
    let write = move |c: &Sql| -> Result<(), StoreError> {
        put_trust(c, kind, version, &envelope, done.time)?;
        log_command(c, &done)
    };
    store.write(write).await.map_err(TrustError::Store)
}
