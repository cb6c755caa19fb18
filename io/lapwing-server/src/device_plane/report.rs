//! Takes in what a device says about its attempts. Saying it twice does no harm.
//!
//! Touches: the event log, attempts. Each event that is new moves its attempt as `lapwing_fleet` says.
//! Never: believes a device about another device's attempt.

use super::auth::{authenticate, read_message, undecodable};
use crate::app::App;
use crate::journal::Kept;
use crate::limits::EVENTS_PER_ATTEMPT_MAX;
use crate::metrics::Metrics;
use crate::orchestrator::stands_on;
use crate::problem::Problem;
use crate::store::{
    AttemptRow, Device, Said, Sql, StoreError, drop_oldest_loose, events_of_attempt, log_event, put_attempt,
    put_device,
};
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use lapwing_core::cbor::decode;
use lapwing_core::limits::REPORT_BYTES_MAX;
use lapwing_core::wire::cause::{Blame, Cause};
use lapwing_core::wire::check_in::Gate;
use lapwing_core::wire::report::{Detail, Event, EventKind, Report};
use lapwing_core::{AttemptId, UnixSeconds};
use lapwing_fleet::AttemptState;
use std::sync::Arc;

/// `POST /v1/report`.
pub(super) async fn report(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let device = authenticate(&app, &headers).await?;
    let body = read_message(&app, &headers, body, REPORT_BYTES_MAX).await?;
    take(&app, &device, &body).await.map(|()| StatusCode::NO_CONTENT)
}

/// Takes in the report `body` of this device. Afterwards it is durable, here or in the journal.
pub(crate) async fn take(app: &App, device: &Device, body: &[u8]) -> Result<(), Problem> {
    app.throttle.device(&device.id)?;
    decode::<Report>(body).map_err(undecodable)?;
    let kept = Kept { device: device.id.clone(), came: app.now(), body: body.to_vec() };
    app.devices.touch(&kept.device, kept.came);
    // What waits goes first: a device's reports tell one story.
    if app.journal.is_empty() {
        match deliver(app, &kept).await {
            Err(StoreError::Away) => {}
            delivered => return Ok(delivered?),
        }
    }
    let journal = app.journal.clone();
    let journalled = tokio::task::spawn_blocking(move || journal.keep(&kept)).await;
    match journalled.map_err(|_| StoreError::Closed)? {
        Ok(true) => Ok(()),
        Ok(false) => Err(Problem::away()),
        Err(error) => Err(StoreError::from(error).into()),
    }
}

/// Delivers the reports that waited for the database, the oldest first. One that is delivered twice does no
/// harm.
pub(crate) async fn deliver_journal(app: &App) -> Result<(), StoreError> {
    while !app.journal.is_empty() {
        let journal = app.journal.clone();
        let waiting = tokio::task::spawn_blocking(move || journal.waiting()).await;
        let (waiting, as_far_as) = waiting.map_err(|_| StoreError::Closed)??;
        for kept in &waiting {
            deliver(app, kept).await?;
        }
        app.journal.delivered(as_far_as)?;
        tracing::info!(reports = waiting.len(), "reports that waited for the database are delivered");
    }
    Ok(())
}

/// Takes a report in, as it stood when it came.
async fn deliver(app: &App, kept: &Kept) -> Result<(), StoreError> {
    let Ok(report) = decode::<Report>(&kept.body) else { return Ok(()) };
    let _lock = app.devices.lock(&kept.device).await;
    let delivered = deliver_locked(app, kept, &report).await;
    if matches!(delivered, Err(StoreError::Stale)) {
        app.devices.forget(&kept.device);
        return deliver_locked(app, kept, &report).await;
    }
    delivered
}

async fn deliver_locked(app: &App, kept: &Kept, report: &Report) -> Result<(), StoreError> {
    let Some(device) = app.devices.get_locked(&kept.device).await? else { return Ok(()) };
    let (device, fresh) = take_in(app, &device, report.clone(), kept.came).await?;
    for (kind, _) in &fresh {
        app.metrics.event(kind.label());
    }
    for attempt in fresh.into_iter().filter_map(|(_, rolled_back)| rolled_back) {
        let catalogue = app.catalogue();
        let version = catalogue.release(attempt.release).map(|entry| entry.release.version.as_str());
        app.metrics.rolled_back(version.unwrap_or("unknown"), attempt.late);
        if attempt.failed_to_boot {
            let (hardware, bootloader) = stands_on(&device)?;
            app.metrics.failed_to_boot(version.unwrap_or("unknown"), hardware, bootloader);
        }
    }
    let counts = device.attempts.first().is_some_and(|newest| newest.brought.is_some());
    app.devices.put(Arc::new(device));
    if counts {
        app.orchestrator.changed();
    }
    Ok(())
}

