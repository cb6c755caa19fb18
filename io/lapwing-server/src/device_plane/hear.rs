//! What a device says is noted, if it is new; a device that only says it is still there costs no write.
//!
//! Touches: the device table. Finds clones by boots that alternate, and rollbacks after a reported
//! success by what runs. Never: believes less of what was said before than of silence now.

use super::claim::quarantine;
use crate::app::App;
use crate::store::{AttemptRow, Device, Said, StoreError, log_event, put_attempt, put_device};
use lapwing_core::cbor::encode;
use lapwing_core::limits::CHECK_IN_BYTES_MAX;
use lapwing_core::wire::check_in::CheckIn;
use lapwing_core::{BootId, UnixSeconds};
use lapwing_fleet::{AttemptState, Outcome};
use std::sync::Arc;

/// The device as it stands after this check-in.
pub(super) async fn hear(
    app: &App,
    device: Arc<Device>,
    message: &CheckIn<'_>,
) -> Result<Arc<Device>, StoreError> {
    let now = app.now();
    app.devices.touch(&device.id, now);
    if merged(&device, message)? == device.said {
        return Ok(device);
    }
    let _lock = app.devices.lock(&device.id).await;
    let Some(held) = app.devices.get_locked(&device.id).await? else { return Ok(device) };
    let (boot_before, clone) = boots(&held, message)?;
    let said = merged(&held, message)?;
    let mut device = Device { said, boot_before, last_seen: now, ..Device::clone(&held) };
    let undone = undo_confirmed(&mut device, now)?;
    save(app, &device, undone, now).await?;
    let device = Arc::new(device);
    app.devices.put(Arc::clone(&device));
    if clone {
        app.metrics.clone_found();
        quarantine(app, &device.id, "two boots alternate under one id: a clone").await?;
        return Ok(app.devices.get_locked(&device.id).await?.unwrap_or(device));
    }
    Ok(device)
}

async fn save(
    app: &App,
    device: &Device,
    undone: Option<AttemptRow>,
    now: UnixSeconds,
) -> Result<(), StoreError> {
    if let Some(attempt) = &undone {
        let catalogue = app.catalogue();
        let version = catalogue.release(attempt.release).map(|entry| entry.release.version.clone());
        app.orchestrator.changed();
        app.metrics.rolled_back(version.as_ref().map_or("unknown", |version| version.as_str()), true);
    }
    let row = device.clone();
    app.store
        .write(move |c| {
            put_device(c, &row)?;
            let Some(attempt) = undone else { return Ok(()) };
            put_attempt(c, &attempt)?;
            let said = Said::of_device(now, row.id.as_str(), "update.rollback.completed");
            let (attempt, release) = (Some(attempt.id), Some(attempt.release));
            let detail = Some("after a reported success".to_owned());
            log_event(c, &Said { attempt, release, detail, ..said }).map(drop)
        })
        .await
}

/// What is known once this was said: what it leaves out has not changed.
fn merged(device: &Device, message: &CheckIn<'_>) -> Result<Vec<u8>, StoreError> {
    let before = device.said()?;
    let after = CheckIn {
        root_version: message.root_version,
        delegation_version: message.delegation_version,
        components: message.components.clone(),
        nonce: None,
        facts: message.facts.or(before.facts),
        health: if message.health.is_empty() { before.health } else { message.health.clone() },
        gates: message.gates.clone(),
        boot: message.boot.or(before.boot),
    };
    let mut buffer = [0; 2 * CHECK_IN_BYTES_MAX];
    encode(&after, &mut buffer).map(<[u8]>::to_vec).map_err(|_| StoreError::Corrupt("devices"))
}

/// The boot before this one, and whether this one came back after another: boots are never used twice.
fn boots(device: &Device, message: &CheckIn<'_>) -> Result<(Option<BootId>, bool), StoreError> {
    let before = device.said()?.boot;
    Ok(match (before, message.boot) {
        (Some(before), Some(now)) if before != now => (Some(before), device.boot_before == Some(now)),
        _ => (device.boot_before, false),
    })
}

/// Turns a confirmed attempt into a rolled-back one if what ran before it runs again.
fn undo_confirmed(device: &mut Device, now: UnixSeconds) -> Result<Option<AttemptRow>, StoreError> {
    let running: Vec<_> = device.said()?.components.iter().map(|component| component.running).collect();
    let Some(newest) = device.attempts.first_mut() else { return Ok(None) };
    if newest.outcome.state != AttemptState::Confirmed || !running.contains(&newest.base) {
        return Ok(None);
    }
    newest.outcome = Outcome { state: AttemptState::RolledBack, ..newest.outcome };
    newest.ended = Some(now);
    newest.heard = now;
    Ok(Some(newest.clone()))
}
