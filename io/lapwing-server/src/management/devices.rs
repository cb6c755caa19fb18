//! Devices: what they are, what they run, why they are not updating.
//!
//! Touches: the device table. Never: changes one, or shows a secret.

use super::auth::{Action, authorise};
use super::device_answer::{AttemptAnswer, DeviceAnswer, HealthRowAnswer, RunningAnswer, WhyAnswer};
use super::gate_label;
use super::paging::rows_max;
use super::which::{Chosen, Which};
use crate::app::App;
use crate::limits::{FILTER_PAGES_MAX, PAGE_ROWS_MAX};
use crate::orchestrator::Steering;
use crate::problem::Problem;
use crate::store::{AttemptRow, Device, HardwareNames, StoreError, devices_page, forgotten, hardware_names};
use crate::view::View;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use lapwing_core::DeviceId;
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::check_in::{ComponentState, Facts, Health, HealthRow};
use lapwing_fleet::{AttemptState, Blocker, Catalogue};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Devices in the order of their ids. With a filter a page may be short although the list goes on.
#[derive(Serialize, ToSchema)]
#[schema(as = Devices)]
pub(super) struct DevicesAnswer {
    devices: Vec<DeviceAnswer>,
    cursor: Option<String>,
}

/// List the devices.
#[utoipa::path(get, path = "/api/v1/devices", security(("token" = ["viewer"])), params(Which),
    responses((status = 200, body = DevicesAnswer)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    which: Result<Query<Which>, QueryRejection>,
) -> Result<Json<DevicesAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let Query(mut which) = which?;
    let rows_max = usize::try_from(rows_max(which.limit)?).unwrap_or(usize::MAX);
    let names = app.store.read(hardware_names).await?;
    let (mut devices, mut cursor) = (Vec::new(), which.cursor.take().unwrap_or_default());
    let chosen = Chosen::of(&app, which).await?;
    for _ in 0..FILTER_PAGES_MAX {
        let after = cursor.clone();
        let page = app.store.read(move |c| devices_page(c, &after, PAGE_ROWS_MAX)).await?;
        let is_last = page.len() < usize::try_from(PAGE_ROWS_MAX).unwrap_or(usize::MAX);
        let end = page.last().map(|device| device.id.clone());
        for device in page {
            if chosen.means(&app, &device)? {
                devices.push(describe(&app, &device, &names)?);
            }
            if devices.len() == rows_max {
                let cursor = (!is_last || end != Some(device.id.clone())).then(|| device.id.to_string());
                return Ok(Json(DevicesAnswer { devices, cursor }));
            }
        }
        match end.filter(|_| !is_last) {
            Some(end) => cursor = end.to_string(),
            None => return Ok(Json(DevicesAnswer { devices, cursor: None })),
        }
    }
    Ok(Json(DevicesAnswer { devices, cursor: Some(cursor) }))
}

/// Show all that is known of a device.
#[utoipa::path(get, path = "/api/v1/devices/{id}", security(("token" = ["viewer"])),
    params(("id" = String, Path, description = "the device")), responses((status = 200, body = DeviceAnswer)))]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<DeviceAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let names = app.store.read(hardware_names).await?;
    Ok(Json(describe(&app, &*find(&app, &id).await?, &names)?))
}

/// Say why a device is not updating: the first of all reasons.
#[utoipa::path(get, path = "/api/v1/devices/{id}/why", security(("token" = ["viewer"])),
    params(("id" = String, Path, description = "the device")), responses((status = 200, body = WhyAnswer)))]
pub(super) async fn why(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<WhyAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
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

fn describe(app: &App, device: &Device, names: &HardwareNames) -> Result<DeviceAnswer, StoreError> {
    let catalogue = app.catalogue();
    let said = device.said()?;
    let facts = said.facts.as_ref();
    let hardware = facts.map(|facts| facts.hardware);
    let named = |facts: &Facts<'_>| facts.named.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    let running = |component: &ComponentState| {
        let version = hardware.and_then(|c| catalogue.version_of(&component.name, c, component.running));
        RunningAnswer {
            component: component.name.as_str().to_owned(),
            digest: component.running.to_string(),
            version: version.map(|version| version.as_str().to_owned()),
            held: component.held.map(|held| held.to_string()),
        }
    };
    Ok(DeviceAnswer {
        id: device.id.to_string(),
        hardware: hardware.map(|class| class.to_string()),
        hardware_name: hardware.and_then(|class| names.get(&class.to_string()).cloned()),
        bootloader: facts.map(|facts| facts.bootloader),
        profile: facts.map(|facts| facts.profile),
        facts: facts.map(named),
        noted: device.noted.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        root_version: said.root_version,
        delegation_version: said.delegation_version,
        running: said.components.iter().map(running).collect(),
        gates: said.gates.iter().map(|gate| gate_label(*gate)).collect(),
        health: said.health.iter().map(health).collect(),
        boot: said.boot.map(|boot| boot.to_string()),
        first_seen: device.first_seen.0,
        last_seen: app.devices.last_seen(device).0,
        quarantined: device.quarantine.clone(),
        pinned: device.pinned.as_ref().map(|version| version.as_str().to_owned()),
        update_now: device.update_now,
        attempts: device.attempts.iter().map(|attempt| tried(&catalogue, attempt)).collect(),
        why: reason(app, device, names)?,
    })
}

