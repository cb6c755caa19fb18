//! One look at every rollout: what is counted, what follows, and who is told.
//!
//! Touches: the store, the survey. What follows is saved over the revision it was made from, together with its
//! history; if another server was faster, nothing of it happens and the next look starts from what that one saved.
//! Never: forgets a halt because its rollout cannot be read; that rollout is left alone and said to be.

use super::survey::{Surveyed, survey};
use super::{Live, Looked, Steering};
use crate::app::App;
use crate::limits::{HISTORY_ROLLOUTS_MAX, ROLLOUTS_LIVE_MAX, SURVEY_S};
use crate::store::{
    RolloutRow, Said, Sql, StoreError, Told, completed_rollouts, downloads_by_cell, groups, hardware_names,
    live_rollouts, log_command, log_event, put_history, put_rollout, tries,
};
use crate::zones::{GOOD_S, zones_around};
use lapwing_core::UnixSeconds;
use lapwing_fleet::audit::Command;
use lapwing_fleet::brings_more;
use lapwing_fleet::rollout::{
    Effect, Event, Evidence, History, Notice, Rollout, RolloutId, Seen, Stage, State, Tally, Try, Window,
    count, early_lately, first_boot_failures, signature_failures,
};
use std::sync::Arc;

/// Looks at every rollout once, and lets check-ins see what came of it.
pub(crate) async fn look(app: &App) -> Result<(), StoreError> {
    let mut looked = app.orchestrator.looking.lock().await;
    let now = app.now();
    publish(app, &looked, now).await?;
    survey_if_due(app, &mut looked, now).await?;
    let steering = app.orchestrator.steering();
    let mut changed = false;
    for live in &steering.live {
        let step = live.rollout.clone().step(now, Event::Tick(&live.tally));
        if step.effects.contains(&Effect::Save) {
            let before = live.rollout.revision;
            changed |= carry_out(app, live.id, before, &step.next, &step.effects, None).await?;
        }
    }
    if changed { publish(app, &looked, now).await } else { Ok(()) }
}

/// What somebody told a rollout, as it is written down.
pub(crate) struct Commanded {
    /// For its history.
    pub(crate) told: Told,
    /// For the audit.
    pub(crate) audit: Command,
}

/// Saves what a step made of a rollout and tells people; false if another server was faster.
pub(crate) async fn carry_out(
    app: &App,
    id: RolloutId,
    before: u64,
    next: &Rollout,
    effects: &[Effect],
    commanded: Option<Commanded>,
) -> Result<bool, StoreError> {
    let now = app.now();
    let notices = effects.iter().filter_map(|effect| match effect {
        Effect::Announce(notice) => Some(told(notice, now)),
        Effect::Save | Effect::Recall | Effect::Wake(_) => None,
    });
    let (told, audit) = commanded.map(|commanded| (commanded.told, commanded.audit)).unzip();
    let history: Vec<Told> = told.into_iter().chain(notices).collect();
    let halts = history.iter().any(|row| row.evidence.is_some());
    let next = next.clone();
    let saved = app
        .store
        .write(move |c| {
            let saved = put_rollout(c, id, before, &next)?;
            if saved {
                history.iter().try_for_each(|row| note(c, id, row))?;
                audit.iter().try_for_each(|command| log_command(c, command))?;
            }
            Ok::<bool, StoreError>(saved)
        })
        .await?;
    if saved && halts {
        tracing::warn!(rollout = %id, "halted");
    }
    Ok(saved)
}

/// A notice as it is kept.
fn told(notice: &Notice, time: UnixSeconds) -> Told {
    let evidence = match notice {
        Notice::Halted(evidence) => serde_json::to_string::<Evidence>(evidence).ok(),
        _ => None,
    };
    Told { time, name: notice.name(), words: notice.to_string(), evidence }
}

/// In the history of the rollout and among the fleet's events.
fn note(c: &Sql, id: RolloutId, row: &Told) -> Result<(), StoreError> {
    put_history(c, id, row)?;
    let detail = Some(format!("rollout {id}: {}", row.words));
    log_event(c, &Said { detail, ..Said::of_server(row.time, row.name) }).map(drop)
}

