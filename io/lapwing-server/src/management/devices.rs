//! Devices: what they are, what they run, why they are not updating.
//!
//! Touches: the device table. Never: changes one, or shows a secret.

use super::auth::{Action, authorise};
use super::gate_label;
use crate::app::App;
use crate::limits::PAGE_ROWS_MAX;
use crate::problem::Problem;
use crate::store::{AttemptRow, Device, HardwareNames, StoreError, devices_page, forgotten, hardware_names};
use crate::view::View;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::check_in::{ComponentState, Health, HealthRow};
use lapwing_core::{DeviceId, Version};
use lapwing_fleet::{AttemptState, Blocker};
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
    let names = app.store.read(hardware_names).await?;
    let devices: Result<Vec<Value>, _> =
        devices.iter().map(|device| describe(&app, device, &names)).collect();
    Ok(Json(json!({ "devices": devices?, "cursor": cursor })))
}

/// `GET /api/v1/devices/{id}`.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    authorise(&app, &headers, Action::ReadFleet)?;
    let names = app.store.read(hardware_names).await?;
    Ok(Json(describe(&app, &*find(&app, &id).await?, &names)?))
}

/// `GET /api/v1/devices/{id}/why`.
pub(super) async fn why(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    authorise(&app, &headers, Action::ReadFleet)?;
    let names = app.store.read(hardware_names).await?;
    Ok(Json(reason(&app, &*find(&app, &id).await?, &names)?))
}

async fn find(app: &App, id: &str) -> Result<Arc<Device>, Problem> {
    let id = parse_id(id)?;
    match app.devices.get(&id).await? {
        Some(device) => Ok(device),
        None => Err(no_such_device(app, &id).await?),
    }
}

pub(super) fn parse_id(id: &str) -> Result<DeviceId, Problem> {
    id.parse().map_err(|_| Problem::not_found("no such device"))
}

/// A device that is not there, and what to do if it should be.
pub(super) async fn no_such_device(app: &App, id: &DeviceId) -> Result<Problem, StoreError> {
    let wanted = id.clone();
    Ok(match app.store.read(move |c| forgotten(c, &wanted)).await? {
        Some(_) => Problem::not_found("the device was forgotten")
            .advice("`lapwing device admit ID` lets it back in with the secret that it has"),
        None => Problem::not_found("no such device")
            .advice("`lapwing device list` shows those that claimed their place; one that never did needs a good claim token: `lapwing device token list`"),
    })
}

fn describe(app: &App, device: &Device, names: &HardwareNames) -> Result<Value, StoreError> {
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
        "hardware_name": facts.and_then(|facts| names.get(&facts.hardware.to_string())),
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
        "why": reason(app, device, names)?,
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

/// The one reason, by the same function that answers its check-ins, with what to do about it and until when.
fn reason(app: &App, device: &Device, names: &HardwareNames) -> Result<Value, StoreError> {
    let decision = View::of(device)?.decide(&app.catalogue(), app.now());
    if let Some(blocker) = decision.blocker() {
        let more = match &blocker {
            Blocker::Quarantined => device.quarantine.as_ref().map(|why| format!(" Why: {why}.")),
            Blocker::NothingForHardware(class) => {
                names.get(&class.to_string()).map(|name| format!(" People call it {name}."))
            }
            _ => None,
        };
        return Ok(json!({
            "code": blocker.code(),
            "sentence": format!("{blocker}{}", more.unwrap_or_default()),
            "advice": blocker.advice(),
            "until": blocker.until().map(|until| until.0),
        }));
    }
    let newest = device.attempts.first().filter(|newest| !newest.outcome.state.is_over());
    let begun = newest.filter(|newest| newest.outcome.state != AttemptState::Offered);
    let interval_s = app.settings.pace.check_in_interval_s.into();
    let expected = app.devices.last_seen(device).after(interval_s);
    Ok(match begun {
        Some(attempt) => json!({
            "code": "under-way",
            "sentence": format!("Nothing: its update is under way ({}).", progress(attempt)),
            "until": attempt.deadline.0,
        }),
        None if expected.after(interval_s) < app.now() => json!({
            "code": "silent",
            "sentence": "There is an update for it, and it has missed its check-in.",
            "advice": "See whether it has power and a link; it is offered the update when it asks.",
            "expected": expected.0,
        }),
        None => json!({
            "code": "offered",
            "sentence": "Nothing: it is offered its update at its next check-in.",
            "expected": expected.0,
        }),
    })
}

fn progress(attempt: &AttemptRow) -> String {
    let state = attempt.outcome.state;
    match state {
        AttemptState::Downloading => format!("{}, {} %", state.label(), attempt.percent),
        _ => state.label().to_owned(),
    }
}
