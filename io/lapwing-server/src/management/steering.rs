//! What people tell a device, or the fleet about one.
//!
//! Touches: the device table. Each change is written before it is answered, and logged as an event.
//! Never: changes what a device said of itself.

use super::auth::{Action, authorise};
use super::devices::{no_such_device, parse_id};
use super::read_json;
use crate::app::App;
use crate::problem::Problem;
use crate::store::{
    Device, Said, StoreError, forget_device, forgotten, log_event, put_attempt, put_device, remember_again,
};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use lapwing_core::{DeviceId, Version};
use serde::Deserialize;
use std::sync::Arc;

/// `POST /api/v1/devices/{id}/update-now`.
pub(super) async fn update_now(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    authorise(&app, &headers, Action::ManageDevices)?;
    change(&app, &id, "device.update-now", |device| device.update_now = true).await
}

/// `POST /api/v1/devices/{id}/retry`.
pub(super) async fn retry(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    authorise(&app, &headers, Action::ManageDevices)?;
    change(&app, &id, "device.retry", |device| {
        for attempt in device.attempts.iter_mut().filter(|attempt| attempt.outcome.state.is_failure()) {
            attempt.forgiven = true;
        }
    })
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pin {
    version: Option<String>,
}

/// `POST /api/v1/devices/{id}/pin`.
pub(super) async fn pin(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    authorise(&app, &headers, Action::ManageDevices)?;
    let Pin { version } = read_json(&app, body).await?;
    let version: Option<Version> = version
        .map(|version| version.parse())
        .transpose()
        .map_err(|_| Problem::bad_request("version", "not a version"))?;
    change(&app, &id, "device.pinned", move |device| device.pinned = version).await
}

/// `POST /api/v1/devices/{id}/replace`: its next claim may bring another secret.
pub(super) async fn replace(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    authorise(&app, &headers, Action::ManageDevices)?;
    change(&app, &id, "device.replace", |device| device.replaceable = true).await
}

/// `DELETE /api/v1/devices/{id}`.
pub(super) async fn forget(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    authorise(&app, &headers, Action::ManageDevices)?;
    let id = parse_id(&id)?;
    let _lock = app.devices.lock(&id).await;
    if app.devices.get_locked(&id).await?.is_none() {
        return Err(no_such_device(&app, &id).await?);
    }
    let (gone, now) = (id.clone(), app.now());
    app.store
        .write(move |c| -> Result<(), StoreError> {
            forget_device(c, &gone, now)?;
            log_event(c, &Said::of_device(now, gone.as_str(), "device.forgotten")).map(drop)
        })
        .await?;
    app.devices.forget(&id);
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/devices/{id}/admit`: out of quarantine, or back after it was forgotten.
pub(super) async fn admit(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    authorise(&app, &headers, Action::LetDevicesIn)?;
    if readmit(&app, &parse_id(&id)?).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    change(&app, &id, "device.admitted", |device| {
        device.quarantine = None;
        // Only what alternates from now on counts.
        device.boot_before = None;
    })
    .await
}

/// Lets a forgotten device in with the secret that it had; false if this one was not forgotten.
async fn readmit(app: &App, id: &DeviceId) -> Result<bool, StoreError> {
    let _lock = app.devices.lock(id).await;
    let (wanted, now) = (id.clone(), app.now());
    app.store
        .write(move |c| -> Result<bool, StoreError> {
            let Some(secret) = forgotten(c, &wanted)? else { return Ok(false) };
            put_device(c, &Device::new(wanted.clone(), secret, None, now)?)?;
            remember_again(c, &wanted)?;
            log_event(c, &Said::of_device(now, wanted.as_str(), "device.admitted"))
        })
        .await
}

async fn change(
    app: &App,
    id: &str,
    event: &'static str,
    edit: impl FnOnce(&mut Device),
) -> Result<StatusCode, Problem> {
    let id = parse_id(id)?;
    let _lock = app.devices.lock(&id).await;
    let Some(held) = app.devices.get_locked(&id).await? else {
        return Err(no_such_device(app, &id).await?);
    };
    let mut device = Device::clone(&held);
    edit(&mut device);
    let (row, now) = (device.clone(), app.now());
    app.store
        .write(move |c| -> Result<(), StoreError> {
            put_device(c, &row)?;
            row.attempts.iter().try_for_each(|attempt| put_attempt(c, attempt))?;
            log_event(c, &Said::of_device(now, row.id.as_str(), event)).map(drop)
        })
        .await?;
    app.devices.put(Arc::new(device));
    Ok(StatusCode::NO_CONTENT)
}
