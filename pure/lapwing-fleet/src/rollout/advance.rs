//! How a rollout goes from phase to phase: admit, soak, ask the gate; widen when short of evidence.
//!
//! Touches: `crate::rollout::{evidence, plan, place, state, strata, tally}`.
//! Never: opens a phase before the gate of the one before it has passed; closes what is open.

use super::evidence::{Rate, excludes, lowest_excluded};
use super::place::BasisPoints;
use super::plan::{HowMany, PhasePlan, Who};
use super::state::{Open, Phase, Rollout, Stage};
use super::step::{Effect, Notice};
use super::strata::{Stratum, needed, raise};
use super::tally::Tally;
use lapwing_core::UnixSeconds;
use std::fmt;

/// A phase has its devices when so many of a hundred that can be reached have an offer.
const ADMITTED_PERCENT: u32 = 95;
/// A gate is not asked while more of a hundred are still on their way.
const UNRESOLVED_PERCENT_MAX: u32 = 5;

/// What a phase that has passed could show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// It excluded the failure rate that its plan asked for.
    Excluded(Rate),
    /// It had too few devices for that, and could not get more before the next phase. This is the lowest
    /// rate that its devices exclude; none if they exclude nothing.
    TooFewDevices(Option<Rate>),
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Excluded(rate) => write!(f, "a failure rate of {rate} is excluded"),
            Self::TooFewDevices(Some(rate)) => write!(f, "too few devices to exclude less than {rate}"),
            Self::TooFewDevices(None) => f.write_str("too few devices to exclude anything"),
        }
    }
}

/// What became of a phase.
pub(super) enum Progress {
    Going(Vec<Effect>),
    Overdue,
    Done(Vec<Effect>),
}

/// Opens the present phase.
pub(super) fn open(rollout: &mut Rollout, now: UnixSeconds) -> Vec<Effect> {
    let number = rollout.phase.number;
    let Some(planned) = rollout.planned() else { return Vec::new() };
    let opened = match planned.how_many {
        HowMany::Count(count) => Open::Count(count),
        // The first share covers the kinds of devices there are; later ones stand on it.
        HowMany::Share(share) if planned.who == Who::Everyone && !covers_before(rollout) => {
            Open::Shares(rollout.charter.census.covering(share))
        }
        HowMany::Share(share) => Open::Shares(vec![share; rollout.charter.census.cells()]),
    };
    rollout.open.push(opened);
    rollout.phase = Phase { number, stage: Stage::Admitting, opened_at: now, was_released: false };
    vec![Effect::Announce(Notice::PhaseOpened(number))]
}

/// Whether a phase before the present one was open for a share of everyone.
fn covers_before(rollout: &Rollout) -> bool {
    let before = rollout.charter.plan.phases.iter().take(rollout.phase.number);
    before.into_iter().any(is_share_of_everyone)
}

fn is_share_of_everyone(phase: &PhasePlan) -> bool {
    phase.who == Who::Everyone && matches!(phase.how_many, HowMany::Share(_))
}

/// Moves the present phase on as far as the counts allow.
pub(super) fn go_on(rollout: &mut Rollout, now: UnixSeconds, tally: &Tally) -> Progress {
    let Some(planned) = rollout.planned().cloned() else { return Progress::Overdue };
    if now.since(rollout.phase.opened_at) > planned.longest_s {
        return Progress::Overdue;
    }
    let granted = tally.pooled().granted;
    if rollout.phase.stage == Stage::Admitting && has_its_devices(rollout, granted, tally.reachable) {
        rollout.phase.stage = Stage::Soaking(now.after(planned.soak_s));
    }
    if let Stage::Soaking(until) = rollout.phase.stage
        && now >= until
    {
        rollout.phase.stage = Stage::Gating;
    }
    if rollout.phase.stage == Stage::Gating {
        gate(rollout, &planned, now, tally)
    } else {
        Progress::Going(Vec::new())
    }
}

fn has_its_devices(rollout: &Rollout, granted: u32, reachable: u32) -> bool {
    let wanted = match rollout.open.last() {
        Some(Open::Count(count)) => reachable.min(*count),
        _ => reachable,
    };
    percent(granted, wanted) >= ADMITTED_PERCENT
}

fn percent(part: u32, whole: u32) -> u32 {
    let percent = u64::from(part).saturating_mul(100).checked_div(u64::from(whole));
    u32::try_from(percent.unwrap_or(100)).unwrap_or(u32::MAX)
}

/// Passes the phase, widens it, or waits.
fn gate(rollout: &mut Rollout, planned: &PhasePlan, now: UnixSeconds, tally: &Tally) -> Progress {
    let pooled = tally.pooled();
    if percent(pooled.in_flight(), pooled.granted) > UNRESOLVED_PERCENT_MAX && pooled.granted > 0 {
        return Progress::Going(Vec::new());
    }
    let allowed = rollout.charter.history.allowed().whole;
    let uncovered = uncovered(rollout, planned, tally);
    let proof = if excludes(pooled.whole, planned.excludes, allowed) && uncovered.is_empty() {
        Proof::Excluded(planned.excludes)
    } else if is_last(rollout) || !widen(rollout, planned, &uncovered) {
        Proof::TooFewDevices(lowest_excluded(pooled.whole, allowed))
    } else {
        rollout.phase.stage = Stage::Admitting;
        return Progress::Going(vec![Effect::Announce(Notice::Widened)]);
    };
    let passed = Effect::Announce(Notice::PhasePassed(rollout.phase.number, proof));
    if is_last(rollout) {
        return Progress::Done(vec![passed]);
    }
    rollout.phase.number = rollout.phase.number.saturating_add(1);
    Progress::Going([passed].into_iter().chain(open(rollout, now)).collect())
}

fn is_last(rollout: &Rollout) -> bool {
    rollout.phase.number.saturating_add(1) >= rollout.charter.plan.phases.len()
}

/// What the first share of everyone should have judged and has not.
fn uncovered(rollout: &Rollout, planned: &PhasePlan, tally: &Tally) -> Vec<Stratum> {
    if !is_share_of_everyone(planned) || covers_before(rollout) {
        return Vec::new();
    }
    let halted = |unit: &Stratum| {
        unit.cells.iter().all(|cell| super::stopping::halts_cell(&rollout.halted_strata, *cell))
    };
    let short = |unit: &&Stratum| tally.of(&unit.cells).whole.judged < needed(unit) && !halted(unit);
    rollout.charter.census.units().iter().filter(short).cloned().collect()
}

/// Opens the present phase for half as many more, never beyond what the next phase opens: for the kinds of
/// devices that are not covered, or for all if evidence is what is missing. Says whether there was any more
/// to open.
fn widen(rollout: &mut Rollout, planned: &PhasePlan, uncovered: &[Stratum]) -> bool {
    let next = rollout.charter.plan.phases.get(rollout.phase.number.saturating_add(1));
    let limit = match next.map(|next| (&next.who, next.how_many)) {
        Some((who, HowMany::Share(share))) if *who == planned.who => share,
        _ => BasisPoints::ALL,
    };
    match rollout.open.last_mut() {
        Some(Open::Shares(shares)) => {
            let before = shares.clone();
            if uncovered.is_empty() {
                let widened = |share: &mut BasisPoints| *share = share.widened().min(limit).max(*share);
                shares.iter_mut().for_each(widened);
            }
            for unit in uncovered {
                raise(shares, &unit.cells, BasisPoints::widened);
            }
            *shares != before
        }
        // Named or counted devices are what they are.
        _ => false,
    }
}
