//! Whether a device may have its offer now: is it its turn, and is there room.
//!
//! Touches: `crate::rollout::{evidence, place, plan, state, step, strata, tally}`. The first blocker is the answer
//! to "why is this device not updating?".
//! Never: takes back an offer; a device that has one keeps it until the rollout stops.

use super::FIRST_DEVICES;
use super::evidence::{Rate, excludes};
use super::place::{BasisPoints, Place};
use super::plan::{PhasePlan, Tier, Who};
use super::state::{Open, Rollout, State};
use super::step::Event;
use super::stopping::halts_cell;
use super::strata::Cell;
use super::tally::{Counts, Tally};
use crate::filter::FilterFacts;
use crate::limits::DOWNLOADS_PER_RADIO_CELL;
use crate::window::{NoOpening, Opening};
use lapwing_core::{DeviceId, UnixSeconds};

/// Until the judged devices exclude this failure rate, few go at a time.
const PROVEN: Rate = Rate::basis_points(200);
/// As many may be on their way as there are confirmed, in percent: before and after.
const PACE_UNPROVEN_PERCENT: u32 = 25;
const PACE_PROVEN_PERCENT: u32 = 100;

/// A device that asks.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its place in this rollout.
    pub place: Place,
    /// What kind it is.
    pub cell: Cell,
    /// How early it volunteers.
    pub tier: Tier,
    /// What filters are asked about.
    pub facts: &'a FilterFacts<'a>,
    /// Downloads going on in its radio cell, if it has one.
    pub downloads_nearby: u32,
}

/// Why a device has to wait. Phases count from one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotYet {
    /// The rollout makes no offers.
    #[error("it is {0}")]
    NotRunning(&'static str),
    /// Its window is closed.
    #[error("its window opens {}", .0.shown)]
    Window(Opening),
    /// It will not open.
    #[error("{0}")]
    NoWindow(NoOpening),
    /// Devices like it failed.
    #[error("it was halted for devices of this kind")]
    StratumHalted,
    /// No phase that is open is for it.
    #[error("phase {phase} of {phases} is open, and no phase so far is for this device")]
    PhaseNotOpen {
        /// The present phase.
        phase: usize,
        /// All phases.
        phases: usize,
    },
    /// Its place is beyond the open share.
    #[error("phase {phase} of {phases} is open for {share}; its place is {place}")]
    PlaceBeyondShare {
        /// The present phase.
        phase: usize,
        /// All phases.
        phases: usize,
        /// What is open for devices of its kind.
        share: BasisPoints,
        /// Where it stands.
        place: Place,
    },
    /// Enough offers this minute.
    #[error("this minute's {0} offers have been made; it asks again")]
    Rate(u32),
    /// Enough devices on their way.
    #[error("{0} devices are on their way, and the next go when these are judged")]
    InFlight(u32),
    /// Enough devices of its kind on their way.
    #[error("enough devices of its kind are on their way, and the next go when these are judged")]
    StratumInFlight,
    /// Enough downloads in its radio cell.
    #[error("{0} others in its radio cell are downloading")]
    RadioCell(u32),
}

impl NotYet {
    /// Its name in JSON and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotRunning(_) => "rollout-not-running",
            Self::Window(_) => "window",
            Self::NoWindow(NoOpening::ZoneUnknown) => "zone-unknown",
            Self::NoWindow(NoOpening::Never) => "window-never",
            Self::StratumHalted => "stratum-halted",
            Self::PhaseNotOpen { .. } => "phase-not-open",
            Self::PlaceBeyondShare { .. } => "place-beyond-share",
            Self::Rate(_) => "rate",
            Self::InFlight(_) => "in-flight",
            Self::StratumInFlight => "stratum-in-flight",
            Self::RadioCell(_) => "radio-cell",
        }
    }
}

/// How many more devices may go now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    rate: u32,
    in_flight: u32,
    on_their_way: u32,
    counted: u32,
    /// In the order of the census.
    strata: Vec<u32>,
    /// While the first devices go: how many of each cell.
    first: Option<Vec<u32>>,
}

