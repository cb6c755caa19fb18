//! The match map: which stretches of the target resemble which stretches of the base.
//!
//! Touches: the first stream of the artifact, and the scratch area it is decoded into.
//! Never: lets a record through that leaves base or target, or goes back in the target.

use crate::apply::ApplyError;
use crate::header::Header;
use crate::limits::RECORD_BYTES;
use crate::ports::Scratch;
use crate::range::{EVEN, Input, Probability, Range, at};

/// A stretch of the target that is a stretch of the base plus the body, byte by byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) target_start: u32,
    pub(crate) base_start: u32,
    /// At least 1; the ends of both stretches lie within their images.
    pub(crate) length_bytes: u32,
}

impl Record {
    pub(crate) const fn target_end(self) -> u32 {
        self.target_start.saturating_add(self.length_bytes)
    }

    pub(crate) const fn base_end(self) -> u32 {
        self.base_start.saturating_add(self.length_bytes)
    }

    fn to_bytes(self) -> [u8; RECORD_BYTES] {
        let [a, b, c, d] = self.target_start.to_le_bytes();
        let [e, f, g, h] = self.base_start.to_le_bytes();
        let [i, j, k, l] = self.length_bytes.to_le_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l]
    }

    const fn from_bytes([a, b, c, d, e, f, g, h, i, j, k, l]: [u8; RECORD_BYTES]) -> Self {
        Self {
            target_start: u32::from_le_bytes([a, b, c, d]),
            base_start: u32::from_le_bytes([e, f, g, h]),
            length_bytes: u32::from_le_bytes([i, j, k, l]),
        }
    }
}

/// The map, decoded, read once from its start to its end.
pub(crate) struct Map<'m> {
    scratch: &'m mut dyn Scratch,
    window: &'m mut [[u8; RECORD_BYTES]],
    next: u32,
    records: u32,
}

impl<'m> Map<'m> {
    /// Decodes the whole map of `header` into `scratch`.
    pub(crate) fn decode(
        header: &Header,
        input: &mut Input<'_>,
        probabilities: &mut [Probability],
        scratch: &'m mut dyn Scratch,
        window: &'m mut [[u8; RECORD_BYTES]],
    ) -> Result<Self, ApplyError> {
        let mut map = Self { scratch, window, next: 0, records: header.map_records };
        if !header.is_full() {
            let mut range = Range::start(input, header.map_encoded_bytes, LEARNING_SHIFT)?;
            map.fill(header, &mut range, probabilities)?;
            range.finish()?;
        }
        Ok(map)
    }

    /// The next record, in the order of the target.
    pub(crate) fn next(&mut self) -> Result<Option<Record>, ApplyError> {
        if self.next >= self.records {
            return Ok(None);
        }
        let place = self.place();
        if place == 0 {
            let left = self.records.saturating_sub(self.next) as usize;
            let count = left.min(self.window.len());
            let window = self.window.get_mut(..count).ok_or(ApplyError::Corrupt)?;
            self.scratch
                .read_at(offset_of(self.next), window.as_flattened_mut())
                .map_err(|_| ApplyError::Scratch)?;
        }
        self.next = self.next.saturating_add(1);
        Ok(self.window.get(place).copied().map(Record::from_bytes))
    }

    fn fill(
        &mut self,
        header: &Header,
        range: &mut Range<'_, '_>,
        probabilities: &mut [Probability],
    ) -> Result<(), ApplyError> {
        let mut numbers = Numbers::new(probabilities)?;
        let mut previous = Record { target_start: 0, base_start: 0, length_bytes: 0 };
        for index in 0..self.records {
            self.next = index;
            previous = numbers.record(range, previous)?;
            let ends =
                [previous.target_start, previous.base_start].map(|s| s.checked_add(previous.length_bytes));
            let [Some(target_end), Some(base_end)] = ends else { return Err(ApplyError::Corrupt) };
            if target_end > header.target_bytes || base_end > header.base_bytes {
                return Err(ApplyError::Corrupt);
            }
            let place = self.place();
            *self.window.get_mut(place).ok_or(ApplyError::Corrupt)? = previous.to_bytes();
            let count = place.saturating_add(1);
            if count == self.window.len() || index.saturating_add(1) == self.records {
                let window = self.window.get(..count).ok_or(ApplyError::Corrupt)?;
                let first = index.saturating_sub(place as u32);
                self.scratch
                    .write_at(offset_of(first), window.as_flattened())
                    .map_err(|_| ApplyError::Scratch)?;
            }
        }
        self.next = 0;
        Ok(())
    }

    /// Where in the window the next record is.
    fn place(&self) -> usize {
        (self.next as usize).checked_rem(self.window.len()).unwrap_or(0)
    }
}

fn offset_of(record: u32) -> u64 {
    u64::from(record).saturating_mul(RECORD_BYTES as u64)
}

/// How slowly this stream's probabilities learn: fast, because most maps are short.
pub(crate) const LEARNING_SHIFT: u32 = 4;

/// Trees for the bit length of a number (6 bits) and, for each, for the three bits below its first.
pub(crate) const NUMBER_PROBABILITIES: usize = 64 + 34 * 8;

/// The three kinds of numbers that records consist of.
struct Numbers<'p> {
    gap: &'p mut [Probability],
    jump: &'p mut [Probability],
    length: &'p mut [Probability],
}

impl<'p> Numbers<'p> {
    fn new(probabilities: &'p mut [Probability]) -> Result<Self, ApplyError> {
        probabilities.fill(EVEN);
        let mut kinds = probabilities.chunks_exact_mut(NUMBER_PROBABILITIES);
        let (Some(gap), Some(jump), Some(length)) = (kinds.next(), kinds.next(), kinds.next()) else {
            return Err(ApplyError::Corrupt);
        };
        Ok(Self { gap, jump, length })
    }

    fn record(&mut self, range: &mut Range<'_, '_>, previous: Record) -> Result<Record, ApplyError> {
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
