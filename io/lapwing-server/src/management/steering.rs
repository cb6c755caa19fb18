//! What people tell a device, or the fleet about one.
//!
//! Touches: the device table. Each change is written before it is answered, and logged as an event.
//! Never: changes what a device said of itself.

use super::auth::{Action, Caller, authorise};
use super::devices::{no_such_device, parse_id};
use super::read_json;
use crate::app::App;
use crate::problem::Problem;
use crate::store::{
    Device, Said, StoreError, forget_device, forgotten, log_command, log_event, put_attempt, put_device,
    remember_again,
};
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use lapwing_core::{DeviceId, Version};
use lapwing_fleet::NoteError;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// Offer a device its update at its next check-in, whatever it waits for.
#[utoipa::path(post, path = "/api/v1/devices/{id}/update-now", security(("token" = ["operator"])),
    params(("id" = String, Path, description = "the device")), responses((status = 204, description = "done")))]
pub(super) async fn update_now(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let caller = authorise(&app, &headers, Action::ManageDevices).await?;
    let done = change(&app, &caller, &id, "device.update-now", |device| {
        device.update_now = true;
        Ok(())
    })
    .await?;
    app.wake.call(parse_id(&id)?);
    Ok(done)
}

/// Let a device try again what failed before.
#[utoipa::path(post, path = "/api/v1/devices/{id}/retry", security(("token" = ["operator"])),
    params(("id" = String, Path, description = "the device")), responses((status = 204, description = "done")))]
pub(super) async fn retry(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let caller = authorise(&app, &headers, Action::ManageDevices).await?;
    change(&app, &caller, &id, "device.retry", |device| {
        for attempt in device.attempts.iter_mut().filter(|attempt| attempt.outcome.state.is_failure()) {
            attempt.forgiven = true;
        }
        Ok(())
    })
    .await
}

/// Where a device is kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Pin {
    /// `null` lets it move again.
    version: Option<String>,
}

/// Keep a device at a version, or let it move again.
#[utoipa::path(post, path = "/api/v1/devices/{id}/pin", security(("token" = ["operator"])),
    params(("id" = String, Path, description = "the device")), request_body = Pin,
    responses((status = 204, description = "done")))]
pub(super) async fn pin(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let caller = authorise(&app, &headers, Action::ManageDevices).await?;
    let Pin { version } = read_json(&app, &headers, body).await?;
    let version: Option<Version> = version
        .map(|version| version.parse())
        .transpose()
        .map_err(|_| Problem::bad_request("version", "not a version"))?;
    change(&app, &caller, &id, "device.pinned", |device| {
        device.pinned.clone_from(&version);
        Ok(())
    })
    .await
}

/// What people know of a device.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeviceNotes)]
pub(super) struct Notes {
    /// Values by the names of facts: `tier`, `consent`, `zone`, `site`, or any other. `null` lets what the device
    /// reports count again.
    facts: BTreeMap<String, Option<String>>,
}

/// Set facts of a device: they take the place of what it reports.
#[utoipa::path(post, path = "/api/v1/devices/{id}/facts", security(("token" = ["operator"])),
    params(("id" = String, Path, description = "the device")), request_body = Notes,
    responses((status = 204, description = "done")))]
pub(super) async fn set_facts(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let caller = authorise(&app, &headers, Action::ManageDevices).await?;
    let Notes { facts } = read_json(&app, &headers, body).await?;
    let zones = Arc::clone(&app.orchestrator.steering().zones.1);
    change(&app, &caller, &id, "device.facts-set", move |device| {
        for (name, value) in &facts {
            let Some(value) = value else {
                device.noted.unset(name);
                continue;
            };
            let nowhere = name == "zone" && zones.get(value).is_none();
            let set = if nowhere { Err(NoteError::Zone) } else { device.noted.set(name, value) };
            set.map_err(|error| Problem::bad_request("fact", format!("{name}: {error}")))?;
        }
        Ok(())
    })
    .await
}

/// Let a device claim its place once with a new secret.
#[utoipa::path(post, path = "/api/v1/devices/{id}/replace", security(("token" = ["operator"])),
    params(("id" = String, Path, description = "the device")), responses((status = 204, description = "done")))]
pub(super) async fn replace(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let caller = authorise(&app, &headers, Action::ManageDevices).await?;
    change(&app, &caller, &id, "device.replace", |device| {
        device.replaceable = true;
        Ok(())
    })
    .await
}

/// Forget a device and all that is known of it.
#[utoipa::path(delete, path = "/api/v1/devices/{id}", security(("token" = ["operator"])),
    params(("id" = String, Path, description = "the device")), responses((status = 204, description = "forgotten")))]
