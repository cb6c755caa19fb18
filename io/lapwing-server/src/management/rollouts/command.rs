//! What people tell a rollout to do.
//!
//! Touches: the orchestrator. A command is saved over the revision that it saw, with its words in the history.
//! Never: answers before it is durable and check-ins see it.

use super::describe::RolloutAnswer;
use super::preflight::{Fault, preflight};
use super::{as_if_started, described, parse_id, row};
use crate::app::App;
use crate::management::auth::{Action, Caller, authorise};
use crate::management::conventions::expected_generation;
use crate::management::read_json;
use crate::orchestrator::{Commanded, carry_out, foresee, look};
use crate::problem::Problem;
use crate::store::{StoreError, Told};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use lapwing_fleet::rollout::{
    Command, Effect, Event, Order, Preflight, Reason, Refused, Rollout, RolloutId, State as Doing, Step,
    Tally,
};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Another server may be faster once, hardly twice.
const TRIES_MAX: usize = 3;

/// What goes with a command.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RolloutCommand)]
pub(in crate::management) struct Wish {
    /// For those who read the history. Needed to resume and to recall.
    #[serde(default)]
    reason: String,
    /// For a start: findings of preflight that do not matter, by code.
    #[serde(default)]
    accept: Vec<String>,
}

/// Start a rollout, if preflight finds nothing in the way.
#[utoipa::path(post, path = "/api/v1/rollouts/{id}/start", security(("token" = ["release-manager"])),
    params(("id" = u64, Path, description = "the rollout"),
    ("If-Match" = String, Header, description = "the tag or the generation that was read")),
    request_body = Wish, responses((status = 200, body = RolloutAnswer),
    (status = 422, description = "`preflight`, `idempotency-mismatch`"),
    (status = 409, description = "`not-now`, `idempotency-busy`"),
    (status = 412, description = "`stale`"), (status = 428, description = "`precondition`")))]
pub(in crate::management) async fn start(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<RolloutAnswer>, Problem> {
    let told = heard(&app, &id, &headers, body, Action::Publish).await?;
    let rollout = row(&app, told.id).await?.rollout().map_err(|error| Problem::internal(&error))?;
    let outlook = foresee(&app, told.id, &as_if_started(&rollout, app.now())).await?;
    let mut faults = preflight(&app, &rollout, &outlook).await?;
    faults.retain(|fault| !told.wish.accept.iter().any(|accepted| accepted == fault.code));
    if !faults.is_empty() && rollout.state == Doing::Draft {
        return Err(in_the_way(&faults));
    }
    command(&app, &told, "start", |_| Ok(Order::Submit)).await
}

/// Agree that a rollout starts. Whoever made it cannot.
#[utoipa::path(post, path = "/api/v1/rollouts/{id}/approve", security(("token" = ["release-manager"])),
    params(("id" = u64, Path, description = "the rollout"),
    ("If-Match" = String, Header, description = "the tag or the generation that was read")),
    request_body = Wish, responses((status = 200, body = RolloutAnswer),
    (status = 409, description = "`not-now`, `own-work`, `agreed-already`, `idempotency-busy`"),
    (status = 412, description = "`stale`"), (status = 428, description = "`precondition`")))]
pub(in crate::management) async fn approve(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<RolloutAnswer>, Problem> {
    let told = heard(&app, &id, &headers, body, Action::Publish).await?;
    command(&app, &told, "approve", |_| Ok(Order::Approve(told.caller.name.clone()))).await
}

/// Make no more offers. Devices on their way go on.
#[utoipa::path(post, path = "/api/v1/rollouts/{id}/pause", security(("token" = ["operator"])),
    params(("id" = u64, Path, description = "the rollout"),
    ("If-Match" = String, Header, description = "the tag or the generation that was read")),
    request_body = Wish, responses((status = 200, body = RolloutAnswer),
    (status = 409, description = "`not-now`, `idempotency-busy`"),
    (status = 412, description = "`stale`"), (status = 428, description = "`precondition`")))]
