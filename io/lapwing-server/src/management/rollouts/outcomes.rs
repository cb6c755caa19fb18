//! What a rollout did to whom: by model, region, version and hour, with causes, and against what it must show.
//!
//! Touches: the device table, by a walk that is kept for a moment; the counts of the last look.
//! Never: judges; failures here are what devices said, the counts of a rollout are what it is decided on.

use super::failures::{FailureAnswer, Failures};
use super::{parse_id, row};
use crate::app::App;
use crate::limits::{AFFECTED_DEVICES_SHOWN_MAX, FACT_VALUES_MAX};
use crate::management::auth::{Action, authorise};
use crate::management::overviews;
use crate::orchestrator::every_device;
use crate::problem::Problem;
use crate::store::{AttemptRow, Device, StoreError};
use crate::view::facts_of;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::check_in::Health;
use lapwing_fleet::rollout::{Rollout, RolloutId, Tally, Test, lowest_excluded, needed};
use lapwing_fleet::{AttemptState, Catalogue};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

const HOUR_S: u64 = 3_600;
/// What people compare, by the names that filters know.
const DIMENSIONS: [&str; 5] = ["hardware", "model", "region", "connectivity", "use"];

/// What became of the devices of a rollout, each counted once, by its newest attempt.
#[derive(Serialize, ToSchema, Default)]
#[schema(as = RolloutOutcomes)]
pub(in crate::management) struct OutcomesAnswer {
    /// What it is judged by now; none while it is not under way.
    gate: Option<GateAnswer>,
    /// What its first share covers, and what it covered so far.
    strata: Vec<StratumAnswer>,
    by: Vec<DimensionAnswer>,
    causes: Vec<CauseAnswer>,
    /// By the hour in which it happened.
    hours: Vec<HourAnswer>,
    /// Devices alike that failed in one hour; the most first.
    failures: Vec<FailureAnswer>,
    /// Devices on the new version, by their own word.
    health_after: HealthAnswer,
    /// Devices of this rollout that run something else.
    health_before: HealthAnswer,
}

/// What a rollout has shown, beside what it has to show.
#[derive(Serialize, ToSchema)]
#[schema(as = RolloutGate)]
pub(in crate::management) struct GateAnswer {
    /// The failure rate that the present phase has to exclude, in parts of a million.
    excludes_ppm: u32,
    /// The lowest that its devices exclude so far; none if they exclude nothing.
    excluded_ppm: Option<u32>,
    /// What may fail within an hour, and in all.
    allowed_early_ppm: u32,
    allowed_ppm: u32,
    /// How strongly the counts speak against that: so many to one, in thousandths.
    odds_early_milli: u64,
    odds_milli: u64,
}

/// Devices that a first share has to have judged together.
#[derive(Serialize, ToSchema)]
#[schema(as = RolloutStratum)]
pub(in crate::management) struct StratumAnswer {
    stratum: String,
    devices: u32,
    judged: u32,
    needed: u32,
    failed: u32,
}

/// A fact and what became of the devices by its values.
#[derive(Serialize, ToSchema)]
#[schema(as = RolloutDimension)]
pub(in crate::management) struct DimensionAnswer {
    dimension: String,
    values: Vec<ValueAnswer>,
}

/// The devices with one value.
#[derive(Serialize, ToSchema, Default, Clone)]
#[schema(as = RolloutValue)]
pub(in crate::management) struct ValueAnswer {
    /// `-` for devices that do not say.
    value: String,
    granted: u32,
    under_way: u32,
    confirmed: u32,
    /// Ended without a switch, or in silence.
    failed: u32,
    rolled_back: u32,
    /// From the offer to the switch, seconds, of half of the devices.
    fetch_s_median: Option<u64>,
    #[serde(skip)]
    fetch_s: Vec<u64>,
}

/// A cause and whom it met.
#[derive(Serialize, ToSchema)]
#[schema(as = RolloutCause)]
pub(in crate::management) struct CauseAnswer {
    cause: &'static str,
    /// Whether the image is to blame.
    blamed: bool,
    devices: u32,
    /// The first of them.
    shown: Vec<String>,
}

/// What happened in one hour.
#[derive(Serialize, ToSchema, Default)]
#[schema(as = RolloutHour)]
pub(in crate::management) struct HourAnswer {
    time: u64,
    offered: u32,
    switched: u32,
    confirmed: u32,
    failed: u32,
    rolled_back: u32,
}

