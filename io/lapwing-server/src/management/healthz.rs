//! Whether all is well, and if not, every reason with what to do about it.
//!
//! Touches: the signer, the store's last commit, the room on the disk.
//! Never: says "ok" while nothing can be signed or written.

use super::auth::{Action, authorise};
use crate::app::App;
use crate::online::SignError;
use crate::problem::{PROBLEM_JSON, Problem, type_of};
use crate::store::Undone;
use axum::Json;
use axum::extract;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lapwing_core::trust::Powers;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Days before the delegation's end at which the alarm gets louder.
const ALARM_DAYS: [u64; 3] = [7, 14, 30];
const SECONDS_PER_DAY: u64 = 86_400;

/// Something that is not well.
#[derive(Serialize, ToSchema)]
#[schema(as = HealthReason)]
pub(super) struct Reason {
    /// It keeps the server from its work.
    #[serde(skip)]
    failing: bool,
    /// A kind of problem.
    code: &'static str,
    detail: String,
    advice: &'static str,
}

/// How the server is; a problem as well, of the first reason, unless all is well.
#[derive(Serialize, ToSchema)]
#[schema(as = Health)]
pub(super) struct HealthAnswer {
    state: State,
    reasons: Vec<Reason>,
    /// From and to what the clock jumped, until a person confirms it.
    clock_jump: Option<JumpAnswer>,
    delegation_left_s: Option<u64>,
    /// The smallest of 30, 14 and 7 days that the delegation's end is nearer than.
    delegation_alarm_days: Option<u64>,
    disk_free_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    r#type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<&'static str>,
}

/// `new` waits for its first root document; `failing` cannot do its work.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = HealthState)]
pub(super) enum State {
    New,
    Ok,
    Degraded,
    Failing,
}

/// A jump of the clock.
#[derive(Serialize, ToSchema)]
#[schema(as = ClockJump)]
pub(super) struct JumpAnswer {
    from: u64,
    to: u64,
}

/// Ask how the server is: 200 when all is well, when a person should look soon, and while the server waits
/// for its first root document; 503 when nothing can be signed or written.
#[utoipa::path(get, path = "/healthz", security(()), responses(
    (status = 200, content((HealthAnswer = "application/json"), (HealthAnswer = "application/problem+json"))),
    (status = 503, content((HealthAnswer = "application/problem+json")))))]
pub(super) async fn healthz(
    extract::State(app): extract::State<Arc<App>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    authorise(&app, &headers, Action::ReadHealth).await?;
    let trust = app.trust();
    let left_s = trust.delegation().map(|delegation| delegation.not_after.since(app.now()));
    let alarm_days = left_s.and_then(alarm);
    let signing = app.online.time_to_sign(trust.delegation(), Powers::OFFER).err();
    let is_new = trust.anchor().is_none();
    let disk_free_bytes = disk_free_bytes(&app);
    let reasons: Vec<Reason> = [
        signing.filter(|_| !is_new).map(unsigned),
        app.store.last_commit().err().map(unwritten),
        disk_free_bytes.filter(|free| *free < app.settings.disk_free_bytes_min).map(low),
        alarm_days.map(ending),
    ]
    .into_iter()
    .flatten()
    .collect();
    let (state, title, status) = match reasons.iter().any(|reason| reason.failing) {
        true => (State::Failing, "the server is failing", StatusCode::SERVICE_UNAVAILABLE),
        false if !reasons.is_empty() => (State::Degraded, "the server is degraded", StatusCode::OK),
        false if is_new => (State::New, "", StatusCode::OK),
        false => (State::Ok, "", StatusCode::OK),
    };
    let first = reasons.first();
    let kind = if first.is_some() { PROBLEM_JSON } else { "application/json" };
    let clock_jump = app.online.jump().map(|jump| JumpAnswer { from: jump.from.0, to: jump.to.0 });
    let body = HealthAnswer {
        state,
        clock_jump,
        delegation_left_s: left_s,
        delegation_alarm_days: alarm_days,
        disk_free_bytes,
        r#type: first.map(|first| type_of(first.code)),
        title: first.map(|_| title),
        status: first.map(|_| status.as_u16()),
        detail: first.map(|first| first.detail.clone()),
        advice: first.map(|first| first.advice),
        reasons,
    };
    Ok((status, [(header::CONTENT_TYPE, kind)], Json(body)).into_response())
}

fn unsigned(error: SignError) -> Reason {
    let (code, advice) = match error {
        SignError::Jumped(_) => {
            ("clock-jump", "compare this machine's clock with one you trust, then POST /api/v1/clock/confirm")
        }
        SignError::OutsideWindow => ("delegation-over", RENEW),
        SignError::NoDelegation | SignError::NotDelegated => ("no-delegation", RENEW),
        SignError::Seal(_) => ("sealing", "the log has the whole of it"),
    };
    Reason { failing: true, code, detail: format!("nothing is signed: {error}"), advice }
}

const RENEW: &str = "run `lapwing key enroll` on the signing side";

fn unwritten(undone: Undone) -> Reason {
    let (code, detail, advice) = match undone {
        Undone::Full => {
            ("disk-full", "the disk of data_dir is full", "make room there; the server goes on by itself")
        }
        Undone::Away => (
            "database-away",
            "the database cannot be reached",
            "bring it back; the server goes on by itself, and devices are answered meanwhile",
        ),
        Undone::Failed => {
            ("store", "the store cannot be written", "the log says why; look at the disk of data_dir")
        }
    };
    Reason { failing: true, code, detail: detail.to_owned(), advice }
}

fn low(free_bytes: u64) -> Reason {
    let detail = format!("only {free_bytes} bytes are free on the disk of data_dir");
    Reason {
        failing: false,
        code: "disk-low",
        detail,
        advice: "make room there, or lower disk_free_bytes_min",
    }
}

fn ending(days: u64) -> Reason {
    let detail = format!("the delegation ends in {days} days or less; after that nothing is offered");
    Reason { failing: false, code: "delegation-ends", detail, advice: RENEW }
}

/// What anybody may still write on the disk of the data directory.
pub(super) fn disk_free_bytes(app: &App) -> Option<u64> {
    let found = rustix::fs::statvfs(&app.settings.data_dir).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

/// The smallest alarm that has been reached.
fn alarm(left_s: u64) -> Option<u64> {
    ALARM_DAYS.into_iter().find(|days| left_s <= days * SECONDS_PER_DAY)
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
