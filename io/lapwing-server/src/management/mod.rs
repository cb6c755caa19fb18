//! The management plane: what operators and their tools ask, on a listener of its own.
//!
//! Touches: axum; one room a subject. Every handler first calls `authorise`.
//! Never: answers a device.

mod auth;
mod blobs;
mod claim_tokens;
mod devices;
mod events;
mod health;
mod healthz;
mod identity;
mod profile;
mod retention;
mod steering;
mod version_sets;

pub(crate) use auth::admin_token;

use crate::app::App;
use crate::limits::MANAGEMENT_BODY_BYTES_MAX;
use crate::problem::{Problem, read_body, speak_problem};
use axum::Router;
use axum::body::Body;
use axum::middleware::map_response;
use axum::routing::{delete, get, post, put};
use lapwing_core::wire::check_in::Gate;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// All paths that operators know.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/api/v1/identity", get(identity::identity))
        .route("/api/v1/trust/root", put(identity::put_root))
        .route("/api/v1/trust/delegation", put(identity::put_delegation))
        .route("/api/v1/clock/confirm", post(health::confirm_clock))
        .route("/api/v1/log-level", put(health::log_level))
        .route("/api/v1/blobs/{digest}", put(blobs::put_blob))
        .route("/api/v1/version-sets", get(version_sets::list).post(version_sets::push))
        .route("/api/v1/version-sets/{version}/release", post(version_sets::release))
        .route("/api/v1/version-sets/{version}/withdraw", post(version_sets::withdraw))
        .route("/api/v1/claim-tokens", get(claim_tokens::list).post(claim_tokens::make))
        .route("/api/v1/claim-tokens/{name}", delete(claim_tokens::revoke))
        .route("/api/v1/devices", get(devices::list))
        .route("/api/v1/devices/{id}", get(devices::show).delete(steering::forget))
        .route("/api/v1/devices/{id}/why", get(devices::why))
        .route("/api/v1/devices/{id}/update-now", post(steering::update_now))
        .route("/api/v1/devices/{id}/retry", post(steering::retry))
        .route("/api/v1/devices/{id}/pin", post(steering::pin))
        .route("/api/v1/devices/{id}/replace", post(steering::replace))
        .route("/api/v1/devices/{id}/admit", post(steering::admit))
        .route("/api/v1/events", get(events::list))
        .route("/api/v1/retention", get(retention::explain).post(retention::apply))
        .route("/debug/profile/cpu", get(profile::cpu))
        .route("/debug/profile/heap", get(profile::heap))
        .route("/healthz", get(healthz::healthz))
        .route("/metrics", get(health::metrics))
        .layer(map_response(speak_problem))
        .with_state(app)
}

/// A JSON body.
async fn read_json<T: DeserializeOwned>(app: &App, body: Body) -> Result<T, Problem> {
    let bytes = read_body(body, MANAGEMENT_BODY_BYTES_MAX, app.settings.body_timeout).await?;
    serde_json::from_slice(&bytes).map_err(|error| Problem::bad_request("json", error.to_string()))
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
