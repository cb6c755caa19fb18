//! Finds the longest stretch of the base that begins as a given text does.
//!
//! Touches: `libsais`, for the sorting.
//! Never: looks further than `LENGTH_MAX`, so that a base of zeros costs no more than others.

use super::MakeError;
use libsais::SuffixArrayConstruction;
use std::vec;
use std::vec::Vec;

/// Longer matches are found as several, one after the other.
const LENGTH_MAX: usize = 4096;

/// Suffixes are looked up by their first two bytes.
const BUCKETS: usize = 1 << 16;
pub(super) const BUCKETS_BYTES: u64 = 4 * (BUCKETS as u64 + 1);

/// The sorted suffixes of a base.
pub(super) struct Suffixes<'a> {
    base: &'a [u8],
    sorted: Vec<i32>,
    /// Where in `sorted` those with the same first two bytes begin; one more for the end.
    buckets: Vec<u32>,
}

impl<'a> Suffixes<'a> {
    pub(super) fn new(base: &'a [u8]) -> Result<Self, MakeError> {
        let sorting = SuffixArrayConstruction::for_text(base).in_owned_buffer32().single_threaded();
        let sorted = sorting.run().map_err(|_| MakeError::Encoder)?.into_vec();
        let mut buckets = vec![0; BUCKETS + 1];
        for start in 0..base.len() {
            buckets[bucket(&base[start..]) + 1] += 1;
        }
        for index in 0..BUCKETS {
            buckets[index + 1] += buckets[index];
        }
        Ok(Self { base, sorted, buckets })
    }

    /// Where in the base the longest match of `text` starts, and how long it is.
    pub(super) fn longest_match(&self, text: &[u8]) -> (usize, usize) {
        let text = &text[..text.len().min(LENGTH_MAX)];
        let bucket = bucket(text);
        let candidates = &self.sorted[self.buckets[bucket] as usize..self.buckets[bucket + 1] as usize];
        let above = candidates.partition_point(|start| self.suffix(*start) < text);
        let neighbours = &candidates[above.saturating_sub(1)..candidates.len().min(above + 1)];
        let matches =
            neighbours.iter().map(|start| (*start as usize, common_bytes(self.suffix(*start), text)));
        matches.max_by_key(|(_, length)| *length).unwrap_or((0, 0))
    }

    fn suffix(&self, start: i32) -> &'a [u8] {
        let suffix = &self.base[start as usize..];
        &suffix[..suffix.len().min(LENGTH_MAX)]
    }
}

/// A text of one byte sorts before all longer ones, hence with those that go on with a zero.
fn bucket(text: &[u8]) -> usize {
    let [first, second] = [0, 1].map(|place| usize::from(text.get(place).copied().unwrap_or(0)));
    first << 8 | second
}

/// How many bytes two texts begin with in common.
pub(super) fn common_bytes(left: &[u8], right: &[u8]) -> usize {
    let (left_words, _) = left.as_chunks::<16>();
    let (right_words, _) = right.as_chunks::<16>();
    let words = left_words.iter().zip(right_words).take_while(|(l, r)| l == r).count();
    let rest = left.iter().zip(right).skip(words * 16).take_while(|(l, r)| l == r).count();
    words * 16 + rest
}
