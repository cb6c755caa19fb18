//! What a device is offered: the highest release pushed for it that it can install, or one reason why not.
//!
//! Touches: `crate::{catalogue, device, blocker}`. The same function answers check-ins and `device why`.
//! Never: trusts itself to protect a device; the device checks everything again.

use crate::attempt::AttemptState;
use crate::blocker::Blocker;
use crate::bringing::{Bringing, Choice, choices};
use crate::catalogue::{Catalogue, Entry};
use crate::device::{Component, DeviceFacts, PastAttempt};
use crate::limits::PAST_ATTEMPTS_MAX;
use crate::retry::{FailureClass, Penalty, counts_as_failure, penalty};
use crate::rollout::{Cell, NotYet, RolloutId};
use crate::window::Opening;
use lapwing_core::wire::check_in::Gate;
use lapwing_core::{ComponentName, HardwareClass, ReleaseFlags, Semver, UnixSeconds, Version};
use std::sync::Arc;

/// The tier of a device that takes no updates but forced ones.
pub(crate) const OPTED_OUT: &str = "opted-out";
/// The consent of a device whose owner has to agree and has not: forced updates only.
pub(crate) const CONSENT_NEEDED: &str = "needed";
/// The consent of a device whose owner has agreed.
pub(crate) const CONSENT_GIVEN: &str = "given";

/// A release that a device may have.
#[derive(Debug, Clone)]
pub struct Grant {
    /// The release.
    pub entry: Arc<Entry>,
    /// The component as it stands now.
    pub component: Component,
    /// A gate that the device reported: it gets the offer and will wait by itself.
    pub gate: Option<Gate>,
    /// The rollout that brings it and the cell the device counts in there; none if it was pushed to everyone.
    pub brought: Option<(RolloutId, Cell)>,
    /// When it may switch, if the plan that brings it has windows: it may fetch before that.
    pub window: Option<Opening>,
    /// It is a step on the way to this version, which cannot be reached at once.
    pub towards: Option<Version>,
}

/// What a device gets.
#[derive(Debug, Clone)]
pub enum Decision {
    /// This release.
    Offer(Grant),
    /// Nothing, for this reason.
    Nothing(Blocker),
}

impl Decision {
    /// Why the device is not updating at `now`: also when it has an offer, but waits by itself.
    #[must_use]
    pub fn blocker(&self, now: UnixSeconds) -> Option<Blocker> {
        match self {
            Self::Offer(grant) => grant.gate.map(Blocker::Gate).or_else(|| grant.waits(now)),
            Self::Nothing(blocker) => Some(blocker.clone()),
        }
    }
}

impl Grant {
    /// The window it waits for.
    fn waits(&self, now: UnixSeconds) -> Option<Blocker> {
        let closed = self.window.as_ref().filter(|window| window.opens > now)?;
        let (id, _) = self.brought?;
        Some(Blocker::Turn(id, self.entry.release.version.clone(), NotYet::Window(closed.clone())))
    }
}

