//! How the server is: for probes, for Prometheus, for whoever must confirm a clock or wants more log.
//!
//! Touches: the signer, metrics, the log level. Never: says "ok" while nothing can be signed.

use super::auth::{Action, authorise};
use super::read_json;
use crate::app::App;
use crate::problem::Problem;
use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lapwing_core::trust::Powers;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Days before the delegation's end at which the alarm gets louder.
const ALARM_DAYS: [u64; 3] = [7, 14, 30];
const SECONDS_PER_DAY: u64 = 86_400;

/// `GET /healthz`. 200 when all is well, when a person should look soon, and while the server waits for
/// its first root document; 503 when nothing can be signed.
pub(super) async fn healthz(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    authorise(&app, &headers, Action::ReadHealth)?;
    let trust = app.trust();
    let signing = app.online.time_to_sign(trust.delegation(), Powers::OFFER);
    let left_s = trust.delegation().map(|delegation| delegation.not_after.since(app.now()));
    let alarm_days = left_s.and_then(alarm);
    let (state, status) = match (&signing, alarm_days) {
        (Err(_), _) if trust.anchor().is_none() => ("new", StatusCode::OK),
        (Err(_), _) => ("failing", StatusCode::SERVICE_UNAVAILABLE),
        (Ok(_), Some(_)) => ("degraded", StatusCode::OK),
        (Ok(_), None) => ("ok", StatusCode::OK),
    };
    let jump = app.online.jump().map(|jump| json!({ "from": jump.from.0, "to": jump.to.0 }));
    let body = json!({
        "state": state,
        "signing": signing.as_ref().err().map(ToString::to_string),
        "clock_jump": jump,
        "delegation_left_s": left_s,
        "delegation_alarm_days": alarm_days,
    });
    Ok((status, Json(body)).into_response())
}

/// The smallest alarm that has been reached.
fn alarm(left_s: u64) -> Option<u64> {
    ALARM_DAYS.into_iter().find(|days| left_s <= days * SECONDS_PER_DAY)
}

/// `GET /metrics`.
pub(super) async fn metrics(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    authorise(&app, &headers, Action::ReadMetrics)?;
    let left_s = app.trust().delegation().map_or(0, |delegation| delegation.not_after.since(app.now()));
    app.metrics.signer(left_s, app.online.jump().is_some());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alarm_gets_louder_at_thirty_fourteen_and_seven_days() {
        let check = |days: u64, expected| assert_eq!(alarm(days * SECONDS_PER_DAY), expected, "{days}");
        check(31, None);
        check(30, Some(30));
        check(14, Some(14));
        check(8, Some(14));
        check(7, Some(7));
        check(0, Some(7));
    }
}
