//! Divides the target into stretches that resemble the base and gaps between them.
//!
//! Touches: `super::index`. The idea is bsdiff's: an exact match is an anchor, and its
//! neighbourhood belongs to it as long as more bytes agree than differ.
//! Never: returns stretches that overlap in the target, or a stretch that is not worth its record.

use super::index::{Index, Lists, common_bytes};
use super::{MakeError, OnProgress, Progress, Stage};
use crate::limits::RECORDS_MAX;
use crate::map::Record;
use std::vec::Vec;

/// How many bytes more than the present diagonal another one has to explain.
const ANCHOR_GAIN: usize = 8;
/// While the present diagonal agrees for so long, no other is looked for.
const CONTENT_BYTES: usize = 32;
/// Stretches on one diagonal become one if no more than this lies between them.
const FUSE_BYTES_MAX: u32 = 128;
/// A stretch with fewer bytes as they are in the base costs more than it saves.
const WORTH_BYTES: usize = 14;
/// How often progress is told.
const PROGRESS_BYTES: usize = 1 << 14;

/// The stretches, in the order of the target.
pub(super) fn find(
    base: &[u8],
    target: &[u8],
    memory: &mut Lists,
    progress: OnProgress<'_>,
) -> Result<Vec<Record>, MakeError> {
    let total_bytes = target.len() as u64;
    let mut next_report = 0;
    let mut report = |stage, done: usize| {
        if done < next_report {
            return Ok(());
        }
        next_report = done + PROGRESS_BYTES;
        let stop = progress(Progress { stage, done_bytes: done as u64, total_bytes }).is_break();
        if stop { Err(MakeError::Stopped) } else { Ok(()) }
    };
    if base.is_empty() {
        return Ok(Vec::new());
    }
    report(Stage::Index, 0)?;
    let images = Images { base, target };
    let index = Index::new(base, memory);
    let mut stretches = Stretches::new(RECORDS_MAX as usize);
    let mut start = Point { base: 0, target: 0 };
    let mut scan = 0;
    loop {
        let anchor = images.next_anchor(&index, start, scan, &mut |done| report(Stage::Match, done))?;
        let end = anchor.map_or(target.len(), |anchor| anchor.at.target);
        let mut forward = images.grow_forward(start, end);
        let mut next = None;
        if let Some(Anchor { at, length }) = anchor {
            let mut backward = images.grow_backward(at, start.target);
            let overlap = (start.target + forward + backward).saturating_sub(end);
            let kept = images.best_cut(start.plus(forward - overlap), at.minus(backward), overlap);
            forward -= overlap - kept;
            backward -= kept;
            next = Some((at.minus(backward), at.target + length));
        }
        if forward > 0 {
            stretches.keep(images, start, forward);
        }
        match next {
            Some(next) => (start, scan) = next,
            None => return Ok(stretches.records),
        }
    }
}

/// The stretches found so far. When there are as many as a map may hold, only longer ones are worth their record.
struct Stretches {
    records: Vec<Record>,
    most: usize,
    worth_bytes: usize,
}

impl Stretches {
    const fn new(most: usize) -> Self {
        Self { records: Vec::new(), most, worth_bytes: WORTH_BYTES }
    }

    /// Adds a stretch, or makes the last one longer by it, unless it is not worth it.
    fn keep(&mut self, images: Images<'_>, start: Point, length: usize) {
        let Point { base, target } = start;
        let record =
            Record { target_start: target as u32, base_start: base as u32, length_bytes: length as u32 };
        if let Some(last) = self.records.last_mut()
            && last.target_start.wrapping_sub(last.base_start)
                == record.target_start.wrapping_sub(record.base_start)
            && record.target_start - last.target_end() <= FUSE_BYTES_MAX
        {
            last.length_bytes = record.target_end() - last.target_start;
            return;
        }
        let agreed = (0..length).filter(|offset| images.agree(start.plus(*offset))).count();
        while agreed >= self.worth_bytes && self.records.len() >= self.most {
            self.worth_bytes = self.worth_bytes.saturating_mul(2);
            self.records.retain(|record| record.length_bytes as usize >= self.worth_bytes);
        }
        if agreed >= self.worth_bytes {
            self.records.push(record);
        }
    }
}

/// A place in the base and the place in the target that is compared with it.
#[derive(Clone, Copy)]
struct Point {
    base: usize,
    target: usize,
}

