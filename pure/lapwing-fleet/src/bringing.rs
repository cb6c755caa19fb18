//! How releases come to a device: pushed to everyone, by a rollout, or back by a recall.
//!
//! Touches: `crate::{catalogue, device, rollout}`. A version set on the open shelf is for everyone; one that
//! is held comes by the rollouts that name it; one that is withdrawn does not come at all.
//! Never: gives a place away; whoever makes the offer takes it from the room.

use crate::attempt::AttemptState;
use crate::catalogue::{Catalogue, Entry, Shelf};
use crate::device::{DeviceFacts, PastAttempt};
use crate::group::EVERYONE;
use crate::limits::WINDOW_AHEAD_S;
use crate::rollout::{Approved, Cell, NotYet, Priority, Rollout, RolloutId, Room};
use crate::window::Opening;
use crate::zones::Zones;
use lapwing_core::{Bump, Compatibility, Semver, UnixSeconds, Version};
use std::cmp::Reverse;
use std::sync::Arc;

/// A rollout as a decision sees it.
#[derive(Debug, Clone, Copy)]
pub struct Bringing<'a> {
    /// Which.
    pub id: RolloutId,
    /// As it stands.
    pub rollout: &'a Rollout,
    /// How many more devices may go now.
    pub room: &'a Room,
    /// What local clocks show.
    pub zones: &'a Zones,
}

/// A place in a rollout for one device.
#[derive(Debug, Clone)]
pub(crate) struct Turn {
    pub(crate) id: RolloutId,
    /// The cell that the device counts in.
    pub(crate) cell: Cell,
    /// When it may switch, if its plan has windows.
    pub(crate) window: Option<Opening>,
}

/// A release that a device might get, and how it would come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choice<'a> {
    pub(crate) entry: &'a Arc<Entry>,
    pub(crate) by: Option<Bringing<'a>>,
    rank: Rank,
}

/// Which of two releases a device gets, whatever their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Planned(Priority),
    Recall,
}

/// What a device may choose from on this shelf, best first.
pub(crate) fn choices<'a>(
    facts: &DeviceFacts<'_>,
    shelf: &'a [Arc<Entry>],
    running: Option<&Version>,
    bringing: &[Bringing<'a>],
) -> Vec<Choice<'a>> {
    let mut choices: Vec<Choice<'a>> =
        shelf.iter().filter_map(|entry| choice(facts, entry, running, bringing)).collect();
    choices.sort_by_key(|choice| (Reverse(choice.rank), Reverse(choice.entry.release.seq)));
    choices
}

fn choice<'a>(
    facts: &DeviceFacts<'_>,
    entry: &'a Arc<Entry>,
    running: Option<&Version>,
    bringing: &[Bringing<'a>],
) -> Option<Choice<'a>> {
    let version = &entry.release.version;
    let took = |one: &Bringing<'_>| running == Some(&one.rollout.charter.version);
    if entry.shelf != Shelf::Withdrawn && bringing.iter().any(|one| is_recall(one, version) && took(one)) {
        return Some(Choice { entry, by: None, rank: Rank::Recall });
    }
    match entry.shelf {
        Shelf::Open => Some(Choice { entry, by: None, rank: Rank::Planned(Priority::Feature) }),
        Shelf::Withdrawn => None,
        Shelf::Held => {
            let names = |one: &&Bringing<'a>| one.rollout.charter.version == *version && is_for(one, facts);
            let priority = |one: &&Bringing<'a>| one.rollout.charter.plan.priority;
            let by = bringing.iter().filter(names).max_by_key(|one| (priority(one), one.id))?;
            Some(Choice { entry, by: Some(*by), rank: Rank::Planned(priority(&by)) })
        }
    }
}

fn is_recall(one: &Bringing<'_>, version: &Version) -> bool {
    one.rollout.recalls() == Some(version)
}

