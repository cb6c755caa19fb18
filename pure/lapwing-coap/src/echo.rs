//! Whether somebody really is where a datagram says it came from, and lately.
//!
//! Touches: a key of the caller. The value carries its own time and a seal over the peer, so that a server
//! keeps nothing. Never: lets an answer to a stranger be larger than the question. Source: RFC 9175.

use crate::limits::ECHO_AGE_MS_MAX;
use hkdf::Hkdf;
use lapwing_core::Uptime;
use sha2::Sha256;

/// Bytes of a value: four of time, eight of seal.
pub const ECHO_BYTES: usize = 12;

/// A server's secret for its values; random, and new at each start.
#[derive(Clone)]
pub struct EchoKey([u8; 32]);

impl core::fmt::Debug for EchoKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("EchoKey")
    }
}

impl EchoKey {
    /// The key of these random bytes.
    #[must_use]
    pub const fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// A value for `peer`: its address, or the id of its security context.
    #[must_use]
    pub fn value(&self, now: Uptime, peer: &[u8]) -> [u8; ECHO_BYTES] {
        // Quarter seconds, which come round after 34 years.
        let [_, _, _, _, time @ ..] = (now.0 / 250).to_be_bytes();
        self.sealed(time, peer)
    }

    /// Whether `value` was made for `peer`, and lately.
    #[must_use]
    pub fn is_fresh(&self, now: Uptime, peer: &[u8], value: &[u8]) -> bool {
        let Some(time) = value.first_chunk::<4>() else { return false };
        let age = now.0 / 250;
        let age = age.checked_sub(u64::from(u32::from_be_bytes(*time)));
        let same = |ours: &[u8]| {
            let differing = ours.iter().zip(value).fold(0, |sum, (a, b)| sum | (a ^ b));
            ours.len() == value.len() && differing == 0
        };
        age.is_some_and(|age| age <= ECHO_AGE_MS_MAX / 250) && same(&self.sealed(*time, peer))
    }

    fn sealed(&self, time: [u8; 4], peer: &[u8]) -> [u8; ECHO_BYTES] {
        // HKDF-Extract is HMAC; the time first, so that it has a fixed place.
        let mut extract = hkdf::HkdfExtract::<Sha256>::new(Some(&self.0));
        extract.input_ikm(&time);
        extract.input_ikm(peer);
        let (seal, _): (_, Hkdf<Sha256>) = extract.finalize();
        let mut value = [0; ECHO_BYTES];
        value.iter_mut().zip(time.iter().chain(seal.iter())).for_each(|(to, from)| *to = *from);
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_good_for_its_peer_and_for_a_minute() {
        let key = EchoKey::new([7; 32]);
        let value = key.value(Uptime(100_000), b"peer");
        assert!(key.is_fresh(Uptime(100_000), b"peer", &value));
        assert!(key.is_fresh(Uptime(160_000), b"peer", &value));
        assert!(!key.is_fresh(Uptime(160_250), b"peer", &value));
        assert!(!key.is_fresh(Uptime(99_000), b"peer", &value), "from the future");
        assert!(!key.is_fresh(Uptime(100_000), b"other", &value));
        assert!(!EchoKey::new([8; 32]).is_fresh(Uptime(100_000), b"peer", &value));
        for at in 0..value.len() {
            let mut bent = value;
            bent[at] ^= 1;
            assert!(!key.is_fresh(Uptime(100_000), b"peer", &bent));
        }
        assert!(!key.is_fresh(Uptime(100_000), b"peer", &value[..11]));
    }
}
