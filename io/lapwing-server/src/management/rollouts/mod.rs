//! Rollouts: made, looked at, foreseen, and commanded.
//!
//! Touches: the orchestrator. A command names the generation it is meant for; a stale one changes nothing.
//! Never: decides; what a command does is the machine's business.

pub(super) mod command;
mod describe;
mod failures;
pub(super) mod outcomes;
mod preflight;

use super::auth::{Action, Caller, authorise};
use super::paging::{Page, rows_max};
use super::{plans, read_json};
use crate::app::App;
use crate::limits::HISTORY_ROWS_MAX;
use crate::orchestrator::{census, foresee, past_releases};
use crate::problem::Problem;
use crate::store::{
    RolloutRow, StoreError, groups, history, log_command, new_rollout, rollout, rollouts_before,
};
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use describe::{HappenedAnswer, HistoryAnswer, PreviewAnswer, RolloutAnswer, RolloutsAnswer};
use lapwing_core::{UnixSeconds, Version};
use lapwing_fleet::rollout::{Approved, Charter, Event, Rollout, RolloutId, Salt, State as Doing, Tally};
use lapwing_fleet::{EVERYONE, GroupName, Shelf};
use preflight::preflight;
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use utoipa::ToSchema;

/// After its switch a device has so long to confirm, seconds.
const DEADLINE_S: u64 = 6 * 3_600;

/// A rollout to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RolloutOrder)]
pub(super) struct Draft {
    /// A version set that is held.
    version: String,
    #[serde(default = "everyone")]
    group: String,
    /// The name of a plan.
    plan: String,
    /// A version set that is held and brings devices back.
    recall: Option<String>,
    /// Take devices to another major version, or to a release that its maker calls breaking. Somebody else has to
    /// approve the rollout then.
    #[serde(default)]
    approve_breaking: bool,
    /// Bring a variant other than the plain one to a group in production. Somebody else has to approve it too.
    #[serde(default)]
    approve_variant: bool,
}

fn everyone() -> String {
    EVERYONE.to_owned()
}

/// List the rollouts, the newest first.
#[utoipa::path(get, path = "/api/v1/rollouts", security(("token" = ["viewer"])), params(Page),
    responses((status = 200, body = RolloutsAnswer)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<RolloutsAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let Query(Page { cursor, limit }) = page?;
    let rows_max = rows_max(limit)?;
    let before = cursor.map_or(Ok(u64::MAX), |cursor| cursor.parse());
    let before = before.map_err(|_| Problem::bad_request("cursor", "begin the list again"))?;
    let rows = app.store.read(move |c| rollouts_before(c, before, rows_max)).await?;
    let full = rows.len() == usize::try_from(rows_max).unwrap_or(usize::MAX);
    let cursor = rows.last().filter(|_| full).map(|row| row.id.to_string());
    let rollouts: Result<_, _> = rows.iter().map(|row| described(&app, row)).collect();
    Ok(Json(RolloutsAnswer { rollouts: rollouts?, cursor }))
}

/// Write a rollout. It is a draft and offers nothing yet.
#[utoipa::path(post, path = "/api/v1/rollouts", security(("token" = ["release-manager"])), request_body = Draft,
    responses((status = 201, body = RolloutAnswer),
    (status = 404, description = "`not-found`: the version, the group or the plan"),
    (status = 409, description = "`open`, `withdrawn`, `idempotency-busy`")))]
pub(super) async fn create(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<RolloutAnswer>), Problem> {
    let caller = authorise(&app, &headers, Action::Publish).await?;
    let draft: Draft = read_json(&app, &headers, body).await?;
    let rollout = Rollout::new(charter(&app, &caller, draft).await?);
    let now = app.now();
    let kept = rollout.clone();
    let id = app.store.write(move |c| -> Result<RolloutId, StoreError> {
        let id = new_rollout(c, &kept, now)?;
        let charter = &kept.charter;
        let (version, group, plan) =
            (charter.version.as_str(), charter.group.as_str(), charter.plan.name.as_str());
        let after = json!({ "version": version, "group": group, "plan": plan });
        log_command(c, &caller.did("rollout.create", id, now).after(after))?;
        Ok(id)
    });
    let id = id.await?;
    let row = row(&app, id).await?;
    Ok((StatusCode::CREATED, Json(described(&app, &row)?)))
}