/// An attempt that a report turned into a rolled-back one.
struct RolledBack {
    release: lapwing_core::Digest,
    /// After a reported success.
    late: bool,
    failed_to_boot: bool,
}

type Fresh = Vec<(EventKind, Option<RolledBack>)>;

/// Logs what is new and moves the attempts, in one transaction.
async fn take_in(
    app: &App,
    device: &Device,
    report: Report,
    now: UnixSeconds,
) -> Result<(Device, Fresh), StoreError> {
    let (mut device, metrics) = (device.clone(), app.metrics.clone());
    app.store
        .write(move |c| {
            put_device(c, &device)?;
            let mut fresh = Vec::new();
            for event in &report.events {
                if note(c, &device, event, now)? {
                    fresh.push((event.kind, advance((c, &metrics), &mut device, event, now)?));
                }
            }
            Ok((device, fresh))
        })
        .await
}

/// Logs an event of this device; says whether it is new and may move its attempt.
fn note(c: &Sql, device: &Device, event: &Event, now: UnixSeconds) -> Result<bool, StoreError> {
    let attempt = device.attempts.iter().find(|attempt| attempt.id == event.attempt);
    let foreign = attempt.is_none() && event.attempt != AttemptId::NONE;
    let id = device.id.as_str();
    let crowded = events_of_attempt(c, id, event.attempt)? >= EVENTS_PER_ATTEMPT_MAX;
    if foreign || (crowded && attempt.is_some()) {
        return Ok(false);
    }
    if crowded {
        drop_oldest_loose(c, id)?;
    }
    let (cause, detail) = match event.detail {
        Detail::None => (None, None),
        Detail::Cause(Cause::Unknown(code)) => (Some(Cause::Unknown(code)), Some(format!("cause {code}"))),
        Detail::Cause(cause) => (Some(cause), None),
        Detail::Gate(Gate::Unknown(code)) => (None, Some(format!("gate {code}"))),
        Detail::Gate(gate) => (None, Some(format!("gate {}", crate::management::gate_label(gate)))),
        Detail::Amount(amount) => (None, Some(amount.to_string())),
        Detail::Unknown(kind, number) => (None, Some(format!("detail {kind}: {number}"))),
    };
    let detail = match event.kind {
        EventKind::Unknown(code) => Some(format!("event {code} {}", detail.unwrap_or_default())),
        _ => detail,
    };
    let said = Said {
        attempt: Some(event.attempt),
        number: Some(event.number),
        cause: cause.map(Cause::label),
        blame: cause.map(|cause| blame_label(cause.blame())),
        release: attempt.map(|attempt| attempt.release),
        detail,
        ..Said::of_device(now, id, event.kind.label())
    };
    log_event(c, &said)
}

/// How blame is spelled in events.
fn blame_label(blame: Blame) -> &'static str {
    match blame {
        Blame::Image => "image",
        Blame::None => "none",
    }
}

fn advance(
    (c, metrics): (&Sql, &Metrics),
    device: &mut Device,
    event: &Event,
    now: UnixSeconds,
) -> Result<Option<RolledBack>, StoreError> {
    let Some(attempt) = device.attempts.iter_mut().find(|attempt| attempt.id == event.attempt) else {
        return Ok(None);
    };
    let before = attempt.outcome.state;
    if event.kind == EventKind::DownloadCompleted {
        metrics.downloaded(attempt.delta_from.is_some());
    }
    attempt.outcome = attempt.outcome.after(event);
    let state = attempt.outcome.state;
    if state != before {
        attempt.heard = now;
    }
    if matches!(state, AttemptState::Rebooting | AttemptState::Trial | AttemptState::Confirmed) {
        attempt.switched = attempt.switched.or(Some(now));
    }
    attempt.full_image |= attempt.delta_from.is_some() && rules_out_delta(event);
    if let (EventKind::DownloadProgress, Detail::Amount(percent)) = (event.kind, event.detail) {
        attempt.percent = u8::try_from(percent.min(100)).unwrap_or(100).max(attempt.percent);
    }
    if state.is_over() && (attempt.ended.is_none() || before != state) {
        attempt.ended = Some(now);
    }
    put_attempt(c, attempt)?;
    let rolled_back = state == AttemptState::RolledBack && before != state;
    let AttemptRow { release, outcome, .. } = *attempt;
    let late = before == AttemptState::Confirmed;
    Ok(rolled_back.then_some(RolledBack { release, late, failed_to_boot: outcome.failed_to_boot() }))
}

/// The delta cannot be used on this device; the full image may.
fn rules_out_delta(event: &Event) -> bool {
    let unusable = [
        Cause::DeltaUndecodable,
        Cause::ImageDigest,
        Cause::ProfileTooLarge,
        Cause::BaseUnknown,
        Cause::TransferOversize,
        Cause::TransferDigest,
    ];
    matches!(event.detail, Detail::Cause(cause) if unusable.contains(&cause))
}
