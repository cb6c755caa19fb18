//! How the server is: for Prometheus, for whoever must confirm a clock or wants more log.
//!
//! Touches: the signer, metrics, the log level.

use super::auth::{Action, authorise};
use super::read_json;
use crate::app::App;
use crate::problem::Problem;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// `GET /metrics`.
pub(super) async fn metrics(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    authorise(&app, &headers, Action::ReadMetrics)?;
    let left_s = app.trust().delegation().map_or(0, |delegation| delegation.not_after.since(app.now()));
    app.metrics.signer(left_s, app.online.jump().is_some());
    app.metrics.disk_free(super::healthz::disk_free_bytes(&app).unwrap_or(0));
    let text = app.metrics.text().map_err(|error| Problem::internal(&error))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// `POST /api/v1/clock/confirm`.
pub(super) async fn confirm_clock(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    authorise(&app, &headers, Action::Operate)?;
    app.online.confirm_clock();
    Ok(Json(json!({ "now": app.now().0 })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Level {
    level: String,
}

/// `PUT /api/v1/log-level`.
pub(super) async fn log_level(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    authorise(&app, &headers, Action::Diagnose)?;
    let Level { level } = read_json(&app, body).await?;
    let Some(log) = &app.log else {
        return Err(Problem::conflict("no-log", "logging is not this server's affair"));
    };
    log.set(&level).map_err(|error| Problem::bad_request("log-level", error.to_string()))?;
    Ok(StatusCode::NO_CONTENT)
}
