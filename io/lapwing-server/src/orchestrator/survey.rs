//! Asks the whole fleet: who can be reached, who is silent, who is well; and before a start, who would get what.
//!
//! Touches: the device table, page by page, and the decision that answers check-ins.
//! Never: changes anything; takes no place.

use super::{Live, Steering};
use crate::app::App;
use crate::limits::{AFFECTED_DEVICES_SHOWN_MAX, PAGE_ROWS_MAX};
use crate::store::{Device, StoreError, devices_page};
use crate::view::{View, facts_of};
use lapwing_core::wire::check_in::{Gate, Health};
use lapwing_core::{DeviceId, UnixSeconds, Version};
use lapwing_fleet::rollout::{
    Census, Dimension, Kind, NotYet, Open, Rollout, RolloutId, Seen, Tally, WINDOW_S, kind,
};
use lapwing_fleet::{Blocker, Bringing, Catalogue, Decision};
use std::collections::{BTreeMap, HashMap};

/// A device that missed its check-in by so much is silent, seconds.
const GRACE_S: u64 = 900;
/// One that has been silent for longer says nothing about today, seconds.
const FORGOTTEN_S: u64 = 86_400;
/// One that has not been heard for so many check-ins is not waited for.
const CHECK_INS_MISSED_MAX: u64 = 3;

/// What the fleet says beside the attempts of a rollout.
#[derive(Debug, Clone, Default)]
pub(crate) struct Surveyed {
    /// What was open then.
    pub(super) open: Vec<Open>,
    pub(super) reachable: u32,
    pub(super) controls: Seen,
    pub(super) new_errors: Seen,
    pub(super) old_errors: Seen,
    pub(super) new_health: Seen,
}

/// Shows every device to `each`.
pub(crate) async fn every_device(
    app: &App,
    mut each: impl FnMut(&Device) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut cursor = String::new();
    loop {
        let page = app.store.read(move |c| devices_page(c, &cursor, PAGE_ROWS_MAX)).await?;
        page.iter().try_for_each(&mut each)?;
        match page.last() {
            Some(last) if page.len() >= usize::try_from(PAGE_ROWS_MAX).unwrap_or(usize::MAX) => {
                cursor = last.id.to_string();
            }
            _ => return Ok(()),
        }
    }
}

/// What all devices say, for every rollout that is under way.
pub(super) async fn survey(
    app: &App,
    steering: &Steering,
    now: UnixSeconds,
) -> Result<HashMap<RolloutId, Surveyed>, StoreError> {
    let catalogue = app.catalogue();
    let under_way = || steering.live.iter().filter(|live| live.rollout.state.is_under_way());
    let nothing = |live: &Live| Surveyed { open: live.rollout.open.clone(), ..Surveyed::default() };
    let mut surveyed: HashMap<RolloutId, Surveyed> =
        under_way().map(|live| (live.id, nothing(live))).collect();
    every_device(app, |device| {
        let view = View::of(device, &catalogue, steering)?;
        let decision = steering.bringing(|bringing| view.decide(&catalogue, bringing, now));
        let heard = Heard::of(app, device, now);
        for live in under_way() {
            let group = live.rollout.charter.group.as_str();
            if view.named.is_in(group) {
                let found = surveyed.entry(live.id).or_default();
                add(found, (live.id, &live.rollout), &view, device, &decision, heard, &catalogue)?;
            }
        }
        Ok(())
    })
    .await?;
    Ok(surveyed)
}

/// How long ago a device was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    /// In the last half hour.
    Lately,
    /// When it should.
    InTime,
    /// It missed a check-in today.
    Silent,
    /// It has been away for longer.
    Gone,
}

/// Whether a device has missed its check-in.
pub(crate) fn is_silent(app: &App, device: &Device, now: UnixSeconds) -> bool {
    matches!(Heard::of(app, device, now), Heard::Silent | Heard::Gone)
}

impl Heard {
    fn of(app: &App, device: &Device, now: UnixSeconds) -> Self {
        let silent_s = now.since(app.devices.last_seen(device));
        let interval_s = u64::from(app.settings.pace.check_in_interval_s);
        match silent_s {
            0..=WINDOW_S => Self::Lately,
            _ if silent_s <= interval_s.saturating_add(GRACE_S) => Self::InTime,
            _ if silent_s <= interval_s.saturating_mul(CHECK_INS_MISSED_MAX).max(FORGOTTEN_S) => Self::Silent,
            _ => Self::Gone,
        }
    }
}

