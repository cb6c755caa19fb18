//! Whether a device may have its offer now: is it its turn, and is there room.
//!
//! Touches: `crate::rollout::{evidence, place, plan, state, strata, tally}`. The first blocker is the answer
//! to "why is this device not updating?".
//! Never: takes back an offer; a device that has one keeps it until the rollout stops.

use super::FIRST_DEVICES;
use super::evidence::{Rate, excludes};
use super::place::Place;
use super::plan::{PhasePlan, Tier, Who};
use super::state::{Open, Rollout, State};
use super::stopping::halts_cell;
use super::strata::Cell;
use super::tally::{Counts, Tally};
use crate::filter::FilterFacts;

/// Downloads at once in one radio cell.
const DOWNLOADS_PER_RADIO_CELL: u32 = 2;
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

/// Why a device has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotYet {
    /// The rollout makes no offers.
    #[error("The rollout is {0}.")]
    NotRunning(&'static str),
    /// Devices like it failed.
    #[error("The rollout was halted for devices of its kind.")]
    StratumHalted,
    /// No phase that is open is for it.
    #[error("Its phase has not opened yet.")]
    PhaseNotOpen,
    /// Its place is beyond the open share.
    #[error("Its place is beyond the share that is open.")]
    PlaceBeyondShare,
    /// Enough offers this minute.
    #[error("This minute's offers have been made; it asks again.")]
    Rate,
    /// Enough devices on their way.
    #[error("Enough devices are on their way; the next go when these are judged.")]
    InFlight,
    /// Enough devices of its kind on their way.
    #[error("Enough devices of its kind are on their way; the next go when these are judged.")]
    StratumInFlight,
    /// Enough downloads in its radio cell.
    #[error("Others in its radio cell are downloading.")]
    RadioCell,
}

/// How many more devices may go now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    rate: u32,
    in_flight: u32,
    counted: u32,
    /// In the order of the census.
    strata: Vec<u32>,
    /// While the first devices go: how many of each cell.
    first: Option<Vec<u32>>,
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
            counted,
            strata: strata.collect(),
            first: (pooled.granted < FIRST_DEVICES).then(|| self.first_of_each(tally)),
        }
    }

    /// The first devices are spread over the kinds there are.
    fn first_of_each(&self, tally: &Tally) -> Vec<u32> {
        let kinds = u32::try_from(self.charter.census.cells()).unwrap_or(u32::MAX).saturating_sub(1).max(1);
        let each = FIRST_DEVICES.div_ceil(kinds);
        tally.cells.iter().map(|counts| each.saturating_sub(counts.granted)).collect()
    }

    /// Gives `candidate` a place in `room`, or says what it waits for.
    ///
    /// # Errors
    /// The first reason in order; `room` is then as it was.
    pub fn admit(&self, room: &mut Room, candidate: &Candidate<'_>) -> Result<(), NotYet> {
        if self.state != State::Running {
            return Err(NotYet::NotRunning(self.state.label()));
        }
        self.reaches(candidate)?;
        if room.rate == 0 {
            return Err(NotYet::Rate);
        }
        if room.in_flight == 0 || room.counted == 0 {
            return Err(NotYet::InFlight);
        }
        let Candidate { cell, .. } = candidate;
        let first = room.first.as_mut().and_then(|first| first.get_mut(cell.index()));
        let mut strata: Vec<&mut u32> = self
            .charter
            .census
            .strata()
            .iter()
            .zip(&mut room.strata)
            .filter(|(stratum, _)| stratum.cells.binary_search(cell).is_ok())
            .map(|(_, left)| left)
            .chain(first)
            .collect();
        if strata.iter().any(|left| **left == 0) {
            return Err(NotYet::StratumInFlight);
        }
        if candidate.downloads_nearby >= DOWNLOADS_PER_RADIO_CELL {
            return Err(NotYet::RadioCell);
        }
        let taken = [&mut room.rate, &mut room.in_flight, &mut room.counted];
        taken.into_iter().chain(strata.drain(..)).for_each(|left| *left = left.saturating_sub(1));
        Ok(())
    }

    /// Whether what is open so far is open for this device.
    ///
    /// # Errors
    /// Why it is not.
    pub fn reaches(&self, candidate: &Candidate<'_>) -> Result<(), NotYet> {
        if halts_cell(&self.halted_strata, candidate.cell) {
            return Err(NotYet::StratumHalted);
        }
        let opened =
            || self.charter.plan.phases.iter().zip(&self.open).filter(|(phase, _)| phase.is_for(candidate));
        let within = |open: &Open| match open {
            Open::Count(_) => true,
            Open::Shares(shares) => {
                shares.get(candidate.cell.index()).is_some_and(|share| candidate.place.is_within(*share))
            }
        };
        match opened().any(|(_, open)| within(open)) {
            true => Ok(()),
            false if opened().next().is_some() => Err(NotYet::PlaceBeyondShare),
            false => Err(NotYet::PhaseNotOpen),
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
