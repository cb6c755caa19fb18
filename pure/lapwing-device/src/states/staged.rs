//! The image waits in the spare slot: gates once more, a fresh offer, then the switch.
//!
//! Never: switches on an offer older than its time to live, or after a reboot without asking again.

use super::fetching::storage_cause;
use crate::device::Device;
use crate::effect::{Effect, Effects};
use crate::event::{Now, Trouble};
use crate::policy::{Demand, back_off_ms, closed_gate};
use crate::record::Stage;
use crate::state::{Staged, State};
use lapwing_core::Uptime;
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::report::{Detail, EventKind};

impl Device {
    /// Switches when everything allows it, and asks for permission when it has run out.
    pub(crate) fn staged_advance(&mut self, now: Now, effects: &mut Effects) {
        let State::Staged(staged) = &self.state else { return };
        let Some(attempt) = &self.record.attempt else { return };
        if now.uptime < staged.due {
            return;
        }
        let demand = Demand {
            forced: true,
            version_allowed: true,
            room_bytes: 0,
            trial_open: false,
            outcomes_full: false,
        };
        let id = attempt.id;
        if let Some(gate) = closed_gate(demand, &self.world.conditions, self.settings.battery_floor_mv) {
            return self.defer(gate, id);
        }
        self.world.deferred = None;
        let image = attempt.candidate.image;
        match self.permission_now(now.uptime) {
            Permitted::Yes => {
                let limits = self.settings.trial.limits;
                let failures = staged.failures;
                if failures == 0 {
                    self.note(EventKind::RebootStarted, Detail::None);
                }
                self.set_stage(Stage::Switching);
                self.state = State::Restarting { retry: None, failures };
                effects.ask(Effect::Save);
                effects.ask(Effect::Switch { image, limits });
                effects.ask(Effect::Restart);
            }
            Permitted::Later => {}
            Permitted::No => {
                // Once is enough: an answer that permits nothing is not improved by asking again at once.
                if let State::Staged(staged) = &mut self.state
                    && !core::mem::replace(&mut staged.asked, true)
                {
                    self.talk.want_signed();
                    self.talk.hurry(now);
                }
            }
        }
    }

    /// When the staged state may want to go on by itself.
    pub(crate) fn staged_due(&self, staged: &Staged) -> [Option<Uptime>; 4] {
        let permission = self.world.permission;
        let opens = permission.map(|permission| permission.opens);
        let ends = permission.map(|permission| permission.until.after(1));
        [Some(staged.due), opens, ends, None]
    }

    fn permission_now(&self, uptime: Uptime) -> Permitted {
        let release = self.record.attempt.as_ref().map(|attempt| attempt.candidate.release);
        match self.world.permission {
            Some(permission) if Some(permission.release) == release => {
                if uptime > permission.until || uptime > permission.closes {
                    Permitted::No
                } else if uptime >= permission.opens {
                    Permitted::Yes
                } else {
                    Permitted::Later
                }
            }
            _ => Permitted::No,
        }
    }

    pub(crate) fn switch_failed(&mut self, now: Now, trouble: Trouble, effects: &mut Effects) {
        if !matches!(self.state, State::Restarting { .. }) {
            return;
        }
        if matches!(trouble, Trouble::Tampered | Trouble::SlotTable) {
            // The body marked it, or it never was there: what the slot holds is of no use.
            if let Some(boot) = &mut self.world.boot {
                boot.table = boot.table.mark_bad(boot.slot.other()).unwrap_or(boot.table);
            }
            return self.fail_attempt(Cause::SlotTampered, effects);
        }
        self.switch_later(now, trouble, effects);
    }

    pub(crate) fn save_failed(&mut self, now: Now, trouble: Trouble, effects: &mut Effects) {
        self.world.save_due = Some(now.uptime.after(self.settings.trial.checkpoint_ms));
        match self.state {
            // Nothing was fetched yet, or nothing that a power cut would not cost anyway.
            State::Fetching(_) | State::Applying(_) => {
                let cause = storage_cause(trouble);
                self.note(EventKind::AttemptFailed, Detail::Cause(cause));
                self.record.attempt = None;
                self.state = State::Idle;
                effects.ask(Effect::DropArtifact);
            }
            State::Restarting { .. } if self.trial_in_table() => {
                // Going back matters more than remembering why.
                effects.ask(Effect::RollBack(self.slot_left()));
                effects.ask(Effect::Restart);
            }
            State::Restarting { .. } => self.switch_later(now, trouble, effects),
            _ => {}
        }
    }

    pub(crate) fn restart_failed(&mut self, now: Now) {
        let State::Restarting { failures, .. } = self.state else { return };
        let (failures, wait_ms) = self.wait_after(failures, now);
        self.state = State::Restarting { retry: Some(now.uptime.after(wait_ms)), failures };
    }

    /// The image stays staged; storage that keeps failing ends the attempt.
    fn switch_later(&mut self, now: Now, trouble: Trouble, effects: &mut Effects) {
        let State::Restarting { failures, .. } = self.state else { return };
        let (failures, wait_ms) = self.wait_after(failures, now);
        self.set_stage(Stage::Staged);
        self.state = State::Staged(Staged { due: now.uptime.after(wait_ms), failures, asked: false });
        if failures >= SWITCH_FAILURES_MAX {
            self.fail_attempt(storage_cause(trouble), effects);
        }
    }

    fn wait_after(&self, failures: u8, now: Now) -> (u8, u64) {
        let talking = &self.settings.talking;
        let failures = failures.saturating_add(1);
        let (first, max) = (talking.retry_first_ms, talking.retry_max_ms);
        (failures, back_off_ms(first, max, failures, first, now.entropy))
    }

    pub(crate) fn trial_in_table(&self) -> bool {
        self.world.boot.is_some_and(|boot| {
            boot.slot == boot.table.active && boot.table.phase != lapwing_core::Phase::Settled
        })
    }
}

/// Switches in a row that storage may refuse.
const SWITCH_FAILURES_MAX: u8 = 5;

/// Whether a switch may happen.
enum Permitted {
    Yes,
    Later,
    No,
}
