//! Trust documents for devices that must catch up. They carry their own proof, so anyone may read them.
//!
//! Touches: the trust held. Never: serves anything unsigned here.

use super::auth::CBOR;
use crate::app::App;
use crate::problem::Problem;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

/// `GET /v1/trust/root/{version}`.
pub(super) async fn root(
    State(app): State<Arc<App>>,
    Path(version): Path<String>,
) -> Result<Response, Problem> {
    let trust = app.trust();
    let envelope = version.parse().ok().and_then(|version| trust.root_envelope(version));
    answer(
        envelope.ok_or_else(|| Problem::not_found("no such root document"))?,
        "max-age=31536000, immutable",
    )
}

/// `GET /v1/trust/delegation`.
pub(super) async fn delegation(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let trust = app.trust();
    answer(trust.delegation_envelope().ok_or_else(|| Problem::not_found("no delegation yet"))?, "no-cache")
}

fn answer(envelope: &[u8], caching: &'static str) -> Result<Response, Problem> {
    let headers = [(header::CONTENT_TYPE, CBOR), (header::CACHE_CONTROL, caching)];
    Ok((headers, envelope.to_vec()).into_response())
}
