//! Which deltas are worth making: towards what is offered, from what the fleet really runs.
//!
//! Touches: `crate::catalogue`. The inventory decides, and the newest releases always count.
//! Never: plans a pair with an image that was not published; a stranger's digest costs nothing.

use crate::catalogue::{Catalogue, Entry, Shelf};
use crate::limits::{DELTA_BASES_RECENT, DELTA_PAIRS_MAX};
use lapwing_core::{ComponentName, Digest, HardwareClass, ShortDigest};
use std::collections::HashMap;
use std::sync::Arc;

/// A base and a target, both published images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pair {
    /// What devices run.
    pub base: Digest,
    /// What they shall run.
    pub target: Digest,
}

/// The pairs worth making for one component and class, the most useful first. `inventory` counts the
/// devices that run an image.
#[must_use]
pub fn delta_plan(
    catalogue: &Catalogue,
    component: &ComponentName,
    class: HardwareClass,
    inventory: &HashMap<ShortDigest, u64>,
) -> Vec<Pair> {
    let shelf = catalogue.shelf(component, class);
    let Some(at) = shelf.iter().position(|entry| entry.shelf == Shelf::Open) else { return Vec::new() };
    let (Some(target), Some(older)) = (shelf.get(at), shelf.get(at.saturating_add(1)..)) else {
        return Vec::new();
    };
    let runs = |entry: &Entry| inventory.get(&entry.release.image.short()).copied().unwrap_or(0);
    let worth = |(place, entry): &(usize, &Arc<Entry>)| *place < DELTA_BASES_RECENT || runs(entry) > 0;
    let mut bases: Vec<&Arc<Entry>> =
        older.iter().enumerate().filter(worth).map(|(_, entry)| entry).collect();
    bases.sort_by_key(|entry| std::cmp::Reverse(runs(entry)));
    let mut pairs: Vec<Pair> = Vec::new();
    for base in bases {
        let pair = Pair { base: base.release.image, target: target.release.image };
        if pair.base != pair.target && !pairs.contains(&pair) && pairs.len() < DELTA_PAIRS_MAX {
            pairs.push(pair);
        }
    }
    pairs
}

/// The published image that a device says it runs, if it may be a base for `target`.
#[must_use]
pub fn is_published_base(
    catalogue: &Catalogue,
    component: &ComponentName,
    class: HardwareClass,
    running: ShortDigest,
    target: Digest,
) -> Option<Pair> {
    let base = catalogue.running(component, class, running)?.release.image;
    (base != target).then_some(Pair { base, target })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shelves::{CLASS, catalogue, image, open, release, runs};

    fn bases(catalogue: &Catalogue, inventory: &[(u64, u64)]) -> Vec<Digest> {
        let inventory = inventory.iter().map(|(seq, count)| (runs(*seq), *count)).collect();
        let pairs = delta_plan(catalogue, &"app".parse().unwrap(), CLASS, &inventory);
        pairs.into_iter().map(|pair| pair.base).collect()
    }

    #[test]
    fn the_last_three_and_whatever_runs_are_bases_the_most_used_first() {
        let all = open(&[1, 2, 3, 4, 5, 6]);
        assert_eq!(bases(&all, &[]), [image(5), image(4), image(3)]);
        assert_eq!(bases(&all, &[(1, 7), (4, 9)]), [image(4), image(1), image(5), image(3)]);
        assert_eq!(bases(&all, &[(9, 1_000)]), [image(5), image(4), image(3)], "a stranger costs nothing");
        assert_eq!(bases(&open(&[1]), &[(1, 5)]), []);
        assert_eq!(bases(&open(&[]), &[]), []);
    }

    #[test]
    fn the_target_is_the_highest_that_is_offered() {
        let held =
            catalogue(vec![(release(1), Shelf::Open), (release(2), Shelf::Open), (release(3), Shelf::Held)]);
        let pairs = delta_plan(&held, &"app".parse().unwrap(), CLASS, &HashMap::new());
        assert_eq!(pairs, [Pair { base: image(1), target: image(2) }]);
    }

    #[test]
    fn only_published_images_are_bases() {
        let known = open(&[1, 2]);
        let base = |running| is_published_base(&known, &"app".parse().unwrap(), CLASS, running, image(2));
        assert_eq!(base(runs(1)), Some(Pair { base: image(1), target: image(2) }));
        assert_eq!(base(runs(2)), None);
        assert_eq!(base(Digest::of(b"stranger").short()), None);
    }
}
