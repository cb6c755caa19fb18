//! Finds the longest stretch of the base that begins as a given text does, among those that it remembers.
//!
//! Touches: the base.
//! Never: looks at more than a few places, or further than `LENGTH_MAX`, so that a base of zeros costs no more
//! than others.

use std::vec;
use std::vec::Vec;

/// Longer matches are found as several, one after the other.
const LENGTH_MAX: usize = 4096;
/// Places looked at for one text.
const PLACES_MAX: usize = 24;

/// Each how manieth place of the base is remembered, and by how many bytes.
const STEP: usize = 2;
const KEY_BYTES: usize = 8;

/// What an index of a base takes.
pub(super) const fn memory_bytes(base_bytes: u64) -> u64 {
    // Between an eighth and a quarter as many hashes as places.
    let places = base_bytes / STEP as u64 + 1;
    places.saturating_mul(5)
}

/// The places of a base by the bytes there.
pub(super) struct Index<'a> {
    base: &'a [u8],
    /// The last place with each hash, and before each place the one before it with the same hash; counted in
    /// steps, from 1. 0 is none.
    heads: Vec<u32>,
    earlier: Vec<u32>,
    shift: u32,
}

impl<'a> Index<'a> {
    pub(super) fn new(base: &'a [u8]) -> Self {
        let places = base.len() / STEP + 1;
        let bits = (places / 4).max(2).ilog2();
        let mut index = Self { base, heads: vec![0; 1 << bits], earlier: vec![0; places], shift: 64 - bits };
        for place in 0..places {
            let start = place * STEP;
            let Some(key) = base[start.min(base.len())..].first_chunk() else { break };
            // Of a run of one byte the first place is enough.
            if start >= STEP && base[start - STEP..start - STEP + KEY_BYTES] == *key && key[0] == key[1] {
                continue;
            }
            let hash = index.hash(*key);
            index.earlier[place] = index.heads[hash];
            index.heads[hash] = place as u32 + 1;
        }
        index
    }

    /// Where in the base the longest match of `text` starts, and how long it is; the closest to `expected` of
    /// several.
    pub(super) fn longest_match(&self, text: &[u8], expected: usize) -> (usize, usize) {
        let text = &text[..text.len().min(LENGTH_MAX)];
        let Some(key) = text.first_chunk() else { return (0, 0) };
        let (mut best, mut best_length) = (0usize, 0);
        let mut place = self.heads[self.hash(*key)] as usize;
        for _ in 0..PLACES_MAX {
            if place == 0 {
                break;
            }
            let start = (place - 1) * STEP;
            let suffix = &self.base[start..];
            if best_length == 0 || suffix.get(best_length - 1) == text.get(best_length - 1) {
                let length = common_bytes(suffix, text);
                let is_closer = start.abs_diff(expected) < best.abs_diff(expected);
                if length > best_length || length == best_length && is_closer {
                    (best, best_length) = (start, length);
                }
            }
            place = self.earlier[place - 1] as usize;
        }
        (best, best_length)
    }

    fn hash(&self, key: [u8; KEY_BYTES]) -> usize {
        let mixed = u64::from_le_bytes(key).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        ((mixed ^ mixed >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize
    }
}

/// How many bytes two texts begin with in common.
pub(super) fn common_bytes(left: &[u8], right: &[u8]) -> usize {
    let (left_words, _) = left.as_chunks::<16>();
    let (right_words, _) = right.as_chunks::<16>();
    let words = left_words.iter().zip(right_words).take_while(|(l, r)| l == r).count();
    let rest = left.iter().zip(right).skip(words * 16).take_while(|(l, r)| l == r).count();
    words * 16 + rest
}