fn tried(catalogue: &Catalogue, attempt: &AttemptRow) -> AttemptAnswer {
    let release = catalogue.release(attempt.release);
    AttemptAnswer {
        id: attempt.id.0,
        release: attempt.release.to_string(),
        version: release.map(|entry| entry.release.version.as_str().to_owned()),
        state: attempt.outcome.state.label(),
        cause: attempt.outcome.cause.map(Cause::label),
        blamed: attempt.outcome.blames_image(),
        percent: attempt.percent,
        delta: attempt.delta_from.is_some(),
        artifact_size_bytes: attempt.artifact_size_bytes,
        opened: attempt.opened.0,
        deadline: attempt.deadline.0,
        ended: attempt.ended.map(|ended| ended.0),
        forgiven: attempt.forgiven,
        rollout: attempt.brought.map(|(rollout, _)| rollout.0),
    }
}

fn health(row: &HealthRow) -> HealthRowAnswer {
    let health = match row.health {
        Health::Unknown => "unknown",
        Health::Good => "good",
        Health::Failing => "failing",
    };
    HealthRowAnswer {
        running: row.running.to_string(),
        boots: row.boots,
        watchdog_resets: row.watchdog_resets,
        crashes: row.crashes,
        health,
        errors: row.errors,
    }
}

/// The one reason, by the same function that answers its check-ins, with what to do about it and until when.
pub(super) fn reason(app: &App, device: &Device, names: &HardwareNames) -> Result<WhyAnswer, StoreError> {
    let (view, steering) = app.view(device)?;
    Ok(reason_by(app, device, names, (&view, &steering)))
}

/// The same, of a device that was looked at already.
pub(super) fn reason_by(
    app: &App,
    device: &Device,
    names: &HardwareNames,
    (view, steering): (&View, &Steering),
) -> WhyAnswer {
    let decision = steering.bringing(|bringing| view.decide(&app.catalogue(), bringing, app.now()));
    if let Some(blocker) = decision.blocker(app.now()) {
        let more = match &blocker {
            Blocker::Quarantined => device.quarantine.as_ref().map(|why| format!(" Why: {why}.")),
            Blocker::NothingForHardware(class) => {
                names.get(&class.to_string()).map(|name| format!(" People call it {name}."))
            }
            _ => None,
        };
        return WhyAnswer {
            code: blocker.code(),
            sentence: format!("{blocker}{}", more.unwrap_or_default()),
            advice: blocker.advice(),
            until: blocker.until().map(|until| until.0),
            expected: None,
        };
    }
    let newest = device.attempts.first().filter(|newest| !newest.outcome.state.is_over());
    let begun = newest.filter(|newest| newest.outcome.state != AttemptState::Offered);
    let interval_s = app.settings.pace.check_in_interval_s.into();
    let expected = app.devices.last_seen(device).after(interval_s);
    let plain = |code, sentence: &str| WhyAnswer {
        code,
        sentence: sentence.to_owned(),
        advice: None,
        until: None,
        expected: Some(expected.0),
    };
    match begun {
        Some(attempt) => WhyAnswer {
            until: Some(attempt.deadline.0),
            expected: None,
            ..plain("under-way", &format!("Nothing: its update is under way ({}).", progress(attempt)))
        },
        None if expected.after(interval_s) < app.now() => WhyAnswer {
            advice: Some("See whether it has power and a link; it is offered the update when it asks."),
            ..plain("silent", "There is an update for it, and it has missed its check-in.")
        },
        None => plain("offered", "Nothing: it is offered its update at its next check-in."),
    }
}

fn progress(attempt: &AttemptRow) -> String {
    let state = attempt.outcome.state;
    match state {
        AttemptState::Downloading => format!("{}, {} %", state.label(), attempt.percent),
        _ => state.label().to_owned(),
    }
}
