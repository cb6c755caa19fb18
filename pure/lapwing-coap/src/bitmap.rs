//! Which parts of an artifact are there: one bit for 512 bytes, lowest bit first, as it is saved.
//!
//! Touches: a buffer of the caller. Never: claims a part that did not come; bits behind the end stay zero.

use crate::block::{Block, BlockSize};

/// Bytes that one bit stands for.
pub const UNIT_BYTES: u32 = 512;

/// The parts of one artifact.
#[derive(Debug, Clone)]
pub struct Bitmap<S> {
    bits: S,
    size_bytes: u32,
    /// Whole bytes at the front that are all ones.
    full: usize,
}

/// Why a saved bitmap cannot be used: start again with an empty one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bitmap does not fit the artifact")]
pub struct Unfit;

impl<S: AsRef<[u8]> + AsMut<[u8]>> Bitmap<S> {
    /// How many bytes of bits an artifact of this size needs.
    #[must_use]
    pub const fn len_for(size_bytes: u32) -> usize {
        size_bytes.div_ceil(UNIT_BYTES).div_ceil(8) as usize
    }

    /// Takes up saved bits; all zero for a fresh start.
    ///
    /// # Errors
    /// [`Unfit`] if there are not exactly as many as the size needs, or bits behind its end.
    pub fn resume(bits: S, size_bytes: u32) -> Result<Self, Unfit> {
        let mut bitmap = Self { bits, size_bytes, full: 0 };
        let units = size_bytes.div_ceil(UNIT_BYTES);
        let end = u32::try_from(bitmap.bits.as_ref().len()).map_err(|_| Unfit)?.saturating_mul(8);
        if bitmap.bits.as_ref().len() != Self::len_for(size_bytes)
            || (units..end).any(|unit| bitmap.has(unit))
        {
            return Err(Unfit);
        }
        bitmap.advance();
        Ok(bitmap)
    }

    /// Records that a block is there.
    pub(crate) fn set(&mut self, block: Block) {
        let (first, end) = self.units_of(block);
        for unit in first..end {
            if let Some(byte) = self.bits.as_mut().get_mut(unit as usize / 8) {
                *byte |= 1 << (unit % 8);
            }
        }
        self.advance();
    }

    /// The bits, to be saved once the bytes they speak of are durable.
    #[must_use]
    pub fn bits(&self) -> &[u8] {
        self.bits.as_ref()
    }

    /// Size of the artifact.
    #[must_use]
    pub const fn size_bytes(&self) -> u32 {
        self.size_bytes
    }

    /// Whether nothing is missing.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.first_missing(0).is_none()
    }

    /// Bytes that are there from the beginning without a gap: where an ordered transport goes on.
    #[must_use]
    pub fn leading_bytes(&self) -> u32 {
        self.first_missing(0).map_or(self.size_bytes, |unit| unit.saturating_mul(UNIT_BYTES))
    }

    /// Whether all of a block is there.
    #[must_use]
    pub fn has_block(&self, block: Block) -> bool {
        let (first, end) = self.units_of(block);
        (first..end).all(|unit| self.has(unit))
    }

    /// Blocks of this size of which something is missing, in order.
    pub(crate) fn missing(&self, size: BlockSize) -> impl Iterator<Item = u32> + use<'_, S> {
        let mut from = 0_u32;
        core::iter::from_fn(move || {
            let unit = self.first_missing(from)?;
            let number = unit.saturating_mul(UNIT_BYTES).checked_div(size.bytes())?;
            from = number.saturating_add(1).saturating_mul(size.bytes()) / UNIT_BYTES;
            Some(number)
        })
    }

    fn first_missing(&self, from: u32) -> Option<u32> {
        let skipped = u32::try_from(self.full).unwrap_or(u32::MAX).saturating_mul(8);
        (from.max(skipped)..self.size_bytes.div_ceil(UNIT_BYTES)).find(|unit| !self.has(*unit))
    }

    fn has(&self, unit: u32) -> bool {
        self.bits.as_ref().get(unit as usize / 8).is_some_and(|byte| byte & 1 << (unit % 8) != 0)
    }

    /// Units of a block, end exclusive.
    fn units_of(&self, block: Block) -> (u32, u32) {
        let first = block.offset() / UNIT_BYTES;
        let end = block.offset().saturating_add(block.size.bytes()) / UNIT_BYTES;
        (first, end.min(self.size_bytes.div_ceil(UNIT_BYTES)))
    }

    fn advance(&mut self) {
        while self.bits.as_ref().get(self.full) == Some(&u8::MAX) {
            self.full = self.full.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn empty(size_bytes: u32) -> Bitmap<std::vec::Vec<u8>> {
        Bitmap::resume(std::vec![0; Bitmap::<std::vec::Vec<u8>>::len_for(size_bytes)], size_bytes).unwrap()
    }

    #[test]
    fn a_block_is_missing_until_both_halves_have_come() {
        let mut bitmap = empty(10_000);
        bitmap.set(Block::wanted(3, BlockSize::B512));
        assert_eq!(bitmap.missing(BlockSize::B1024).take(3).collect::<std::vec::Vec<_>>(), [0, 1, 2]);
        bitmap.set(Block::wanted(0, BlockSize::B1024));
        assert_eq!(bitmap.leading_bytes(), 1024);
        bitmap.set(Block::wanted(2, BlockSize::B512));
        assert_eq!(bitmap.missing(BlockSize::B1024).next(), Some(2));
        assert_eq!(bitmap.missing(BlockSize::B512).next(), Some(4));
        assert_eq!(bitmap.leading_bytes(), 2048);
    }

    #[test]
    fn every_size_is_complete_exactly_when_every_block_came() {
        for size_bytes in [0, 1, 511, 512, 513, 1024, 1025, 4096, 4097, 100_000] {
            let mut bitmap = empty(size_bytes);
            for number in 0..size_bytes.div_ceil(1024) {
                assert!(!bitmap.is_complete());
                bitmap.set(Block::wanted(number, BlockSize::B1024));
            }
            assert!(bitmap.is_complete(), "{size_bytes}");
            assert_eq!(bitmap.leading_bytes(), size_bytes);
        }
    }

    #[test]
    fn bits_that_do_not_fit_are_refused() {
        let resume = |bits: &[u8], size| Bitmap::resume(bits.to_vec(), size).map(|_| ());
        assert_eq!(resume(&[0, 0], 512 * 8), Err(Unfit));
        assert_eq!(resume(&[], 1), Err(Unfit));
        assert_eq!(resume(&[0b10], 512), Err(Unfit), "a bit behind the end");
        assert_eq!(resume(&[0b01], 512), Ok(()));
    }
}