/// What devices say of their health.
#[derive(Serialize, ToSchema, Default)]
#[schema(as = RolloutHealth)]
pub(in crate::management) struct HealthAnswer {
    devices: u32,
    unwell: u32,
    with_errors: u32,
    crashes: u64,
    watchdog_resets: u64,
}

/// Show what became of a rollout's devices: by kind, by hour, by cause, and against its gate.
#[utoipa::path(get, path = "/api/v1/rollouts/{id}/outcomes", security(("token" = ["viewer"])),
    params(("id" = u64, Path, description = "the rollout")), responses((status = 200, body = OutcomesAnswer)))]
pub(in crate::management) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let id = parse_id(&id)?;
    let rollout = row(&app, id).await?.rollout().map_err(|error| Problem::internal(&error))?;
    overviews::answer(&app, format!("rollout {id}"), move |app| walk(app, id, rollout)).await
}

async fn walk(app: Arc<App>, id: RolloutId, rollout: Rollout) -> Result<OutcomesAnswer, Problem> {
    let (catalogue, steering) = (app.catalogue(), app.orchestrator.steering());
    let mut found = Found::default();
    every_device(&app, |device| {
        let by = |row: &&AttemptRow| row.brought.is_some_and(|(by, _)| by == id);
        let Some(attempt) = device.attempts.iter().find(by) else { return Ok(()) };
        let facts = facts_of(device, &catalogue, &steering)?;
        let base = base_version(device, attempt, &catalogue)?;
        facts.ask(|facts| found.count(device, attempt, facts, base.as_deref()));
        found.feel(device, attempt)
    })
    .await?;
    let mut answer = found.answer();
    if let Some(live) = steering.live.iter().find(|live| live.id == id) {
        answer.gate = gate(&rollout, &live.tally);
        answer.strata = rollout
            .charter
            .census
            .units()
            .iter()
            .map(|unit| {
                let counts = live.tally.of(&unit.cells);
                StratumAnswer {
                    stratum: unit.name.clone(),
                    devices: unit.size,
                    judged: counts.whole.judged,
                    needed: needed(unit),
                    failed: counts.whole.failed,
                }
            })
            .collect();
    }
    Ok(answer)
}

fn gate(rollout: &Rollout, tally: &Tally) -> Option<GateAnswer> {
    let planned = rollout.charter.plan.phases.get(rollout.phase.number)?;
    let (allowed, pooled) = (rollout.charter.history.allowed(), tally.pooled());
    Some(GateAnswer {
        excludes_ppm: planned.excludes.as_ppm(),
        excluded_ppm: lowest_excluded(pooled.whole, allowed.whole).map(|rate| rate.as_ppm()),
        allowed_early_ppm: allowed.early.as_ppm(),
        allowed_ppm: allowed.whole.as_ppm(),
        odds_early_milli: Test::against(allowed.early).odds(pooled.early).0,
        odds_milli: Test::against(allowed.whole).odds(pooled.whole).0,
    })
}

/// The hour in which an attempt ended, or was heard of last.
pub(in crate::management) fn ended_in(attempt: &AttemptRow) -> u64 {
    hour_of(attempt.ended.unwrap_or(attempt.heard).0)
}

fn hour_of(time: u64) -> u64 {
    time - time % HOUR_S
}

/// The value of a fact; `-` if there is none. The plain name of a fact comes before what stands for it.
pub(super) fn value_of<'a>(facts: &[(&str, &'a str)], name: &str) -> &'a str {
    facts.iter().find(|(known, _)| *known == name).map_or("-", |(_, value)| *value)
}

/// The version that a device came from, if it was published here.
pub(in crate::management) fn base_version(
    device: &Device,
    attempt: &AttemptRow,
    catalogue: &Catalogue,
) -> Result<Option<String>, StoreError> {
    let Some(facts) = device.said()?.facts else { return Ok(None) };
    let component = catalogue.release(attempt.release).map(|entry| &entry.release.component);
    let version = component.and_then(|name| catalogue.version_of(name, facts.hardware, attempt.base));
    Ok(version.map(|version| version.as_str().to_owned()))
}

/// What was found so far.
#[derive(Default)]
struct Found {
    by: BTreeMap<(usize, String), ValueAnswer>,
    causes: BTreeMap<&'static str, CauseAnswer>,
    hours: BTreeMap<u64, HourAnswer>,
    failures: Failures,
    health_after: HealthAnswer,
    health_before: HealthAnswer,
}

