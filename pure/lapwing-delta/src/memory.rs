//! The one piece of memory that the caller gives, divided.
//!
//! Touches: nothing but that memory. Numbers lie in it as little-endian bytes, so that it needs no alignment.
//! Never: gives the same byte out twice.

use crate::apply::ApplyError;

/// A number of 32 bits in the caller's memory.
pub(crate) type Word = [u8; 4];

/// What has not been given out yet.
pub(crate) struct Memory<'m>(&'m mut [u8]);

impl<'m> Memory<'m> {
    pub(crate) const fn new(bytes: &'m mut [u8]) -> Self {
        Self(bytes)
    }

    /// The next `length` bytes.
    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'m mut [u8], ApplyError> {
        let (part, rest) =
            core::mem::take(&mut self.0).split_at_mut_checked(length).ok_or(ApplyError::Memory)?;
        self.0 = rest;
        Ok(part)
    }

    /// The next `count` items of `N` bytes.
    pub(crate) fn items<const N: usize>(&mut self, count: usize) -> Result<&'m mut [[u8; N]], ApplyError> {
        let length = count.checked_mul(N).ok_or(ApplyError::Memory)?;
        Ok(self.bytes(length)?.as_chunks_mut().0)
    }

    /// All that is left, to be used and forgotten before more is taken.
    pub(crate) fn rest(&mut self) -> &mut [u8] {
        self.0
    }
}

/// The number at `index`, which a mask keeps within `table`; 0 if it did not.
#[inline]
pub(crate) fn word_at(table: &[Word], index: usize) -> u32 {
    table.get(index).map_or(0, |word| u32::from_le_bytes(*word))
}

/// Sets the number at `index`, which a mask keeps within `table`.
#[inline]
pub(crate) fn set_word(table: &mut [Word], index: usize, value: u32) {
    if let Some(word) = table.get_mut(index) {
        *word = value.to_le_bytes();
    }
}

/// `hash` of 32 bits as an index below `count`.
#[inline]
pub(crate) fn scaled(hash: u32, count: usize) -> usize {
    ((u64::from(hash).wrapping_mul(count as u64)) >> 32) as usize
}

/// Two numbers stirred into one, every bit of which depends on all of theirs.
#[inline]
pub(crate) const fn stirred(a: u32, b: u32) -> u32 {
    let mixed = a.wrapping_mul(0x9E37_79B1) ^ b.wrapping_mul(0x85EB_CA77).rotate_left(15);
    let mixed = (mixed ^ mixed >> 15).wrapping_mul(0xC2B2_AE3D);
    mixed ^ mixed >> 13
}