fn add(
    found: &mut Surveyed,
    (id, rollout): (RolloutId, &Rollout),
    view: &View,
    device: &Device,
    decision: &Decision,
    heard: Heard,
    catalogue: &Catalogue,
) -> Result<(), StoreError> {
    let has_it = view.attempts.iter().any(|past| past.brought.is_some_and(|(by, _)| by == id));
    let reached = match decision {
        Decision::Offer(grant) => grant.brought.is_some_and(|(by, _)| by == id),
        Decision::Nothing(Blocker::Turn(by, _, NotYet::Window(_))) => {
            *by == id && view.is_reached_by(rollout)
        }
        Decision::Nothing(Blocker::Turn(by, _, reason)) => *by == id && waits_for_room(reason),
        Decision::Nothing(_) => false,
    };
    let one = |yes: bool| u32::from(yes);
    found.reachable = found.reachable.saturating_add(one(has_it || (reached && heard != Heard::Gone)));
    if !has_it && heard != Heard::Gone {
        let seen = Seen { judged: 1, failed: one(heard == Heard::Silent) };
        found.controls = found.controls.plus(seen);
    }
    if heard != Heard::Lately {
        return Ok(());
    }
    let is_new = view.runs(&rollout.charter.version, catalogue);
    let said = device.said()?;
    let runs = |image| view.running().any(|running| running == image);
    for row in said.health.iter().filter(|row| runs(row.running)) {
        let errors = Seen { judged: 1, failed: one(row.errors > 0) };
        if is_new {
            found.new_errors = found.new_errors.plus(errors);
            found.new_health =
                found.new_health.plus(Seen { judged: 1, failed: one(row.health == Health::Failing) });
        } else {
            found.old_errors = found.old_errors.plus(errors);
        }
    }
    Ok(())
}

/// It is its turn, and others are before it.
fn waits_for_room(reason: &NotYet) -> bool {
    matches!(reason, NotYet::Rate(_) | NotYet::InFlight(_) | NotYet::StratumInFlight | NotYet::RadioCell(_))
}

/// The kinds of devices in a group.
pub(crate) async fn census(app: &App, group: &str) -> Result<Census, StoreError> {
    Ok(Census::new(Dimension::ALL.to_vec(), &configurations(app, group).await?))
}

/// How many devices of each kind are in a group.
pub(crate) async fn configurations(app: &App, group: &str) -> Result<BTreeMap<Kind, u32>, StoreError> {
    let (catalogue, steering) = (app.catalogue(), app.orchestrator.steering());
    let mut counted: BTreeMap<Kind, u32> = BTreeMap::new();
    every_device(app, |device| {
        let named = facts_of(device, &catalogue, &steering)?;
        if named.is_in(group) {
            let size = counted.entry(named.ask(|facts| kind(&Dimension::ALL, facts))).or_default();
            *size = size.saturating_add(1);
        }
        Ok(())
    })
    .await?;
    Ok(counted)
}

/// What was started on what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Started {
    pub(crate) version: String,
    /// The hardware class, `-` if it was never said.
    pub(crate) hardware: String,
    pub(crate) bootloader: u32,
}

/// Attempts that came as far as the switch.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Starts {
    /// Of these, the devices that did not come up.
    pub(crate) failed: u32,
    pub(crate) switched: u32,
}

/// How devices started new images since then. Versions that are not known any more do not count.
pub(crate) async fn starts(app: &App, since: UnixSeconds) -> Result<BTreeMap<Started, Starts>, StoreError> {
    let catalogue = app.catalogue();
    let mut counted: BTreeMap<Started, Starts> = BTreeMap::new();
    every_device(app, |device| {
        let (hardware, bootloader) = stands_on(device)?;
        for attempt in device.attempts.iter().filter(|attempt| attempt.opened >= since) {
            let failed = attempt.outcome.failed_to_boot();
            let Some(entry) = catalogue.release(attempt.release) else { continue };
            if failed || attempt.switched.is_some() {
                let version = entry.release.version.to_string();
                let starts =
                    counted.entry(Started { version, hardware: hardware.clone(), bootloader }).or_default();
                starts.failed = starts.failed.saturating_add(failed.into());
                starts.switched = starts.switched.saturating_add(1);
            }
        }
        Ok(())
    })
    .await?;
    Ok(counted)
}

/// The hardware class of a device, `-` if it has not said it, and the version of its bootloader.
pub(crate) fn stands_on(device: &Device) -> Result<(String, u32), StoreError> {
    let facts = device.said()?.facts;
    let hardware = facts.as_ref().map_or("-".to_owned(), |facts| facts.hardware.to_string());
    Ok((hardware, facts.map_or(0, |facts| facts.bootloader)))
}

/// What a rollout would do.
#[derive(Debug, Default)]
pub(crate) struct Outlook {
    /// Devices of the first phase.
    pub(crate) now: u32,
    /// Devices of later phases, and those that wait for something that passes by itself.
    pub(crate) later: u32,
    /// Devices that never get it as things are.
    pub(crate) never: u32,
    /// Devices that run it already.
    pub(crate) have_it: u32,
    /// Why not now, by code.
    pub(crate) why: BTreeMap<&'static str, Finding>,
    /// Who does not run it yet, by kind.
    pub(crate) kinds: BTreeMap<Kind, OfKind>,
}

