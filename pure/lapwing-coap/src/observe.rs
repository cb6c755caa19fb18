//! Wake-up calls: who wants them, and which of two that arrive is the newer.
//!
//! Touches: a bounded list. A call says "check in now" and has no other authority. Never: sends.
//! Source: RFC 7641.

use crate::code::OptionNumber;
use crate::message::{Message, Token};
use crate::recent::Peer;
use heapless::Vec;
use lapwing_core::Uptime;

/// Values of the option in a request.
const REGISTER: u32 = 0;
const DEREGISTER: u32 = 1;

/// After this long any notification is newer, milliseconds (section 3.4).
const ORDER_MS: u64 = 128_000;

/// The last notification a client took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notified {
    value: u32,
    at: Uptime,
}

impl Notified {
    /// What a notification says of itself.
    #[must_use]
    pub fn of(now: Uptime, message: &Message<'_>) -> Option<Self> {
        let value = message.options.uint(OptionNumber::OBSERVE)?;
        Some(Self { value: value & 0xff_ffff, at: now })
    }

    /// Whether this one is newer than `other`, also over the end of the 24 bits.
    #[must_use]
    pub const fn is_newer_than(self, other: Self) -> bool {
        let ahead = self.value.wrapping_sub(other.value) & 0xff_ffff;
        (ahead != 0 && ahead < 1 << 23) || self.at.since(other.at) > ORDER_MS
    }
}

/// Devices that want to be called, at most `N`.
#[derive(Debug, Default)]
pub struct Observers<const N: usize> {
    list: Vec<(Peer, Token), N>,
    value: u32,
}

/// What a request with the option led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observing {
    /// It is on the list: the answer carries this value.
    Yes(u32),
    /// It is not, or no longer: an ordinary answer.
    No,
}

impl<const N: usize> Observers<N> {
    /// Puts a device on the list or takes it off, as its request says. A full list gives an ordinary answer.
    pub fn take(&mut self, peer: Peer, request: &Message<'_>) -> Observing {
        let wish = request.options.uint(OptionNumber::OBSERVE);
        if wish == Some(REGISTER) || wish == Some(DEREGISTER) {
            self.list.retain(|known| *known != (peer, request.token));
        }
        if wish == Some(REGISTER) && self.list.push((peer, request.token)).is_ok() {
            return Observing::Yes(self.value);
        }
        Observing::No
    }

    /// A device answered a call with a reset, or its call found nobody.
    pub fn forget(&mut self, peer: Peer) {
        self.list.retain(|(known, _)| *known != peer);
    }

    /// Something changed: the value that the next calls carry, and whom to call.
    pub fn changed(&mut self) -> (u32, &[(Peer, Token)]) {
        self.value = self.value.wrapping_add(1) & 0xff_ffff;
        (self.value, &self.list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_is_told_over_the_end_of_the_numbers_and_by_time() {
        let notified = |value, at| Notified { value, at: Uptime(at) };
        assert!(notified(2, 0).is_newer_than(notified(1, 0)));
        assert!(!notified(1, 0).is_newer_than(notified(2, 0)));
        assert!(!notified(1, 0).is_newer_than(notified(1, 0)));
        assert!(notified(3, 0).is_newer_than(notified(0xff_fffe, 0)));
        assert!(notified(1, 128_001).is_newer_than(notified(2, 0)));
    }
}