impl Found {
    fn count(&mut self, device: &Device, attempt: &AttemptRow, facts: &[(&str, &str)], base: Option<&str>) {
        let base = base.unwrap_or("-");
        self.failures.count(attempt, facts, base);
        let dimensions = DIMENSIONS.into_iter().map(|name| value_of(facts, name)).chain([base]);
        for (number, value) in dimensions.enumerate() {
            let none = || ValueAnswer { value: value.to_owned(), ..ValueAnswer::default() };
            self.by.entry((number, value.to_owned())).or_insert_with(none).count(attempt);
        }
        if let Some(cause) = attempt.outcome.cause {
            self.blame(device, cause, attempt.outcome.blames_image());
        }
        let ended = ended_in(attempt);
        self.hour(attempt.opened.0).offered += 1;
        if let Some(switched) = attempt.switched {
            self.hour(switched.0).switched += 1;
        }
        match attempt.outcome.state {
            AttemptState::Confirmed => self.hour(ended).confirmed += 1,
            AttemptState::RolledBack => self.hour(ended).rolled_back += 1,
            AttemptState::Failed | AttemptState::TimedOut => self.hour(ended).failed += 1,
            _ => {}
        }
    }

    fn hour(&mut self, time: u64) -> &mut HourAnswer {
        let time = hour_of(time);
        self.hours.entry(time).or_insert_with(|| HourAnswer { time, ..HourAnswer::default() })
    }

    fn blame(&mut self, device: &Device, cause: Cause, blamed: bool) {
        let none = || CauseAnswer { cause: cause.label(), blamed, devices: 0, shown: Vec::new() };
        let found = self.causes.entry(cause.label()).or_insert_with(none);
        found.devices += 1;
        if found.shown.len() < AFFECTED_DEVICES_SHOWN_MAX {
            found.shown.push(device.id.to_string());
        }
    }

    /// How the device is on what it runs.
    fn feel(&mut self, device: &Device, attempt: &AttemptRow) -> Result<(), StoreError> {
        let is_new = attempt.switched.is_some() && attempt.outcome.state != AttemptState::RolledBack;
        let health = if is_new { &mut self.health_after } else { &mut self.health_before };
        let said = device.said()?;
        let runs = |image| said.components.iter().any(|component| component.running == image);
        for row in said.health.iter().filter(|row| runs(row.running)) {
            health.devices += 1;
            health.unwell += u32::from(row.health == Health::Failing);
            health.with_errors += u32::from(row.errors > 0);
            health.crashes += u64::from(row.crashes);
            health.watchdog_resets += u64::from(row.watchdog_resets);
        }
        Ok(())
    }

    fn answer(self) -> OutcomesAnswer {
        let mut by: Vec<DimensionAnswer> = DIMENSIONS
            .iter()
            .chain(&["version"])
            .map(|name| DimensionAnswer { dimension: (*name).to_owned(), values: Vec::new() })
            .collect();
        for ((number, _), value) in self.by {
            by.get_mut(number)
                .into_iter()
                .for_each(|dimension| dimension.values.push(value.clone().summed()));
        }
        // A fact that nobody reports tells nothing apart.
        by.retain(|dimension| dimension.values.iter().any(|value| value.value != "-"));
        for dimension in &mut by {
            dimension
                .values
                .sort_by_key(|value| std::cmp::Reverse((value.rolled_back + value.failed, value.granted)));
            dimension.values.truncate(FACT_VALUES_MAX);
        }
        let mut causes: Vec<_> = self.causes.into_values().collect();
        causes.sort_by_key(|cause| std::cmp::Reverse(cause.devices));
        OutcomesAnswer {
            by,
            causes,
            hours: self.hours.into_values().collect(),
            failures: self.failures.answer(),
            health_after: self.health_after,
            health_before: self.health_before,
            ..OutcomesAnswer::default()
        }
    }
}

impl ValueAnswer {
    fn count(&mut self, attempt: &AttemptRow) {
        self.granted += 1;
        match attempt.outcome.state {
            AttemptState::Confirmed => self.confirmed += 1,
            AttemptState::RolledBack => self.rolled_back += 1,
            AttemptState::Failed | AttemptState::TimedOut => self.failed += 1,
            AttemptState::Superseded => {}
            _ => self.under_way += 1,
        }
        self.fetch_s.extend(attempt.switched.map(|switched| switched.since(attempt.opened)));
    }

    fn summed(mut self) -> Self {
        self.fetch_s.sort_unstable();
        self.fetch_s_median = self.fetch_s.get(self.fetch_s.len() / 2).copied();
        self
    }
}
