//! The online key at work: signs the time and offers, inside its window and by a believable clock.
//!
//! Touches: `lapwing_core::envelope`. Never: signs a release, and never a time it cannot vouch for.

use crate::clock::{Clock, ClockGuard, Jump, Steady};
use ed25519_dalek::{Signer, SigningKey};
use lapwing_core::cbor::{Wire, encode};
use lapwing_core::envelope::{Context, Form, Kind, SealError, seal};
use lapwing_core::limits::ENVELOPE_BYTES_MAX;
use lapwing_core::trust::{Delegation, Powers, PublicKey};
use lapwing_core::{DeviceId, FleetId, Nonce, UnixSeconds};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Why nothing is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignError {
    #[error("no delegation is held")]
    NoDelegation,
    #[error("the delegation does not name this server's online key with these powers")]
    NotDelegated,
    #[error("the clock is outside the delegation's window")]
    OutsideWindow,
    #[error("the clock moved from {} to {}; a person must confirm it", .0.from.0, .0.to.0)]
    Jumped(Jump),
    #[error("sealing failed: {0}")]
    Seal(#[from] SealError),
}

/// For whom and in answer to what something is signed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Session<'a> {
    pub(crate) fleet: FleetId,
    pub(crate) device: &'a DeviceId,
    pub(crate) nonce: Nonce,
}

/// The signer.
pub(crate) struct Online {
    key: SigningKey,
    public: PublicKey,
    guard: Mutex<ClockGuard>,
    clock: Clock,
}

impl Online {
    pub(crate) fn new(key: SigningKey, guard: ClockGuard, clock: Clock) -> Self {
        let public = PublicKey::ed25519(key.verifying_key().as_bytes());
        Self { key, public, guard: Mutex::new(guard), clock }
    }

    /// The key that the delegation must name.
    pub(crate) fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The time, if this server may state it under this delegation.
    pub(crate) fn time_to_sign(
        &self,
        delegation: Option<&Delegation>,
        power: Powers,
    ) -> Result<UnixSeconds, SignError> {
        let delegation = delegation.ok_or(SignError::NoDelegation)?;
        let named = |key: &lapwing_core::trust::OnlineKey| key.key == self.public && key.powers.has(power);
        if !delegation.keys.iter().any(named) {
            return Err(SignError::NotDelegated);
        }
        let now = self.clock.now();
        if !delegation.covers(now) {
            return Err(SignError::OutsideWindow);
        }
        self.guard().check(now, self.clock.steady()).map_err(SignError::Jumped)
    }

    /// Signs a status or an offer for one device and nonce.
    pub(crate) fn seal<'b>(
        &self,
        kind: Kind,
        session: Session<'_>,
        value: &impl Wire<'b>,
    ) -> Result<Vec<u8>, SignError> {
        let (mut payload, mut buffer) = ([0; ENVELOPE_BYTES_MAX], [0; ENVELOPE_BYTES_MAX]);
        let payload = encode(value, &mut payload).map_err(SealError::from)?;
        let Session { fleet, device, nonce } = session;
        let context = Context { kind, fleet, session: Some((device, nonce)) };
        let mut sign = |message: &[u8]| Some(self.key.sign(message).to_bytes());
        let sealed = seal(&context, Form::Single, payload, &self.public, &mut sign, &mut buffer)?;
        Ok(sealed.to_vec())
    }

    /// A person says that the clock is right.
    pub(crate) fn confirm_clock(&self) {
        self.guard().confirm(self.clock.now(), self.clock.steady());
    }

    /// The jump that waits for a person, if any.
    pub(crate) fn jump(&self) -> Option<Jump> {
        self.guard().jump()
    }

    /// The last time that was signed, to be kept over a restart.
    pub(crate) fn last_signed(&self) -> Option<(UnixSeconds, Option<Steady>)> {
        self.guard().last_signed()
    }

    fn guard(&self) -> MutexGuard<'_, ClockGuard> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
