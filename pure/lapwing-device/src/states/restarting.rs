//! A boot that should end: the switch or the way back is in the slot table, or about to be.
//!
//! Whatever keeps it from ending is tried again: a switch that was not made goes back to waiting, everything else
//! comes with growing pauses. Never: restarts before the table was asked.

use super::booting::old_slot;
use crate::device::Device;
use crate::effect::{Effect, Effects};
use crate::event::{Now, Trouble};
use crate::failures::storage_cause;
use crate::policy::back_off_ms;
use crate::record::Stage;
use crate::state::{Staged, State};
use lapwing_core::OldSlot;
use lapwing_core::wire::cause::Cause;

impl Device {
    /// Tries again what should have ended this boot.
    pub(crate) fn restarting_advance(&mut self, now: Now, effects: &mut Effects) {
        let State::Restarting { retry: Some(due), failures } = self.state else { return };
        if now.uptime < due {
            return;
        }
        self.state = State::Restarting { retry: None, failures };
        self.end_boot(effects);
    }

    /// Asks for what is left of ending this boot: the way back, unless the table has taken it, and the restart.
    pub(crate) fn end_boot(&self, effects: &mut Effects) {
        if self.world.boot.is_some_and(|boot| boot.slot == boot.table.active) && self.table_open() {
            effects.ask(Effect::RollBack(self.slot_left()));
        }
        effects.ask(Effect::Restart);
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

    /// The table would not let go of the slot.
    pub(crate) fn no_way_back(&mut self, effects: &mut Effects) {
        let stage = self.record.attempt.as_ref().map(|attempt| &attempt.stage);
        match (&self.state, stage) {
            (State::Restarting { .. }, Some(Stage::Returning(cause))) => {
                let cause = *cause;
                self.stay(cause, effects);
            }
            (State::Restarting { .. }, None) => self.state = State::Idle,
            _ => {}
        }
    }

    /// Whatever failed, it kept this boot from ending.
    pub(crate) fn restart_failed(&mut self, now: Now, trouble: Trouble, effects: &mut Effects) {
        let State::Restarting { retry: None, failures } = self.state else { return };
        if effects.contains(&Effect::Restart) {
            return;
        }
        if self.switch_pending() {
            return self.switch_later(now, trouble, effects);
        }
        let (failures, wait_ms) = self.wait_after(failures, now);
        self.state = State::Restarting { retry: Some(now.uptime.after(wait_ms)), failures };
    }

    /// Whether the switch was decided and the table does not say so yet.
    pub(crate) fn switch_pending(&self) -> bool {
        let stage = self.record.attempt.as_ref().map(|attempt| &attempt.stage);
        stage == Some(&Stage::Switching) && !self.table_open()
    }

    /// The image stays staged; storage that keeps failing ends the attempt.
    pub(crate) fn switch_later(&mut self, now: Now, trouble: Trouble, effects: &mut Effects) {
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

    /// What becomes of the slot that is being left.
    fn slot_left(&self) -> OldSlot {
        match self.record.attempt.as_ref().map(|attempt| &attempt.stage) {
            Some(Stage::Returning(cause)) => old_slot(*cause),
            _ => OldSlot::Keep,
        }
    }
}

/// Switches in a row that storage may refuse.
const SWITCH_FAILURES_MAX: u8 = 5;