pub(in crate::management) async fn pause(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<RolloutAnswer>, Problem> {
    let told = heard(&app, &id, &headers, body, Action::ManageDevices).await?;
    command(&app, &told, "pause", |_| Ok(Order::Pause)).await
}

/// Go on after a pause, a brake or a halt. Needs a reason.
#[utoipa::path(post, path = "/api/v1/rollouts/{id}/resume", security(("token" = ["release-manager"])),
    params(("id" = u64, Path, description = "the rollout"),
    ("If-Match" = String, Header, description = "the tag or the generation that was read")),
    request_body = Wish, responses((status = 200, body = RolloutAnswer),
    (status = 409, description = "`not-now`, `idempotency-busy`"),
    (status = 412, description = "`stale`"), (status = 428, description = "`precondition`")))]
pub(in crate::management) async fn resume(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<RolloutAnswer>, Problem> {
    let told = heard(&app, &id, &headers, body, Action::Publish).await?;
    let reason = reason(&told.wish)?;
    command(&app, &told, "resume", |tally| Ok(Order::Resume(reason.clone(), tally))).await
}

/// End a rollout. Devices that have not switched stay on what they run.
#[utoipa::path(post, path = "/api/v1/rollouts/{id}/cancel", security(("token" = ["operator"])),
    params(("id" = u64, Path, description = "the rollout"),
    ("If-Match" = String, Header, description = "the tag or the generation that was read")),
    request_body = Wish, responses((status = 200, body = RolloutAnswer),
    (status = 409, description = "`not-now`, `idempotency-busy`"),
    (status = 412, description = "`stale`"), (status = 428, description = "`precondition`")))]
pub(in crate::management) async fn cancel(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<RolloutAnswer>, Problem> {
    let told = heard(&app, &id, &headers, body, Action::ManageDevices).await?;
    command(&app, &told, "cancel", |_| Ok(Order::Cancel)).await
}

/// End a rollout and bring back who took it, by its recall version. Needs a reason.
#[utoipa::path(post, path = "/api/v1/rollouts/{id}/recall", security(("token" = ["release-manager"])),
    params(("id" = u64, Path, description = "the rollout"),
    ("If-Match" = String, Header, description = "the tag or the generation that was read")),
    request_body = Wish, responses((status = 200, body = RolloutAnswer),
    (status = 409, description = "`not-now`, `no-recall`, `idempotency-busy`"),
    (status = 412, description = "`stale`"), (status = 428, description = "`precondition`")))]
pub(in crate::management) async fn recall(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<RolloutAnswer>, Problem> {
    let told = heard(&app, &id, &headers, body, Action::Publish).await?;
    let reason = reason(&told.wish)?;
    command(&app, &told, "recall", |_| Ok(Order::Recall(reason.clone()))).await
}

/// A command, by whom, and the generation that he has seen.
struct Heard {
    caller: Caller,
    id: RolloutId,
    expected: u64,
    wish: Wish,
}

async fn heard(
    app: &App,
    id: &str,
    headers: &HeaderMap,
    body: Body,
    action: Action,
) -> Result<Heard, Problem> {
    let mut caller = authorise(app, headers, action).await?;
    let id = parse_id(id)?;
    let wish: Wish = read_json(app, headers, body).await?;
    if !wish.reason.is_empty() {
        caller.because(&wish.reason);
    }
    Ok(Heard { caller, id, expected: expected_generation(headers)?, wish })
}

fn stale(detail: String) -> Problem {
    Problem::new(StatusCode::PRECONDITION_FAILED, "stale", detail)
        .advice("`lapwing rollout show ID` shows what it is now")
}

fn reason(wish: &Wish) -> Result<Reason, Problem> {
    Reason::new(&wish.reason).map_err(|error| Problem::bad_request("reason", error.to_string()))
}

fn in_the_way(faults: &[Fault]) -> Problem {
    let said: Vec<String> = faults.iter().map(ToString::to_string).collect();
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "preflight", said.join(" "))
        .advice("`lapwing rollout preview ID` has it all; `--accept CODE` starts in spite of it")
}

