//! Wake-up calls: when rollouts give reason to call devices, and which of those that wait is called next.
//!
//! A call says "check in now" and nothing else; who is not called checks in when it always does.
//! Touches: rollouts, a bounded list. Never: knows how a call reaches a device.

use crate::limits::CALLS_WAITING_MAX;
use crate::rollout::{Rollout, State};
use lapwing_core::{DeviceId, Digest};
use std::collections::BTreeSet;

/// Why a device is called. What comes first is called first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallFor {
    /// A person wants its update now.
    Person,
    /// A rollout has something for it.
    Rollout,
}

/// Devices that wait to be called, at most [`CALLS_WAITING_MAX`].
///
/// They come in an order of their own, the hash of their names: neighbours, which are often named one after the
/// other, are spread over all the seconds that the calls take.
#[derive(Debug, Default)]
pub struct Calls(BTreeSet<(CallFor, Digest, DeviceId)>);

impl Calls {
    /// Has a device called, once. When all places are taken it is not.
    pub fn add(&mut self, device: DeviceId, reason: CallFor) {
        let place = Digest::of(device.as_str().as_bytes());
        let waits = |reason| self.0.contains(&(reason, place, device.clone()));
        if waits(CallFor::Person) || self.0.len() >= CALLS_WAITING_MAX {
            return;
        }
        self.0.remove(&(CallFor::Rollout, place, device.clone()));
        self.0.insert((reason, place, device));
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those to be called now, at most so many.
    pub fn next(&mut self, count_max: usize) -> Vec<DeviceId> {
        let taken = std::iter::from_fn(|| self.0.pop_first());
        taken.take(count_max).map(|(_, _, device)| device).collect()
    }
}

/// Whether a rollout brings something to devices that got nothing from it as it was `before`: it began or went on,
/// opened more, or calls them back.
#[must_use]
pub fn brings_more(before: Option<&Rollout>, now: &Rollout) -> bool {
    let recalls = |rollout: &Rollout| rollout.recalls().is_some();
    let runs = |rollout: &Rollout| rollout.state == State::Running && !rollout.open.is_empty();
    let (recalled, ran) = (before.is_some_and(recalls), before.filter(|before| runs(before)));
    recalls(now) && !recalled || runs(now) && ran.is_none_or(|ran| ran.open != now.open)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(at: usize) -> DeviceId {
        format!("dev-{at}").parse().expect("a plain name")
    }

    #[test]
    fn a_person_comes_first_and_nobody_is_called_twice() {
        let mut calls = Calls::default();
        (0..4).for_each(|at| calls.add(device(at), CallFor::Rollout));
        calls.add(device(3), CallFor::Person);
        calls.add(device(3), CallFor::Rollout);
        assert_eq!(calls.next(1), [device(3)]);
        let mut others = calls.next(9);
        others.sort();
        assert_eq!(others, [device(0), device(1), device(2)]);
        assert!(calls.is_empty());
    }

    #[test]
    fn the_order_is_that_of_hashes_whoever_came_first() {
        let called = |order: &mut dyn Iterator<Item = usize>| {
            let mut calls = Calls::default();
            order.for_each(|at| calls.add(device(at), CallFor::Rollout));
            calls.next(64)
        };
        let forwards = called(&mut (0..64));
        assert_eq!(forwards, called(&mut (0..64).rev()));
        assert!(!forwards.is_sorted());
    }

    #[test]
    fn more_than_there_is_room_for_are_not_called() {
        let mut calls = Calls::default();
        (0..=CALLS_WAITING_MAX).for_each(|at| calls.add(device(at), CallFor::Rollout));
        assert_eq!(calls.next(usize::MAX).len(), CALLS_WAITING_MAX);
    }
}
