//! The only door from bytes to `Verified` values.
//!
//! Touches: `crate::{envelope, trust}`. A trust anchor begins with the provisioned root and walks
//! forward one document at a time; everything else is opened against it.
//! Never: acts on what it opened; that a release is genuine does not mean that it fits.

use crate::cbor::{DecodeError, Wire, decode};
use crate::digest::Digest;
use crate::envelope::{Context, Envelope, Kind};
use crate::id::{DeviceId, FleetId, KeyId, Nonce};
use crate::release::Release;
use crate::trust::{Delegation, OnlineKey, Powers, RoleName, Root};
use crate::wire::answer::{Offer, Status};
use core::ops::Deref;

/// A value whose signatures were checked. There is no other way to make one than [`TrustAnchor`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T> {
    value: T,
    envelope: Digest,
}

impl<T> Verified<T> {
    /// The digest of the complete signed bytes: the name that others refer to it by.
    #[must_use]
    pub fn envelope(&self) -> Digest {
        self.envelope
    }

    /// The value, from now on without its proof.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> Deref for Verified<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Why signed bytes are not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The envelope or its payload does not decode.
    #[error("undecodable: {0}")]
    Decode(DecodeError),
    /// Fewer different keys of the role signed than its threshold asks for.
    #[error("{valid} valid signatures of the {needed} needed")]
    Threshold {
        /// Different keys that did sign.
        valid: u8,
        /// How many had to.
        needed: u8,
    },
    /// It speaks of another fleet.
    #[error("made for another fleet")]
    OtherFleet,
    /// A root document that is not the very next one.
    #[error("not the next root document")]
    NotNext,
    /// A delegation that is not newer than the one held, and another.
    #[error("not newer than the delegation held")]
    Superseded,
    /// A delegation whose window is longer than the root allows.
    #[error("delegation window longer than the root allows")]
    WindowTooLong,
    /// No delegation is held, so no online key can be believed.
    #[error("no delegation held")]
    NoDelegation,
    /// Signed by an online key that lacks the power, or by none that is known.
    #[error("no online key with this power signed it")]
    NotDelegated,
    /// The stated time lies outside the delegation's window.
    #[error("stated time outside the delegation's window")]
    OutsideWindow,
}

impl From<DecodeError> for OpenError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

/// Keys and thresholds a device believes without being told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustAnchor {
    root: Root,
    delegation: Option<Delegation>,
}

