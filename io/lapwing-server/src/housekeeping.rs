//! What happens from time to time: pending times are written, attempts that are over end, old events go.
//!
//! Touches: the store, the device table. Never: in the way of a check-in.

use crate::app::App;
use crate::clock::Steady;
use crate::limits::PAGE_ROWS_MAX;
use crate::listen::told_to_stop;
use crate::publish::keep_within_budget;
use crate::store::{
    Device, Said, Setting, Sql, StoreError, log_event, prune_events, put_attempt, put_device, put_setting,
    to_be_ended,
};
use lapwing_core::wire::cause::Cause;
use lapwing_core::{DeviceId, UnixSeconds};
use lapwing_fleet::{AttemptState, Outcome};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

/// Runs until `stop` says so, and writes what is pending once more then.
pub(crate) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let mut rounds = tokio::time::interval(app.settings.last_seen_flush);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last_signed = None;
    loop {
        let stopping = tokio::select! {
            () = told_to_stop(&mut stop) => true,
            _ = rounds.tick() => false,
        };
        match round(&app, &mut last_signed).await {
            // The store says so itself, once.
            Ok(()) | Err(StoreError::Full | StoreError::Away | StoreError::Stale) => {}
            Err(error) => tracing::warn!(%error, "housekeeping failed"),
        }
        if stopping {
            return;
        }
    }
}

async fn round(app: &App, last_signed: &mut Option<(UnixSeconds, Option<Steady>)>) -> Result<(), StoreError> {
    if app.store.last_commit().is_err() {
        // Whether there is room again shows only by trying.
        app.store.write(|c| put_setting(c, Setting::WriteTried, 0)).await?;
    }
    app.devices.flush_seen().await?;
    app.access.flush(&app.store).await?;
    let signed = app.online.last_signed();
    if let Some((time, steady)) = signed.filter(|_| signed != *last_signed) {
        app.store.write(move |c| keep_last_signed(c, time, steady)).await?;
        *last_signed = signed;
    }
    let now = app.now();
    for id in app.store.read(move |c| to_be_ended(c, now, PAGE_ROWS_MAX)).await? {
        end_attempts(app, &id, now).await?;
    }
    keep_within_budget(app).await?;
    let kept = app.settings.events_kept_max;
    if app.store.read(move |c| crate::store::events_beyond(c, kept)).await? {
        app.store.write(move |c| prune_events(c, kept)).await?;
    }
    Ok(())
}

/// Both clocks, so that the next start can tell a jump from time that passed.
fn keep_last_signed(c: &Sql, time: UnixSeconds, steady: Option<Steady>) -> Result<(), StoreError> {
    put_setting(c, Setting::SignedTime, time.0)?;
    let Some(Steady { boot, seconds }) = steady else { return Ok(()) };
    put_setting(c, Setting::SteadyTime, seconds)?;
    put_setting(c, Setting::MachineRun, boot)
}

/// Ends the attempts of a device whose deadline passed in silence, and those of withdrawn versions and stopped rollouts.
async fn end_attempts(app: &App, id: &DeviceId, now: UnixSeconds) -> Result<(), StoreError> {
    let _lock = app.devices.lock(id).await;
    let Some(held) = app.devices.get_locked(id).await? else { return Ok(()) };
    let mut device = Device::clone(&held);
    let (catalogue, steering) = (app.catalogue(), app.orchestrator.steering());
    let mut ended = Vec::new();
    for attempt in device.attempts.iter_mut().filter(|attempt| attempt.ended.is_none()) {
        let state = attempt.outcome.state;
        let stands = steering.bringing(|bringing| attempt.past().stands(&catalogue, bringing));
        let known = catalogue.release(attempt.release).is_some();
        let event = if known && !stands && !state.is_over() && !state.is_past_switch() {
            attempt.outcome = Outcome { state: AttemptState::Superseded, cause: Some(Cause::Withdrawn) };
            "attempt.withdrawn"
        } else if attempt.deadline < now {
            if !state.is_over() {
                attempt.outcome.state = AttemptState::TimedOut;
            }
            "attempt.timed-out"
        } else {
            continue;
        };
        attempt.ended = Some(now);
        ended.push((event, attempt.clone()));
    }
    let (name, row) = (id.clone(), device.clone());
    app.store
        .write(move |c| -> Result<(), StoreError> {
            put_device(c, &row)?;
            for (event, attempt) in ended {
                put_attempt(c, &attempt)?;
                let said = Said::of_device(now, name.as_str(), event);
                let (attempt, release) = (Some(attempt.id), Some(attempt.release));
                log_event(c, &Said { attempt, release, ..said })?;
            }
            Ok(())
        })
        .await?;
    app.devices.put(Arc::new(device));
    Ok(())
}
