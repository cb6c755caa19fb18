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
