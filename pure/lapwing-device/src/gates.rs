//! What holds an update back: which gates are closed to it now, and when the fleet hears of a change.
//!
//! An update that is held back is remembered with what it asks for, so the gate that is closed is known at
//! every moment. Touches: `policy`. Never: begins anything; a gate that opens only asks the fleet again.

use crate::device::Device;
use crate::event::Now;
use crate::policy::{Demand, Own, is_closed};
use crate::state::State;
use lapwing_core::AttemptId;
use lapwing_core::wire::check_in::{Gate, Health};
use lapwing_core::wire::report::{Detail, EventKind};

/// An update that a gate holds back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deferral {
    pub(crate) attempt: AttemptId,
    pub(crate) demand: Demand,
    /// The gate that was last reported.
    pub(crate) gate: Gate,
}

impl Device {
    /// The first gate that is closed to this, in the order of [`Gate::ALL`].
    pub(crate) fn closed_gate(&self, demand: Demand) -> Option<Gate> {
        self.closed_gates(demand).next()
    }

    /// Every gate that is closed to what is held back or waits to be switched to, or to anything if nothing does.
    pub(crate) fn gates_to_tell(&self) -> impl Iterator<Item = Gate> {
        let whatever =
            Demand { version_allowed: self.settings.versions.auto_update, ..Demand::WHATEVER_IS_OFFERED };
        let demand = match self.state {
            State::Staged(_) => Demand::SWITCH,
            _ => self.world.deferral.map_or(whatever, |deferral| deferral.demand),
        };
        self.closed_gates(demand)
    }

    /// The gate that holds an update back now, if one does.
    pub(crate) fn deferred(&self) -> Option<Gate> {
        self.world.deferral.and_then(|deferral| self.closed_gate(deferral.demand))
    }

    fn closed_gates(&self, demand: Demand) -> impl Iterator<Item = Gate> {
        let own = Own {
            asked_for: self.world.asked_for,
            healthy: self.world.health == Health::Good,
            trial_open: self.spare_is_way_back() && !matches!(self.state, State::Watching(_)),
            watching: matches!(self.state, State::Watching(_)),
            outcomes_full: !self.record.has_room_for_outcome(),
            budget_spent: self.budget_spent(),
        };
        let (world, floor_mv) = (self.world.conditions, self.settings.battery_floor_mv);
        Gate::ALL.iter().copied().filter(move |gate| is_closed(*gate, &demand, &own, &world, floor_mv))
    }

    /// An update is held back. That is said once, and again when it is another gate that does it.
    pub(crate) fn defer(&mut self, now: Now, deferral: Deferral) {
        let Deferral { attempt, gate, .. } = deferral;
        let before = self.world.deferral.filter(|before| before.attempt == attempt);
        match before {
            Some(before) if before.gate == gate || now.uptime < self.world.early_due => {
                self.world.deferral = Some(Deferral { gate: before.gate, ..deferral });
                return;
            }
            Some(_) => self.check_in_early(now),
            None => {}
        }
        self.world.deferral = Some(deferral);
        self.note_for(attempt, EventKind::Deferred, Detail::Gate(gate));
    }

    /// Notices that another gate, or none any more, holds an update back.
    pub(crate) fn gates_advance(&mut self, now: Now) {
        let Some(deferral) = self.world.deferral else { return };
        match self.closed_gate(deferral.demand) {
            Some(gate) => self.defer(now, Deferral { gate, ..deferral }),
            None => {
                self.world.deferral = None;
                self.check_in_early(now);
            }
        }
    }

    /// Asks the fleet before its time, so that it knows better; not more than once in the usual interval.
    pub(crate) fn check_in_early(&mut self, now: Now) {
        if now.uptime >= self.world.early_due {
            self.world.early_due = now.uptime.after(self.settings.talking.check_in_interval_ms);
            self.talk.hurry(now);
        }
    }
}
