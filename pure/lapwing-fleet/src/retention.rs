//! Which artifacts go when there is too little room for all, and why each stays or goes.
//!
//! Touches: `lapwing_core`. An artifact can be made again; an image cannot, so no rule here is about images.
//! Never: lets go what a device has an open offer for.

use lapwing_core::{Digest, ShortDigest, UnixSeconds};
use std::collections::{HashMap, HashSet};

/// An artifact that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Its bytes.
    pub artifact: Digest,
    /// The image that it makes.
    pub target: Digest,
    /// The image that it needs; none for a full image.
    pub base: Option<Digest>,
    /// The number of the profile that it was made for.
    pub profile: u8,
    /// Its size.
    pub size_bytes: u64,
    /// When it was made.
    pub made: UnixSeconds,
}

/// How much an artifact is wanted, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Demand {
    /// Its target is not offered any more.
    Stale,
    /// No device runs its base.
    Unneeded,
    /// A device may ask for it.
    Wanted,
    /// A device has an open offer for it.
    Offered,
}

impl Demand {
    /// Why that is so, for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Stale => "its target is not offered any more",
            Self::Unneeded => "no device runs its base",
            Self::Wanted => "devices may ask for it",
            Self::Offered => "a device has an open offer for it",
        }
    }
}

/// What the fleet is doing.
#[derive(Debug, Default)]
pub struct InUse {
    /// Images that are offered.
    pub targets: HashSet<Digest>,
    /// How many devices run an image.
    pub running: HashMap<ShortDigest, u64>,
    /// Artifacts that open offers name.
    pub offered: HashSet<Digest>,
}

/// What becomes of an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Which.
    pub kept: Kept,
    /// How much it is wanted.
    pub demand: Demand,
    /// It goes.
    pub goes: bool,
}

/// Judges all artifacts, the least useful first and the oldest first among equals: they go until the rest
/// fits into `budget_bytes`. What has an open offer stays even beyond it. Several that are the same bytes
/// take the room of one, and go together: as the most wanted and the latest of them.
#[must_use]
pub fn retention(artifacts: &[Kept], in_use: &InUse, budget_bytes: u64) -> Vec<Verdict> {
    let mut shared: HashMap<Digest, (Demand, UnixSeconds)> = HashMap::new();
    for kept in artifacts {
        let most = shared.entry(kept.artifact).or_insert((Demand::Stale, kept.made));
        *most = (most.0.max(demand_for(kept, in_use)), most.1.max(kept.made));
    }
    let of = |kept: &Kept| shared.get(&kept.artifact).copied().unwrap_or((Demand::Stale, kept.made));
    let judge = |kept: &Kept| Verdict { kept: *kept, demand: of(kept).0, goes: false };
    let mut verdicts: Vec<Verdict> = artifacts.iter().map(judge).collect();
    verdicts.sort_by_key(|verdict| (of(&verdict.kept), verdict.kept.artifact));
    let mut total_bytes = bytes_of(&verdicts);
    for same in verdicts.chunk_by_mut(|a, b| a.kept.artifact == b.kept.artifact) {
        if total_bytes <= budget_bytes || same.iter().any(|verdict| verdict.demand == Demand::Offered) {
            break;
        }
        total_bytes = total_bytes.saturating_sub(bytes_of(same));
        same.iter_mut().for_each(|verdict| verdict.goes = true);
    }
    verdicts
}

/// The room that artifacts take: those that are the same bytes stand beside each other and count once.
fn bytes_of(verdicts: &[Verdict]) -> u64 {
    let different = verdicts.chunk_by(|a, b| a.kept.artifact == b.kept.artifact);
    different.filter_map(|same| same.first()).fold(0, |sum, one| sum.saturating_add(one.kept.size_bytes))
}

fn demand_for(kept: &Kept, in_use: &InUse) -> Demand {
    let runs = |base: Digest| in_use.running.get(&base.short()).is_some_and(|count| *count > 0);
    if in_use.offered.contains(&kept.artifact) {
        Demand::Offered
    } else if !in_use.targets.contains(&kept.target) {
        Demand::Stale
    } else if kept.base.is_none_or(runs) {
        Demand::Wanted
    } else {
        Demand::Unneeded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(name: &str) -> Digest {
        Digest::of(name.as_bytes())
    }

    fn kept(artifact: &str, target: &str, base: Option<&str>, made: u64) -> Kept {
        let (artifact, target, base) = (digest(artifact), digest(target), base.map(digest));
        Kept { artifact, target, base, profile: 1, size_bytes: 10, made: UnixSeconds(made) }
    }

    #[test]
    fn the_least_useful_goes_first_and_an_open_offer_never() {
        let artifacts = [
            kept("wanted", "new", Some("run"), 1),
            kept("full", "new", None, 2),
            kept("unneeded", "new", Some("gone"), 3),
            kept("stale", "old", Some("run"), 4),
            kept("older and stale", "old", None, 3),
            kept("offered", "old", Some("gone"), 0),
        ];
        let in_use = InUse {
            targets: [digest("new")].into(),
            running: [(digest("run").short(), 5), (digest("gone").short(), 0)].into(),
            offered: [digest("offered")].into(),
        };
        let order = ["older and stale", "stale", "unneeded", "wanted", "full", "offered"];
        for (budget_bytes, going) in [(60, 0), (59, 1), (45, 2), (30, 3), (10, 5), (0, 5)] {
            let verdicts = retention(&artifacts, &in_use, budget_bytes);
            for (at, (verdict, name)) in verdicts.iter().zip(order).enumerate() {
                assert_eq!(verdict.kept.artifact, digest(name), "{budget_bytes} {name}");
                assert_eq!(verdict.goes, at < going, "{budget_bytes} {name}");
            }
        }
    }

    #[test]
    fn the_same_bytes_count_once_and_go_together() {
        let artifacts = [
            kept("shared", "old", Some("run"), 1),
            kept("shared", "new", Some("run"), 2),
            kept("alone", "new", Some("gone"), 9),
        ];
        let in_use = InUse {
            targets: [digest("new")].into(),
            running: [(digest("run").short(), 5)].into(),
            offered: HashSet::new(),
        };
        for (budget_bytes, going) in [(20, 0), (19, 1), (10, 1), (9, 3)] {
            let verdicts = retention(&artifacts, &in_use, budget_bytes);
            assert_eq!(verdicts.iter().filter(|verdict| verdict.goes).count(), going, "{budget_bytes}");
            assert!(
                verdicts
                    .iter()
                    .all(|v| (v.demand == Demand::Wanted) == (v.kept.artifact == digest("shared")))
            );
        }
    }
}
