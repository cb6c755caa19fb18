//! What happens from time to time: pending times are written, overdue attempts end, old events go.
//!
//! Touches: the store, the device table. Never: in the way of a check-in.

use crate::app::App;
use crate::clock::Steady;
use crate::limits::PAGE_ROWS_MAX;
use crate::listen::told_to_stop;
use crate::store::{
    Device, Said, Setting, StoreError, log_event, overdue, prune_events, put_attempt, put_setting,
};
use lapwing_core::{DeviceId, UnixSeconds};
use lapwing_fleet::AttemptState;
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
        if let Err(error) = round(&app, &mut last_signed).await {
            tracing::warn!(%error, "housekeeping failed");
        }
        if stopping {
            return;
        }
    }
}

async fn round(app: &App, last_signed: &mut Option<(UnixSeconds, Option<Steady>)>) -> Result<(), StoreError> {
    app.devices.flush_seen().await?;
    let signed = app.online.last_signed();
    if let Some((time, steady)) = signed.filter(|_| signed != *last_signed) {
        app.store.write(move |c| keep_last_signed(c, time, steady)).await?;
        *last_signed = signed;
    }
    let now = app.now();
    for id in app.store.read(move |c| overdue(c, now, PAGE_ROWS_MAX)).await? {
        end_overdue(app, &id, now).await?;
    }
    let kept = app.settings.events_kept_max;
    if app.store.read(move |c| crate::store::events_beyond(c, kept)).await? {
        app.store.write(move |c| prune_events(c, kept)).await?;
    }
    Ok(())
}

/// Both clocks, so that the next start can tell a jump from time that passed.
fn keep_last_signed(
    c: &rusqlite::Connection,
    time: UnixSeconds,
    steady: Option<Steady>,
) -> Result<(), StoreError> {
    put_setting(c, Setting::SignedTime, time.0)?;
    let Some(Steady { boot, seconds }) = steady else { return Ok(()) };
    put_setting(c, Setting::SteadyTime, seconds)?;
    put_setting(c, Setting::MachineRun, boot)
}

/// Ends the attempts of a device whose deadline passed in silence.
async fn end_overdue(app: &App, id: &DeviceId, now: UnixSeconds) -> Result<(), StoreError> {
    let _lock = app.devices.lock(id).await;
    let Some(held) = app.devices.get_locked(id).await? else { return Ok(()) };
    let mut device = Device::clone(&held);
    let mut ended = Vec::new();
    for attempt in device.attempts.iter_mut().filter(|a| a.ended.is_none() && a.deadline < now) {
        if !attempt.outcome.state.is_over() {
            attempt.outcome.state = AttemptState::TimedOut;
        }
        attempt.ended = Some(now);
        ended.push(attempt.clone());
    }
    let name = id.clone();
    app.store
        .write(move |c| -> Result<(), StoreError> {
            for attempt in ended {
                put_attempt(c, &attempt)?;
                let said = Said::of_device(now, name.as_str(), "attempt.timed-out");
                let (attempt, release) = (Some(attempt.id), Some(attempt.release));
                log_event(c, &Said { attempt, release, ..said })?;
            }
            Ok(())
        })
        .await?;
    app.devices.put(Arc::new(device));
    Ok(())
}
