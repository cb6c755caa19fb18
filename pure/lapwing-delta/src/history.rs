//! The target as far as it is made: the last bytes of it, and its way out.
//!
//! Touches: a ring in the caller's memory; what leaves it goes to the target port, in order.
//! Never: keeps more than the ring.

use crate::apply::ApplyError;
use lapwing_core::{Digest, Hasher};

/// The ring.
pub(crate) struct History<'m> {
    /// A power of two of bytes.
    ring: &'m mut [u8],
    mask: usize,
    made_bytes: u32,
    told_bytes: u32,
    piece_bytes: u32,
    hasher: Hasher,
}

impl<'m> History<'m> {
    /// A ring that gives out pieces of `piece_bytes`, which divide it.
    pub(crate) fn new(ring: &'m mut [u8], piece_bytes: u32) -> Self {
        ring.fill(0);
        let mask = ring.len().wrapping_sub(1);
        Self { ring, mask, made_bytes: 0, told_bytes: 0, piece_bytes, hasher: Hasher::new() }
    }

    /// How much of the target is made.
    pub(crate) const fn made_bytes(&self) -> u32 {
        self.made_bytes
    }

    /// How much of it is in the ring at most.
    pub(crate) const fn capacity_bytes(&self) -> u32 {
        self.ring.len() as u32
    }

    /// The byte at `offset` of the target, if it is still there; nonsense otherwise.
    #[inline]
    pub(crate) fn byte_at(&self, offset: u32) -> u32 {
        self.ring.get(offset as usize & self.mask).copied().unwrap_or(0).into()
    }

    /// The byte `back` before the next one.
    #[inline]
    pub(crate) fn back(&self, back: u32) -> u32 {
        self.byte_at(self.made_bytes.wrapping_sub(back))
    }

    /// Adds the `length` lowest bytes of `word`.
    #[inline]
    pub(crate) fn push(&mut self, word: u32, length: u32) {
        for byte in word.to_le_bytes().into_iter().take(length as usize) {
            let place = self.made_bytes as usize & self.mask;
            if let Some(slot) = self.ring.get_mut(place) {
                *slot = byte;
            }
            self.made_bytes = self.made_bytes.wrapping_add(1);
        }
    }

    /// The next piece that is complete, if there is one; at the end, what is left.
    #[inline]
    pub(crate) fn piece(&mut self, total_bytes: u32) -> Result<Option<&[u8]>, ApplyError> {
        let waiting = self.made_bytes.wrapping_sub(self.told_bytes);
        if waiting < self.piece_bytes && (self.made_bytes < total_bytes || waiting == 0) {
            return Ok(None);
        }
        let start = self.told_bytes as usize & self.mask;
        let length = waiting.min(self.piece_bytes);
        self.told_bytes = self.told_bytes.wrapping_add(length);
        let piece = self.ring.get(start..).and_then(|rest| rest.get(..length as usize));
        let piece = piece.ok_or(ApplyError::Memory)?;
        self.hasher.update(piece);
        Ok(Some(piece))
    }

    /// The digest of all that was given out.
    pub(crate) fn digest(self) -> Digest {
        self.hasher.finish()
    }
}
