//! Devices: what they are, what they run, why they are not updating, and what people tell them.
//!
//! Touches: the device table. Each change is written before it is answered, and logged as an event.
//! Never: shows a secret.

use super::auth::{Action, authorise};
use super::{gate_label, read_json};
use crate::app::App;
use crate::limits::PAGE_ROWS_MAX;
use crate::problem::Problem;
use crate::store::{
    AttemptRow, Device, Said, StoreError, devices_page, forget_device, log_event, put_attempt, put_device,
};
use crate::view::View;
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::check_in::{ComponentState, Health, HealthRow};
use lapwing_core::{DeviceId, Version};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    #[serde(default)]
    cursor: String,
    limit: Option<u32>,
}

/// `GET /api/v1/devices`.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    authorise(&app, &headers, Action::ReadFleet)?;
    let Query(Page { cursor, limit }) = page?;
    let limit = limit.unwrap_or(PAGE_ROWS_MAX).clamp(1, PAGE_ROWS_MAX);
    let devices = app.store.read(move |c| devices_page(c, &cursor, limit)).await?;
    let full = devices.len() == usize::try_from(limit).unwrap_or(usize::MAX);
    let cursor = devices.last().filter(|_| full).map(|device| device.id.to_string());
    let devices: Result<Vec<Value>, _> = devices.iter().map(|device| describe(&app, device)).collect();
    Ok(Json(json!({ "devices": devices?, "cursor": cursor })))
}

/// `GET /api/v1/devices/{id}`.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    authorise(&app, &headers, Action::ReadFleet)?;
    Ok(Json(describe(&app, &*find(&app, &id).await?)?))
}

/// `GET /api/v1/devices/{id}/why`.
pub(super) async fn why(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    authorise(&app, &headers, Action::ReadFleet)?;
    Ok(Json(reason(&app, &*find(&app, &id).await?)?))
}

async fn find(app: &App, id: &str) -> Result<Arc<Device>, Problem> {
    let id = parse_id(id)?;
    app.devices.get(&id).await?.ok_or_else(no_such_device)
}

fn parse_id(id: &str) -> Result<DeviceId, Problem> {
    id.parse().map_err(|_| no_such_device())
}

fn no_such_device() -> Problem {
    Problem::not_found("no such device")
}

fn describe(app: &App, device: &Device) -> Result<Value, StoreError> {
    let catalogue = app.catalogue();
    let said = device.said()?;
    let facts = said.facts.as_ref();
    let named = |facts: &lapwing_core::wire::check_in::Facts<'_>| {
        facts.named.iter().map(|(k, v)| (k.to_owned(), json!(v))).collect::<Map<_, _>>()
    };
    let running = |component: &ComponentState| {
        let hardware = facts.map(|facts| facts.hardware);
        let version = hardware.and_then(|c| catalogue.version_of(&component.name, c, component.running));
        json!({
            "component": component.name.as_str(),
            "digest": component.running.to_string(),
            "version": version.map(Version::as_str),
            "held": component.held.map(|held| held.to_string()),
        })
    };
    let attempt = |attempt: &AttemptRow| {
        let release = catalogue.release(attempt.release);
        json!({
            "id": attempt.id.0,
            "release": attempt.release.to_string(),
            "version": release.map(|entry| entry.release.version.as_str()),
            "state": attempt.outcome.state.label(),
            "cause": attempt.outcome.cause.map(Cause::label),
            "blamed": attempt.outcome.blames_image(),
            "percent": attempt.percent,
            "delta": attempt.delta_from.is_some(),
            "artifact_size_bytes": attempt.artifact_size_bytes,
            "opened": attempt.opened.0,
            "deadline": attempt.deadline.0,
            "ended": attempt.ended.map(|ended| ended.0),
            "forgiven": attempt.forgiven,
        })
    };
    Ok(json!({
        "id": device.id.as_str(),
        "hardware": facts.map(|facts| facts.hardware.to_string()),
        "bootloader": facts.map(|facts| facts.bootloader),
        "profile": facts.map(|facts| facts.profile),
        "facts": facts.map(named),
        "root_version": said.root_version,
        "delegation_version": said.delegation_version,
        "running": said.components.iter().map(running).collect::<Vec<_>>(),
        "gates": said.gates.iter().map(|gate| gate_label(*gate)).collect::<Vec<_>>(),
        "health": said.health.iter().map(health).collect::<Vec<_>>(),
        "boot": said.boot.map(|boot| boot.to_string()),
        "first_seen": device.first_seen.0,
        "last_seen": app.devices.last_seen(device).0,
        "quarantined": device.quarantine,
        "pinned": device.pinned.as_ref().map(Version::as_str),
        "update_now": device.update_now,
        "attempts": device.attempts.iter().map(attempt).collect::<Vec<_>>(),
        "why": reason(app, device)?,
    }))
}

fn health(row: &HealthRow) -> Value {
    let health = match row.health {
        Health::Unknown => "unknown",
        Health::Good => "good",
        Health::Failing => "failing",
    };
    json!({
        "running": row.running.to_string(),
        "boots": row.boots,
        "watchdog_resets": row.watchdog_resets,
        "crashes": row.crashes,
        "health": health,
        "errors": row.errors,
    })
}

/// The one reason, by the same function that answers its check-ins.
fn reason(app: &App, device: &Device) -> Result<Value, StoreError> {
    let decision = View::of(device)?.decide(&app.catalogue(), app.now());
    Ok(match decision.blocker() {
        Some(blocker) => json!({ "code": blocker.code(), "sentence": blocker.to_string() }),
        None => json!({ "code": "offered", "sentence": "Nothing: it gets an offer at its next check-in." }),
    })
}

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
    let (gone, now) = (id.clone(), app.now());
    let found = app
        .store
        .write(move |c| -> Result<bool, StoreError> {
            log_event(c, &Said::of_device(now, gone.as_str(), "device.forgotten"))?;
            forget_device(c, &gone)
        })
        .await?;
    app.devices.forget(&id);
    if found { Ok(StatusCode::NO_CONTENT) } else { Err(no_such_device()) }
}

async fn change(
    app: &App,
    id: &str,
    event: &'static str,
    edit: impl FnOnce(&mut Device),
) -> Result<StatusCode, Problem> {
    let id = parse_id(id)?;
    let _lock = app.devices.lock(&id).await;
    let held = app.devices.get_locked(&id).await?.ok_or_else(no_such_device)?;
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
