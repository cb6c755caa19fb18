//! The fleet in numbers: what runs where, what holds it up, how versions came and went.
//!
//! Touches: every device; `overviews` keeps what came of it for a moment. Versions over time follow from the attempts, so nothing is sampled and nothing has to be kept for it.
//! Never: names a device; lists of devices take the same words and do.

use super::auth::{Action, authorise};
use super::device_answer::WhyAnswer;
use super::devices::reason_by;
use super::overviews;
use super::which::Standing;
use crate::app::App;
use crate::limits::{CURVE_POINTS, CURVE_S_MAX, FACT_VALUES_MAX, FACTS_COUNTED_MAX};
use crate::orchestrator::every_device;
use crate::problem::Problem;
use crate::store::{AttemptRow, Device, HardwareNames, StoreError};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use lapwing_core::{ShortDigest, UnixSeconds};
use lapwing_fleet::filter::Filter;
use lapwing_fleet::{AttemptState, Catalogue};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Which devices, and how far back.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Those that this filter holds for; all if not given.
    #[param(max_length = 2048)]
    filter: Option<String>,
    /// Seconds that the curve shows; a week if not given.
    #[param(minimum = 600, maximum = 31_622_400)]
    span_s: Option<u64>,
}

/// The fleet in numbers.
#[derive(Serialize, ToSchema, Default)]
#[schema(as = Overview)]
pub(super) struct OverviewAnswer {
    at: u64,
    devices: u64,
    /// Devices that missed their check-in.
    silent: u64,
    quarantined: u64,
    /// Devices that are unwell by their own word.
    unwell: u64,
    /// Devices with an update on its way.
    updating: u64,
    /// What runs, the most frequent first.
    versions: Vec<VersionCount>,
    /// Why devices are not updating, the most frequent reason first.
    why: Vec<WhyCount>,
    /// What filters can ask for, with the most frequent values.
    facts: Vec<FactCount>,
    /// Devices by the version of the root document that they hold, the newest first.
    roots: Vec<HoldCount>,
    /// Devices by the version of the delegation that they hold, the newest first.
    delegations: Vec<HoldCount>,
    curve: Curve,
}

/// A version of a trust document and how many devices hold it.
#[derive(Serialize, ToSchema)]
#[schema(as = HoldCount)]
pub(super) struct HoldCount {
    /// Zero for none.
    version: u32,
    devices: u64,
}

/// A version and how many devices run it.
#[derive(Serialize, ToSchema)]
#[schema(as = VersionCount)]
pub(super) struct VersionCount {
    /// None for what was never published here.
    version: Option<String>,
    devices: u64,
    unwell: u64,
}

/// A reason and how many devices have it.
#[derive(Serialize, ToSchema)]
#[schema(as = WhyCount)]
pub(super) struct WhyCount {
    code: &'static str,
    /// The sentence of one of them.
    sentence: String,
    advice: Option<&'static str>,
    devices: u64,
}

/// A fact and its values.
#[derive(Serialize, ToSchema)]
#[schema(as = FactCount)]
pub(super) struct FactCount {
    fact: String,
    values: Vec<ValueCount>,
}

/// A value and how many devices have it.
#[derive(Serialize, ToSchema)]
#[schema(as = ValueCount)]
pub(super) struct ValueCount {
    value: String,
    devices: u64,
}

/// Devices by version over time.
#[derive(Serialize, ToSchema, Default)]
#[schema(as = AdoptionCurve)]
pub(super) struct Curve {
    /// Points in time, evenly apart, the last one now.
    times: Vec<u64>,
    /// In the order of what runs now, then what ran before.
    versions: Vec<CurveLine>,
}

/// One version over time.
#[derive(Serialize, ToSchema)]
#[schema(as = AdoptionLine)]
pub(super) struct CurveLine {
    version: Option<String>,
    /// How many devices ran it at each point.
    devices: Vec<u64>,
}

