//! Decides whether a device on trial is confirmed or rolled back.
//!
//! A dead server behind a working link never counts against an image; a link that is gone under it
//! returns the device once, and the old image then shows who is to blame.
//! Never: measures health itself; that is an event.

use super::booting::old_slot;
use crate::device::Device;
use crate::effect::{Effect, Effects};
use crate::event::{Link, Now};
use crate::record::{Stage, TrialLog};
use crate::state::{OnTrial, State};
use lapwing_core::Uptime;
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::check_in::Health;
use lapwing_core::wire::report::{Detail, EventKind};

impl Device {
    pub(crate) fn begin_trial(&mut self, now: Now, log: TrialLog, effects: &mut Effects) {
        let trial = &self.settings.trial;
        let looping = too_many(&log.watchdogs, trial.watchdogs_max, trial.watchdog_window_ms)
            .then_some(Cause::WatchdogLoop)
            .or(too_many(&log.reboots, trial.reboots_max, trial.reboot_window_ms)
                .then_some(Cause::RebootLoop));
        self.state = State::OnTrial(OnTrial {
            since: now.uptime,
            before_ms: log.elapsed_ms,
            life: self.life_due(now),
            checkpoint: now.uptime.after(trial.checkpoint_ms),
            confirm_due: now.uptime,
        });
        self.set_stage(Stage::Trial(log));
        effects.ask(Effect::Save);
        if let Some(cause) = looping {
            self.go_back(cause, effects);
        }
    }

    pub(crate) fn trial_advance(&mut self, now: Now, effects: &mut Effects) {
        self.show_life(now, effects);
        let State::OnTrial(on_trial) = &self.state else { return };
        let elapsed_ms = on_trial.elapsed_ms(now.uptime);
        if self.unhealthy_for_too_long(now) {
            return self.go_back(Cause::HealthFailed, effects);
        }
        if self.proven(now) {
            if now.uptime >= on_trial.confirm_due {
                let again = now.uptime.after(self.settings.trial.checkpoint_ms);
                if let State::OnTrial(on_trial) = &mut self.state {
                    on_trial.confirm_due = again;
                }
                effects.ask(Effect::Confirm);
            }
            return;
        }
        if let Some(cause) = self.deadline_verdict(elapsed_ms).filter(|_| !self.may_still_prove_itself(now)) {
            return self.go_back(cause, effects);
        }
        self.checkpoint_trial(now, effects);
    }

    /// When the trial may want to go on by itself.
    pub(crate) fn trial_due(&self, on_trial: &OnTrial) -> [Option<Uptime>; 4] {
        let trial = &self.settings.trial;
        let verdict = match self.world.health {
            Health::Good => self.world.health_since.after(trial.healthy_min_ms).max(on_trial.confirm_due),
            Health::Failing => self.world.health_since.after(trial.unhealthy_max_ms),
            Health::Unknown => on_trial.checkpoint,
        };
        let deadline = on_trial.since.after(self.deadline_ms().saturating_sub(on_trial.before_ms));
        [Some(verdict), Some(on_trial.checkpoint), Some(deadline), on_trial.life]
    }

    /// Leaves the image on trial or under watch, for good.
    pub(crate) fn go_back(&mut self, cause: Cause, effects: &mut Effects) {
        if !self.has_way_back() {
            return self.stay(cause, effects);
        }
        self.note(EventKind::RollbackTriggered, Detail::Cause(cause));
        self.set_stage(Stage::Returning(cause));
        self.state = State::Restarting { retry: None, failures: 0 };
        effects.ask(Effect::Save);
        effects.ask(Effect::RollBack(old_slot(cause)));
        effects.ask(Effect::Restart);
    }

    /// There is nothing to go back to: a sick image that can be updated is better than none.
    pub(crate) fn stay(&mut self, cause: Cause, effects: &mut Effects) {
        self.note(EventKind::AttemptFailed, Detail::Cause(cause));
        if let Some(attempt) = self.record.attempt.take() {
            self.record.blame(attempt.candidate.installed.seq, cause);
            self.record.confirmed = attempt.candidate.installed;
        }
        self.record.previous = None;
        self.state = State::Idle;
        effects.ask(Effect::Save);
    }

    /// Whether the other slot may be started again.
    pub(crate) fn has_way_back(&self) -> bool {
        self.world.boot.is_some_and(|boot| {
            boot.table.slot(boot.table.active.other()).state == lapwing_core::SlotState::Confirmed
        })
    }

    /// A check-in was answered by the real fleet.
    pub(crate) fn fleet_reached(&mut self, now: Now, effects: &mut Effects) {
        match self.state {
            State::OnTrial(_) => {
                let first =
                    self.trial_log().is_some_and(|log| !core::mem::replace(&mut log.checked_in, true));
                if first {
                    self.checkpoint_now(now, effects);
                }
            }
            State::Judging { .. } => self.came_back(Cause::LinkLostByImage, effects),
            _ => {}
        }
    }

    pub(crate) fn judging_advance(&mut self, now: Now, effects: &mut Effects) {
        if let State::Judging { until } = self.state
            && now.uptime >= until
        {
            self.came_back(Cause::LinkLost, effects);
        }
    }

    pub(crate) fn health_changed(&mut self, health: Health) {
        self.talk.health_changed();
        if health == Health::Failing && self.spare_is_way_back() {
            self.note(EventKind::HealthFailed, Detail::None);
        }
    }

