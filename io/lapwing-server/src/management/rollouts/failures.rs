//! Where and when devices of a rollout failed: by model, region, version before and hour together.
//!
//! Touches: nothing; `outcomes` walks the fleet. Never: judges.

use super::outcomes::{ended_in, value_of};
use crate::limits::FAILURE_ROWS_MAX;
use crate::store::AttemptRow;
use lapwing_fleet::AttemptState;
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// Devices alike that failed in one hour.
#[derive(Serialize, ToSchema, Default, Clone)]
#[schema(as = RolloutFailure)]
pub(in crate::management) struct FailureAnswer {
    /// `-` for devices that do not say.
    model: String,
    /// `-` for devices that do not say.
    region: String,
    /// The version before; `-` for what was never published here.
    base: String,
    /// When the hour begins.
    time: u64,
    /// Ended without a switch, or in silence.
    failed: u32,
    rolled_back: u32,
    /// Devices alike that were offered it, in all hours.
    granted: u32,
}

/// Those that are alike, and their failures by the hour.
#[derive(Default)]
struct Alike {
    granted: u32,
    hours: BTreeMap<u64, (u32, u32)>,
}

/// What was found so far.
#[derive(Default)]
pub(super) struct Failures(BTreeMap<[String; 3], Alike>);

impl Failures {
    pub(super) fn count(&mut self, attempt: &AttemptRow, facts: &[(&str, &str)], base: &str) {
        let kind = [value_of(facts, "model"), value_of(facts, "region"), base].map(str::to_owned);
        let alike = self.0.entry(kind).or_default();
        alike.granted += 1;
        let (failed, rolled_back) = match attempt.outcome.state {
            AttemptState::Failed | AttemptState::TimedOut => (1, 0),
            AttemptState::RolledBack => (0, 1),
            _ => return,
        };
        let hour = alike.hours.entry(ended_in(attempt)).or_default();
        *hour = (hour.0 + failed, hour.1 + rolled_back);
    }

    /// The most failures first.
    pub(super) fn answer(self) -> Vec<FailureAnswer> {
        let rows = |([model, region, base], alike): ([String; 3], Alike)| {
            let like = FailureAnswer { model, region, base, granted: alike.granted, ..Default::default() };
            let row = move |(time, (failed, rolled_back))| FailureAnswer {
                time,
                failed,
                rolled_back,
                ..like.clone()
            };
            alike.hours.into_iter().map(row)
        };
        let mut found: Vec<_> = self.0.into_iter().flat_map(rows).collect();
        found.sort_by_key(|row| std::cmp::Reverse((row.failed + row.rolled_back, row.time)));
        found.truncate(FAILURE_ROWS_MAX);
        found
    }
}
