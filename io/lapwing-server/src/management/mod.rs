//! The management plane: what operators and their tools ask, on a listener of its own.
//!
//! Touches: axum; one room a subject. Every handler first calls `authorise`.
//! Never: answers a device.

mod access;
mod affected;
mod audit;
mod auth;
mod blobs;
mod changes;
mod claim_tokens;
mod contexts;
mod conventions;
mod describe;
mod device_answer;
mod devices;
mod docs;
mod documents;
mod events;
mod fleet;
mod groups;
mod health;
mod healthz;
mod identity;
mod overview;
mod overviews;
mod paging;
mod plans;
mod profile;
mod repetitions;
mod retention;
mod rollouts;
mod session;
mod steering;
mod tokens;
mod version_sets;
mod webhooks;
mod which;

pub(crate) use auth::admin_token;
pub(crate) use overviews::Overviews;
pub(crate) use repetitions::Repetitions;

use crate::app::App;
use crate::limits::MANAGEMENT_BODY_BYTES_MAX;
use crate::problem::{Problem, read_body};
use crate::store::{StoreError, log_command};
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::from_fn_with_state;
use lapwing_core::wire::check_in::Gate;
use lapwing_fleet::audit::Command;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// All paths that operators know, each with its description.
fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(identity::identity))
        .routes(routes!(identity::put_root))
        .routes(routes!(identity::put_delegation))
        .routes(routes!(health::confirm_clock))
        .routes(routes!(health::log_level))
        .routes(routes!(blobs::put_blob))
        .routes(routes!(version_sets::list, version_sets::push))
        .routes(routes!(version_sets::release))
        .routes(routes!(version_sets::withdraw))
        .routes(routes!(documents::bill))
        .routes(routes!(documents::notes))
        .routes(routes!(documents::signatures))
        .routes(routes!(documents::attestations, documents::attest))
        .routes(routes!(affected::list))
        .routes(routes!(claim_tokens::list, claim_tokens::make))
        .routes(routes!(claim_tokens::revoke))
        .routes(routes!(overview::show))
        .routes(routes!(devices::list))
        .routes(routes!(devices::show, steering::forget))
        .routes(routes!(devices::why))
        .routes(routes!(steering::update_now))
        .routes(routes!(steering::retry))
        .routes(routes!(steering::pin))
        .routes(routes!(steering::set_facts))
        .routes(routes!(steering::replace))
        .routes(routes!(steering::admit))
        .routes(routes!(fleet::list))
        .routes(routes!(fleet::boot_failures))
        .routes(routes!(contexts::make))
        .routes(routes!(groups::list))
        .routes(routes!(groups::show, groups::put, groups::delete))
        .routes(routes!(plans::list))
        .routes(routes!(plans::show, plans::put))
        .routes(routes!(rollouts::list, rollouts::create))
        .routes(routes!(rollouts::show))
        .routes(routes!(rollouts::preview))
        .routes(routes!(rollouts::history_of))
        .routes(routes!(rollouts::outcomes::show))
        .routes(routes!(rollouts::command::start))
        .routes(routes!(rollouts::command::approve))
        .routes(routes!(rollouts::command::pause))
        .routes(routes!(rollouts::command::resume))
        .routes(routes!(rollouts::command::cancel))
        .routes(routes!(rollouts::command::recall))
        .routes(routes!(events::list))
        .routes(routes!(changes::follow))
        .routes(routes!(access::list))
        .routes(routes!(audit::list))
        .routes(routes!(session::sign_in, session::sign_out))
        .routes(routes!(tokens::caller))
        .routes(routes!(tokens::list, tokens::make))
        .routes(routes!(tokens::revoke))
        .routes(routes!(webhooks::list, webhooks::make))
        .routes(routes!(webhooks::show, webhooks::remove))
        .routes(routes!(webhooks::pause))
        .routes(routes!(webhooks::resume))
        .routes(routes!(webhooks::test))
        .routes(routes!(webhooks::set_aside))
        .routes(routes!(webhooks::redeliver))
        .routes(routes!(retention::explain, retention::apply))
        .routes(routes!(profile::cpu))
        .routes(routes!(profile::heap))
        .routes(routes!(healthz::healthz))
        .routes(routes!(health::metrics))
        .routes(routes!(describe::openapi))
        .routes(routes!(docs::page))
}

/// What operators are answered by.
pub(crate) fn router(app: Arc<App>) -> Router {
    let (router, _) = routes().split_for_parts();
    router.layer(from_fn_with_state(Arc::clone(&app), conventions::keep)).with_state(app)
}

/// A JSON body. One that does not say what it is, is taken for JSON.
async fn read_json<T: DeserializeOwned>(app: &App, headers: &HeaderMap, body: Body) -> Result<T, Problem> {
    check_kind(headers, "application/json")?;
    let bytes = read_body(body, MANAGEMENT_BODY_BYTES_MAX, app.settings.body_timeout).await?;
    serde_json::from_slice(&bytes).map_err(|error| Problem::bad_request("json", error.to_string()))
}

/// Refuses a body that says it is something else than `wanted`.
fn check_kind(headers: &HeaderMap, wanted: &str) -> Result<(), Problem> {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else { return Ok(()) };
    let kind = kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case(wanted) {
        return Ok(());
    }
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type", format!("the body must be {wanted}")))
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::bad_request("query", rejection.body_text())
    }
}

/// Puts into the audit what changes nothing in the store, before it is done.
async fn note(app: &App, done: Command) -> Result<(), StoreError> {
    app.store.write(move |c| log_command(c, &done)).await
}

/// How a gate is spelled in JSON.
pub(crate) fn gate_label(gate: Gate) -> &'static str {
    match gate {
        Gate::OptedOut => "opted-out",
        Gate::VersionPolicy => "version-policy",
        Gate::Window => "window",
        Gate::Battery => "battery",
        Gate::Supply => "supply",
        Gate::Link => "link",
        Gate::DataBudget => "data-budget",
        Gate::Room => "room",
        Gate::TrialOpen => "trial-open",
        Gate::Watching => "watching",
        Gate::ReportsPending => "reports-pending",
        Gate::Host => "host",
        Gate::Unknown(_) => "unknown",
    }
}