    /// Whether the spare slot is the way back and must stay as it is.
    pub(crate) fn spare_is_way_back(&self) -> bool {
        self.table_open()
            || matches!(self.state, State::OnTrial(_) | State::Watching(_) | State::Judging { .. })
    }

    /// Tells the launcher that this start lives, when the loop has run long enough, until the table says so.
    pub(crate) fn show_life(&mut self, now: Now, effects: &mut Effects) {
        let again = now.uptime.after(self.settings.trial.checkpoint_ms);
        let life = match &mut self.state {
            State::OnTrial(on_trial) => &mut on_trial.life,
            State::Watching(watching) => &mut watching.life,
            _ => return,
        };
        if life.is_some_and(|due| now.uptime >= due) {
            *life = Some(again);
            effects.ask(Effect::SignOfLife);
        }
    }

    /// The table tells whether the launcher knows that this start lives.
    pub(crate) fn life_shown(&mut self) {
        let shown = self.world.boot.is_some_and(|boot| boot.table.starts_silent == 0);
        match &mut self.state {
            State::OnTrial(on_trial) if shown => on_trial.life = None,
            State::Watching(watching) if shown => watching.life = None,
            _ => {}
        }
    }

    pub(crate) fn life_due(&self, now: Now) -> Option<Uptime> {
        let counted = self.world.boot.is_some_and(|boot| boot.table.starts_silent > 0);
        counted.then(|| now.uptime.after(self.settings.trial.sign_of_life_ms))
    }

    pub(crate) fn unhealthy_for_too_long(&self, now: Now) -> bool {
        self.world.health == Health::Failing
            && now.uptime.since(self.world.health_since) >= self.settings.trial.unhealthy_max_ms
    }

    fn proven(&self, now: Now) -> bool {
        self.world.health == Health::Good
            && now.uptime.since(self.world.health_since) >= self.settings.trial.healthy_min_ms
            && self.checked_in()
    }

    fn checked_in(&self) -> bool {
        !self.settings.trial.needs_check_in
            || self
                .record
                .attempt
                .as_ref()
                .is_some_and(|attempt| matches!(&attempt.stage, Stage::Trial(log) if log.checked_in))
    }

    fn deadline_ms(&self) -> u64 {
        let longest = self.record.attempt.as_ref().and_then(|attempt| attempt.candidate.trial_s_max);
        let longest_ms = longest.map_or(u64::MAX, |seconds| u64::from(seconds).saturating_mul(1_000));
        self.settings.trial.deadline_ms.min(longest_ms)
    }

    /// A boot behind the deadline, when a dead server has stretched it, begins without any measured health.
    /// It may still show what the boot before it had shown.
    fn may_still_prove_itself(&self, now: Now) -> bool {
        let State::OnTrial(on_trial) = &self.state else { return false };
        let grace = on_trial.since.after(self.settings.trial.unhealthy_max_ms);
        let proves = self.world.health == Health::Good
            && self.world.health_since <= grace
            && now.uptime.since(self.world.health_since) < self.settings.trial.healthy_min_ms;
        now.uptime < grace || proves
    }

    /// What the deadline says, if it has come.
    fn deadline_verdict(&self, elapsed_ms: u64) -> Option<Cause> {
        let deadline_ms = self.deadline_ms();
        if elapsed_ms < deadline_ms {
            return None;
        }
        if self.world.health != Health::Good || self.checked_in() {
            return Some(Cause::TrialDeadline);
        }
        let release = self.record.attempt.as_ref().map(|attempt| attempt.candidate.release);
        if self.world.conditions.link == Link::Down && self.record.excused_once != release {
            return Some(Cause::LinkLost);
        }
        let stretched_ms = self.settings.trial.stretch_max_ms.max(deadline_ms);
        (elapsed_ms >= stretched_ms).then_some(Cause::ServerUnreachable)
    }

    fn checkpoint_trial(&mut self, now: Now, effects: &mut Effects) {
        let State::OnTrial(on_trial) = &mut self.state else { return };
        if now.uptime >= on_trial.checkpoint {
            on_trial.checkpoint = now.uptime.after(self.settings.trial.checkpoint_ms);
            self.checkpoint_now(now, effects);
        }
    }

    fn checkpoint_now(&mut self, now: Now, effects: &mut Effects) {
        let State::OnTrial(on_trial) = &self.state else { return };
        let elapsed_ms = on_trial.elapsed_ms(now.uptime);
        if let Some(log) = self.trial_log() {
            log.elapsed_ms = elapsed_ms;
        }
        effects.ask(Effect::Save);
    }

    fn trial_log(&mut self) -> Option<&mut TrialLog> {
        match &mut self.record.attempt.as_mut()?.stage {
            Stage::Trial(log) => Some(log),
            _ => None,
        }
    }
}

impl OnTrial {
    fn elapsed_ms(&self, uptime: Uptime) -> u64 {
        self.before_ms.saturating_add(uptime.since(self.since))
    }
}

/// Whether more than `max` of these moments lie within `window_ms` of the last.
fn too_many(moments: &[u64], max: u8, window_ms: u64) -> bool {
    let Some(last) = moments.last() else { return false };
    let recent = moments.iter().filter(|moment| last.saturating_sub(**moment) <= window_ms).count();
    recent > usize::from(max)
}