impl TrustAnchor {
    /// The anchor that a provisioned root document makes. It must satisfy its own threshold, so that
    /// a damaged one is noticed; that it is the right one is what provisioning promises.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn provisioned(root_envelope: &[u8]) -> Result<Self, OpenError> {
        let envelope = Envelope::parse(root_envelope)?;
        let root: Root = decode(envelope.payload)?;
        count_role(&envelope, &root, RoleName::Root, root.fleet, Kind::Root)?;
        Ok(Self { root, delegation: None })
    }

    /// The anchor after the next root document, which the present and the new threshold must have
    /// signed. The delegation stays if its delegators do, so that a root document cannot be used to
    /// bring back a delegation that a newer one replaced. If one of them goes, or more of them must
    /// agree, it goes too, and any that the new root believes may follow: that is the way out when a
    /// delegator's key was stolen.
    ///
    /// # Errors
    /// See [`OpenError`]; the present anchor still holds.
    pub fn advance(&self, root_envelope: &[u8]) -> Result<Self, OpenError> {
        let envelope = Envelope::parse(root_envelope)?;
        let next: Root = decode(envelope.payload)?;
        if next.fleet != self.root.fleet {
            return Err(OpenError::OtherFleet);
        }
        if Some(next.version) != self.root.version.checked_add(1) {
            return Err(OpenError::NotNext);
        }
        count_role(&envelope, &self.root, RoleName::Root, self.root.fleet, Kind::Root)?;
        count_role(&envelope, &next, RoleName::Root, self.root.fleet, Kind::Root)?;
        let kept = self.delegation.as_ref().filter(|held| next.still_believes(&self.root, held));
        let delegation = kept.cloned();
        Ok(Self { root: next, delegation })
    }

    /// The anchor with this delegation, if the delegators signed it and it is newer than the one held,
    /// or the same.
    ///
    /// # Errors
    /// See [`OpenError`]; the present anchor still holds.
    pub fn delegate(&self, delegation_envelope: &[u8]) -> Result<Self, OpenError> {
        let delegation: Verified<Delegation> =
            self.open(delegation_envelope, RoleName::Delegator, Kind::Delegation)?;
        if delegation.fleet != self.root.fleet {
            return Err(OpenError::OtherFleet);
        }
        let replaces = |held: &Delegation| held.version < delegation.version || *held == *delegation;
        if !self.delegation.as_ref().is_none_or(replaces) {
            return Err(OpenError::Superseded);
        }
        if !delegation.within(&self.root.limits) {
            return Err(OpenError::WindowTooLong);
        }
        Ok(Self { root: self.root.clone(), delegation: Some(delegation.into_inner()) })
    }

    /// The root document believed.
    #[must_use]
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// The delegation believed, if one is held.
    #[must_use]
    pub fn delegation(&self) -> Option<&Delegation> {
        self.delegation.as_ref()
    }

    /// Version of the delegation held, zero if none.
    #[must_use]
    pub fn delegation_version(&self) -> u32 {
        self.delegation.as_ref().map_or(0, |delegation| delegation.version)
    }

    /// Opens a release.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_release(&self, envelope: &[u8]) -> Result<Verified<Release>, OpenError> {
        self.open(envelope, RoleName::Release, Kind::Release)
    }

    /// Opens a status made for this device and nonce, and tells which online key stated the time.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_status(
        &self,
        envelope: &[u8],
        device: &DeviceId,
        nonce: Nonce,
    ) -> Result<(Verified<Status>, KeyId), OpenError> {
        let (status, key) = self.open_online(envelope, Kind::Status, Powers::STATUS, device, nonce)?;
        self.check_window(status, |status: &Status| status.now).map(|status| (status, key))
    }

    /// Opens an offer made for this device and nonce, and tells which online key stated the time.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_offer(
        &self,
        envelope: &[u8],
        device: &DeviceId,
        nonce: Nonce,
    ) -> Result<(Verified<Offer>, KeyId), OpenError> {
        let (offer, key) = self.open_online(envelope, Kind::Offer, Powers::OFFER, device, nonce)?;
        self.check_window(offer, |offer: &Offer| offer.now).map(|offer| (offer, key))
    }

    fn open<'b, T: Wire<'b>>(
        &self,
        bytes: &'b [u8],
        role: RoleName,
        kind: Kind,
    ) -> Result<Verified<T>, OpenError> {
        let envelope = Envelope::parse(bytes)?;
        count_role(&envelope, &self.root, role, self.root.fleet, kind)?;
        Ok(Verified { value: decode(envelope.payload)?, envelope: Digest::of(bytes) })
    }

    fn open_online<'b, T: Wire<'b>>(
        &self,
        bytes: &'b [u8],
        kind: Kind,
        power: Powers,
        device: &DeviceId,
        nonce: Nonce,
    ) -> Result<(Verified<T>, KeyId), OpenError> {
        let delegation = self.delegation.as_ref().ok_or(OpenError::NoDelegation)?;
        let envelope = Envelope::parse(bytes)?;
        let context = Context { kind, fleet: self.root.fleet, session: Some((device, nonce)) };
        let signed =
            |online: &&OnlineKey| online.powers.has(power) && envelope.is_signed_by(&online.key, &context);
        let online = delegation.keys.iter().find(signed).ok_or(OpenError::NotDelegated)?;
        let verified = Verified { value: decode(envelope.payload)?, envelope: Digest::of(bytes) };
        Ok((verified, online.key.id()))
    }

    fn check_window<T>(
        &self,
        verified: Verified<T>,
        time: impl FnOnce(&T) -> crate::time::UnixSeconds,
    ) -> Result<Verified<T>, OpenError> {
        let covered = self.delegation.as_ref().is_some_and(|held| held.covers(time(&verified)));
        covered.then_some(verified).ok_or(OpenError::OutsideWindow)
    }
}

/// Checks that enough different keys of a role signed. A key that signed twice counts once.
fn count_role(
    envelope: &Envelope<'_>,
    root: &Root,
    role: RoleName,
    fleet: FleetId,
    kind: Kind,
) -> Result<(), OpenError> {
    let context = Context { kind, fleet, session: None };
    let needed = root.role(role).threshold;
    let mut valid = 0_u8;
    for key in root.keys_of(role) {
        if envelope.is_signed_by(key, &context) {
            valid = valid.saturating_add(1);
        }
    }
    (valid >= needed).then_some(()).ok_or(OpenError::Threshold { valid, needed })
}
