//! What stops a rollout: evidence halts it until a person resumes, a brake holds it for a while.
//!
//! Touches: `crate::rollout::{evidence, state, strata, tally}`. Rules and figures: docs/operate/rollouts.md.
//! Never: forgives by itself; what has been counted against a release stays counted.

use super::evidence::{Odds, Rate, Seen, Test};
use super::judge::EARLY_S;
use super::state::{Brake, Evidence, RULES, Rollout, Rule};
use super::strata::{Cell, Stratum};
use super::tally::{Counts, Tally, Window};
use lapwing_core::UnixSeconds;

/// The chance of ever halting a release that is as good as allowed is one in a hundred. It is shared evenly
/// by the two horizons; at each the whole group has four fifths of it, and all its strata together the rest.
const POOLED_ODDS: Odds = Odds::to_one(250);
const STRATA_ODDS: u64 = 1_000;
/// A stratum is halted alone if it stands apart from the others with these odds ...
const APART_ODDS: Odds = Odds::to_one(30);
/// ... and what is left without it is not even suspicious.
const REST_ODDS: Odds = Odds::to_one(20);
/// Boot failures among the first twenty devices that halt by themselves.
pub(super) const BOOT_FAILURES_MAX: u32 = 2;

/// A percentage says nothing below so many devices and failures.
const BRAKE_DEVICES_MIN: u32 = 20;
const BRAKE_FAILURES_MIN: u32 = 3;
/// Unwell devices on the new version that hold it, and that need a person.
const HEALTH: Limits = Limits { hold: Rate::basis_points(1_000), person: Rate::basis_points(2_000) };
/// The same for devices that came back, of those that switched.
const ROLLBACKS: Limits = Limits { hold: Rate::basis_points(100), person: Rate::basis_points(500) };
/// Silent devices among those that were offered nothing: beyond this it is the network.
const CONTROLS_SILENT_MAX: Rate = Rate::basis_points(1_000);
/// What half an hour shows only counts if chance does not explain it: there are many half hours.
const WINDOW_ODDS: Odds = Odds::to_one(1_000);

struct Limits {
    hold: Rate,
    person: Rate,
}

/// The evidence that halts the rollout, or one stratum of it, if there is any.
pub(super) fn halt(rollout: &Rollout, tally: &Tally, now: UnixSeconds) -> Option<Evidence> {
    let found = |rule, seen, stratum: Option<&Stratum>| Evidence {
        rules: RULES,
        rule,
        stratum: stratum.cloned(),
        seen,
        phase: rollout.phase.number,
        at: now,
    };
    let signatures = tally.signature_failures.saturating_sub(rollout.accepted.signature_failures);
    if signatures > 0 {
        return Some(found(Rule::Signature, Seen { judged: signatures, failed: signatures }, None));
    }
    let boots = tally.first_boot_failures.saturating_sub(rollout.accepted.first_boot_failures);
    if boots >= BOOT_FAILURES_MAX {
        let judged = tally.pooled().switched.min(super::FIRST_DEVICES);
        return Some(found(Rule::BootFailures, Seen { judged, failed: boots }, None));
    }
    let counted = since_accepted(rollout, tally);
    HORIZONS.iter().find_map(|horizon| {
        let (seen, stratum, rule) = too_many_failures(rollout, &counted, horizon)?;
        Some(found(rule, seen, stratum))
    })
}

/// A moment at which devices are judged.
struct Horizon {
    seen: fn(&Counts) -> Seen,
    allowed: fn(&Rollout) -> Rate,
    after_s: fn(&Rollout) -> u64,
}

const HORIZONS: [Horizon; 2] = [
    Horizon {
        seen: |counts| counts.early,
        allowed: |rollout| rollout.charter.history.allowed().early,
        after_s: |_| EARLY_S,
    },
    Horizon {
        seen: |counts| counts.whole,
        allowed: |rollout| rollout.charter.history.allowed().whole,
        after_s: |rollout| rollout.charter.deadline_s,
    },
];

/// The strongest finding at one horizon: the whole group first, then each stratum by itself.
fn too_many_failures<'a>(
    rollout: &'a Rollout,
    counted: &Tally,
    horizon: &Horizon,
) -> Option<(Seen, Option<&'a Stratum>, Rule)> {
    let allowed = (horizon.allowed)(rollout);
    let test = Test::against(allowed);
    let strata = rollout.charter.census.strata();
    let of = |stratum: &Stratum| (horizon.seen)(&counted.of(&stratum.cells));
    let found = |seen: Seen, stratum, needed: Odds| {
        let odds = test.odds(seen);
        let rule = Rule::Odds { horizon_s: (horizon.after_s)(rollout), allowed, odds, needed };
        (odds >= needed).then_some((seen, stratum, rule))
    };
    let pooled = (horizon.seen)(&counted.pooled());
    if let Some(everyone) = found(pooled, None, POOLED_ODDS) {
        let culprit = strata.iter().filter(|stratum| explains(of(stratum), pooled, &test));
        let culprit = culprit.max_by_key(|stratum| test.odds(of(stratum)));
        return culprit.and_then(|culprit| found(of(culprit), Some(culprit), REST_ODDS)).or(Some(everyone));
    }
    let needed = Odds::to_one(STRATA_ODDS.saturating_mul(u64::try_from(strata.len()).unwrap_or(u64::MAX)));
    strata.iter().find_map(|stratum| found(of(stratum), Some(stratum), needed))
}

