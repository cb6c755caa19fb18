//! What may have become of the changes that are not durable.
//!
//! Touches: `crate::changes`. Entered from: `crash_states`.
//! Never: draws at random while everything can be tried.

use super::model::Model;
use crate::changes::Change;
use crate::tree::{NodeId, write_at};
use std::collections::BTreeSet;

/// Up to so many changes of names, every combination is tried.
const NAMES_ALL_MAX: usize = 8;
/// Beyond, so many are drawn besides the extremes.
const NAME_SETS_DRAWN: usize = 200;
/// A record of up to so many bytes that is written over an old one is torn at every byte.
const RECORD_BYTES_MAX: usize = 4096;

/// A sequence of numbers that depends on the seed alone.
#[derive(Debug)]
pub(super) struct Seed(u64);

impl Seed {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// A number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as usize % bound.max(1)
    }
}

/// What became of the bytes of one file. Counts are from the beginning of the recording, so that the
/// same fate at two cuts means the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Fate {
    /// So many changes whole, and so many bytes of the next.
    Prefix { whole: usize, torn_bytes: usize },
    /// So many changes whole; of those until `until` the lengths and none of the bytes.
    Lengths { whole: usize, until: usize },
    /// So many changes whole, and those from `from` until `until` without the ones in between.
    Late { whole: usize, from: usize, until: usize },
}

impl Fate {
    /// The bytes of a file that were `bytes` and then underwent `changes`.
    pub(super) fn apply(self, mut bytes: Vec<u8>, changes: &[&Change]) -> Vec<u8> {
        let part = |range: std::ops::Range<usize>| changes.get(range).unwrap_or_default();
        match self {
            Self::Prefix { whole, torn_bytes } => {
                part(0..whole).iter().for_each(|change| happen(&mut bytes, change, usize::MAX));
                if torn_bytes > 0 {
                    part(whole..whole + 1).iter().for_each(|change| happen(&mut bytes, change, torn_bytes));
                }
            }
            Self::Lengths { whole, until } => {
                part(0..whole).iter().for_each(|change| happen(&mut bytes, change, usize::MAX));
                for change in part(whole..until) {
                    match change {
                        Change::Write { offset, bytes: written, .. } => {
                            let length = bytes.len().max(offset + written.len());
                            bytes.resize(length, 0);
                        }
                        change => happen(&mut bytes, change, usize::MAX),
                    }
                }
            }
            Self::Late { whole, from, until } => {
                let kept = part(0..whole).iter().chain(part(from..until));
                kept.for_each(|change| happen(&mut bytes, change, usize::MAX));
            }
        }
        bytes
    }

    /// What did not survive, in words.
    pub(super) fn lost(self, changes: &[&Change], kept: usize) -> Vec<String> {
        let say = |range: std::ops::Range<usize>| {
            changes.get(range).unwrap_or_default().iter().map(|change| change.to_string())
        };
        match self {
            Self::Prefix { whole, torn_bytes: 0 } => say(whole..changes.len()).collect(),
            Self::Prefix { whole, torn_bytes } => {
                let all_but =
                    say(whole..changes.len()).map(|change| format!("{change} (but {torn_bytes} bytes)"));
                all_but.take(1).chain(say(whole + 1..changes.len())).collect()
            }
            Self::Lengths { whole, until } => {
                say(whole.max(kept)..until).map(|change| format!("{change} (but the length)")).collect()
            }
            Self::Late { whole, from, .. } => say(whole.max(kept)..from).collect(),
        }
    }
}

fn happen(bytes: &mut Vec<u8>, change: &Change, torn_bytes: usize) {
    match change {
        Change::Write { offset, bytes: written, .. } => {
            let written = written.get(..torn_bytes).unwrap_or(written);
            write_at(bytes, *offset, written);
        }
        Change::Resize { size, .. } => bytes.resize(*size, 0),
        _ => {}
    }
}

