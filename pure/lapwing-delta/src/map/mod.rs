//! The match map: which stretches of the target resemble which stretches of the base.
//!
//! Touches: the first stream of the artifact, and the scratch area it is decoded into.
//! Never: lets a record through that leaves base or target, or goes back in the target.

mod numbers;
mod order;

use crate::apply::ApplyError;
use crate::header::Header;
use crate::layout::Layout;
use crate::limits::{PAGE_RECORDS, RECORD_BYTES, SEQUENCE_RECORDS};
use crate::memory::{Memory, Word, word_at};
use crate::ports::Scratch;
use crate::range::{Input, Range};
use crate::reference::Architecture;
pub(crate) use numbers::{LEARNING_SHIFT, NUMBER_KINDS, NUMBER_PROBABILITIES, Numbers};

/// A record as it lies in memory and in the scratch area.
pub(crate) type Stored = [u8; RECORD_BYTES];

/// A stretch of the target that is like a stretch of the base.
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

    const fn to_bytes(self) -> Stored {
        let [a, b, c, d] = self.target_start.to_le_bytes();
        let [e, f, g, h] = self.base_start.to_le_bytes();
        let [i, j, k, l] = self.length_bytes.to_le_bytes();
        [a, b, c, d, e, f, g, h, i, j, k, l]
    }

    const fn from_bytes([a, b, c, d, e, f, g, h, i, j, k, l]: Stored) -> Self {
        Self {
            target_start: u32::from_le_bytes([a, b, c, d]),
            base_start: u32::from_le_bytes([e, f, g, h]),
            length_bytes: u32::from_le_bytes([i, j, k, l]),
        }
    }

    /// Where in the target the byte at `base_offset` would be if this stretch went on for ever.
    const fn image_of(self, base_offset: u32) -> u32 {
        base_offset.wrapping_sub(self.base_start).wrapping_add(self.target_start)
    }
}

/// How sure it is where a byte of the base went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// A record holds it.
    Held = 1,
    /// A record ends before it, or begins behind it.
    Near = 2,
    /// Nothing is known.
    Unknown = 3,
}

/// What the map holds in memory.
pub(crate) struct Parts<'m> {
    sequence: &'m mut [Stored],
    index: &'m mut [Word],
    pages: &'m mut [Stored],
    page_numbers: &'m mut [Word],
}

impl<'m> Parts<'m> {
    pub(crate) fn take(memory: &mut Memory<'m>, header: &Header) -> Result<Self, ApplyError> {
        let plan = header.plan();
        Ok(Self {
            sequence: memory.items(SEQUENCE_RECORDS)?,
            index: memory.items(plan.index_entries)?,
            pages: memory.items(plan.map_pages.saturating_mul(PAGE_RECORDS))?,
            page_numbers: memory.items(plan.map_pages)?,
        })
    }
}

/// The map, decoded: read once from its start to its end, and asked at random.
pub(crate) struct Map<'m> {
    scratch: &'m mut dyn Scratch,
    /// Some records in the order of the target.
    sequence: &'m mut [Stored],
    next: u32,
    records: u32,
    /// Where in the scratch area the records are that lie in the order of the base, without overlaps.
    ordered_start: u32,
    ordered: u32,
    /// Where each `stride`-th of them starts.
    index: &'m mut [Word],
    stride: u32,
    /// Some of them, by the page.
    pages: &'m mut [Stored],
    page_numbers: &'m mut [Word],
}

impl<'m> Map<'m> {
    /// Decodes the layouts, which are empty yet, and the whole map of `header` into `scratch`. `area` is only
    /// used meanwhile.
    // Apart from what comes after it, so that the stack holds one of both at a time.
    #[inline(never)]
    pub(crate) fn decode(
        header: &Header,
        input: &mut Input<'_>,
        parts: Parts<'m>,
        scratch: &'m mut dyn Scratch,
        area: &mut [u8],
        layouts: &mut [Layout; 2],
    ) -> Result<Self, ApplyError> {
        let Parts { sequence, index, pages, page_numbers } = parts;
        page_numbers.fill([0xFF; 4]);
        let (records, stride) = (header.map_records, 1);
        let mut map = Self {
            scratch,
            sequence,
            next: 0,
            records,
            ordered_start: 0,
            ordered: 0,
            index,
            stride,
            pages,
            page_numbers,
        };
        if !header.is_full() {
            let mut range = Range::start(input, header.map_encoded_bytes, LEARNING_SHIFT)?;
            let mut numbers = Numbers::new(area.as_chunks_mut().0)?;
            if header.architecture != Architecture::None {
                Layout::decode_two(layouts, &mut range, &mut numbers)?;
            }
            map.fill(header, &mut range, &mut numbers)?;
            range.finish()?;
            if header.architecture != Architecture::None {
                map.order(area)?;
            }
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
            let count = left.min(self.sequence.len());
            let sequence = self.sequence.get_mut(..count).ok_or(ApplyError::Corrupt)?;
            read(self.scratch, self.next, sequence)?;
        }
        self.next = self.next.saturating_add(1);
        Ok(self.sequence.get(place).copied().map(Record::from_bytes))
    }

