//! The device plane: what devices ask. This is its HTTP; `coap` brings the same questions by datagram.
//!
//! Touches: axum; one room a message. Never: lets a device near another device's offers.

mod artifact;
mod auth;
mod check_in;
mod claim;
mod hear;
mod offer;
mod render;
mod report;
mod trust;

pub(crate) use artifact::{offered, open};
pub(crate) use check_in::answer;
pub(crate) use report::{deliver_journal, take};

use crate::access;
use crate::app::App;
use crate::problem::speak_problem;
use crate::throttle;
use axum::Router;
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::{get, post};
use std::sync::Arc;

/// Where nobody proves who he is before he asks.
pub(crate) const CLAIM_PATH: &str = "/v1/claim";

/// All paths that devices know.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route(CLAIM_PATH, post(claim::claim))
        .route("/v1/check-in", post(check_in::check_in))
        .route("/v1/report", post(report::report))
        .route("/v1/artifacts/{digest}", get(artifact::artifact))
        .route("/v1/trust/root/{version}", get(trust::root))
        .route("/v1/trust/delegation", get(trust::delegation))
        .layer(map_response(speak_problem))
        .layer(from_fn_with_state(Arc::clone(&app), throttle::strangers))
        .layer(from_fn_with_state(Arc::clone(&app), access::note))
        .with_state(app)
}
