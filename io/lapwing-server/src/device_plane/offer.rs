//! Turns a grant into an offer: an attempt on record, an artifact that exists.
//!
//! Touches: attempts, artifacts. An attempt keeps its artifact, so that a fetch can be resumed; it
//! changes only when a delta failed or does not fit any more. Never: signs.

use crate::app::App;
use crate::orchestrator::Place;
use crate::publish::{Readiness, Want, profile_for};
use crate::store::{
    ArtifactRow, AttemptRow, Device, Said, StoreError, log_event, new_attempt, put_attempt, put_device,
    take_place,
};
use crate::view::View;
use lapwing_core::wire::answer::{Offer, SwitchWindow, Travel, Urgency};
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::check_in::Gate;
use lapwing_core::{AttemptId, Digest, UnixSeconds};
use lapwing_fleet::{AttemptState, Grant, Outcome, is_published_base};
use std::sync::Arc;

/// Whether there is something to sign.
pub(super) enum Prepared {
    /// All of it but the time, which the signer states.
    Offer(Offer),
    /// The artifact is being made.
    NotYet,
    /// Its rollout has no place for it any more; it asks again.
    NoPlace,
}

/// Makes sure of an attempt and its artifact.
pub(super) async fn prepare(
    app: &App,
    device: &Device,
    view: &View,
    grant: &Grant,
) -> Result<Prepared, StoreError> {
    let now = app.now();
    let _lock = app.devices.lock(&device.id).await;
    let Some(device) = app.devices.get_locked(&device.id).await? else { return Ok(Prepared::NotYet) };
    let current = current(&device, grant);
    // What a person asked for is urgent until the device is free to take it.
    let urgency = if device.update_now { Urgency::Now } else { Urgency::Routine };
    let asked = device.update_now && view.gates.contains(&Gate::Watching);
    let is_there = |attempt: &AttemptRow| app.blobs.path(attempt.artifact).exists();
    if let Some(attempt) = current.filter(|attempt| still_fits(attempt, grant) && is_there(attempt)) {
        let attempt =
            AttemptRow { switched: about_to_switch(&device, attempt, grant, now)?, ..attempt.clone() };
        if asked != device.update_now || attempt.switched == Some(now) {
            save(app, &device, attempt.clone(), asked, now).await?;
        }
        return Ok(Prepared::Offer(offer(app, &attempt, grant, urgency, now)));
    }
    let base = if wants_full_image(&device, grant) { None } else { base(app, view, grant) };
    let want = Want { target: grant.entry.release.image, base, profile: profile_for(view.profile) };
    let Some(row) = artifact(app, want, now).await? else { return Ok(Prepared::NotYet) };
    let attempt = match current {
        Some(attempt) => travel_by(attempt.clone(), &row),
        None => AttemptRow {
            site: view.named.site(),
            radio_cell: view.named.radio_cell(),
            ..fresh(app, &device, grant, &row, now)
        },
    };
    let place = match grant.brought.filter(|_| attempt.id == AttemptId::NONE) {
        None => None,
        Some((rollout, _)) => {
            let steering = app.orchestrator.steering();
            let cell = view.named.radio_cell();
            match view.named.ask(|facts| steering.place(rollout, &device.id, facts, cell)) {
                None => return Ok(Prepared::NoPlace),
                some => some,
            }
        }
    };
    match save_in(app, &device, attempt, asked, now, place).await? {
        Some(attempt) => Ok(Prepared::Offer(offer(app, &attempt, grant, urgency, now))),
        None => Ok(Prepared::NoPlace),
    }
}

/// When the device last asked before its switch: now, if it holds the image whole and nothing holds it back.
fn about_to_switch(
    device: &Device,
    attempt: &AttemptRow,
    grant: &Grant,
    now: UnixSeconds,
) -> Result<Option<UnixSeconds>, StoreError> {
    let said = device.said()?;
    let image = grant.entry.release.image.short();
    let holds = said.components.iter().any(|one| one.name == grant.component.name && one.held == Some(image));
    let open = grant.window.as_ref().is_none_or(|window| window.opens <= now);
    let goes = holds && open && said.gates.is_empty() && attempt.outcome.state < AttemptState::Rebooting;
    Ok(if goes { Some(now) } else { attempt.switched })
}

/// The attempt that is open for this release. One that timed out in silence goes on when it is heard of.
fn current<'a>(device: &'a Device, grant: &Grant) -> Option<&'a AttemptRow> {
    let newest = device.attempts.first()?;
    let open = !newest.outcome.state.is_over() || newest.outcome.state == AttemptState::TimedOut;
    (open && !newest.forgiven && newest.release == grant.entry.release.envelope()).then_some(newest)
}

fn still_fits(attempt: &AttemptRow, grant: &Grant) -> bool {
    match attempt.delta_from {
        None => true,
        Some(from) => !attempt.full_image && from.short() == grant.component.running,
    }
}

/// A delta of this release has failed on this device before.
fn wants_full_image(device: &Device, grant: &Grant) -> bool {
    let release = grant.entry.release.envelope();
    device.attempts.iter().any(|attempt| attempt.release == release && attempt.full_image)
}

fn base(app: &App, view: &View, grant: &Grant) -> Option<Digest> {
    let release = &grant.entry.release;
    let catalogue = app.catalogue();
    let component = &grant.component;
    is_published_base(&catalogue, &component.name, view.hardware?, component.running, release.image)
        .map(|pair| pair.base)
}