pub(super) async fn forget(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let caller = authorise(&app, &headers, Action::ManageDevices).await?;
    let id = parse_id(&id)?;
    let _lock = app.devices.lock(&id).await;
    let Some(held) = app.devices.get_locked(&id).await? else {
        return Err(no_such_device(&app, &id).await?);
    };
    let (gone, now) = (id.clone(), app.now());
    let done = caller.did("device.forgotten", &id, now).before(steered(&held));
    app.store
        .write(move |c| -> Result<(), StoreError> {
            forget_device(c, &gone, now)?;
            log_command(c, &done)?;
            log_event(c, &Said::of_device(now, gone.as_str(), "device.forgotten")).map(drop)
        })
        .await?;
    app.devices.forget(&id);
    Ok(StatusCode::NO_CONTENT)
}

/// Let a device out of quarantine, or back in after it was forgotten.
#[utoipa::path(post, path = "/api/v1/devices/{id}/admit", security(("token" = ["operator"])),
    params(("id" = String, Path, description = "the device")), responses((status = 204, description = "done")))]
pub(super) async fn admit(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let caller = authorise(&app, &headers, Action::LetDevicesIn).await?;
    if readmit(&app, &caller, &parse_id(&id)?).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    change(&app, &caller, &id, "device.admitted", |device| {
        device.quarantine = None;
        // Only what alternates from now on counts.
        device.boot_before = None;
        Ok(())
    })
    .await
}

/// Lets a forgotten device in with the secret that it had; false if this one was not forgotten.
async fn readmit(app: &App, caller: &Caller, id: &DeviceId) -> Result<bool, StoreError> {
    let _lock = app.devices.lock(id).await;
    let (wanted, now) = (id.clone(), app.now());
    let done = caller.did("device.admitted", id, now);
    app.store
        .write(move |c| -> Result<bool, StoreError> {
            let Some(secret) = forgotten(c, &wanted)? else { return Ok(false) };
            put_device(c, &Device::new(wanted.clone(), secret, None, now)?)?;
            remember_again(c, &wanted)?;
            log_command(c, &done)?;
            log_event(c, &Said::of_device(now, wanted.as_str(), "device.admitted"))
        })
        .await
}

/// What people want holds for the device as it is: overtaken by another server, it is done once more.
async fn change(
    app: &App,
    caller: &Caller,
    id: &str,
    event: &'static str,
    edit: impl Fn(&mut Device) -> Result<(), Problem>,
) -> Result<StatusCode, Problem> {
    let id = parse_id(id)?;
    let _lock = app.devices.lock(&id).await;
    let mut changed = change_locked(app, caller, &id, event, &edit).await;
    if matches!(changed, Err(StoreError::Stale)) {
        changed = change_locked(app, caller, &id, event, &edit).await;
    }
    match changed {
        Ok(told) => told.map(|()| StatusCode::NO_CONTENT),
        Err(StoreError::Stale) => Err(Problem::overtaken()),
        Err(error) => Err(error.into()),
    }
}

/// Done, or what is wrong with the command.
async fn change_locked(
    app: &App,
    caller: &Caller,
    id: &DeviceId,
    event: &'static str,
    edit: impl Fn(&mut Device) -> Result<(), Problem>,
) -> Result<Result<(), Problem>, StoreError> {
    if app.settings.store.is_shared() {
        app.devices.forget(id);
    }
    let Some(held) = app.devices.get_locked(id).await? else {
        return Ok(Err(no_such_device(app, id).await?));
    };
    let mut device = Device::clone(&held);
    if let Err(problem) = edit(&mut device) {
        return Ok(Err(problem));
    }
    let (row, now) = (device.clone(), app.now());
    let done = caller.did(event, &device.id, now).before(steered(&held)).after(steered(&device));
    app.store
        .write(move |c| -> Result<(), StoreError> {
            put_device(c, &row)?;
            log_command(c, &done)?;
            row.attempts.iter().try_for_each(|attempt| put_attempt(c, attempt))?;
            log_event(c, &Said::of_device(now, row.id.as_str(), event)).map(drop)
        })
        .await?;
    app.devices.put(Arc::new(device));
    Ok(Ok(()))
}

/// What people steer of a device, for the audit.
fn steered(device: &Device) -> Value {
    json!({
        "pinned": device.pinned.as_ref().map(Version::as_str),
        "quarantined": device.quarantine,
        "update_now": device.update_now,
        "replaceable": device.replaceable,
        "noted": device.noted,
        "forgiven": device.attempts.iter().filter(|attempt| attempt.forgiven).count(),
    })
}