/// Show the fleet in numbers, or the part of it that a filter means.
#[utoipa::path(get, path = "/api/v1/overview", security(("token" = ["viewer"])), params(Which),
    responses((status = 200, body = OverviewAnswer)))]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Response, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let Query(Which { filter, span_s }) = which?;
    let span_s = span_s.unwrap_or(7 * 86_400);
    if !(600..=CURVE_S_MAX).contains(&span_s) {
        return Err(Problem::bad_request("query", format!("span_s is a number from 600 to {CURVE_S_MAX}")));
    }
    let parsed = filter.as_deref().map(Filter::parse).transpose()?;
    let asked = format!("{span_s} {}", filter.unwrap_or_default());
    overviews::answer(&app, asked, |app| walk(app, parsed, span_s)).await
}

async fn walk(app: Arc<App>, filter: Option<Filter>, span_s: u64) -> Result<OverviewAnswer, Problem> {
    let mut found = Walk::new(app.now(), span_s);
    let (catalogue, names) = (app.catalogue(), HardwareNames::default());
    every_device(&app, |device| {
        let (view, steering) = app.view(device)?;
        if filter.as_ref().is_none_or(|filter| view.named.is_meant_by(filter)) {
            view.named.ask(|facts| found.count_facts(facts));
            let why = reason_by(&app, device, &names, (&view, &steering));
            found.count(&app, device, &catalogue, why)?;
        }
        Ok(())
    })
    .await?;
    Ok(found.answer())
}

/// A version, or what has none here.
type Running = Option<String>;

/// What was counted so far.
struct Walk {
    answer: OverviewAnswer,
    versions: BTreeMap<Running, (u64, u64)>,
    why: BTreeMap<&'static str, WhyCount>,
    facts: BTreeMap<String, HashMap<String, u64>>,
    /// How many more, or fewer, devices than at the point before.
    lines: BTreeMap<Running, Vec<i64>>,
    roots: BTreeMap<u32, u64>,
    delegations: BTreeMap<u32, u64>,
}

impl Walk {
    fn new(now: UnixSeconds, span_s: u64) -> Self {
        let ago = |point| now.0.saturating_sub(span_s * (CURVE_POINTS - 1 - point) / (CURVE_POINTS - 1));
        let curve = Curve { times: (0..CURVE_POINTS).map(ago).collect(), versions: Vec::new() };
        Self {
            answer: OverviewAnswer { at: now.0, curve, ..OverviewAnswer::default() },
            versions: BTreeMap::new(),
            why: BTreeMap::new(),
            facts: BTreeMap::new(),
            lines: BTreeMap::new(),
            roots: BTreeMap::new(),
            delegations: BTreeMap::new(),
        }
    }

    /// Counts the values of facts that are no ids.
    fn count_facts(&mut self, facts: &[(&str, &str)]) {
        for (fact, value) in facts.iter().filter(|(fact, _)| *fact != "device") {
            if self.facts.len() < FACTS_COUNTED_MAX || self.facts.contains_key(*fact) {
                let values = self.facts.entry((*fact).to_owned()).or_default();
                // A fact that is different everywhere is no use to anybody who chooses.
                let is_full = values.len() >= 4 * FACT_VALUES_MAX;
                match values.get_mut(*value) {
                    Some(devices) => *devices += 1,
                    None if is_full => {}
                    None => drop(values.insert((*value).to_owned(), 1)),
                }
            }
        }
    }

