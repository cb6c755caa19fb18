//! Answers a check-in: catch up, ask back, offer, or say that there is nothing.
//!
//! Touches: the decision of `lapwing_fleet`, the signer, the artifacts. Never: decides what is offered.

use super::auth::{authenticate, read_message, undecodable, unknown};
use super::hear::hear;
use super::offer::{Prepared, prepare};
use super::render::{Reply, render};
use crate::app::App;
use crate::limits::{DATABASE_AWAY_WAIT_S, DISK_FULL_WAIT_S};
use crate::online::Session;
use crate::problem::Problem;
use crate::store::{Device, StoreError};
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use lapwing_core::Nonce;
use lapwing_core::cbor::decode;
use lapwing_core::envelope::Kind;
use lapwing_core::limits::CHECK_IN_BYTES_MAX;
use lapwing_core::trust::Powers;
use lapwing_core::wire::answer::{Answer, Ask, Offer, Status, WaitReason};
use lapwing_core::wire::check_in::CheckIn;
use lapwing_fleet::{Blocker, Decision};
use std::sync::Arc;

/// How soon a device should come back when the signer refuses, at most.
const SIGNER_WAIT_S_MAX: u32 = 300;

/// `POST /v1/check-in`.
pub(super) async fn check_in(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let asked = async {
        let device = authenticate(&app, &headers).await?;
        Ok((device, read_message(&app, &headers, body, CHECK_IN_BYTES_MAX).await?))
    };
    render(&headers, &answer(&app, asked).await?)
}

/// The answer to the check-in that `asked` brings, with the device that proved to have sent it.
pub(crate) async fn answer(
    app: &App,
    asked: impl Future<Output = Result<(Arc<Device>, Bytes), Problem>>,
) -> Result<Reply, Problem> {
    let result = match asked.await {
        Ok((device, body)) => answer_to(app, device, &body).await,
        Err(problem) => Err(problem),
    };
    app.metrics.heartbeat(match &result {
        Ok(_) => "ok",
        Err(problem) if problem.is_ours() => "failed",
        Err(_) => "refused",
    });
    result
}

async fn answer_to(app: &App, device: Arc<Device>, body: &[u8]) -> Result<Reply, Problem> {
    app.throttle.device(&device.id)?;
    let message: CheckIn<'_> = decode(body).map_err(undecodable)?;
    let mut reply = heard(app, Arc::clone(&device), &message).await;
    if matches!(reply, Err(StoreError::Stale)) {
        app.devices.forget(&device.id);
        let again = app.devices.get(&device.id).await?.filter(|again| again.secret == device.secret);
        reply = heard(app, again.ok_or_else(unknown)?, &message).await;
    }
    let reply = match reply {
        // It keeps what it runs, and what it said it will say again.
        Err(StoreError::Full) => wait(DISK_FULL_WAIT_S, WaitReason::Busy),
        Err(StoreError::Away | StoreError::Stale) => wait(DATABASE_AWAY_WAIT_S, WaitReason::Busy),
        reply => reply?,
    };
    app.metrics.answered(reply.label());
    Ok(reply)
}

async fn heard(app: &App, device: Arc<Device>, message: &CheckIn<'_>) -> Result<Reply, StoreError> {
    let device = hear(app, device, message).await?;
    reply(app, &device, message).await
}

async fn reply(app: &App, device: &Device, message: &CheckIn<'_>) -> Result<Reply, StoreError> {
    let (root, delegation) = app.trust().versions();
    if message.root_version < root || message.delegation_version < delegation {
        return Ok(Reply::Plain(Answer::CatchUp { root, delegation }));
    }
    let next_check_in_s = app.settings.pace.check_in_interval_s;
    let (view, steering) = app.view(device)?;
    let decision = steering.bringing(|bringing| view.decide(&app.catalogue(), bringing, app.now()));
    let grant = match decision {
        Decision::Offer(grant) => grant,
        Decision::Nothing(Blocker::Quarantined) => {
            return Ok(wait(next_check_in_s, WaitReason::Quarantined));
        }
        Decision::Nothing(_) if view.hardware.is_none() => {
            return Ok(Reply::Plain(Answer::Ask(Ask { nonce: false, facts: true })));
        }
        Decision::Nothing(_) => {
            return Ok(match message.nonce {
                None => Reply::Plain(Answer::Nothing { next_check_in_s }),
                Some(nonce) => status(app, device, nonce),
            });
        }
    };
    let Some(nonce) = message.nonce else {
        return Ok(Reply::Plain(Answer::Ask(Ask { nonce: true, facts: false })));
    };
    let release: Arc<[u8]> = Arc::clone(&grant.entry.envelope);
    Ok(match prepare(app, device, &view, &grant).await? {
        Prepared::NotYet => wait(app.deltas.limits().ask_again_s, WaitReason::Preparing),
        Prepared::Offer(offer) => offered(app, device, nonce, offer, release),
        Prepared::NoPlace => status(app, device, nonce),
    })
}

fn wait(after_s: u32, reason: WaitReason) -> Reply {
    Reply::Plain(Answer::Wait { after_s, reason })
}

fn status(app: &App, device: &Device, nonce: Nonce) -> Reply {
    let trust = app.trust();
    let next_check_in_s = app.settings.pace.check_in_interval_s;
    let sealed = app.online.time_to_sign(trust.delegation(), Powers::STATUS).and_then(|now| {
        app.online.seal(Kind::Status, session(&trust, device, nonce)?, &Status { now, next_check_in_s })
    });
    sealed.map_or_else(|error| unsigned(app, error), Reply::Status)
}

fn offered(app: &App, device: &Device, nonce: Nonce, offer: Offer, release: Arc<[u8]>) -> Reply {
    let trust = app.trust();
    let sealed = app.online.time_to_sign(trust.delegation(), Powers::OFFER).and_then(|now| {
        app.online.seal(Kind::Offer, session(&trust, device, nonce)?, &Offer { now, ..offer })
    });
    sealed.map_or_else(|error| unsigned(app, error), |offer| Reply::Offer { offer, release })
}

fn session<'a>(
    trust: &crate::trust::Trust,
    device: &'a Device,
    nonce: Nonce,
) -> Result<Session<'a>, crate::online::SignError> {
    let anchor = trust.anchor().ok_or(crate::online::SignError::NoDelegation)?;
    Ok(Session { fleet: anchor.root().fleet, device: &device.id, nonce })
}

/// Without a signature there is nothing to say but "later"; `/healthz` says why.
fn unsigned(app: &App, error: crate::online::SignError) -> Reply {
    tracing::warn!(%error, "nothing is signed");
    wait(app.settings.pace.check_in_interval_s.min(SIGNER_WAIT_S_MAX), WaitReason::Busy)
}
