//! SHA-256 digests: how bytes are named everywhere in Lapwing.
//!
//! Touches: `sha2` only. Hex exists at the edge (`Display`, `FromStr`), never inside.
//! Never: compares secrets by anything but `PartialEq`, which takes the same time for all inputs.

use core::fmt;
use core::str::FromStr;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of some bytes.
#[derive(Clone, Copy, Eq)]
pub struct Digest([u8; Digest::LEN]);

impl Digest {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// The digest whose bytes these are.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The digest of `bytes`, in one go.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The raw bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The first eight bytes: enough to name one of a fleet's images on a thin link, never
    /// enough to trust it.
    #[must_use]
    pub const fn short(&self) -> ShortDigest {
        let [a, b, c, d, e, f, g, h, ..] = self.0;
        ShortDigest([a, b, c, d, e, f, g, h])
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
    }
}

impl core::hash::Hash for Digest {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl PartialOrd for Digest {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Digest {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

/// The text was not 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 64 hexadecimal digits")]
pub struct ParseDigestError;

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = [0; Self::LEN];
        parse_hex(text, &mut bytes).then_some(Self(bytes)).ok_or(ParseDigestError)
    }
}

/// The first eight bytes of a [`Digest`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShortDigest(pub [u8; ShortDigest::LEN]);

impl ShortDigest {
    /// Length in bytes.
    pub const LEN: usize = 8;
}

impl fmt::Display for ShortDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

impl fmt::Debug for ShortDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.0, f)
    }
}

/// Hashes bytes that arrive in pieces.
#[derive(Clone, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// A hasher that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of everything taken so far.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

pub(crate) fn write_hex(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Fills `out` from exactly twice as many hexadecimal digits; says whether it could.
pub(crate) fn parse_hex(text: &str, out: &mut [u8]) -> bool {
    let mut digits = text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()));
    for byte in out.iter_mut() {
        let (Some(Some(high)), Some(Some(low))) = (digits.next(), digits.next()) else {
            return false;
        };
        *byte = high << 4 | low;
    }
    digits.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_comes_back_as_it_went() {
        let digest = Digest::of(b"lapwing");
        let text = std::format!("{digest}");
        assert_eq!(text.parse(), Ok(digest));
        assert_eq!(text[1..].parse::<Digest>(), Err(ParseDigestError));
        assert_eq!(std::format!("{text}0").parse::<Digest>(), Err(ParseDigestError));
        assert_eq!(std::format!("{}", digest.short()), text[..16]);
    }

    #[test]
    fn pieces_hash_as_the_whole() {
        let mut hasher = Hasher::new();
        hasher.update(b"lap");
        hasher.update(b"wing");
        assert_eq!(hasher.finish(), Digest::of(b"lapwing"));
    }
}