    fn count(
        &mut self,
        app: &App,
        device: &Device,
        catalogue: &Catalogue,
        why: WhyAnswer,
    ) -> Result<(), StoreError> {
        let answer = &mut self.answer;
        answer.devices += 1;
        let is_unwell = Standing::Unwell.is_that_of(app, device)?;
        answer.unwell += u64::from(is_unwell);
        for (count, standing) in [
            (&mut answer.silent, Standing::Silent),
            (&mut answer.quarantined, Standing::Quarantined),
            (&mut answer.updating, Standing::Updating),
        ] {
            *count += u64::from(standing.is_that_of(app, device)?);
        }
        let none = || WhyCount { code: why.code, sentence: why.sentence, advice: why.advice, devices: 0 };
        self.why.entry(why.code).or_insert_with(none).devices += 1;
        let said = device.said()?;
        *self.roots.entry(said.root_version).or_default() += 1;
        *self.delegations.entry(said.delegation_version).or_default() += 1;
        let named = |component: &_, image: ShortDigest| {
            let class = said.facts.as_ref()?.hardware;
            catalogue.version_of(component, class, image).map(|version| version.as_str().to_owned())
        };
        let first = said.components.first();
        let running = first.and_then(|first| named(&first.name, first.running));
        let (devices, unwell) = self.versions.entry(running.clone()).or_default();
        *devices += 1;
        *unwell += u64::from(is_unwell);
        self.look_back(device, running, |base| first.and_then(|first| named(&first.name, base)));
        Ok(())
    }

    /// What a device ran at every point: each update that was good began with the base it was made from.
    fn look_back(&mut self, device: &Device, mut ran: Running, version: impl Fn(ShortDigest) -> Running) {
        let times = &self.answer.curve.times;
        let from = |time: UnixSeconds| times.partition_point(|point| *point < time.0);
        let first = from(device.first_seen);
        let good = |row: &&AttemptRow| row.outcome.state == AttemptState::Confirmed;
        let mut end = times.len();
        for update in device.attempts.iter().filter(good) {
            let since = from(update.ended.unwrap_or(update.heard)).max(first);
            put(&mut self.lines, &ran, (since..end, times.len()));
            end = end.min(since);
            ran = version(update.base);
        }
        put(&mut self.lines, &ran, (first..end, times.len()));
    }

    fn answer(self) -> OverviewAnswer {
        let Self { mut answer, versions, why, facts, mut lines, roots, delegations } = self;
        let held = |(version, devices)| HoldCount { version, devices };
        answer.roots = roots.into_iter().rev().map(held).collect();
        answer.delegations = delegations.into_iter().rev().map(held).collect();
        let count = |(version, (devices, unwell))| VersionCount { version, devices, unwell };
        answer.versions = versions.into_iter().map(count).collect();
        answer.versions.sort_by_key(|count| std::cmp::Reverse(count.devices));
        answer.why = why.into_values().collect();
        answer.why.sort_by_key(|count| std::cmp::Reverse(count.devices));
        answer.facts = facts.into_iter().map(|(fact, values)| FactCount::of(fact, values)).collect();
        let mut ordered = Vec::new();
        for VersionCount { version, .. } in &answer.versions {
            ordered.extend(lines.remove(version).map(|devices| (version.clone(), devices)));
        }
        ordered.extend(lines);
        let spelled = |(version, changes): (Running, Vec<i64>)| {
            let sum = |sum: &mut i64, change: i64| {
                *sum += change;
                u64::try_from(*sum).ok()
            };
            CurveLine { version, devices: changes.into_iter().scan(0, sum).collect() }
        };
        answer.curve.versions = ordered.into_iter().map(spelled).collect();
        answer
    }
}

/// One device more on a line at these points of so many.
fn put(lines: &mut BTreeMap<Running, Vec<i64>>, ran: &Running, (points, all): (Range<usize>, usize)) {
    if points.is_empty() {
        return;
    }
    if !lines.contains_key(ran) {
        lines.insert(ran.clone(), vec![0; all]);
    }
    let Some(line) = lines.get_mut(ran) else { return };
    for (at, change) in [(points.start, 1), (points.end, -1)] {
        line.get_mut(at).into_iter().for_each(|point| *point += change);
    }
}

impl FactCount {
    fn of(fact: String, values: HashMap<String, u64>) -> Self {
        let count = |(value, devices)| ValueCount { value, devices };
        let mut values: Vec<_> = values.into_iter().map(count).collect();
        values.sort_by(|one, next| next.devices.cmp(&one.devices).then_with(|| one.value.cmp(&next.value)));
        values.truncate(FACT_VALUES_MAX);
        Self { fact, values }
    }
}
