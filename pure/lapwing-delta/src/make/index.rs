//! Finds the longest stretch of the base that begins as a given text does, among those that it remembers.
//!
//! Touches: the base.
//! Never: looks at more than a few places, or further than `LENGTH_MAX`, so that a base of zeros costs no more
//! than others.

use std::vec::Vec;

/// Longer matches are found as several, one after the other.
const LENGTH_MAX: usize = 4096;
/// Places compared with one text, and those looked at for it.
const COMPARED_MAX: usize = 24;
const LOOKED_AT_MAX: usize = 64;
/// A place farther away has to explain more than so many bytes more than a closer one: to go there costs bytes,
/// and what is close is rather what it was.
const FARTHER_GAIN: usize = 2;

/// Each how manieth place of the base is remembered, and by how many bytes.
const STEP: usize = 2;
const KEY_BYTES: usize = 8;
/// How many places share a list.
const LIST_PLACES: usize = 8;

/// What an index of a base takes.
pub(super) const fn memory_bytes(base_bytes: u64) -> u64 {
    let places = base_bytes / STEP as u64 + 1;
    (places + places / LIST_PLACES as u64 + 3).saturating_mul(4)
}

/// The memory of an index, to be used again: what is freed is not given back while smaller things are asked for.
#[derive(Default)]
pub(super) struct Lists {
    /// Where in `places` each list begins.
    starts: Vec<u32>,
    /// Places counted in steps, ascending in each list; in the bits below, some more of the hash.
    places: Vec<u32>,
}

/// The places of a base by the bytes there, in lists of those whose hashes are alike.
pub(super) struct Index<'a> {
    base: &'a [u8],
    lists: &'a Lists,
    tag_bits: u32,
}

impl<'a> Index<'a> {
    pub(super) fn new(base: &'a [u8], memory: &'a mut Lists) -> Self {
        let count = base.len() / STEP + 1;
        let lists = count / LIST_PLACES + 1;
        let tag_bits = (count as u32).leading_zeros();
        // Counted two lists ahead, so that the beginnings stand where they belong once all is filled in.
        let Lists { starts, places } = memory;
        starts.clear();
        starts.reserve_exact(lists + 2);
        starts.resize(lists + 2, 0);
        remembered(base).for_each(|(_, key)| starts[list_and_tag(key, lists, tag_bits).0 + 2] += 1);
        for list in 2..starts.len() {
            starts[list] += starts[list - 1];
        }
        places.clear();
        // The base is as long the next time, though it may have other runs.
        places.reserve_exact(count);
        places.resize(starts[lists + 1] as usize, 0);
        for (place, key) in remembered(base) {
            let (list, tag) = list_and_tag(key, lists, tag_bits);
            places[starts[list + 1] as usize] = (place as u32) << tag_bits | tag;
            starts[list + 1] += 1;
        }
        Self { base, lists: memory, tag_bits }
    }

    /// Where in the base the longest match of `text` starts, and how long it is, of those places that are
    /// closest to `expected`; the closest of several.
    pub(super) fn longest_match(&self, text: &[u8], expected: usize) -> (usize, usize) {
        let text = &text[..text.len().min(LENGTH_MAX)];
        let Some(key) = text.first_chunk() else { return (0, 0) };
        let Lists { starts, places } = self.lists;
        let (list, tag) = list_and_tag(*key, starts.len() - 2, self.tag_bits);
        let places = &places[starts[list] as usize..starts[list + 1] as usize];
        let start_of = |place: u32| (place >> self.tag_bits) as usize * STEP;
        let mut above = places.partition_point(|place| start_of(*place) < expected);
        let mut below = above;
        let (mut best, mut best_length, mut compared) = (0, 0, 0);
        for _ in 0..LOOKED_AT_MAX {
            let distance = |place: Option<&u32>| place.map(|place| start_of(*place).abs_diff(expected));
            let [up, down] = [places.get(above), places[..below].last()];
            let place = match (distance(up), distance(down)) {
                (Some(far), Some(near)) if near <= far => down,
                (None, _) => down,
                _ => up,
            };
            let Some(place) = place else { break };
            if start_of(*place) < expected {
                below -= 1
            } else {
                above += 1
            }
            if place & low_mask(self.tag_bits) != tag {
                continue;
            }
            let suffix = &self.base[start_of(*place)..];
            if best_length == 0 || suffix.get(best_length - 1) == text.get(best_length - 1) {
                let length = common_bytes(suffix, text);
                if length > best_length + if best_length > 0 { FARTHER_GAIN } else { 0 } {
                    (best, best_length) = (start_of(*place), length);
                }
            }
            compared += 1;
            if compared == COMPARED_MAX {
                break;
            }
        }
        (best, best_length)
    }
}

/// The places of `base` counted in steps, and the bytes there; of a run of one byte the first place is enough.
fn remembered(base: &[u8]) -> impl Iterator<Item = (usize, [u8; KEY_BYTES])> {
    let keyed = |start: usize| base.get(start..).and_then(|rest| rest.first_chunk()).copied();
    let is_run = move |start: usize, key: [u8; KEY_BYTES]| {
        start >= STEP && key == [key[0]; KEY_BYTES] && keyed(start - STEP) == Some(key)
    };
    (0..base.len()).step_by(STEP).enumerate().filter_map(move |(place, start)| {
        keyed(start).filter(|key| !is_run(start, *key)).map(|key| (place, key))
    })
}

/// The list that a key belongs to, and by what it is told from others there.
fn list_and_tag(key: [u8; KEY_BYTES], lists: usize, tag_bits: u32) -> (usize, u32) {
    let mixed = u64::from_le_bytes(key).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let hash = (mixed ^ mixed >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((((hash >> 32) * lists as u64) >> 32) as usize, (hash >> 8) as u32 & low_mask(tag_bits))
}

const fn low_mask(bits: u32) -> u32 {
    (1u32 << bits) - 1
}

/// How many bytes two texts begin with in common.
pub(super) fn common_bytes(left: &[u8], right: &[u8]) -> usize {
    let (left_words, _) = left.as_chunks::<16>();
    let (right_words, _) = right.as_chunks::<16>();
    let words = left_words.iter().zip(right_words).take_while(|(l, r)| l == r).count();
    let rest = left.iter().zip(right).skip(words * 16).take_while(|(l, r)| l == r).count();
    words * 16 + rest
}
