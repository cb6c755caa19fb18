//! The image waits in the spare slot: gates once more, a fresh offer, then the switch.
//!
//! Never: switches on an offer older than its time to live, or after a reboot without asking again.

use super::fetching::storage_cause;
use crate::device::Device;
use crate::effect::{Effect, Effects};
use crate::event::{Now, Trouble};
use crate::gates::Deferral;
use crate::policy::{Demand, back_off_ms};
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
        let image = attempt.candidate.image;
        if now.uptime < staged.due {
            return;
        }
        let (attempt, demand) = (attempt.id, Demand::SWITCH);
        if let Some(gate) = self.closed_gate(demand) {
            return self.defer(now, Deferral { attempt, demand, gate });
        }
        self.world.deferral = None;
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
            State::Restarting { .. } if self.switch_pending() => self.switch_later(now, trouble, effects),
            // Going back matters more than remembering why.
            State::Restarting { .. } => self.end_boot(effects),
            _ => self.table_again(now),
        }
    }

    /// Changes of the slot table that waited behind something go ahead without it: the table has room when
    /// the disk has none.
    fn table_again(&mut self, now: Now) {
        self.world.close_due = now.uptime;
        let showing_ms = self.settings.trial.sign_of_life_ms;
        let again = |life: &mut Option<Uptime>, since: Uptime| {
            let shown_already = now.uptime.since(since) >= showing_ms;
            *life = life.map(|due| if shown_already { now.uptime } else { due });
        };
        match &mut self.state {
            State::OnTrial(on_trial) => {
                again(&mut on_trial.life, on_trial.since);
                on_trial.confirm_due = now.uptime;
            }
            State::Watching(watching) => {
                again(&mut watching.life, watching.since);
                watching.settle_due = watching.settle_due.map(|_| now.uptime);
            }
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

    /// Whether the switch was decided and the table does not say so yet.
    fn switch_pending(&self) -> bool {
        let stage = self.record.attempt.as_ref().map(|attempt| &attempt.stage);
        stage == Some(&Stage::Switching) && !self.table_open()
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