/// Whether the device is in the group that a rollout is for.
fn is_for(one: &Bringing<'_>, facts: &DeviceFacts<'_>) -> bool {
    let group = one.rollout.charter.group.as_str();
    group == EVERYONE || facts.named.contains(&("group", group))
}

impl Choice<'_> {
    /// Whether it brings the device back from a release that was recalled.
    pub(crate) fn is_recall(&self) -> bool {
        self.rank == Rank::Recall
    }

    /// Whether people agreed that a device which runs `running` takes this.
    pub(crate) fn is_approved(&self, running: Option<Semver>) -> bool {
        let Some(by) = self.by else { return true };
        let Approved { breaking, .. } = by.rollout.charter.approved;
        breaking || !self.breaks(running)
    }

    fn breaks(&self, running: Option<Semver>) -> bool {
        let to = Semver::of(&self.entry.release.version);
        let bump = running.zip(to).map(|(from, to)| from.bump_to(to));
        bump == Some(Bump::Major) || self.entry.release.compatibility == Compatibility::Breaking
    }

    /// Whether it is this device's turn in the rollout that brings this; none if none does.
    pub(crate) fn turn(
        &self,
        facts: &DeviceFacts<'_>,
        now: UnixSeconds,
    ) -> Result<Option<Turn>, (RolloutId, NotYet)> {
        self.by.map(|by| by.turn(facts, self.entry, now).map_err(|reason| (by.id, reason))).transpose()
    }
}

impl Bringing<'_> {
    fn turn(&self, facts: &DeviceFacts<'_>, entry: &Entry, now: UnixSeconds) -> Result<Turn, NotYet> {
        let Self { id, rollout, room, .. } = *self;
        let begun = facts.attempts.first().and_then(|newest| newest.goes_on(entry.release.envelope(), id));
        if let Some(cell) = begun {
            rollout.go_on(cell)?;
            return Ok(Turn { id, cell, window: self.window(facts, now)? });
        }
        rollout.makes_offers()?;
        let window = self.window(facts, now)?;
        if let Some(far) = window.as_ref().filter(|window| window.opens > now.after(WINDOW_AHEAD_S)) {
            return Err(NotYet::Window(far.clone()));
        }
        let candidate = rollout.candidate(facts.id, facts.named, facts.downloads_nearby);
        rollout.may_go(room, &candidate)?;
        Ok(Turn { id, cell: candidate.cell, window })
    }

    /// When the device may switch. What a person asked for now does not wait for a window.
    fn window(&self, facts: &DeviceFacts<'_>, now: UnixSeconds) -> Result<Option<Opening>, NotYet> {
        let windows = self.rollout.charter.plan.windows.as_ref().filter(|_| !facts.standing.update_now);
        let next = windows.map(|windows| windows.next(facts.named, self.zones, now));
        next.transpose().map_err(NotYet::NoWindow)
    }
}

impl PastAttempt {
    /// The cell of an attempt of this release by this rollout that is not over.
    fn goes_on(&self, release: lapwing_core::Digest, id: RolloutId) -> Option<Cell> {
        let open = !self.outcome.state.is_over() || self.outcome.state == AttemptState::TimedOut;
        let (by, cell) = self.brought?;
        (open && !self.forgiven && self.release == release && by == id).then_some(cell)
    }

    /// Whether the fleet still stands by the offer of this attempt: it may be fetched and switched to.
    #[must_use]
    pub fn stands(&self, catalogue: &Catalogue, bringing: &[Bringing<'_>]) -> bool {
        let Some(entry) = catalogue.release(self.release) else { return false };
        match (entry.shelf, self.brought) {
            (Shelf::Withdrawn, _) => false,
            (Shelf::Open, _) => true,
            (Shelf::Held, Some((id, cell))) => {
                bringing.iter().any(|one| one.id == id && one.rollout.go_on(cell).is_ok())
            }
            (Shelf::Held, None) => bringing.iter().any(|one| is_recall(one, &entry.release.version)),
        }
    }
}

#[cfg(test)]
mod tests;