/// Gives the order to the rollout as it is, and to those it takes the place of.
async fn command(
    app: &App,
    told: &Heard,
    name: &'static str,
    order: impl Fn(Tally) -> Result<Order, Problem>,
) -> Result<Json<RolloutAnswer>, Problem> {
    let Heard { ref caller, id, expected, ref wish } = *told;
    for _ in 0..TRIES_MAX {
        let rollout = row(app, id).await?.rollout().map_err(|error| Problem::internal(&error))?;
        let (before, was) = (rollout.revision, rollout.state.label());
        let steering = app.orchestrator.steering();
        let tally = steering.live.iter().find(|live| live.id == id).map(|live| live.tally.clone());
        let order = order(tally.unwrap_or_default())?;
        let mut step = rollout.step(app.now(), Event::Command(Command { expected, order }));
        if let Some(refused) = step.refused {
            return Err(refusal(refused));
        }
        if step.next.state == Doing::Validating {
            step = checked(app, step);
        }
        let words = if wish.reason.is_empty() { name.to_owned() } else { format!("{name}: {}", wish.reason) };
        let commanded = commanded(app, caller, (name, id), words, (was, step.next.state.label()));
        if carry_out(app, id, before, &step.next, &step.effects, Some(commanded)).await? {
            if matches!(step.next.state, Doing::Scheduled(_)) {
                supersede(app, caller, id, &step.next).await?;
            }
            look(app).await?;
            let row = row(app, id).await?;
            return described(app, &row).map(Json);
        }
    }
    Err(Problem::overtaken())
}

/// A command as it is written down: for the rollout's history, and for the audit.
fn commanded(
    app: &App,
    caller: &Caller,
    (verb, id): (&str, RolloutId),
    words: String,
    (was, is): (&str, &str),
) -> Commanded {
    let time = app.now();
    Commanded {
        told: Told { time, name: "rollout.command", words, evidence: None },
        audit: caller.did(&format!("rollout.{verb}"), id, time).before(was).after(is),
    }
}

/// Preflight has looked before the command was given, so both are one.
fn checked(app: &App, submitted: Step) -> Step {
    let Step { next, mut effects, .. } = submitted;
    let step = next.step(app.now(), Event::Checked(Preflight::Clear(app.now())));
    effects.extend(step.effects.into_iter().filter(|effect| *effect != Effect::Save));
    Step { effects, ..step }
}

/// Older rollouts for the same group give way, unless they matter more.
async fn supersede(app: &App, caller: &Caller, id: RolloutId, started: &Rollout) -> Result<(), StoreError> {
    let catalogue = app.catalogue();
    let seq = |rollout: &Rollout| {
        let of = catalogue.entries().filter(|entry| entry.release.version == rollout.charter.version);
        of.map(|entry| entry.release.seq).max()
    };
    let steering = app.orchestrator.steering();
    for live in &steering.live {
        let (old, new) = (&live.rollout, started);
        let gives_way = live.id != id
            && old.charter.group == new.charter.group
            && old.charter.plan.priority <= new.charter.plan.priority
            && seq(old) < seq(new)
            && !old.state.is_final();
        if gives_way {
            let command = Command { expected: old.generation, order: Order::Supersede };
            let step = old.clone().step(app.now(), Event::Command(command));
            let words = format!("superseded by rollout {id}");
            let states = (old.state.label(), step.next.state.label());
            let commanded = commanded(app, caller, ("supersede", live.id), words, states);
            carry_out(app, live.id, old.revision, &step.next, &step.effects, Some(commanded)).await?;
        }
    }
    Ok(())
}

fn refusal(refused: Refused) -> Problem {
    let detail = refused.to_string();
    match refused {
        Refused::Stale(_) => stale(detail),
        Refused::NotNow(_) => {
            Problem::conflict("not-now", detail).advice("`lapwing rollout show ID` shows what it does")
        }
        Refused::OwnWork => Problem::conflict("own-work", detail)
            .advice("`lapwing token create` makes a token for whoever approves"),
        Refused::AgreedAlready => Problem::conflict("agreed-already", detail)
            .advice("`lapwing rollout show ID` shows how many must agree"),
        Refused::NoRecall => {
            Problem::conflict("no-recall", detail).advice("name one with --recall when you make the rollout")
        }
    }
}
