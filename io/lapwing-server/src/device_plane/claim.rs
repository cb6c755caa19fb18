//! First contact: a device claims its place with a token and a secret of its own.
//!
//! Touches: the device table, claim tokens. The same claim again succeeds; another secret for a known
//! id, with a good token, puts the device in quarantine. Never: keeps a secret.

use super::auth::{read_message, secret_hash, undecodable};
use crate::app::App;
use crate::problem::Problem;
use crate::store::{self, ClaimRefused, Device, Said, StoreError, log_event, put_device};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use lapwing_core::cbor::decode;
use lapwing_core::limits::CHECK_IN_BYTES_MAX;
use lapwing_core::wire::claim::Claim;
use lapwing_core::{DeviceId, Digest};
use std::sync::Arc;

/// `POST /v1/claim`.
pub(super) async fn claim(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let body = read_message(&app, &headers, body, CHECK_IN_BYTES_MAX).await?;
    let claim: Claim<'_> = decode(&body).map_err(undecodable)?;
    let token = Digest::of(&claim.token.0);
    let id = claim.device.clone();
    let device = Device::new(id.clone(), secret_hash(&claim.secret), Some(claim.facts), app.now())?;

    let _lock = app.devices.lock(&id).await;
    let claimed = app.store.write(move |c| store::claim(c, token, &device)).await;
    app.metrics.claimed(match &claimed {
        Ok(()) => "ok",
        Err(ClaimRefused::Token) => "token",
        Err(ClaimRefused::OtherSecret) => "other-secret",
        Err(ClaimRefused::Store(_)) => "failed",
    });
    match claimed {
        Ok(()) => {
            app.devices.forget(&id);
            Ok(StatusCode::NO_CONTENT)
        }
        Err(refused @ ClaimRefused::Token) => {
            tracing::warn!(device = %id, why = %refused, "claim refused");
            Err(Problem::forbidden("claim-token", refused.to_string()).advice(TOKEN_ADVICE))
        }
        Err(refused @ ClaimRefused::OtherSecret) => {
            tracing::warn!(device = %id, why = %refused, "claim refused");
            quarantine(&app, &id, "claimed again with another secret").await?;
            Err(Problem::conflict("other-secret", refused.to_string()).advice(SECRET_ADVICE))
        }
        Err(ClaimRefused::Store(error)) => Err(error.into()),
    }
}

const TOKEN_ADVICE: &str =
    "`lapwing device token list` shows the good ones, `lapwing device token make` makes another";
const SECRET_ADVICE: &str =
    "`lapwing device replace ID` if its storage was exchanged, `lapwing device admit ID` if it was not";

/// Puts a device aside until a person decides. Whoever calls holds its lock.
pub(super) async fn quarantine(app: &App, id: &DeviceId, why: &'static str) -> Result<(), StoreError> {
    let Some(device) = app.devices.get_locked(id).await? else { return Ok(()) };
    if device.quarantine.is_some() {
        return Ok(());
    }
    tracing::warn!(device = %id, why, "device quarantined");
    let now = app.now();
    let device = Device { quarantine: Some(why.to_owned()), ..Device::clone(&device) };
    let row = device.clone();
    app.store
        .write(move |c| {
            put_device(c, &row)?;
            let detail = Some(why.to_owned());
            log_event(c, &Said { detail, ..Said::of_device(now, row.id.as_str(), "device.quarantined") })
        })
        .await
        .map(drop::<bool>)?;
    app.metrics.event("device.quarantined");
    app.devices.put(Arc::new(device));
    Ok(())
}