async fn charter(app: &App, author: &Caller, draft: Draft) -> Result<Charter, Problem> {
    let version = held_version(app, &draft.version)?;
    let recall = draft.recall.as_deref().map(|recall| held_version(app, recall)).transpose()?;
    let unknown = || Problem::not_found("no such group").advice("`lapwing group list` shows them");
    let group: GroupName = draft.group.parse().map_err(|_| unknown())?;
    let known = app.store.read(groups).await?;
    if group.as_str() != EVERYONE && !known.iter().any(|(known, _)| known.name == group) {
        return Err(unknown());
    }
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| Problem::internal(&std::io::Error::other(error)))?;
    Ok(Charter {
        version,
        recall,
        approved: Approved { breaking: draft.approve_breaking, variant: draft.approve_variant },
        author: author.name.clone(),
        plan: plans::find(app, &draft.plan).await?,
        salt: Salt(salt),
        census: census(app, group.as_str()).await?,
        group,
        history: past_releases(app).await?,
        deadline_s: DEADLINE_S,
    })
}

/// A rollout brings what is held; what is open goes to everyone already.
fn held_version(app: &App, version: &str) -> Result<Version, Problem> {
    let catalogue = app.catalogue();
    let entry = catalogue.entries().find(|entry| entry.release.version.as_str() == version);
    let entry = entry.ok_or_else(|| {
        Problem::not_found("no such version").advice("`lapwing release list` shows those that were pushed")
    })?;
    match entry.shelf {
        Shelf::Held => Ok(entry.release.version.clone()),
        Shelf::Open => Err(Problem::conflict("open", "this version is offered to everyone already")
            .advice("push versions that a rollout shall bring with `lapwing release push --hold`")),
        Shelf::Withdrawn => Err(Problem::conflict("withdrawn", "this version was withdrawn")),
    }
}

/// Show a rollout: phases, counts, and the evidence if it was stopped. Its tag begins with its generation.
#[utoipa::path(get, path = "/api/v1/rollouts/{id}", security(("token" = ["viewer"])),
    params(("id" = u64, Path, description = "the rollout")), responses((status = 200, body = RolloutAnswer)))]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<([(HeaderName, String); 1], Json<RolloutAnswer>), Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let answer = described(&app, &row(&app, parse_id(&id)?).await?)?;
    Ok(([(header::ETAG, format!("\"{}\"", answer.generation))], Json(answer)))
}

/// Show what happened to a rollout, the newest first.
#[utoipa::path(get, path = "/api/v1/rollouts/{id}/history", security(("token" = ["viewer"])),
    params(("id" = u64, Path, description = "the rollout")), responses((status = 200, body = HistoryAnswer)))]
pub(super) async fn history_of(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<HistoryAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let id = parse_id(&id)?;
    row(&app, id).await?;
    let rows = app.store.read(move |c| history(c, id, HISTORY_ROWS_MAX)).await?;
    Ok(Json(HistoryAnswer { history: rows.into_iter().map(HappenedAnswer::of).collect() }))
}

/// Say who would get it now, later and never, and what is in the way of its start.
#[utoipa::path(get, path = "/api/v1/rollouts/{id}/preview", security(("token" = ["viewer"])),
    params(("id" = u64, Path, description = "the rollout")), responses((status = 200, body = PreviewAnswer)))]
pub(super) async fn preview(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<PreviewAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let row = row(&app, parse_id(&id)?).await?;
    let rollout = row.rollout().map_err(|error| Problem::internal(&error))?;
    let outlook = foresee(&app, row.id, &as_if_started(&rollout, app.now())).await?;
    let faults = preflight(&app, &rollout, &outlook).await?;
    Ok(Json(PreviewAnswer::of(&rollout, outlook, faults)))
}

/// This rollout as it would be when its first phase has just opened; one that has opened is what it is.
fn as_if_started(rollout: &Rollout, now: UnixSeconds) -> Rollout {
    if !rollout.open.is_empty() {
        return rollout.clone();
    }
    let scheduled = Rollout { state: Doing::Scheduled(now), ..rollout.clone() };
    scheduled.step(now, Event::Tick(&Tally::default())).next
}

/// The number of a rollout in a path. Asked only of whoever may know whether there is one.
fn parse_id(id: &str) -> Result<RolloutId, Problem> {
    id.parse().map(RolloutId).map_err(|_| no_such_rollout())
}

async fn row(app: &App, id: RolloutId) -> Result<RolloutRow, Problem> {
    app.store.read(move |c| rollout(c, id)).await?.ok_or_else(no_such_rollout)
}

fn no_such_rollout() -> Problem {
    Problem::not_found("no such rollout").advice("`lapwing rollout list` shows them")
}

/// A rollout with its present counts.
fn described(app: &App, row: &RolloutRow) -> Result<RolloutAnswer, Problem> {
    let steering = app.orchestrator.steering();
    let tally = steering.live.iter().find(|live| live.id == row.id).map(|live| &live.tally);
    let rollout = row.rollout().map_err(|error| Problem::internal(&error))?;
    Ok(RolloutAnswer::of(row, &rollout, tally))
}
