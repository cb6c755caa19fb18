//! Codec 1: the difference between the target and what was likeliest, byte by byte, as an LZMA stream.
//!
//! Touches: the first candidate of each unit.
//! Never: knows whether it reads or writes; `Differences` does.

use crate::apply::ApplyError;
use crate::body::{Codec, Place};
use crate::history::History;
use crate::predict::Candidates;
use crate::reference::Unit;

/// The way differences are told: read from the artifact, or collected for it.
pub(crate) trait Differences {
    /// The next one. `known` is that if it is being written.
    fn byte(&mut self, known: u8) -> Result<u8, ApplyError>;
}

/// The codec.
pub(crate) struct Correction<D>(pub(crate) D);

impl<D: Differences> Codec for Correction<D> {
    fn unit(
        &mut self,
        _: &Place<'_, '_>,
        unit: &Unit,
        candidates: &Candidates,
        known: u32,
    ) -> Result<u32, ApplyError> {
        let mut word = candidates.first().to_le_bytes();
        for (byte, known) in word.iter_mut().zip(known.to_le_bytes()).take(unit.length as usize) {
            *byte = byte.wrapping_add(self.0.byte(known.wrapping_sub(*byte))?);
        }
        Ok(u32::from_le_bytes(word))
    }

    fn literal(&mut self, _: &History<'_>, _expected: u8, known: u32) -> Result<u32, ApplyError> {
        self.0.byte(known.to_le_bytes()[0]).map(u32::from)
    }

    fn turn(&mut self, _: &History<'_>) {}
}