impl Room {
    /// How many more devices may go, of whatever kind.
    #[must_use]
    pub fn left(&self) -> u32 {
        self.rate.min(self.in_flight).min(self.counted)
    }
}

impl Rollout {
    /// How many more devices may go, by these counts.
    #[must_use]
    pub fn room(&self, tally: &Tally) -> Room {
        let pooled = tally.pooled();
        let proven = excludes(pooled.whole, PROVEN, self.charter.history.allowed().whole);
        let pace = if proven { PACE_PROVEN_PERCENT } else { PACE_UNPROVEN_PERCENT };
        let room = |counts: &Counts| {
            let paced = u64::from(counts.whole.good()).saturating_mul(u64::from(pace)) / 100;
            let cap = u32::try_from(paced).unwrap_or(u32::MAX).max(FIRST_DEVICES);
            cap.saturating_sub(counts.in_flight())
        };
        let counted = match self.open.last() {
            Some(Open::Count(count)) => count.saturating_sub(pooled.granted),
            _ => u32::MAX,
        };
        let strata = self.charter.census.strata().iter().map(|stratum| room(&tally.of(&stratum.cells)));
        Room {
            rate: self.rate_per_minute.saturating_sub(tally.granted_last_minute),
            in_flight: room(&pooled),
            on_their_way: pooled.in_flight(),
            counted,
            strata: strata.collect(),
            first: (pooled.granted < FIRST_DEVICES).then(|| self.first_of_each(tally)),
        }
    }

    /// How many more devices may go at `now`: none once these counts stop it or devices of a kind, though that is not
    /// saved yet.
    #[must_use]
    pub fn room_at(&self, now: UnixSeconds, tally: &Tally) -> Room {
        let room = self.room(tally);
        let next = self.clone().step(now, Event::Tick(tally)).next;
        let goes_on = next.state == self.state && next.halted_strata == self.halted_strata;
        if goes_on { room } else { Room { in_flight: 0, ..room } }
    }

    /// The first devices are spread over the kinds there are.
    fn first_of_each(&self, tally: &Tally) -> Vec<u32> {
        let kinds = u32::try_from(self.charter.census.cells()).unwrap_or(u32::MAX).saturating_sub(1).max(1);
        let each = FIRST_DEVICES.div_ceil(kinds);
        tally.cells.iter().map(|counts| each.saturating_sub(counts.granted)).collect()
    }

