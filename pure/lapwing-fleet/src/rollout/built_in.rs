//! The five plans that need no writing.
//!
//! Touches: `crate::rollout::plan`. Their counts and times are minima: the evidence may ask for more.
//! Never: a phase without a soak; every one lasts at least as long as a device may stay silent.

use super::evidence::Rate;
use super::place::BasisPoints;
use super::plan::{HowMany, PhasePlan, Plan, PlanName, Priority, ReleasedBy, Tier, Who};
use crate::filter::Filter;

const HOUR_S: u64 = 3_600;
const DAY_S: u64 = 24 * HOUR_S;
/// How long a phase may take beyond its soak before a person must look.
const PATIENCE_S: u64 = 28 * DAY_S;
/// Everyone has it and the rollout goes on being watched.
const WATCHED_S: u64 = 7 * DAY_S;
const RATE_PER_MINUTE: u32 = 2_000;

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuiltIn {
    /// Every day: a staging group, then growing shares.
    Delivery,
    /// Named internal devices first, and people at every brake.
    Canary,
    /// By how early devices volunteer.
    Tiers,
    /// Six even steps.
    Gentle,
    /// The same tests with short soaks.
    Security,
}

impl BuiltIn {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Delivery, Self::Canary, Self::Tiers, Self::Gentle, Self::Security];

    /// Its plan.
    #[must_use]
    pub fn plan(self) -> Plan {
        let (name, brakes, approvals, priority) = match self {
            Self::Delivery => ("delivery", ReleasedBy::Itself, 0, Priority::Feature),
            Self::Canary => ("canary", ReleasedBy::Person, 1, Priority::Feature),
            Self::Tiers => ("tiers", ReleasedBy::Itself, 0, Priority::Feature),
            Self::Gentle => ("gentle", ReleasedBy::Itself, 0, Priority::Feature),
            Self::Security => ("security", ReleasedBy::Itself, 0, Priority::Security),
        };
        let name = named(name);
        Plan {
            name,
            revision: 1,
            phases: self.phases(),
            brakes,
            approvals,
            rate_per_minute: RATE_PER_MINUTE,
            priority,
            attestations: Vec::new(),
            windows: None,
        }
    }

    fn phases(self) -> Vec<PhasePlan> {
        let everyone = |percent| share(percent, WATCHED_S);
        match self {
            Self::Delivery => vec![
                whole("staging", tagged("group == staging"), DAY_S),
                share(1, 6 * HOUR_S),
                share(5, 12 * HOUR_S),
                share(25, DAY_S),
                everyone(100),
            ],
            Self::Canary => vec![
                PhasePlan {
                    how_many: HowMany::Count(10),
                    ..whole("internal", Who::Tier(Tier::Internal), DAY_S)
                },
                share(1, 3 * DAY_S),
                share(10, DAY_S),
                share(25, DAY_S),
                everyone(100),
            ],
            Self::Tiers => vec![
                whole("canary", Who::Tier(Tier::Canary), DAY_S),
                whole("internal", Who::Tier(Tier::Internal), DAY_S),
                whole("pilot", Who::Tier(Tier::Pilot), 2 * DAY_S),
                everyone(100),
            ],
            Self::Gentle => {
                let steps = [1, 5, 10, 25, 50].map(|percent| share(percent, DAY_S));
                steps.into_iter().chain([everyone(100)]).collect()
            }
            Self::Security => {
                let steps = [1, 10, 50].map(|percent| share(percent, HOUR_S));
                steps.into_iter().chain([everyone(100)]).collect()
            }
        }
    }
}

fn share(percent: u16, soak_s: u64) -> PhasePlan {
    let how_many = HowMany::Share(BasisPoints::new(percent.saturating_mul(100)));
    PhasePlan {
        how_many,
        excludes: excluded_by(percent),
        ..whole(&format!("{percent}-percent"), Who::Everyone, soak_s)
    }
}

fn whole(name: &str, who: Who, soak_s: u64) -> PhasePlan {
    let how_many = HowMany::Share(BasisPoints::ALL);
    let longest_s = soak_s.saturating_add(PATIENCE_S);
    PhasePlan { name: named(name), who, how_many, soak_s, excludes: excluded_by(0), longest_s }
}

/// What a phase of this share must exclude: the more devices come next, the less may be left open.
fn excluded_by(percent: u16) -> Rate {
    Rate::basis_points(match percent {
        0 => 1_000,
        1 => 300,
        2..=9 => 200,
        _ => 150,
    })
}

#[expect(clippy::expect_used, reason = "constants of this file")]
fn named(name: &str) -> PlanName {
    name.parse().expect("a plain name")
}

#[expect(clippy::expect_used, reason = "constants of this file")]
fn tagged(filter: &str) -> Who {
    Who::Filter(Filter::parse(filter).expect("a sound filter"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollout::plan::PlanError;

    #[test]
    fn built_in_plans_are_sound_and_soak() {
        for built_in in BuiltIn::ALL {
            let plan = built_in.plan().validated().unwrap_or_else(|fault| panic!("{built_in:?}: {fault}"));
            assert!(plan.phases.iter().all(|phase| phase.soak_s >= HOUR_S));
        }
    }

    #[test]
    fn a_plan_that_makes_no_sense_is_refused_with_its_phase() {
        let check = |change: fn(&mut Plan), expected: PlanError| {
            let mut plan = BuiltIn::Gentle.plan();
            change(&mut plan);
            assert_eq!(plan.validated(), Err(expected));
        };
        check(|plan| plan.phases.clear(), PlanError::NoPhases);
        check(|plan| plan.rate_per_minute = 0, PlanError::NoRate);
        check(|plan| plan.phases = vec![plan.phases[0].clone(); 100], PlanError::TooManyPhases);
        check(|plan| plan.phases.truncate(5), PlanError::NotForAll);
        check(|plan| plan.phases[1].how_many = HowMany::Count(0), PlanError::Empty(2));
        check(|plan| plan.phases[2].how_many = HowMany::Share(BasisPoints::new(1)), PlanError::Shrinks(3));
        check(|plan| plan.phases[0].longest_s = HOUR_S, PlanError::NeverPasses(1));
        check(|plan| plan.phases[0].longest_s = u64::MAX, PlanError::TooLong(1));
    }
}
