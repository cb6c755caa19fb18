//! Puts the records into the order of the base and cuts overlaps, so that the map can be asked at random.
//!
//! Touches: the scratch area, behind the records; a piece of memory that others use later.
//! Never: writes to a place in the scratch area twice, which flash would not allow.

use super::{Map, Record, Stored, read, write};
use crate::apply::ApplyError;
use crate::limits::{PAGE_RECORDS, RECORD_BYTES, RUN_BYTES};
use crate::memory::set_word;

impl Map<'_> {
    /// Writes the ordered records behind the others, by way of sorted runs if they are more than `area` holds.
    pub(super) fn order(&mut self, area: &mut [u8]) -> Result<(), ApplyError> {
        self.stride = self.records.div_ceil((self.index.len() as u32).max(1)).max(1);
        let sorted = area.as_chunks_mut::<RECORD_BYTES>().0;
        let run_records = (sorted.len() as u32).max(1);
        let runs = self.records.div_ceil(run_records);
        self.ordered_start = self.records.saturating_mul(if runs > 1 { 2 } else { 1 });
        let mut first = 0u32;
        while first < self.records {
            let count = run_records.min(self.records.saturating_sub(first));
            let run = sorted.get_mut(..count as usize).ok_or(ApplyError::Memory)?;
            read(self.scratch, first, run)?;
            sort(run);
            if runs > 1 {
                write(self.scratch, self.records.saturating_add(first), run)?;
            }
            first = first.saturating_add(count);
        }
        let mut cover = Cover { map: self, last: None };
        if runs == 1 {
            let run = sorted.get(..cover.map.records as usize).ok_or(ApplyError::Memory)?;
            for record in run {
                cover.add(Record::from_bytes(*record))?;
            }
        } else {
            let heads = area.as_chunks_mut::<RUN_BYTES>().0.get_mut(..runs as usize);
            cover.merge(heads.ok_or(ApplyError::Memory)?, run_records)?;
        }
        cover.finish()
    }
}

/// Sorts by base start, then target start: as a heap, because that of the library takes kilobytes of stack.
fn sort(run: &mut [Stored]) {
    for root in (0..run.len() >> 1).rev() {
        sink(run, root);
    }
    for end in (1..run.len()).rev() {
        run.swap(0, end);
        sink(run.get_mut(..end).unwrap_or_default(), 0);
    }
}

/// Makes a heap of `heap` from `root` on, where it is one but for its root.
fn sink(heap: &mut [Stored], mut root: usize) {
    loop {
        let key = |at: usize| heap.get(at).map(|record| Record::from_bytes(*record)).map(order_key);
        let left = root.saturating_mul(2).saturating_add(1);
        let child = if key(left.saturating_add(1)) > key(left) { left.saturating_add(1) } else { left };
        if key(child) <= key(root) {
            return;
        }
        heap.swap(root, child);
        root = child;
    }
}

const fn order_key(record: Record) -> (u32, u32) {
    (record.base_start, record.target_start)
}

/// The ordered records on their way into the scratch area.
struct Cover<'c, 'm> {
    map: &'c mut Map<'m>,
    /// The last one, of which the next may cut something off.
    last: Option<Record>,
}

impl Cover<'_, '_> {
    /// Adds all records of all runs, the lowest first. A run's head is its next record and that one's number.
    fn merge(&mut self, heads: &mut [[u8; RUN_BYTES]], run_records: u32) -> Result<(), ApplyError> {
        let records = self.map.records;
        for (run, head) in heads.iter_mut().enumerate() {
            self.load(head, (run as u32).saturating_mul(run_records))?;
        }
        for _ in 0..records {
            let key = |head: &[u8; RUN_BYTES]| {
                let (record, number) = split(head);
                (number == u32::MAX, order_key(record))
            };
            let head = heads.iter_mut().min_by_key(|head| key(head)).ok_or(ApplyError::Memory)?;
            let (record, number) = split(head);
            let next = number.saturating_add(1);
            let run_is_over = next.checked_rem(run_records) == Some(0) || next >= records;
            self.load(head, if run_is_over { u32::MAX } else { next })?;
            self.add(record)?;
        }
        Ok(())
    }

    /// Puts a record into a head, or closes it.
    fn load(&mut self, head: &mut [u8; RUN_BYTES], number: u32) -> Result<(), ApplyError> {
        let (record, place) = head.split_at_mut(RECORD_BYTES);
        set_word(place.as_chunks_mut().0, 0, number);
        if number != u32::MAX {
            let record = record.as_chunks_mut().0;
            read(self.map.scratch, self.map.records.saturating_add(number), record)?;
        }
        Ok(())
    }

    /// Adds a record that starts no earlier than those before. Of two that overlap the longer one stays whole.
    fn add(&mut self, mut record: Record) -> Result<(), ApplyError> {
        if let Some(last) = &mut self.last {
            let overlap = last.base_end().saturating_sub(record.base_start);
            if overlap > 0 && record.length_bytes > last.length_bytes {
                last.length_bytes = last.length_bytes.saturating_sub(overlap);
            } else if overlap >= record.length_bytes {
                return Ok(());
            } else {
                record.target_start = record.target_start.saturating_add(overlap);
                record.base_start = record.base_start.saturating_add(overlap);
                record.length_bytes = record.length_bytes.saturating_sub(overlap);
            }
        }
        self.flush()?;
        self.last = Some(record);
        Ok(())
    }

    /// Moves the last record into the page, and the page into the scratch area once it is full.
    fn flush(&mut self) -> Result<(), ApplyError> {
        let Some(record) = self.last.take().filter(|record| record.length_bytes > 0) else { return Ok(()) };
        let map = &mut *self.map;
        let place = map.ordered as usize % PAGE_RECORDS;
        *map.pages.get_mut(place).ok_or(ApplyError::Memory)? = record.to_bytes();
        if map.ordered.checked_rem(map.stride) == Some(0) {
            let block = map.ordered.checked_div(map.stride).unwrap_or(0);
            set_word(map.index, block as usize, record.base_start);
        }
        map.ordered = map.ordered.saturating_add(1);
        if place.saturating_add(1) == PAGE_RECORDS { self.write_page(PAGE_RECORDS) } else { Ok(()) }
    }

    fn finish(mut self) -> Result<(), ApplyError> {
        self.flush()?;
        self.write_page(self.map.ordered as usize % PAGE_RECORDS)
    }

    fn write_page(&mut self, count: usize) -> Result<(), ApplyError> {
        let page = self.map.pages.get(..count).ok_or(ApplyError::Memory)?;
        let first = self.map.ordered.saturating_sub(count as u32);
        write(self.map.scratch, self.map.ordered_start.saturating_add(first), page)
    }
}

fn split(head: &[u8; RUN_BYTES]) -> (Record, u32) {
    let record = head.first_chunk::<RECORD_BYTES>().copied().unwrap_or([0; RECORD_BYTES]);
    let number = head.last_chunk::<4>().copied().unwrap_or([0xFF; 4]);
    (Record::from_bytes(record), u32::from_le_bytes(number))
}