impl Point {
    const fn plus(self, bytes: usize) -> Self {
        Self { base: self.base + bytes, target: self.target + bytes }
    }

    const fn minus(self, bytes: usize) -> Self {
        Self { base: self.base - bytes, target: self.target - bytes }
    }
}

/// An exact match that begins a new diagonal.
#[derive(Clone, Copy)]
struct Anchor {
    at: Point,
    length: usize,
}

#[derive(Clone, Copy)]
struct Images<'a> {
    base: &'a [u8],
    target: &'a [u8],
}

impl Images<'_> {
    /// The first match from `scan` on that explains clearly more than the diagonal of `start`.
    fn next_anchor(
        self,
        index: &Index<'_>,
        start: Point,
        mut scan: usize,
        report: &mut dyn FnMut(usize) -> Result<(), MakeError>,
    ) -> Result<Option<Anchor>, MakeError> {
        let on_diagonal = |target: usize| Point { base: start.base + (target - start.target), target };
        // How many bytes between `scan` and `counted` agree on the diagonal.
        let (mut agreed, mut counted) = (0, scan);
        while scan < self.target.len() {
            report(scan)?;
            let run = self.run(on_diagonal(scan));
            if run >= CONTENT_BYTES {
                scan += run;
                (agreed, counted) = (0, scan);
                continue;
            }
            let (base, length) = index.longest_match(&self.target[scan..], on_diagonal(scan).base);
            agreed += (counted..scan + length).filter(|t| self.agree(on_diagonal(*t))).count();
            counted = counted.max(scan + length);
            if length > agreed + ANCHOR_GAIN {
                return Ok(Some(Anchor { at: Point { base, target: scan }, length }));
            }
            if length > 0 && length == agreed {
                scan = counted;
                agreed = 0;
                continue;
            }
            agreed -= usize::from(counted > scan && self.agree(on_diagonal(scan)));
            scan += 1;
            counted = counted.max(scan);
        }
        Ok(None)
    }

    /// How far after `start` the two images are alike rather than not, up to `end`.
    fn grow_forward(self, start: Point, end: usize) -> usize {
        let most = (end - start.target).min(self.base.len() - start.base);
        self.best_length((0..most).map(|offset| start.plus(offset)))
    }

    /// How far before `at` the two images are alike rather than not, down to `end`.
    fn grow_backward(self, at: Point, end: usize) -> usize {
        let most = (at.target - end).min(at.base);
        self.best_length((1..=most).map(|offset| at.minus(offset)))
    }

    /// The length of the walk after which agreement most exceeds difference.
    fn best_length(self, walk: impl Iterator<Item = Point>) -> usize {
        let (mut score, mut best_score, mut best) = (0i64, 0, 0);
        for (index, point) in walk.enumerate() {
            score += if self.agree(point) { 1 } else { -1 };
            if score > best_score {
                (best_score, best) = (score, index + 1);
            }
        }
        best
    }

    /// How many of `overlap` bytes better stay with the stretch `left` than go to `right`.
    fn best_cut(self, left: Point, right: Point, overlap: usize) -> usize {
        let (mut score, mut best_score, mut best) = (0i64, 0, 0);
        for offset in 0..overlap {
            score += i64::from(self.agree(left.plus(offset))) - i64::from(self.agree(right.plus(offset)));
            if score > best_score {
                (best_score, best) = (score, offset + 1);
            }
        }
        best
    }

    fn agree(self, point: Point) -> bool {
        self.base.get(point.base).is_some_and(|byte| *byte == self.target[point.target])
    }

    fn run(self, point: Point) -> usize {
        let base = self.base.get(point.base..).unwrap_or_default();
        common_bytes(base, &self.target[point.target..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_stretches_the_longest_are_kept() {
        let image = [7; 4000];
        let images = Images { base: &image, target: &image };
        let mut stretches = Stretches::new(10);
        // Each on a diagonal of its own; every seventh is long.
        for nth in 0..60 {
            let start = Point { base: 60 - nth, target: nth * 60 };
            stretches.keep(images, start, if nth % 7 == 0 { 50 } else { 20 });
            assert!(stretches.records.len() <= 10);
        }
        let lengths: Vec<u32> = stretches.records.iter().map(|record| record.length_bytes).collect();
        assert_eq!(lengths, [50; 9]);
        assert!(stretches.records.is_sorted_by_key(|record| record.target_start));
    }
}
