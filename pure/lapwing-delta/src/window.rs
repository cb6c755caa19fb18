//! The part of the base that is being looked at.
//!
//! Touches: the base, in pieces of one window; it is read again only after a jump.
//! Never: asks for a byte outside of the base.

use crate::apply::ApplyError;
use crate::limits::{VIEW_AFTER_BYTES, VIEW_BEFORE_BYTES};
use crate::ports::Base;

/// The window.
pub(crate) struct Window<'m> {
    base: &'m mut dyn Base,
    base_bytes: u32,
    buffer: &'m mut [u8],
    /// Where in the base the buffer begins, and how much of it is filled.
    start: u32,
    filled: usize,
}

impl<'m> Window<'m> {
    pub(crate) fn new(base: &'m mut dyn Base, base_bytes: u32, buffer: &'m mut [u8]) -> Self {
        Self { base, base_bytes, buffer, start: 0, filled: 0 }
    }

    /// The bytes around `offset`.
    #[inline]
    pub(crate) fn around(&mut self, offset: u32) -> Result<View<'_>, ApplyError> {
        let mut at = offset.wrapping_sub(self.start) as usize;
        let far_enough = at >= VIEW_BEFORE_BYTES || self.start == 0;
        let end = self.start.saturating_add(self.filled as u32);
        let long_enough = at.saturating_add(VIEW_AFTER_BYTES) <= self.filled || end == self.base_bytes;
        if offset < self.start || !far_enough || !long_enough || at > self.filled {
            self.refill(offset)?;
            at = offset.wrapping_sub(self.start) as usize;
        }
        Ok(View { bytes: self.buffer.get(..self.filled).unwrap_or_default(), at })
    }

    /// The byte at `offset`; 0 behind the end.
    #[inline]
    pub(crate) fn byte(&mut self, offset: u32) -> Result<u8, ApplyError> {
        let view = self.around(offset.min(self.base_bytes))?;
        Ok(view.bytes.get(view.at).copied().unwrap_or(0))
    }

    #[cold]
    fn refill(&mut self, offset: u32) -> Result<(), ApplyError> {
        self.start = offset.saturating_sub(VIEW_BEFORE_BYTES as u32);
        let left = self.base_bytes.saturating_sub(self.start) as usize;
        self.filled = left.min(self.buffer.len());
        let buffer = self.buffer.get_mut(..self.filled).ok_or(ApplyError::Memory)?;
        self.base.read_at(self.start.into(), buffer).map_err(|_| ApplyError::Base)
    }
}

/// Bytes of the base around one of them.
#[derive(Clone, Copy)]
pub(crate) struct View<'v> {
    bytes: &'v [u8],
    at: usize,
}

impl<'v> View<'v> {
    #[cfg(feature = "make")]
    pub(crate) const fn new(bytes: &'v [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    /// The word `ahead` bytes on, unless the base ends before.
    #[inline]
    pub(crate) fn word(&self, ahead: usize) -> Option<u32> {
        self.word_from(self.at.wrapping_add(ahead))
    }

    /// The word `back` bytes before.
    #[inline]
    pub(crate) fn word_before(&self, back: usize) -> Option<u32> {
        self.word_from(self.at.checked_sub(back)?)
    }

    /// The two bytes before the one `ahead` bytes on.
    #[inline]
    pub(crate) fn two_before(&self, ahead: usize) -> Option<[u8; 2]> {
        let from = self.at.wrapping_add(ahead).checked_sub(2)?;
        self.bytes.get(from..)?.first_chunk().copied()
    }

    /// The next `length` bytes, at most 4, as a word; zeros for what is behind the end.
    pub(crate) fn short_word(&self, length: u32) -> u32 {
        let bytes = self.bytes.get(self.at..).unwrap_or_default();
        bytes.iter().take(length as usize).rev().fold(0, |word, byte| word << 8 | u32::from(*byte))
    }

    #[inline]
    fn word_from(&self, from: usize) -> Option<u32> {
        Some(u32::from_le_bytes(*self.bytes.get(from..)?.first_chunk()?))
    }
}
