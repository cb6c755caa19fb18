//! How the server is: for Prometheus, for whoever must confirm a clock or wants more log.
//!
//! Touches: the signer, metrics, the log level.

use super::auth::{Action, authorise};
use super::{note, read_json};
use crate::app::App;
use crate::problem::Problem;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Read the metrics, as Prometheus does.
#[utoipa::path(get, path = "/metrics", security(()),
    responses((status = 200, body = String, content_type = "application/openmetrics-text")))]
pub(super) async fn metrics(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    authorise(&app, &headers, Action::ReadMetrics).await?;
    let left_s = app.trust().delegation().map_or(0, |delegation| delegation.not_after.since(app.now()));
    app.metrics.signer(left_s, app.online.jump().is_some());
    app.metrics.disk_free(super::healthz::disk_free_bytes(&app).unwrap_or(0));
    app.metrics.listening(app.wake.observers.count());
    let text = app.metrics.text().map_err(|error| Problem::internal(&error))?;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// The time that is signed from now on.
#[derive(Serialize, ToSchema)]
#[schema(as = Now)]
pub(super) struct NowAnswer {
    now: u64,
}

/// Say that the server's clock is right, after it jumped.
#[utoipa::path(post, path = "/api/v1/clock/confirm", security(("token" = ["operator"])),
    responses((status = 200, body = NowAnswer)))]
pub(super) async fn confirm_clock(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Json<NowAnswer>, Problem> {
    let caller = authorise(&app, &headers, Action::Operate).await?;
    note(&app, caller.did("clock.confirm", "", app.now())).await?;
    app.online.confirm_clock();
    Ok(Json(NowAnswer { now: app.now().0 }))
}

/// How much is logged.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LogLevel)]
pub(super) struct Level {
    /// As `--log` has it, `info` for example.
    level: String,
}

/// Change how much is logged.
#[utoipa::path(put, path = "/api/v1/log-level", security(("token" = ["admin"])), request_body = Level,
    responses((status = 204, description = "changed"), (status = 409, description = "`no-log`")))]
pub(super) async fn log_level(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let caller = authorise(&app, &headers, Action::Diagnose).await?;
    let Level { level } = read_json(&app, &headers, body).await?;
    let Some(log) = &app.log else {
        return Err(Problem::conflict("no-log", "logging is not this server's affair"));
    };
    note(&app, caller.did("log-level.put", "", app.now()).after(serde_json::json!(level))).await?;
    log.set(&level).map_err(|error| Problem::bad_request("log-level", error.to_string()))?;
    Ok(StatusCode::NO_CONTENT)
}
