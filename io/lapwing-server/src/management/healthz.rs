//! Whether all is well, and if not, every reason with what to do about it.
//!
//! Touches: the signer, the store's last commit, the room on the disk.
//! Never: says "ok" while nothing can be signed or written.

use super::auth::{Action, authorise};
use crate::app::App;
use crate::online::SignError;
use crate::problem::{PROBLEM_JSON, Problem};
use crate::store::Undone;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lapwing_core::trust::Powers;
use serde_json::{Value, json};
use std::sync::Arc;

/// Days before the delegation's end at which the alarm gets louder.
const ALARM_DAYS: [u64; 3] = [7, 14, 30];
const SECONDS_PER_DAY: u64 = 86_400;

/// Something that is not well.
struct Reason {
    /// It keeps the server from its work.
    failing: bool,
    code: &'static str,
    detail: String,
    advice: &'static str,
}

/// `GET /healthz`. 200 when all is well, when a person should look soon, and while the server waits for
/// its first root document; 503 when nothing can be signed or written.
pub(super) async fn healthz(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    authorise(&app, &headers, Action::ReadHealth)?;
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
    let (state, status) = match reasons.iter().any(|reason| reason.failing) {
        true => ("failing", StatusCode::SERVICE_UNAVAILABLE),
        false if !reasons.is_empty() => ("degraded", StatusCode::OK),
        false if is_new => ("new", StatusCode::OK),
        false => ("ok", StatusCode::OK),
    };
    let jump = app.online.jump().map(|jump| json!({ "from": jump.from.0, "to": jump.to.0 }));
    let mut body = json!({
        "state": state,
        "reasons": reasons.iter().map(Reason::as_json).collect::<Vec<_>>(),
        "clock_jump": jump,
        "delegation_left_s": left_s,
        "delegation_alarm_days": alarm_days,
        "disk_free_bytes": disk_free_bytes,
    });
    let mut kind = "application/json";
    if let Some(first) = reasons.first() {
        kind = PROBLEM_JSON;
        body["type"] = json!(format!("urn:lapwing:problem:{}", first.code));
        body["title"] = json!(format!("the server is {state}"));
        body["status"] = json!(status.as_u16());
        body["detail"] = json!(first.detail);
        body["advice"] = json!(first.advice);
    }
    Ok((status, [(header::CONTENT_TYPE, kind)], body.to_string()).into_response())
}

impl Reason {
    fn as_json(&self) -> Value {
        json!({ "code": self.code, "detail": self.detail, "advice": self.advice })
    }
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
