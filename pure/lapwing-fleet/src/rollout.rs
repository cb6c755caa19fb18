//! Bringing one version set to one group, and stopping by itself when it should not have been brought.
//!
//! `step` is the machine, `stopping` the rules, `advance` the phases, `room` the answer to one device;
//! `evidence` is the mathematics, `tally` and `judge` what is counted, `state` what is saved.
//! Never: sees a store, a clock or a device; counts and times are arguments.

mod evidence;
mod judge;
mod place;
mod strata;
mod tally;

mod built_in;
mod plan;

mod advance;
mod room;
mod saved;
mod state;
mod step;
mod stopping;

#[cfg(test)]
mod tests;

pub use advance::Proof;
pub use built_in::BuiltIn;
pub use evidence::{Odds, Rate, Seen, Test, excludes, lowest_excluded};
pub use judge::{EARLY_S, FETCH_S_MAX, Horizons, Outage, Site, Try};
pub use place::{BasisPoints, PLACES, Place, Salt};
pub use plan::{
    HowMany, PhasePlan, Plan, PlanError, PlanName, Priority, ReleasedBy, Tier, Who, is_predicate_type,
};
pub use room::{Candidate, NotYet, Room};
pub use saved::SavedError;
pub use state::{
    Accepted, Approved, Brake, Charter, Evidence, History, Hold, Open, Phase, RULES, Rollout, RolloutId,
    Rule, Stage, State,
};
pub use step::{Command, Effect, Event, Notice, Order, Preflight, Reason, ReasonError, Refused, Step};
pub use strata::{Cell, Census, Dimension, Kind, Stratum, kind, needed};
pub use tally::{
    Counts, Tally, Window, count, count_each, early_lately, first_boot_failures, signature_failures,
};

/// So many devices may always be on their way, and the first of them are spread over all kinds.
const FIRST_DEVICES: u32 = 12;
/// The window of errors, health and controls, seconds.
pub const WINDOW_S: u64 = 1_800;
/// A rollout that is under way is looked at again after this, seconds.
const LOOK_S: u64 = 60;
