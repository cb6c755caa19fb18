//! How the memory of `apply` is divided, as the header determines it.
//!
//! Touches: nothing.
//! Never: changes without `formats/delta.md`: what is remembered decides what is foretold.

use crate::header::{Coding, Profile};
use crate::limits::{PAGE_RECORDS, PIECE_BYTES, RECORD_BYTES, SEQUENCE_RECORDS};
use crate::map::{NUMBER_KINDS, NUMBER_PROBABILITIES};
use crate::mixing;
use crate::predict::{ANCHOR_ENTRIES, Entry, SCORE_SETS, SOURCES};

/// Sizes of everything that `apply` holds.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) input_bytes: usize,
    pub(crate) window_bytes: usize,
    pub(crate) ring_bytes: usize,
    pub(crate) target_entries: usize,
    pub(crate) word_entries: usize,
    pub(crate) change_entries: usize,
    pub(crate) index_entries: usize,
    pub(crate) map_pages: usize,
    pub(crate) match_entries: usize,
    /// What the contexts of codec 2 remember, and how many contexts there are.
    pub(crate) wide_slots: usize,
    pub(crate) small_slots: usize,
    pub(crate) level: u8,
    coding: Coding,
}

#[expect(clippy::arithmetic_side_effects, reason = "no size comes near the end of its type")]
impl Plan {
    pub(crate) const fn of(profile: Profile, coding: Coding, target_bytes: u32) -> Self {
        let log2 = match profile {
            Profile::Kib64 => 0u32,
            Profile::Kib256 => 2,
            Profile::Mib1 => 4,
            Profile::Free => 8,
        };
        let (level, table_bytes) = match coding {
            Coding::Lzma { .. } => (0, 0),
            Coding::Mixing { level, table_bytes } => (level, table_bytes as usize),
        };
        let window_bytes = if log2 == 0 { 1024 } else { 4096 };
        let ring_bytes = match (coding, profile) {
            (Coding::Lzma { .. }, _) => 2 * PIECE_BYTES as usize,
            (_, Profile::Kib64) => 8 << 10,
            (_, Profile::Kib256) => 32 << 10,
            (_, Profile::Mib1) => 64 << 10,
            (_, Profile::Free) => ring_for(target_bytes),
        };
        Self {
            input_bytes: window_bytes,
            window_bytes,
            ring_bytes,
            target_entries: 256 << log2,
            word_entries: 256 << log2,
            change_entries: 512 << log2,
            index_entries: 256 << log2,
            map_pages: 4 << log2,
            match_entries: if matches!(coding, Coding::Mixing { .. }) { 512 << log2 } else { 0 },
            wide_slots: table_bytes / 4 / 4,
            small_slots: table_bytes / 4 * 3 / 2,
            level,
            coding,
        }
    }

    /// What is left to the codec when all else has been given out.
    pub(crate) const fn codec_bytes(&self) -> usize {
        let least = NUMBER_KINDS * NUMBER_PROBABILITIES * 2;
        let bytes = match self.coding {
            Coding::Lzma { properties, dictionary_bytes } => {
                (dictionary_bytes as usize).saturating_add(properties.probabilities() as usize * 2)
            }
            Coding::Mixing { level, table_bytes } => {
                mixing::overhead_bytes(level, self.match_entries).saturating_add(table_bytes as usize)
            }
        };
        if bytes > least { bytes } else { least }
    }

    /// All of it.
    pub(crate) const fn required_bytes(&self) -> usize {
        let map = (SEQUENCE_RECORDS + self.map_pages * PAGE_RECORDS) * RECORD_BYTES
            + (self.index_entries + self.map_pages) * 4;
        let tables = (self.target_entries + self.word_entries) * size_of::<Entry>()
            + self.change_entries * 8
            + SCORE_SETS * SOURCES * 2
            + ANCHOR_ENTRIES;
        let buffers = self.input_bytes + self.window_bytes + self.ring_bytes;
        (buffers + map + tables).saturating_add(self.codec_bytes())
    }
}

/// A ring for a whole target, if that is not too much.
const fn ring_for(target_bytes: u32) -> usize {
    let most = 4 << 20;
    let bytes = if target_bytes > most { most } else { target_bytes };
    let bytes = bytes.next_power_of_two() as usize;
    if bytes < 1 << 16 { 1 << 16 } else { bytes }
}