/// Devices of one kind.
#[derive(Debug, Default)]
pub(crate) struct OfKind {
    pub(crate) devices: u32,
    /// A phase before the last is for some of them.
    pub(crate) tried: bool,
    /// The first of them.
    pub(crate) shown: Vec<DeviceId>,
}

/// One reason, and whom it concerns.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    /// The sentence of one of them.
    pub(crate) sentence: String,
    /// It is in the way of a start: neither time nor what people decided about the device explains it.
    pub(crate) stops: bool,
    pub(crate) devices: u32,
    /// The first of them.
    pub(crate) shown: Vec<DeviceId>,
}

/// What would become of every device of the group, if `rollout` ran and nothing else changed.
pub(crate) async fn foresee(app: &App, id: RolloutId, rollout: &Rollout) -> Result<Outlook, StoreError> {
    let (catalogue, steering) = (app.catalogue(), app.orchestrator.steering());
    let cells = rollout.charter.census.cells();
    let room = rollout.room(&Tally { cells: vec![Default::default(); cells], ..Tally::default() });
    let now = app.now();
    let mut outlook = Outlook::default();
    every_device(app, |device| {
        let mut view = View::of(device, &catalogue, &steering)?;
        let group = rollout.charter.group.as_str();
        if !view.named.is_in(group) {
            return Ok(());
        }
        if view.runs(&rollout.charter.version, &catalogue) {
            outlook.have_it = outlook.have_it.saturating_add(1);
            return Ok(());
        }
        outlook.count(device, &view, rollout);
        let bringing = [Bringing { id, rollout, room: &room, zones: &steering.zones.1 }];
        let at_once = view.decide(&catalogue, &bringing, now);
        let for_this = match &at_once {
            Decision::Offer(grant) => grant.brought.is_some() || grant.towards.is_some(),
            Decision::Nothing(_) => false,
        };
        if for_this {
            outlook.now = outlook.now.saturating_add(1);
            return Ok(());
        }
        // What else there is for it must not hide why it does not get this.
        let pinned = view.standing.pinned.take().unwrap_or_else(|| rollout.charter.version.clone());
        view.standing.pinned = Some(pinned);
        let reason = match view.decide(&catalogue, &bringing, now) {
            Decision::Nothing(reason) => reason,
            Decision::Offer(_) => Blocker::UpToDate,
        };
        outlook.add(device, &rollout.charter.version, &reason);
        Ok(())
    })
    .await?;
    Ok(outlook)
}

impl Outlook {
    /// Counts a device among its kind, and notes whether a phase before the last is for it.
    fn count(&mut self, device: &Device, view: &View, rollout: &Rollout) {
        let kind = self.kinds.entry(view.kind()).or_default();
        kind.devices = kind.devices.saturating_add(1);
        kind.tried |= view.is_tried_by(rollout);
        if kind.shown.len() < AFFECTED_DEVICES_SHOWN_MAX {
            kind.shown.push(device.id.clone());
        }
    }

    fn add(&mut self, device: &Device, version: &Version, reason: &Blocker) {
        let side = if passes(reason) { &mut self.later } else { &mut self.never };
        *side = side.saturating_add(1);
        let (code, sentence) = match reason {
            // It was asked about this version alone.
            Blocker::Pinned(pinned) if pinned == version => (
                "cannot-have-it",
                format!("Version {version} was not made for its hardware, or is below what it tried before."),
            ),
            other => (other.code(), other.to_string()),
        };
        let stops = code == "cannot-have-it" || stops(reason);
        let none = || Finding { sentence, stops, devices: 0, shown: Vec::new() };
        let finding = self.why.entry(code).or_insert_with(none);
        finding.devices = finding.devices.saturating_add(1);
        if finding.shown.len() < AFFECTED_DEVICES_SHOWN_MAX {
            finding.shown.push(device.id.clone());
        }
    }
}

/// Whether a reason goes away without anybody's doing.
fn passes(reason: &Blocker) -> bool {
    match reason {
        Blocker::Turn(_, _, reason) => !matches!(reason, NotYet::NoWindow(_)),
        Blocker::UpToDate | Blocker::Penalised(..) => true,
        Blocker::BackOff(..) | Blocker::FactsUnknown => true,
        Blocker::Gate(gate) => *gate != Gate::Room,
        _ => false,
    }
}

/// Whether a rollout should not start while a device has this reason.
fn stops(reason: &Blocker) -> bool {
    matches!(
        reason,
        Blocker::AnchorsBehind
            | Blocker::NothingForHardware(_)
            | Blocker::NoPath(_)
            | Blocker::NotApproved(_)
            | Blocker::SecurityTooLow(_)
            | Blocker::BootloaderTooOld(_)
            | Blocker::RequiresUnmet(_)
            | Blocker::Expired(_)
            | Blocker::Gate(Gate::Room)
            | Blocker::Turn(_, _, NotYet::NoWindow(_))
    )
}