/// What may have become of a file whose first `kept` changes are durable. The first fate is that all
/// is lost, the last that nothing is.
pub(super) fn fates(model: Model, changes: &[&Change], kept: usize, seed: &mut Seed) -> Vec<Fate> {
    let count = changes.len();
    let length = |index: usize| match changes.get(index) {
        Some(Change::Write { bytes, .. }) => bytes.len(),
        _ => 0,
    };
    let torn = |index: usize, torn_bytes: usize| Fate::Prefix { whole: index, torn_bytes };
    let none = torn(kept, 0);
    let all = torn(count, 0);
    let mut between = BTreeSet::new();
    let open = count - kept;
    let middle = kept + open / 2;
    between.insert(torn(middle, if open % 2 == 1 { length(middle) / 2 } else { 0 }));
    if model == Model::Posix && open > 0 {
        let last = count - 1;
        let record = matches!(changes.get(last), Some(Change::Write { grows: false, .. }));
        if record && length(last) <= RECORD_BYTES_MAX {
            between.extend((1..length(last)).map(|bytes| torn(last, bytes)));
        }
        between.extend([1, length(last) / 2, length(last).saturating_sub(1)].map(|bytes| torn(last, bytes)));
        let drawn = kept + seed.below(open);
        between.insert(torn(drawn, seed.below(length(drawn))));
        between.insert(Fate::Lengths { whole: kept, until: count });
        if open > 1 {
            between.insert(Fate::Late { whole: kept, from: middle, until: count });
        }
    }
    // A byte torn off a change that has none is no fate of its own.
    between.retain(|fate| match fate {
        Fate::Prefix { whole, torn_bytes } => *torn_bytes == 0 || *torn_bytes < length(*whole),
        _ => true,
    });
    between.remove(&none);
    between.remove(&all);
    let mut fates = vec![none];
    fates.extend(between);
    fates.extend((all != none).then_some(all));
    fates
}

/// Which of `free` changes of names survive: how many sets there are, and those to try.
pub(super) fn name_sets(model: Model, free: usize, seed: &mut Seed) -> (u128, Vec<Vec<bool>>) {
    if model == Model::Ordered {
        let sets: Vec<Vec<bool>> =
            (0..=free).map(|kept| (0..free).map(|index| index < kept).collect()).collect();
        return (sets.len() as u128, sets);
    }
    let possible = 1_u128.checked_shl(u32::try_from(free).unwrap_or(u32::MAX)).unwrap_or(u128::MAX);
    if free <= NAMES_ALL_MAX {
        let sets = (0..1_usize << free).map(|bits| (0..free).map(|index| bits >> index & 1 == 1).collect());
        return (possible, sets.collect());
    }
    let mut sets = BTreeSet::new();
    for one in 0..free {
        sets.insert((0..free).map(|index| index == one).collect::<Vec<_>>());
        sets.insert((0..free).map(|index| index != one).collect());
        sets.insert((0..free).map(|index| index <= one).collect());
    }
    sets.insert(vec![false; free]);
    for _ in 0..NAME_SETS_DRAWN {
        sets.insert((0..free).map(|_| seed.below(2) == 1).collect());
    }
    (possible, sets.into_iter().collect())
}

/// One fate for each file, in every combination, or the telling ones and a draw of `budget` in all.
pub(super) fn picks(
    files: &[(NodeId, Vec<Fate>)],
    budget: usize,
    seed: &mut Seed,
) -> Vec<Vec<(NodeId, Fate)>> {
    let pick = |choose: &mut dyn FnMut(usize, usize) -> usize| -> Vec<(NodeId, Fate)> {
        let chosen = files.iter().enumerate().filter_map(|(index, (file, fates))| {
            let fate = fates.get(choose(index, fates.len()))?;
            Some((*file, *fate))
        });
        chosen.collect()
    };
    let possible = files.iter().try_fold(1_usize, |product, (_, fates)| product.checked_mul(fates.len()));
    if let Some(possible) = possible.filter(|possible| *possible <= budget) {
        let nth = |number: usize| {
            let mut rest = number;
            pick(&mut |_, count| {
                let digit = rest % count;
                rest /= count;
                digit
            })
        };
        return (0..possible).map(nth).collect();
    }
    // Nothing lost, everything lost, and each fate of each file with the others whole or lost.
    let mut picks = BTreeSet::from([pick(&mut |_, _| 0), pick(&mut |_, count| count - 1)]);
    for (one, (_, fates)) in files.iter().enumerate() {
        for fate in 0..fates.len() {
            picks.insert(pick(&mut |index, count| if index == one { fate } else { count - 1 }));
            picks.insert(pick(&mut |index, _| if index == one { fate } else { 0 }));
        }
    }
    while picks.len() < budget {
        picks.insert(pick(&mut |_, count| seed.below(count)));
    }
    picks.into_iter().collect()
}