/// Loads groups and rollouts, counts, and lets check-ins see them.
async fn publish(app: &App, looked: &Looked, now: UnixSeconds) -> Result<(), StoreError> {
    let load = |c: &Sql| {
        let live = live_rollouts(c, ROLLOUTS_LIVE_MAX)?;
        Ok((groups(c)?, hardware_names(c)?, live, downloads_by_cell(c)?))
    };
    let (groups, names, rows, downloads) = app.store.read(load).await?;
    let mut live = Vec::new();
    for row in rows {
        match row.rollout() {
            Ok(rollout) => live.push(counted(app, row, rollout, looked, now).await?),
            Err(error) => tracing::error!(rollout = %row.id, %error, "left alone: it brings nothing"),
        }
    }
    app.metrics.rollouts(live.iter().map(Live::standing));
    let groups = groups.into_iter().map(|(group, _)| group).collect();
    let before = app.orchestrator.steering();
    let known = |id| before.live.iter().find(|live| live.id == id).map(|live| &live.rollout);
    let calls = live.iter().any(|live| brings_more(known(live.id), &live.rollout));
    let (made, zones) = before.zones.clone();
    let good = made <= now && now.since(made) < GOOD_S;
    let zones = if good { (made, zones) } else { (now, Arc::new(zones_around(now))) };
    app.orchestrator.put(Steering { groups, names, live, downloads, zones });
    if calls {
        app.wake.look();
    }
    Ok(())
}

async fn counted(
    app: &App,
    row: RolloutRow,
    rollout: Rollout,
    looked: &Looked,
    now: UnixSeconds,
) -> Result<Live, StoreError> {
    let id = row.id;
    let tries = app.store.read(move |c| tries(c, id)).await?;
    let tally = tally(&rollout, &tries, looked.surveyed.get(&id), now);
    Ok(Live::new(id, rollout, tally, row.granted, now))
}

/// What failed of the newest releases that reached everyone.
pub(crate) async fn past_releases(app: &App) -> Result<History, StoreError> {
    let now = app.now();
    let (mut early, mut whole) = (Seen::default(), Seen::default());
    for row in app.store.read(|c| completed_rollouts(c, HISTORY_ROLLOUTS_MAX)).await? {
        let Ok(rollout) = row.rollout() else { continue };
        let tries = app.store.read(move |c| tries(c, row.id)).await?;
        for counts in count(&rollout.charter.census, &tries, &rollout.horizons(), now) {
            (early, whole) = (early.plus(counts.early), whole.plus(counts.whole));
        }
    }
    Ok(History::of(early, whole))
}

fn tally(rollout: &Rollout, tries: &[Try], surveyed: Option<&Surveyed>, now: UnixSeconds) -> Tally {
    let horizons = rollout.horizons();
    let minute_ago = UnixSeconds(now.0.saturating_sub(60));
    let lately = tries.iter().filter(|one| one.granted_at > minute_ago).count();
    // Who can be reached is not known before the fleet was asked about what is open now.
    let asked = surveyed.filter(|then| then.open == rollout.open);
    let reachable = asked.map_or(u32::MAX, |then| then.reachable);
    let Surveyed { controls, new_errors, old_errors, new_health, .. } = surveyed.cloned().unwrap_or_default();
    let outcomes = early_lately(tries, &horizons, now);
    Tally {
        cells: count(&rollout.charter.census, tries, &horizons, now),
        reachable,
        granted_last_minute: u32::try_from(lately).unwrap_or(u32::MAX),
        first_boot_failures: first_boot_failures(tries),
        signature_failures: signature_failures(tries),
        window: Window { outcomes, new_errors, old_errors, new_health, controls },
    }
}

/// The whole fleet is asked only now and then, and only while a rollout waits for the answer.
async fn survey_if_due(app: &App, looked: &mut Looked, now: UnixSeconds) -> Result<(), StoreError> {
    let steering = app.orchestrator.steering();
    let waits = |live: &Live| live.rollout.state.is_under_way();
    let fresh = looked.surveyed_at.is_some_and(|at| now.since(at) < SURVEY_S && at <= now);
    let opened = |live: &Live| {
        let admitting = live.rollout.phase.stage == Stage::Admitting && live.rollout.state == State::Running;
        admitting && looked.surveyed.get(&live.id).is_none_or(|then| then.open != live.rollout.open)
    };
    let due = steering.live.iter().any(waits) && !fresh;
    if due || steering.live.iter().any(opened) {
        looked.surveyed = survey(app, &steering, now).await?;
        looked.surveyed_at = Some(now);
        publish(app, looked, now).await?;
    }
    Ok(())
}
