//! Numbers of layouts and map records: short when small, and when like others of their kind.
//!
//! Touches: the first stream of the artifact.
//! Never: gives out more than 33 bits.

use super::Record;
use crate::apply::ApplyError;
use crate::range::{EVEN, Probability, Range, at};

/// How slowly this stream's probabilities learn: fast, because most maps are short.
pub(crate) const LEARNING_SHIFT: u32 = 4;

/// Trees for the bit length of a number (6 bits) and, for each, for the three bits below its first.
pub(crate) const NUMBER_PROBABILITIES: usize = 64 + 34 * 8;

/// The kinds of numbers: those of layouts, and the three that records consist of.
pub(crate) const NUMBER_KINDS: usize = 4;

/// The probabilities of all kinds of numbers.
pub(crate) struct Numbers<'p> {
    layout: &'p mut [Probability],
    gap: &'p mut [Probability],
    jump: &'p mut [Probability],
    length: &'p mut [Probability],
}

impl<'p> Numbers<'p> {
    pub(super) fn new(probabilities: &'p mut [Probability]) -> Result<Self, ApplyError> {
        let probabilities = probabilities.get_mut(..NUMBER_KINDS.saturating_mul(NUMBER_PROBABILITIES));
        let probabilities = probabilities.ok_or(ApplyError::Memory)?;
        probabilities.fill(EVEN);
        let mut kinds = probabilities.chunks_exact_mut(NUMBER_PROBABILITIES);
        let mut next = || kinds.next().ok_or(ApplyError::Memory);
        Ok(Self { layout: next()?, gap: next()?, jump: next()?, length: next()? })
    }

    /// A number of a layout.
    pub(crate) fn layout(&mut self, range: &mut Range<'_, '_>) -> Result<u64, ApplyError> {
        number(range, self.layout)
    }

    /// The record behind `previous`.
    pub(super) fn record(
        &mut self,
        range: &mut Range<'_, '_>,
        previous: Record,
    ) -> Result<Record, ApplyError> {
        let gap = number(range, self.gap)?;
        let jump = number(range, self.jump)?;
        let length = number(range, self.length)?;
        // Zig-zag: even for jumps ahead, odd for jumps back.
        let half = i64::try_from(jump >> 1).map_err(|_| ApplyError::Corrupt)?;
        let jump = if jump & 1 == 0 { half } else { !half };
        let target_start = u64::from(previous.target_end()).checked_add(gap);
        // Without a jump the base goes on as far behind the last record as the target does.
        let base_start = u64::from(previous.base_end()).checked_add(gap);
        let base_start = base_start.and_then(|start| start.checked_add_signed(jump));
        let length_bytes = length.checked_add(1);
        Ok(Record {
            target_start: narrow(target_start)?,
            base_start: narrow(base_start)?,
            length_bytes: narrow(length_bytes)?,
        })
    }
}

fn narrow<T: TryInto<u32>>(number: Option<T>) -> Result<u32, ApplyError> {
    number.and_then(|number| number.try_into().ok()).ok_or(ApplyError::Corrupt)
}

/// A number as its bit length, its next three bits, all learned, and the rest as it is.
fn number(range: &mut Range<'_, '_>, table: &mut [Probability]) -> Result<u64, ApplyError> {
    let bits = range.tree(table, 6)?;
    if bits < 2 {
        return Ok(bits.into());
    }
    // More would not fit the widest number, a jump over four gigabytes.
    if bits > 33 {
        return Err(ApplyError::Corrupt);
    }
    let mut value = 1u64;
    let mut below = bits.saturating_sub(1);
    let mut node = 1u32;
    while below > 0 && node < 8 {
        let index = 64u32.saturating_add(bits << 3).saturating_add(node);
        let bit = u32::from(range.bit(at(table, index)?)?);
        node = node << 1 | bit;
        value = value << 1 | u64::from(bit);
        below = below.saturating_sub(1);
    }
    Ok(value << below | u64::from(range.even_bits(below)?))
}
