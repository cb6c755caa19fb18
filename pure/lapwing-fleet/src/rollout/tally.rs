//! The counts that a rollout is decided on, and how they follow from its attempts.
//!
//! Touches: `crate::rollout::{evidence, judge, strata}`. Counts are per device, its newest attempt counts.
//! Never: depends on the order in which attempts, reports or servers come.

use super::WINDOW_S;
use super::evidence::Seen;
use super::judge::{Horizons, Try};
use super::strata::{Cell, Census};
use crate::limits::SITE_FAILURES_MAX;
use lapwing_core::UnixSeconds;
use lapwing_core::wire::cause::Cause;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What became of the devices of one cell, or of several together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Devices that were made an offer.
    pub granted: u32,
    /// Devices that switched.
    pub switched: u32,
    /// Devices whose attempt ended with no bearing on the release: declined, called off, never fetched.
    pub gone: u32,
    /// Devices that run the old image again.
    pub rolled_back: u32,
    /// Judged an hour after the switch by what they said.
    pub early: Seen,
    /// Judged at the deadline, silence being failure.
    pub whole: Seen,
    /// Failed like many others at one site in one window, and therefore not judged at all.
    pub uncounted: u32,
}

impl Counts {
    /// Devices on their way: they have an offer and are not judged yet.
    #[must_use]
    pub const fn in_flight(&self) -> u32 {
        self.granted
            .saturating_sub(self.gone)
            .saturating_sub(self.uncounted)
            .saturating_sub(self.whole.judged)
    }

    /// These, when their verdict does not count.
    #[must_use]
    pub fn uncounted(self) -> Self {
        Self { early: Seen::default(), whole: Seen::default(), uncounted: self.whole.judged, ..self }
    }

    /// What is left when `known` is not counted any more.
    #[must_use]
    pub fn without(self, known: &Self) -> Self {
        Self {
            switched: self.switched.saturating_sub(known.switched),
            rolled_back: self.rolled_back.saturating_sub(known.rolled_back),
            early: self.early.without(known.early),
            whole: self.whole.without(known.whole),
            ..self
        }
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, more: Self) -> Self {
        Self {
            granted: self.granted.saturating_add(more.granted),
            switched: self.switched.saturating_add(more.switched),
            gone: self.gone.saturating_add(more.gone),
            rolled_back: self.rolled_back.saturating_add(more.rolled_back),
            early: self.early.plus(more.early),
            whole: self.whole.plus(more.whole),
            uncounted: self.uncounted.saturating_add(more.uncounted),
        }
    }
}

/// What devices said of themselves in the last half hour, whether they are part of the rollout or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    /// Devices that came to their early horizon, and those that had failed: never those that finished, for
    /// failures are reported sooner.
    pub outcomes: Seen,
    /// Devices on the new version that sent a health summary, and those of them with an error.
    pub new_errors: Seen,
    /// The same on the old version.
    pub old_errors: Seen,
    /// Devices on the new version that spoke of their health, and those that are unwell.
    pub new_health: Seen,
    /// Devices that were not offered anything and were due to check in, and those that stayed away.
    pub controls: Seen,
}

/// All that a rollout is decided on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// One entry for each cell of the census.
    pub cells: Vec<Counts>,
    /// Devices seen lately that the phases opened so far may have, with those that already have it.
    pub reachable: u32,
    /// Offers made in the last minute.
    pub granted_last_minute: u32,
    /// Boot failures among the first twenty devices that switched.
    pub first_boot_failures: u32,
    /// Devices of our own that found a signature wrong.
    pub signature_failures: u32,
    /// The last half hour.
    pub window: Window,
}

impl Tally {
    /// All cells together.
    #[must_use]
    pub fn pooled(&self) -> Counts {
        self.cells.iter().fold(Counts::default(), |sum, counts| sum.plus(*counts))
    }

    /// Some cells together.
    #[must_use]
    pub fn of(&self, cells: &[Cell]) -> Counts {
        let counts = cells.iter().filter_map(|cell| self.cells.get(cell.index()));
        counts.fold(Counts::default(), |sum, counts| sum.plus(*counts))
    }
}

/// Devices whose first start says most.
const FIRST_SWITCHED: usize = 20;

/// Boot failures among the first twenty devices that switched, in the order in which they did.
#[must_use]
pub fn first_boot_failures(tries: &[Try]) -> u32 {
    let mut switched: Vec<_> =
        tries.iter().filter_map(|one| one.switched_at.map(|at| (at, one.attempt, one.outcome))).collect();
    switched.sort_by_key(|(at, attempt, _)| (*at, *attempt));
    number(switched.iter().take(FIRST_SWITCHED).filter(|(.., outcome)| outcome.failed_to_boot()))
}

/// Devices that found the release's signature wrong.
#[must_use]
pub fn signature_failures(tries: &[Try]) -> u32 {
    number(tries.iter().filter(|one| one.outcome.cause == Some(Cause::ReleaseUntrusted)))
}

/// The devices that came to their early horizon in the window before `now`.
#[must_use]
pub fn early_lately(tries: &[Try], horizons: &Horizons<'_>, now: UnixSeconds) -> Seen {
    let before = UnixSeconds(now.0.saturating_sub(WINDOW_S));
    let came = |one: &Try| {
        let was = horizons.judge(one, before).early;
        (was == Seen::default()).then(|| horizons.judge(one, now).early)
    };
    tries.iter().filter_map(came).fold(Seen::default(), Seen::plus)
}

fn number<T>(of: impl Iterator<Item = T>) -> u32 {
    u32::try_from(of.count()).unwrap_or(u32::MAX)
}

/// What the newest attempts come to at `now`, cell by cell.
#[must_use]
pub fn count(census: &Census, tries: &[Try], horizons: &Horizons<'_>, now: UnixSeconds) -> Vec<Counts> {
    let mut cells = vec![Counts::default(); census.cells()];
    for (one, counts) in count_each(tries, horizons, now) {
        if let Some(cell) = cells.get_mut(one.cell.index()) {
            *cell = cell.plus(counts);
        }
    }
    cells
}

/// What the newest attempt of each device adds to the counts at `now`, in the order of their ids.
///
/// Of the failures at one site in one window only the first [`SITE_FAILURES_MAX`] count, in that order:
/// outages are not independent, and what fails together says little about the release.
pub fn count_each<'a>(
    tries: &'a [Try],
    horizons: &'a Horizons<'_>,
    now: UnixSeconds,
) -> impl Iterator<Item = (&'a Try, Counts)> {
    let mut by_site: BTreeMap<_, u32> = BTreeMap::new();
    let mut in_order: Vec<&Try> = tries.iter().collect();
    in_order.sort_by_key(|one| one.attempt);
    in_order.into_iter().map(move |one| {
        let mut counts = horizons.judge(one, now);
        let failed = counts.early.failed.max(counts.whole.failed) > 0;
        if let (true, Some(site)) = (failed, one.site) {
            let failures = by_site.entry((site, horizons.window(one.start()))).or_default();
            *failures = failures.saturating_add(1);
            if *failures > SITE_FAILURES_MAX {
                counts = counts.uncounted();
            }
        }
        (one, counts)
    })
}