/// Whether the failures of `part` stand apart from those of all, and the rest is not suspicious without it.
fn explains(part: Seen, all: Seen, test: &Test) -> bool {
    let share = Rate::of(u64::from(part.judged), u64::from(all.judged));
    let apart = Test::against(share).odds(Seen { judged: all.failed, failed: part.failed });
    apart >= APART_ODDS && test.odds(all.without(part)) < REST_ODDS
}

/// What was counted since a person accepted what there was, without the strata that are halted already.
fn since_accepted(rollout: &Rollout, tally: &Tally) -> Tally {
    let halted = |at: usize| halts_cell(&rollout.halted_strata, Cell(at));
    let nothing = Counts::default();
    let cells = tally.cells.iter().enumerate().map(|(at, counts)| match halted(at) {
        true => nothing,
        false => counts.without(rollout.accepted.cells.get(at).unwrap_or(&nothing)),
    });
    Tally { cells: cells.collect(), ..Tally::default() }
}

/// All cells but those of strata that were halted: what goes on is what brakes are for.
pub(super) fn going_on(rollout: &Rollout, tally: &Tally) -> Counts {
    let cells = tally.cells.iter().enumerate();
    let going = cells.filter(|(at, _)| !halts_cell(&rollout.halted_strata, Cell(*at)));
    going.fold(Counts::default(), |sum, (_, counts)| sum.plus(*counts))
}

/// Whether a cell belongs to a stratum that was halted.
pub(super) fn halts_cell(halted: &[Evidence], cell: Cell) -> bool {
    halted
        .iter()
        .filter_map(|evidence| evidence.stratum.as_ref())
        .any(|stratum| stratum.cells.contains(&cell))
}

/// Whether devices that were offered nothing went silent too.
pub(super) fn network_is_away(tally: &Tally) -> bool {
    let controls = tally.window.controls;
    controls.judged >= BRAKE_DEVICES_MIN && controls.rate() > CONTROLS_SILENT_MAX
}

/// A brake, and whether only a person may release it.
pub(super) fn brake(rollout: &Rollout, tally: &Tally) -> Option<(Brake, bool)> {
    let enough = |seen: &Seen| seen.judged >= BRAKE_DEVICES_MIN && seen.failed >= BRAKE_FAILURES_MIN;
    let over = |seen: Seen, limits: &Limits| {
        (enough(&seen) && seen.rate() > limits.hold).then(|| seen.rate() > limits.person)
    };
    let since = going_on(rollout, tally).without(&rollout.released);
    let rollbacks = Seen { judged: since.switched, failed: since.rolled_back };
    if let Some(critical) = over(rollbacks, &ROLLBACKS) {
        return Some((Brake::Rollbacks(rollbacks), critical));
    }
    let health = tally.window.new_health;
    if let Some(critical) = over(health, &HEALTH) {
        return Some((Brake::Health(health), critical));
    }
    let Window { outcomes, new_errors: new, old_errors: old, .. } = tally.window;
    let history = rollout.charter.history.early;
    if enough(&outcomes)
        && half_more(outcomes.rate(), history)
        && Test::against(history).odds(outcomes) >= WINDOW_ODDS
    {
        return Some((Brake::Outcomes { seen: outcomes, history }, false));
    }
    (enough(&new) && errs_more(new, old)).then_some((Brake::Errors { new, old }, false))
}

/// More than one and a half times as many.
fn half_more(new: Rate, old: Rate) -> bool {
    2 * u64::from(new.as_ppm()) > 3 * u64::from(old.as_ppm())
}

/// Whether the last half hour is not calm yet: more unwell than allowed, or still a fifth more errors or
/// failures than before.
pub(super) fn is_restless(rollout: &Rollout, tally: &Tally) -> bool {
    let Window { outcomes, new_errors: new, old_errors: old, new_health, .. } = tally.window;
    let some = |seen: Seen| seen.failed >= BRAKE_FAILURES_MIN;
    let fifth_more = |new: Rate, old: Rate| 5 * u64::from(new.as_ppm()) > 6 * u64::from(old.as_ppm());
    (some(new_health) && new_health.rate() > HEALTH.hold)
        || (some(outcomes) && fifth_more(outcomes.rate(), rollout.charter.history.early))
        || (some(new) && fifth_more(new.rate(), old.rate()))
}

/// Whether the new version errs more than one and a half times as often, beyond what chance explains: given
/// all errors of both, its share of them would be its share of the devices.
fn errs_more(new: Seen, old: Seen) -> bool {
    let both = new.plus(old);
    let share = Rate::of(u64::from(new.judged), u64::from(both.judged));
    let odds = Test::against(share).odds(Seen { judged: both.failed, failed: new.failed });
    half_more(new.rate(), old.rate()) && odds >= WINDOW_ODDS
}