/// The artifact to send: the delta if it is there in good time, else the full image, else none yet.
async fn artifact(app: &App, want: Want, now: UnixSeconds) -> Result<Option<ArtifactRow>, StoreError> {
    if want.base.is_some() {
        match app.deltas.ask(want, now).await? {
            Readiness::Ready(row) => return Ok(Some(row)),
            Readiness::Making { since } if now.since(since) <= app.deltas.limits().patience_s => {
                return Ok(None);
            }
            Readiness::Making { .. } | Readiness::Crowded | Readiness::Impossible => {}
        }
    }
    match app.deltas.ask(Want { base: None, ..want }, now).await? {
        Readiness::Ready(row) => Ok(Some(row)),
        Readiness::Making { .. } | Readiness::Crowded => Ok(None),
        Readiness::Impossible => {
            tracing::error!(image = %want.target, "the full image could not be packed");
            Ok(None)
        }
    }
}

fn travel_by(attempt: AttemptRow, row: &ArtifactRow) -> AttemptRow {
    AttemptRow {
        codec: row.codec,
        profile: row.profile,
        delta_from: row.base.filter(|_| row.is_delta),
        artifact: row.digest,
        artifact_size_bytes: row.size_bytes,
        ..attempt
    }
}

fn fresh(app: &App, device: &Device, grant: &Grant, row: &ArtifactRow, now: UnixSeconds) -> AttemptRow {
    let attempt = AttemptRow {
        id: AttemptId::NONE,
        release: grant.entry.release.envelope(),
        base: grant.component.running,
        codec: row.codec,
        profile: row.profile,
        delta_from: None,
        artifact: row.digest,
        artifact_size_bytes: row.size_bytes,
        outcome: Outcome::OFFERED,
        percent: 0,
        opened: now,
        // Waiting for a window is no silence.
        deadline: grant
            .window
            .as_ref()
            .map_or(now, |window| window.opens.max(now))
            .after(app.settings.pace.attempt_deadline_s.into()),
        ended: None,
        forgiven: false,
        full_image: wants_full_image(device, grant),
        brought: grant.brought,
        site: None,
        radio_cell: None,
        switched: None,
        heard: now,
    };
    travel_by(attempt, row)
}

/// Writes the attempt, and whether `update-now` still waits; a new attempt ends the one before it. Whoever calls
/// holds the device's lock.
async fn save(
    app: &App,
    device: &Device,
    attempt: AttemptRow,
    update_now: bool,
    now: UnixSeconds,
) -> Result<AttemptRow, StoreError> {
    let saved = save_in(app, device, attempt, update_now, now, None).await?;
    saved.ok_or(StoreError::Corrupt("attempts"))
}

/// The same in a place of its rollout; none if that place is gone, and then nothing is written.
async fn save_in(
    app: &App,
    device: &Device,
    attempt: AttemptRow,
    update_now: bool,
    now: UnixSeconds,
    place: Option<Place>,
) -> Result<Option<AttemptRow>, StoreError> {
    let mut device = device.clone();
    let is_new = attempt.id == AttemptId::NONE;
    let superseded = device.attempts.first_mut().filter(|a| is_new && !a.outcome.state.is_over()).map(|a| {
        a.outcome = Outcome { state: AttemptState::Superseded, cause: Some(Cause::Superseded) };
        a.ended = Some(now);
        a.clone()
    });
    device.update_now = update_now;
    let row = device.clone();
    let attempt = app
        .store
        .write(move |c| -> Result<Option<AttemptRow>, StoreError> {
            if let Some(place) = place
                && !take_place(c, &place)?
            {
                return Ok(None);
            }
            put_device(c, &row)?;
            if !is_new {
                put_attempt(c, &attempt)?;
                return Ok(Some(attempt));
            }
            superseded.iter().try_for_each(|superseded| put_attempt(c, superseded))?;
            let id = new_attempt(c, &row.id, &attempt)?;
            let said = Said::of_device(now, row.id.as_str(), "attempt.opened");
            let detail = attempt.brought.map(|(rollout, _)| format!("by rollout {rollout}"));
            log_event(c, &Said { attempt: Some(id), release: Some(attempt.release), detail, ..said })?;
            Ok(Some(AttemptRow { id, ..attempt }))
        })
        .await?;
    let Some(attempt) = attempt else {
        app.orchestrator.changed();
        return Ok(None);
    };
    match device.attempts.first_mut().filter(|_| !is_new) {
        Some(newest) => *newest = attempt.clone(),
        None => device.attempts.insert(0, attempt.clone()),
    }
    device.attempts.truncate(lapwing_fleet::limits::PAST_ATTEMPTS_MAX);
    app.devices.put(Arc::new(device));
    if place.is_some() {
        app.orchestrator.changed();
    }
    Ok(Some(attempt))
}

fn offer(app: &App, attempt: &AttemptRow, grant: &Grant, urgency: Urgency, now: UnixSeconds) -> Offer {
    let seconds = |until: UnixSeconds| u32::try_from(until.since(now)).unwrap_or(u32::MAX);
    Offer {
        attempt: attempt.id,
        now,
        release: attempt.release,
        travel: Travel {
            codec: attempt.codec,
            profile: attempt.profile,
            from: attempt.delta_from.map(|base| base.short()),
            artifact: attempt.artifact,
            artifact_size_bytes: attempt.artifact_size_bytes,
        },
        ttl_s: app.settings.pace.offer_ttl_s,
        deadline_s: seconds(attempt.deadline),
        switch_window: grant.window.as_ref().map(|window| SwitchWindow {
            opens_in_s: seconds(window.opens),
            closes_in_s: seconds(window.closes),
        }),
        urgency,
    }
}
