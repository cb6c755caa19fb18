//! Plans: how rollouts proceed, the five that are built in and those that people wrote.
//!
//! Touches: their rows. Never: changes a revision that is there; rollouts carry their own copy.

use super::auth::{Action, authorise, recorded};
use super::paging::{Page, cut};
use super::read_json;
use crate::app::App;
use crate::problem::Problem;
use crate::store::{StoreError, plan, plans, put_plan};
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use lapwing_fleet::rollout::{BuiltIn, Plan, PlanError, PlanName};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Plans: the built-in ones first.
#[derive(Serialize, ToSchema)]
#[schema(as = Plans)]
pub(super) struct PlansAnswer {
    #[schema(value_type = Vec<Object>)]
    plans: Vec<Plan>,
    cursor: Option<String>,
}

/// List the plans, each in its newest revision.
#[utoipa::path(get, path = "/api/v1/plans", security(("token" = ["viewer"])), params(Page),
    responses((status = 200, body = PlansAnswer)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<PlansAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let Query(page) = page?;
    let built_in = BuiltIn::ALL.into_iter().map(BuiltIn::plan);
    let written = app.store.read(plans).await?;
    let written: Vec<Plan> = written.iter().map(|text| parse(text)).collect::<Result<_, _>>()?;
    let (plans, cursor) = cut(built_in.chain(written).collect(), &page, |plan: &Plan| plan.name.to_string())?;
    Ok(Json(PlansAnswer { plans, cursor }))
}

/// Show a plan.
#[utoipa::path(get, path = "/api/v1/plans/{name}", security(("token" = ["viewer"])),
    params(("name" = String, Path, description = "the plan")), responses((status = 200, body = Object)))]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Plan>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    find(&app, &name).await.map(Json)
}

/// Give a plan its next revision.
#[utoipa::path(put, path = "/api/v1/plans/{name}", security(("token" = ["release-manager"])),
    params(("name" = String, Path, description = "the plan")), request_body = Object, responses((status = 201, body = Object),
    (status = 409, description = "`built-in`, `revision`")))]
pub(super) async fn put(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Plan>), Problem> {
    let caller = authorise(&app, &headers, Action::Publish).await?;
    let plan: Plan = read_json(&app, &headers, body).await?;
    let last = plan.phases.len();
    let plan = plan.validated().map_err(|fault| wrong(fault, last))?;
    let zone = plan.windows.as_ref().map(|windows| windows.zone.to_string());
    if zone.is_some_and(|zone| app.orchestrator.steering().zones.1.get(&zone).is_none()) {
        return Err(Problem::bad_request("plan", "its windows name no such zone as the IANA database has"));
    }
    if plan.name.as_str() != name {
        return Err(Problem::bad_request("plan", "the plan has another name than its address"));
    }
    if built_in(&name).is_some() {
        return Err(Problem::conflict("built-in", "this plan is built in; give yours another name"));
    }
    let newest = written(&app, &plan.name).await?.map_or(0, |plan| plan.revision);
    let next = newest.saturating_add(1);
    if plan.revision != next {
        let detail = format!("the next revision of this plan is {next}");
        return Err(Problem::conflict("revision", detail));
    }
    let text = serde_json::to_string(&plan).map_err(|error| Problem::internal(&error))?;
    let (key, now) = ((plan.name.clone(), plan.revision), app.now());
    let command = caller.did("plan.put", &name, now).after(&text);
    match recorded(&app, command, move |c| put_plan(c, (&key.0, key.1), &text, now)).await? {
        true => Ok((StatusCode::CREATED, Json(plan))),
        false => Err(Problem::conflict("revision", "somebody wrote this revision meanwhile; look again")),
    }
}

/// What is wrong with a plan of so many phases, and in which of them.
fn wrong(fault: PlanError, phases: usize) -> Problem {
    let phase = match fault {
        PlanError::NotForAll => Some(phases),
        other => other.phase(),
    };
    let pointer = phase.map(|number| format!("/phases/{}", number.saturating_sub(1)));
    Problem::bad_request("plan", fault.to_string()).at(pointer)
}

/// The plan of this name, in its newest revision.
pub(super) async fn find(app: &App, name: &str) -> Result<Plan, Problem> {
    let none = || Problem::not_found("no such plan").advice("`lapwing plan list` shows them");
    if let Some(plan) = built_in(name) {
        return Ok(plan);
    }
    let name: PlanName = name.parse().map_err(|_| none())?;
    written(app, &name).await?.ok_or_else(none)
}

fn built_in(name: &str) -> Option<Plan> {
    BuiltIn::ALL.into_iter().map(BuiltIn::plan).find(|plan| plan.name.as_str() == name)
}

async fn written(app: &App, name: &PlanName) -> Result<Option<Plan>, StoreError> {
    let name = name.clone();
    let text = app.store.read(move |c| plan(c, &name)).await?;
    text.map(|text| parse(&text)).transpose()
}

/// A plan as it was kept. One that this version does not understand is not used.
fn parse(text: &str) -> Result<Plan, StoreError> {
    let plan: Plan = serde_json::from_str(text).map_err(|_| StoreError::Corrupt("plan"))?;
    plan.validated().map_err(|_| StoreError::Corrupt("plan"))
}
