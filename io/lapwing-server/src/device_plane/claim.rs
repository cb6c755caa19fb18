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
use lapwing_core::cbor::{decode, encode};
use lapwing_core::limits::CHECK_IN_BYTES_MAX;
use lapwing_core::wire::check_in::CheckIn;
use lapwing_core::wire::claim::Claim;
use lapwing_core::{DeviceId, Digest, UnixSeconds};
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
    let device = claimed_device(&claim, app.now()).map_err(Problem::from)?;
    let id = device.id.clone();

    let _lock = app.devices.lock(&id).await;
    let claimed = app.store.write(move |c| store::claim(c, token, &device)).await;
    match claimed {
        Ok(()) => {
            app.devices.forget(&id);
            Ok(StatusCode::NO_CONTENT)
        }
        Err(ClaimRefused::Token) => {
            Err(Problem::forbidden("claim-token", "the token is unknown, expired or used up"))
        }
        Err(ClaimRefused::OtherSecret) => {
            quarantine(&app, &id, "claimed again with another secret").await?;
            Err(Problem::conflict("other-secret", "the device is known with another secret"))
        }
        Err(ClaimRefused::Store(error)) => Err(error.into()),
    }
}

fn claimed_device(claim: &Claim<'_>, now: UnixSeconds) -> Result<Device, StoreError> {
    let said = CheckIn {
        root_version: 0,
        delegation_version: 0,
        components: Default::default(),
        nonce: None,
        facts: Some(claim.facts),
        health: Default::default(),
        gates: Default::default(),
        boot: None,
    };
    let mut buffer = [0; CHECK_IN_BYTES_MAX];
    let said = encode(&said, &mut buffer).map_err(|_| StoreError::Corrupt("claim"))?;
    Ok(Device {
        id: claim.device.clone(),
        secret: secret_hash(&claim.secret),
        said: said.to_vec(),
        boot_before: None,
        quarantine: None,
        pinned: None,
        update_now: false,
        replaceable: false,
        first_seen: now,
        last_seen: now,
        attempts: Vec::new(),
    })
}

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
