//! After the confirmation: follow-ups tell the fleet, and the way back stays open until the last.
//!
//! Only then are the security floor and the old slot touched. Somebody who wants the next release now ends the
//! watch early: the update is confirmed for good. Never: writes the spare slot while it is the way back.

use crate::device::Device;
use crate::effect::{Effect, Effects};
use crate::event::Now;
use crate::limits::FOLLOW_UPS;
use crate::record::Stage;
use crate::state::{State, Watching};
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::check_in::Health;
use lapwing_core::wire::report::{Detail, EventKind};
use lapwing_core::{OldSlot, Phase, Uptime};

impl Device {
    /// The table says that the trial was good: now the record does.
    pub(crate) fn confirmed(&mut self, now: Now, effects: &mut Effects) {
        let Some(attempt) = &self.record.attempt else { return };
        let installed = attempt.candidate.installed.clone();
        self.record.previous = Some(core::mem::replace(&mut self.record.confirmed, installed));
        self.note(EventKind::HealthOk, Detail::None);
        let watch_ms = self.settings.trial.follow_ups_ms.last().copied().unwrap_or(0);
        self.note(EventKind::Confirmed, Detail::Amount(watch_ms.div_ceil(1_000)));
        self.begin_watch(now, 0, 0);
        effects.ask(Effect::Save);
    }

    pub(crate) fn begin_watch(&mut self, now: Now, follow_ups: u8, elapsed_ms: u64) {
        self.set_stage(Stage::Watching { follow_ups, elapsed_ms });
        let trial = &self.settings.trial;
        self.state = State::Watching(Watching {
            since: now.uptime,
            before_ms: elapsed_ms,
            life: self.life_due(now),
            checkpoint: now.uptime.after(trial.checkpoint_ms),
            settle_due: None,
        });
    }

    pub(crate) fn watching_advance(&mut self, now: Now, effects: &mut Effects) {
        self.show_life(now, effects);
        let State::Watching(watching) = &self.state else { return };
        let elapsed_ms = watching.elapsed_ms(now.uptime);
        let (checkpoint, settle_due) = (watching.checkpoint, watching.settle_due);
        if self.unhealthy_for_too_long(now) {
            return self.go_back(Cause::HealthFailed, effects);
        }
        let done = self.follow_ups_done();
        let due = self.settings.trial.follow_ups_ms.iter().filter(|due| **due <= elapsed_ms).count();
        let due = u8::try_from(due).unwrap_or(u8::MAX).max(done);
        if due > done {
            self.talk.health_changed();
            self.talk.hurry(now);
            self.set_stage(Stage::Watching { follow_ups: due, elapsed_ms });
            effects.ask(Effect::Save);
        }
        if usize::from(due) >= self.settings.trial.follow_ups_ms.len() {
            if settle_due.is_none_or(|again| now.uptime >= again) {
                let again = now.uptime.after(self.settings.trial.checkpoint_ms);
                let old = self.old_slot_after_floor();
                if let State::Watching(watching) = &mut self.state {
                    watching.settle_due = Some(again);
                }
                effects.ask(Effect::Settle(old));
            }
        } else if now.uptime >= checkpoint {
            let next = now.uptime.after(self.settings.trial.checkpoint_ms);
            if let State::Watching(watching) = &mut self.state {
                watching.checkpoint = next;
            }
            self.set_stage(Stage::Watching { follow_ups: due, elapsed_ms });
            effects.ask(Effect::Save);
        }
    }

    /// The update is confirmed for good before the last follow-up.
    pub(crate) fn end_watch(&mut self, now: Now, effects: &mut Effects) {
        let State::Watching(watching) = &self.state else { return };
        let (follow_ups, elapsed_ms) = (ALL_FOLLOW_UPS, watching.elapsed_ms(now.uptime));
        self.set_stage(Stage::Watching { follow_ups, elapsed_ms });
        self.world.early_due = now.uptime;
        effects.ask(Effect::Save);
    }

    /// When the watch may want to go on by itself.
    pub(crate) fn watching_due(&self, watching: &Watching) -> [Option<Uptime>; 4] {
        let next = self.settings.trial.follow_ups_ms.get(usize::from(self.follow_ups_done()));
        let follow_up = next.map(|due| watching.since.after(due.saturating_sub(watching.before_ms)));
        let failing = self.world.health == Health::Failing;
        let unhealthy = self.world.health_since.after(self.settings.trial.unhealthy_max_ms);
        let soonest = follow_up.or(watching.settle_due);
        [soonest, failing.then_some(unhealthy), Some(watching.checkpoint), watching.life]
    }

    /// A change of the slot table was made durable.
    pub(crate) fn table_changed(&mut self, now: Now, effects: &mut Effects) {
        self.life_shown();
        self.world.close_due = now.uptime;
        let phase = self.world.boot.map(|boot| boot.table.phase);
        match (&self.state, phase) {
            (State::OnTrial(_), Some(Phase::Watched)) => self.confirmed(now, effects),
            (State::Watching(_), Some(Phase::Settled)) => self.settled(effects),
            (State::Idle, Some(Phase::Settled)) => self.closed(now, effects),
            _ => {}
        }
    }

    /// The way back is closed: the attempt is over, the floor rises by one step at most.
    pub(crate) fn settled(&mut self, effects: &mut Effects) {
        self.record.security_floor = self.next_floor();
        self.record.previous = None;
        self.record.excused_once = None;
        self.record.attempt = None;
        self.state = State::Idle;
        effects.ask(Effect::Save);
    }

    fn follow_ups_done(&self) -> u8 {
        match self.record.attempt.as_ref().map(|attempt| &attempt.stage) {
            Some(Stage::Watching { follow_ups, .. }) => *follow_ups,
            _ => 0,
        }
    }

    /// One step at most, never above the root's ceiling, never down.
    fn next_floor(&self) -> u32 {
        let floor = self.record.security_floor;
        let raise_to = self.record.attempt.as_ref().map_or(0, |attempt| attempt.candidate.raise_to);
        let ceiling = self.anchor.root().limits.security_ceiling;
        raise_to.min(floor.saturating_add(1)).min(ceiling).max(floor)
    }

    fn old_slot_after_floor(&self) -> OldSlot {
        let below = |installed: &crate::record::Installed| installed.security_version < self.next_floor();
        if self.record.previous.as_ref().is_some_and(below) { OldSlot::MarkBad } else { OldSlot::Keep }
    }
}

/// As many follow-ups as there are, done or not wanted any more.
const ALL_FOLLOW_UPS: u8 = FOLLOW_UPS as u8;

impl Watching {
    fn elapsed_ms(&self, uptime: Uptime) -> u64 {
        self.before_ms.saturating_add(uptime.since(self.since))
    }
}