    /// A device as this rollout sees it.
    #[must_use]
    pub fn candidate<'a>(
        &self,
        device: &DeviceId,
        facts: &'a FilterFacts<'a>,
        downloads_nearby: u32,
    ) -> Candidate<'a> {
        let tier = facts.iter().find(|(name, _)| *name == "tier");
        Candidate {
            place: Place::of(self.charter.salt, device),
            cell: self.charter.census.cell(&self.charter.census.kind(facts)),
            tier: tier.and_then(|(_, label)| Tier::from_label(label)).unwrap_or(Tier::General),
            facts,
            downloads_nearby,
        }
    }

    /// Gives `candidate` a place in `room`, or says what it waits for.
    ///
    /// # Errors
    /// The first reason in order; `room` is then as it was.
    pub fn admit(&self, room: &mut Room, candidate: &Candidate<'_>) -> Result<(), NotYet> {
        self.may_go(room, candidate)?;
        let strata = self.strata_of(candidate.cell);
        let strata = room.strata.iter_mut().zip(strata).filter(|(_, within)| *within).map(|(left, _)| left);
        let first = room.first.as_mut().and_then(|first| first.get_mut(candidate.cell.index()));
        let pooled = [&mut room.rate, &mut room.in_flight, &mut room.counted];
        pooled.into_iter().chain(strata).chain(first).for_each(|left| *left = left.saturating_sub(1));
        Ok(())
    }

    /// Whether there is a place in `room` for `candidate`. Who asks when all is done gets what all have.
    ///
    /// # Errors
    /// The first reason in order.
    pub fn may_go(&self, room: &Room, candidate: &Candidate<'_>) -> Result<(), NotYet> {
        self.makes_offers()?;
        if self.state == State::Completed {
            return self.go_on(candidate.cell);
        }
        self.reaches(candidate)?;
        if room.rate == 0 {
            return Err(NotYet::Rate(self.rate_per_minute));
        }
        if room.in_flight == 0 || room.counted == 0 {
            return Err(NotYet::InFlight(room.on_their_way));
        }
        let full = room.strata.iter().zip(self.strata_of(candidate.cell));
        let first = room.first.as_ref().and_then(|first| first.get(candidate.cell.index()));
        if full.into_iter().any(|(left, within)| within && *left == 0) || first == Some(&0) {
            return Err(NotYet::StratumInFlight);
        }
        if candidate.downloads_nearby >= DOWNLOADS_PER_RADIO_CELL {
            return Err(NotYet::RadioCell(candidate.downloads_nearby));
        }
        Ok(())
    }

    /// Whether it makes offers to anybody.
    pub(crate) fn makes_offers(&self) -> Result<(), NotYet> {
        match self.state {
            State::Running | State::Completed => Ok(()),
            ref other => Err(NotYet::NotRunning(other.label())),
        }
    }

    /// Whether a device of this cell that has its offer may go on with it, as far as its switch.
    ///
    /// # Errors
    /// Why it may not.
    pub fn go_on(&self, cell: Cell) -> Result<(), NotYet> {
        match self.state {
            State::Running | State::Paused | State::Held(_) | State::Completed => {}
            ref other => return Err(NotYet::NotRunning(other.label())),
        }
        if halts_cell(&self.halted_strata, cell) { Err(NotYet::StratumHalted) } else { Ok(()) }
    }

    /// Whether a phase before the last is for such a device, so that everyone else learns from it. A plan of one phase
    /// spares nobody.
    #[must_use]
    pub fn is_tried_on(&self, candidate: &Candidate<'_>) -> bool {
        let phases = &self.charter.plan.phases;
        phases.len() == 1 || phases.iter().rev().skip(1).any(|phase| phase.is_for(candidate))
    }

    /// For each stratum of the census whether a cell is in it.
    fn strata_of(&self, cell: Cell) -> impl Iterator<Item = bool> {
        self.charter.census.strata().iter().map(move |stratum| stratum.cells.binary_search(&cell).is_ok())
    }

    /// Whether what is open so far is open for this device.
    ///
    /// # Errors
    /// Why it is not.
    pub fn reaches(&self, candidate: &Candidate<'_>) -> Result<(), NotYet> {
        if halts_cell(&self.halted_strata, candidate.cell) {
            return Err(NotYet::StratumHalted);
        }
        let phases = self.charter.plan.phases.iter().zip(&self.open);
        let mut widest = None;
        for (_, open) in phases.filter(|(phase, _)| phase.is_for(candidate)) {
            let share = match open {
                Open::Count(_) => BasisPoints::ALL,
                Open::Shares(shares) => shares.get(candidate.cell.index()).copied().unwrap_or_default(),
            };
            widest = widest.max(Some(share));
        }
        let (phase, phases) = (self.open.len(), self.charter.plan.phases.len());
        match widest {
            Some(share) if candidate.place.is_within(share) => Ok(()),
            Some(share) => Err(NotYet::PlaceBeyondShare { phase, phases, share, place: candidate.place }),
            None => Err(NotYet::PhaseNotOpen { phase, phases }),
        }
    }
}

impl PhasePlan {
    fn is_for(&self, candidate: &Candidate<'_>) -> bool {
        match &self.who {
            Who::Everyone => true,
            Who::Tier(tier) => candidate.tier <= *tier,
            Who::Filter(filter) => filter.holds(candidate.facts),
        }
    }
}