/// What a device is offered at `now`, component by component in the order it names them: the first that
/// can have something gets it. Otherwise the blocker of the first component that is not up to date.
///
/// Nothing is given away: two devices that are asked for with the same room may get the same place.
#[must_use]
pub fn decide(
    facts: &DeviceFacts<'_>,
    catalogue: &Catalogue,
    bringing: &[Bringing<'_>],
    now: UnixSeconds,
) -> Decision {
    let class = match admitted(facts) {
        Ok(class) => class,
        Err(blocker) => return Decision::Nothing(blocker),
    };
    let mut reason = None;
    for component in facts.components {
        match for_component(facts, (catalogue, bringing), (component, class), now) {
            Ok(grant) => return Decision::Offer(grant),
            Err(Blocker::UpToDate) => reason = reason.or(Some(Blocker::UpToDate)),
            Err(other) if matches!(reason, None | Some(Blocker::UpToDate)) => reason = Some(other),
            Err(_) => {}
        }
    }
    Decision::Nothing(reason.unwrap_or(Blocker::FactsUnknown))
}

/// What holds for the device whatever the release is.
fn admitted(facts: &DeviceFacts<'_>) -> Result<HardwareClass, Blocker> {
    if facts.standing.quarantined {
        return Err(Blocker::Quarantined);
    }
    facts.hardware.ok_or(Blocker::FactsUnknown)
}

/// What holds for the device as soon as there is something for it: a gate that it waits at by itself, if any.
fn ready(facts: &DeviceFacts<'_>, catalogue: &Catalogue, entry: &Entry) -> Result<Option<Gate>, Blocker> {
    let forced = entry.release.flags.has(ReleaseFlags::FORCED);
    let opted_out = facts.gates.contains(&Gate::OptedOut) || facts.named.contains(&("tier", OPTED_OUT));
    if opted_out && !forced {
        return Err(Blocker::OptedOut);
    }
    if facts.named.contains(&("consent", CONSENT_NEEDED)) && !forced {
        return Err(Blocker::NoConsent);
    }
    if facts.root_version < catalogue.root_version || facts.delegation_version < catalogue.delegation_version
    {
        return Err(Blocker::AnchorsBehind);
    }
    let urgent = forced || facts.standing.update_now;
    let waits = |gate: &&Gate| **gate == Gate::TrialOpen || (**gate == Gate::Watching && !urgent);
    if let Some(gate) = facts.gates.iter().find(waits) {
        return Err(Blocker::Gate(*gate));
    }
    Ok(facts.gates.iter().copied().find(|gate| *gate != Gate::OptedOut))
}

fn for_component(
    facts: &DeviceFacts<'_>,
    (catalogue, bringing): (&Catalogue, &[Bringing<'_>]),
    (component, class): (&Component, HardwareClass),
    now: UnixSeconds,
) -> Result<Grant, Blocker> {
    let shelf = catalogue.shelf(&component.name, class);
    if shelf.is_empty() {
        return Err(Blocker::NothingForHardware(class));
    }
    let running = catalogue.running(&component.name, class, component.running);
    let floor = floor(facts, catalogue, component, class);
    let newer = |entry: &Entry| {
        entry.release.image.short() != component.running
            && floor.is_none_or(|floor| entry.release.seq > floor.release.seq)
    };
    let pinned = facts.standing.pinned.as_ref();
    let wanted = |entry: &Entry| pinned.is_none_or(|version| entry.release.version == *version);

    let version = running.map(|entry| &entry.release.version);
    let from = version.and_then(Semver::of);
    let mut first_blocker = None;
    let choices = choices(facts, shelf, version, bringing);
    for choice in choices.iter().filter(|choice| newer(choice.entry) && wanted(choice.entry)) {
        let blocker = match fits(facts, catalogue, choice, from, class, now) {
            Ok(()) => {
                may_try_again(facts, catalogue, choice, now)?;
                let gate = ready(facts, catalogue, choice.entry)?;
                match choice.turn(facts, now) {
                    Ok(turn) => {
                        let brought = turn.as_ref().map(|turn| (turn.id, turn.cell));
                        let window = turn.and_then(|turn| turn.window);
                        let towards = first_blocker.and_then(|blocker| match blocker {
                            Blocker::NoPath(version) => Some(version),
                            _ => None,
                        });
                        let (entry, component) = (Arc::clone(choice.entry), component.clone());
                        return Ok(Grant { entry, component, gate, brought, window, towards });
                    }
                    Err((id, reason)) => Blocker::Turn(id, choice.entry.release.version.clone(), reason),
                }
            }
            Err(blocker) => blocker,
        };
        first_blocker = first_blocker.or(Some(blocker));
    }
    let highest = choices.iter().map(|choice| choice.entry).max_by_key(|entry| entry.release.seq);
    Err(first_blocker.unwrap_or_else(|| nothing_newer(facts, component, highest, running, floor)))
}

/// The reason when no open release is newer.
fn nothing_newer(
    facts: &DeviceFacts<'_>,
    component: &Component,
    highest: Option<&Arc<Entry>>,
    running: Option<&Arc<Entry>>,
    floor: Option<&Arc<Entry>>,
) -> Blocker {
    if let Some(version) = &facts.standing.pinned {
        return Blocker::Pinned(version.clone());
    }
    let Some(highest) = highest else {
        let known = running.is_some();
        return if known { Blocker::UpToDate } else { Blocker::NothingOpen };
    };
    if highest.release.image.short() == component.running {
        return Blocker::UpToDate;
    }
    let failed = facts.attempts.iter().take(PAST_ATTEMPTS_MAX).find(|past| {
        past.release == highest.release.envelope() && past.outcome.blames_image() && !past.forgiven
    });
    let above = floor.filter(|floor| floor.release.image.short() != component.running);
    let version = |entry: &Arc<Entry>| entry.release.version.clone();
    match (failed, above) {
        (Some(past), _) => Blocker::FailedHere(version(highest), past.outcome.cause),
        (None, Some(above)) => Blocker::BelowFloor(version(highest), version(above)),
        (None, None) => Blocker::UpToDate,
    }
}

/// The release whose seq another must be above: what runs, was confirmed, or failed with blame.
fn floor<'a>(
    facts: &DeviceFacts<'_>,
    catalogue: &'a Catalogue,
    component: &Component,
    class: HardwareClass,
) -> Option<&'a Arc<Entry>> {
    let running = catalogue.running(&component.name, class, component.running);
    let counts = |past: &&PastAttempt| {
        past.outcome.state == AttemptState::Confirmed || (past.outcome.blames_image() && !past.forgiven)
    };
    let of_component = |entry: &&Arc<Entry>| entry.release.component == component.name;
    let past = facts.attempts.iter().take(PAST_ATTEMPTS_MAX).filter(counts);
    past.filter_map(|past| catalogue.release(past.release))
        .filter(of_component)
        .chain(running)
        .max_by_key(|entry| entry.release.seq)
}

/// The security version below which the device takes nothing: what it confirmed raised it to that.
fn raised_to(
    facts: &DeviceFacts<'_>,
    catalogue: &Catalogue,
    component: &ComponentName,
    class: HardwareClass,
) -> u32 {
    let confirmed = facts.attempts.iter().filter(|past| past.outcome.state == AttemptState::Confirmed);
    let confirmed = confirmed.filter_map(|past| catalogue.release(past.release));
    let runs = facts.components.iter().filter(|runs| runs.name == *component);
    let running = runs.filter_map(|runs| catalogue.running(component, class, runs.running));
    let of_component = |entry: &&Arc<Entry>| entry.release.component == *component;
    let raised = confirmed.filter(of_component).chain(running).map(|entry| entry.release.raise_to);
    raised.max().unwrap_or(0)
}

/// Whether a device could install this release from where it stands.
fn fits(
    facts: &DeviceFacts<'_>,
    catalogue: &Catalogue,
    choice: &Choice<'_>,
    running: Option<Semver>,
    class: HardwareClass,
    now: UnixSeconds,
) -> Result<(), Blocker> {
    let release = &choice.entry.release;
    if release.security_version < raised_to(facts, catalogue, &release.component, class) {
        return Err(Blocker::SecurityTooLow(release.version.clone()));
    }
    if facts.bootloader < release.bootloader_min {
        return Err(Blocker::BootloaderTooOld(release.bootloader_min));
    }
    let ranges = &release.installable_from;
    let reachable = ranges.is_empty()
        || running.is_some_and(|version| ranges.iter().any(|range| range.contains(version)));
    if !reachable {
        return Err(Blocker::NoPath(release.version.clone()));
    }
    if !choice.is_approved(running) {
        return Err(Blocker::NotApproved(release.version.clone()));
    }
    for required in &release.requires {
        let held = seq_of(facts, catalogue, &required.component, class);
        if held.is_none_or(|seq| seq < required.seq_min) {
            return Err(Blocker::RequiresUnmet(required.component.clone()));
        }
    }
    if release.not_after.is_some_and(|not_after| now > not_after) {
        return Err(Blocker::Expired(release.version.clone()));
    }
    Ok(())
}

fn seq_of(
    facts: &DeviceFacts<'_>,
    catalogue: &Catalogue,
    name: &ComponentName,
    class: HardwareClass,
) -> Option<u64> {
    let component = facts.components.iter().find(|component| component.name == *name)?;
    catalogue.running(name, class, component.running).map(|entry| entry.release.seq)
}

/// Whether what became of earlier attempts lets the device try this release now.
fn may_try_again(
    facts: &DeviceFacts<'_>,
    catalogue: &Catalogue,
    choice: &Choice<'_>,
    now: UnixSeconds,
) -> Result<(), Blocker> {
    let entry = choice.entry;
    let urgent =
        facts.standing.update_now || choice.is_recall() || entry.release.flags.has(ReleaseFlags::FORCED);
    if let Some(Penalty { failures, cause, until }) = penalty(facts.attempts, now).filter(|_| !urgent) {
        return Err(Blocker::Penalised(failures, cause, until));
    }
    let same = |past: &&PastAttempt| past.release == entry.release.envelope() && !past.forgiven;
    let mut failures = 0_u32;
    let mut last: Option<&PastAttempt> = None;
    for past in facts.attempts.iter().take(PAST_ATTEMPTS_MAX).filter(same) {
        if past.outcome.blames_image() {
            return Err(Blocker::FailedHere(entry.release.version.clone(), past.outcome.cause));
        }
        if counts_as_failure(past) {
            failures = failures.saturating_add(1);
            last = last.filter(|last| last.at >= past.at).or(Some(past));
        }
    }
    let open = facts.attempts.first().is_some_and(|past| same(&past) && !past.outcome.state.is_over());
    let (Some(last), false) = (last, open || facts.standing.update_now) else { return Ok(()) };
    let class = FailureClass::of(last.outcome.cause);
    let until = last.at.after(catalogue.retry.delay_s(class, failures));
    let version = || entry.release.version.clone();
    if now < until { Err(Blocker::BackOff(version(), last.outcome.cause, until)) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