    /// Where in the target the byte at `base_offset` went.
    pub(crate) fn image_of(&mut self, base_offset: u32) -> Result<(u32, Certainty), ApplyError> {
        let after = self.first_behind(base_offset)?;
        let Some(before) = after.checked_sub(1) else {
            return Ok((base_offset, Certainty::Unknown));
        };
        let before = self.ordered_at(before)?;
        let Some(beyond) = base_offset.checked_sub(before.base_end()) else {
            return Ok((before.image_of(base_offset), Certainty::Held));
        };
        if after < self.ordered {
            let after = self.ordered_at(after)?;
            if after.base_start.wrapping_sub(base_offset) <= beyond {
                return Ok((after.image_of(base_offset), Certainty::Near));
            }
        }
        Ok((before.image_of(base_offset), Certainty::Near))
    }

    /// The first of the ordered records that starts behind `base_offset`.
    fn first_behind(&mut self, base_offset: u32) -> Result<u32, ApplyError> {
        let blocks = self.ordered.div_ceil(self.stride) as usize;
        let index = self.index.get(..blocks).ok_or(ApplyError::Corrupt)?;
        let block = index.partition_point(|start| u32::from_le_bytes(*start) <= base_offset) as u32;
        // The block before is the one that holds the answer or ends at it.
        let mut low = block.saturating_sub(1).saturating_mul(self.stride);
        let mut high = block.saturating_mul(self.stride).min(self.ordered);
        while low < high {
            let middle = low.wrapping_add(high.wrapping_sub(low) >> 1);
            if self.ordered_at(middle)?.base_start <= base_offset {
                low = middle.wrapping_add(1);
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// One of the ordered records, by way of a page of them.
    fn ordered_at(&mut self, number: u32) -> Result<Record, ApplyError> {
        const PAGE: u32 = PAGE_RECORDS as u32;
        let (page, place) = (number / PAGE, number % PAGE);
        let slot = (page as usize).checked_rem(self.page_numbers.len()).ok_or(ApplyError::Memory)?;
        let first = slot.saturating_mul(PAGE_RECORDS);
        if word_at(self.page_numbers, slot) != page {
            let start = page.saturating_mul(PAGE);
            let count = self.ordered.saturating_sub(start).min(PAGE) as usize;
            let records = self.pages.get_mut(first..).and_then(|records| records.get_mut(..count));
            read(self.scratch, self.ordered_start.saturating_add(start), records.ok_or(ApplyError::Memory)?)?;
            crate::memory::set_word(self.page_numbers, slot, page);
        }
        let stored = self.pages.get(first.saturating_add(place as usize)).ok_or(ApplyError::Memory)?;
        Ok(Record::from_bytes(*stored))
    }

    fn fill(
        &mut self,
        header: &Header,
        range: &mut Range<'_, '_>,
        numbers: &mut Numbers<'_>,
    ) -> Result<(), ApplyError> {
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
            *self.sequence.get_mut(place).ok_or(ApplyError::Corrupt)? = previous.to_bytes();
            let count = place.saturating_add(1);
            if count == self.sequence.len() || index.saturating_add(1) == self.records {
                let sequence = self.sequence.get(..count).ok_or(ApplyError::Corrupt)?;
                write(self.scratch, index.saturating_sub(place as u32), sequence)?;
            }
        }
        self.next = 0;
        Ok(())
    }

    /// Where in the sequence the next record is.
    fn place(&self) -> usize {
        (self.next as usize).checked_rem(self.sequence.len()).unwrap_or(0)
    }
}

/// Reads the records from the one numbered `first` on.
fn read(scratch: &mut dyn Scratch, first: u32, records: &mut [Stored]) -> Result<(), ApplyError> {
    scratch.read_at(offset_of(first), records.as_flattened_mut()).map_err(|_| ApplyError::Scratch)
}

/// Writes records from the one numbered `first` on.
fn write(scratch: &mut dyn Scratch, first: u32, records: &[Stored]) -> Result<(), ApplyError> {
    scratch.write_at(offset_of(first), records.as_flattened()).map_err(|_| ApplyError::Scratch)
}

fn offset_of(record: u32) -> u64 {
    u64::from(record).saturating_mul(RECORD_BYTES as u64)
}
