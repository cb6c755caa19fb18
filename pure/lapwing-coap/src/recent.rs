//! Messages answered lately, so that a repeated one is answered again and not acted on again.
//!
//! Touches: a table of the caller. Never: grows; a place that is needed is taken from the oldest of a few.
//! Source: RFC 7252 section 4.5.

use crate::limits::{EXCHANGE_LIFETIME_MS, KEPT_ANSWER_BYTES_MAX};
use crate::message::MessageId;
use heapless::Vec;
use lapwing_core::Uptime;

/// Where a datagram came from: an address and a port, in a spelling of the driver's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Peer(pub [u8; 18]);

/// One place of the table.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    of: Option<(Peer, MessageId)>,
    at: Uptime,
    answer: Vec<u8, KEPT_ANSWER_BYTES_MAX>,
}

/// Places among which a message may stand.
const WAYS: usize = 4;

/// A table of `S::len()` answered messages.
#[derive(Debug)]
pub struct Recent<S>(S);

impl<S: AsRef<[Entry]> + AsMut<[Entry]>> Recent<S> {
    /// An empty table on the caller's memory.
    #[must_use]
    pub const fn new(entries: S) -> Self {
        Self(entries)
    }

    /// The answer that this message got before.
    #[must_use]
    pub fn answer(&self, now: Uptime, peer: Peer, id: MessageId) -> Option<&[u8]> {
        let ways = self.0.as_ref().chunks(WAYS).nth(self.set_of(peer, id))?;
        let fresh = |entry: &&Entry| now.since(entry.at) < EXCHANGE_LIFETIME_MS;
        let entry = ways.iter().filter(fresh).find(|entry| entry.of == Some((peer, id)))?;
        Some(&entry.answer)
    }

    /// Keeps the answer to a message. What is sealed must be kept, because a sealed request opens once; a plain
    /// block of an artifact need not be, it can be given again.
    pub fn keep(&mut self, now: Uptime, peer: Peer, id: MessageId, answer: &[u8]) {
        let set = self.set_of(peer, id);
        let Ok(answer) = Vec::from_slice(answer) else { return };
        let ways = self.0.as_mut().chunks_mut(WAYS).nth(set);
        let oldest = ways.and_then(|ways| ways.iter_mut().min_by_key(|entry| (entry.of.is_some(), entry.at)));
        if let Some(entry) = oldest {
            *entry = Entry { of: Some((peer, id)), at: now, answer };
        }
    }

    fn set_of(&self, peer: Peer, id: MessageId) -> usize {
        let seed = u32::from(id.0).wrapping_mul(0x9e37_79b1);
        let mixed = peer.0.iter().fold(seed, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
        let sets = self.0.as_ref().len().div_ceil(WAYS);
        (mixed as usize).checked_rem(sets).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8) -> Peer {
        let mut peer = Peer::default();
        peer.0[17] = last;
        peer
    }

    #[test]
    fn a_repeated_message_gets_the_same_answer_until_its_lifetime_is_over() {
        let mut recent = Recent::new(std::vec![Entry::default(); 64]);
        recent.keep(Uptime(5), peer(1), MessageId(7), b"answer");
        assert_eq!(recent.answer(Uptime(6), peer(1), MessageId(7)), Some(&b"answer"[..]));
        assert_eq!(recent.answer(Uptime(6), peer(1), MessageId(8)), None);
        assert_eq!(recent.answer(Uptime(6), peer(2), MessageId(7)), None);
        assert_eq!(recent.answer(Uptime(5 + EXCHANGE_LIFETIME_MS), peer(1), MessageId(7)), None);
    }

    #[test]
    fn the_oldest_gives_way_and_what_does_not_fit_is_not_kept() {
        let mut recent = Recent::new([const { Entry { of: None, at: Uptime(0), answer: Vec::new() } }; 4]);
        (0..5_u16).for_each(|at| recent.keep(Uptime(u64::from(at)), peer(1), MessageId(at), b"a"));
        assert_eq!(recent.answer(Uptime(9), peer(1), MessageId(0)), None);
        assert!((1..5).all(|id| recent.answer(Uptime(9), peer(1), MessageId(id)).is_some()));
        recent.keep(Uptime(9), peer(1), MessageId(9), &[0; KEPT_ANSWER_BYTES_MAX + 1]);
        assert_eq!(recent.answer(Uptime(9), peer(1), MessageId(9)), None);
        Recent::new([]).keep(Uptime(9), peer(1), MessageId(9), b"a");
    }
}
