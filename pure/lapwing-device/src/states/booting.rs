//! The body started: what runs is held against what was being tried.
//!
//! The slot table says what runs; the record says what we were trying. No third place holds state,
//! so every power cut ends here and every state that can be saved is answered.
//! Never: assumes that anything asked for before the cut was done.

use crate::device::Device;
use crate::effect::{Effect, Effects};
use crate::event::{Boot, Now, ResetCause};
use crate::record::{Stage, TrialLog};
use crate::state::{Staged, State};
use lapwing_core::wire::cause::{Blame, Cause};
use lapwing_core::wire::check_in::Health;
use lapwing_core::wire::report::{Detail, EventKind};
use lapwing_core::{AttemptId, OldSlot, Phase, Return, SlotState};

impl Device {
    pub(crate) fn booted(&mut self, now: Now, boot: Boot, effects: &mut Effects) {
        self.world.boot = Some(boot);
        (self.world.health, self.world.health_since) = (Health::Unknown, now.uptime);
        self.count_boot(&boot);
        effects.ask(Effect::Save);
        self.world.close_due = now.uptime;
        self.record.skip_numbers(now.entropy, self.world.record_lost);
        if core::mem::take(&mut self.world.record_lost) {
            self.note(EventKind::AttemptFailed, Detail::Cause(Cause::RecordUnreadable));
        }
        let spread = self.settings.talking.boot_spread_ms.saturating_add(1);
        self.talk.at(now.uptime.after(now.entropy.checked_rem(spread).unwrap_or(0)));
        let runs_active = boot.slot == boot.table.active;
        match boot.table.phase {
            Phase::Trial | Phase::Watched if !runs_active => self.try_not_recorded(),
            Phase::Trial => self.booted_on_trial(now, boot, effects),
            Phase::Watched => self.booted_watched(now, boot, effects),
            Phase::Settled => self.booted_settled(now, boot, effects),
        }
    }

    fn count_boot(&mut self, boot: &Boot) {
        let errors = self.world.conditions.errors;
        let Some(row) = self.record.health_row(boot.running.short()) else { return };
        row.boots = row.boots.saturating_add(1);
        row.watchdog_resets =
            row.watchdog_resets.saturating_add(u32::from(boot.reset == ResetCause::Watchdog));
        row.crashes = row.crashes.saturating_add(u32::from(boot.crashed));
        row.errors = errors;
    }

    /// The launcher could not write down a try and started the old slot instead. The trial is over when
    /// the table says so; until then the next start may go on with it.
    fn try_not_recorded(&mut self) {
        self.state = State::Idle;
        let stage = self.record.attempt.as_ref().map(|attempt| &attempt.stage);
        if stage.is_some_and(|stage| !matches!(stage, Stage::Returning(_))) {
            self.note(EventKind::RollbackTriggered, Detail::Cause(Cause::TryNotRecorded));
            self.set_stage(Stage::Returning(Cause::TryNotRecorded));
        }
    }

    fn booted_on_trial(&mut self, now: Now, boot: Boot, effects: &mut Effects) {
        let log = match self.stage_of_active(&boot) {
            None => return self.stranger_on_trial(now),
            Some(Stage::Returning(cause)) => return self.return_now(now, cause, effects),
            Some(Stage::Trial(mut log)) => {
                log.count_start(boot.reset);
                log
            }
            Some(_) => {
                self.note(EventKind::RebootCompleted, Detail::None);
                TrialLog::default()
            }
        };
        self.begin_trial(now, log, effects);
    }

    /// A trial that no record explains cannot be judged, so the old image gets its place back, if there is one.
    fn stranger_on_trial(&mut self, now: Now) {
        if !self.has_way_back() {
            self.state = State::Idle;
            return;
        }
        self.note_for(AttemptId::NONE, EventKind::RollbackTriggered, Detail::Cause(Cause::RecordUnreadable));
        self.state = State::Restarting { retry: Some(now.uptime), failures: 0 };
    }

    /// Going back was decided before the power went.
    fn return_now(&mut self, now: Now, cause: Cause, effects: &mut Effects) {
        if self.has_way_back() {
            self.state = State::Restarting { retry: Some(now.uptime), failures: 0 };
        } else {
            self.stay(cause, effects);
        }
    }

    fn booted_watched(&mut self, now: Now, boot: Boot, effects: &mut Effects) {
        match self.stage_of_active(&boot) {
            Some(Stage::Watching { follow_ups, elapsed_ms }) => {
                self.begin_watch(now, follow_ups, elapsed_ms);
            }
            Some(Stage::Returning(cause)) => self.return_now(now, cause, effects),
            // The confirmation was written down by the table, but not yet by the record.
            Some(_) => self.confirmed(now, effects),
            None => self.state = State::Idle,
        }
    }

    fn booted_settled(&mut self, now: Now, boot: Boot, effects: &mut Effects) {
        self.state = State::Idle;
        let Some(attempt) = &self.record.attempt else { return };
        let image = attempt.candidate.image;
        match attempt.stage.clone() {
            Stage::Fetching => {}
            // An image that waits in its slot was not switched to, whatever came back before it.
            Stage::Staged | Stage::Switching if self.spare_holds(&image) => {
                self.set_stage(Stage::Staged);
                self.state = State::Staged(Staged::default());
            }
            Stage::Staged => self.set_stage(Stage::Fetching),
            Stage::Judging => self.begin_judging(now),
            Stage::Returning(cause) => self.came_back_for(now, cause, effects),
            stage => match boot.table.returned {
                Some(why) => self.came_back_for(now, self.return_cause(&boot, &stage, why), effects),
                // The table was settled, the record was not.
                None if matches!(stage, Stage::Watching { .. }) => self.settled(effects),
                None if boot.table.slot(boot.slot).image == image => {
                    self.confirmed(now, effects);
                    self.settled(effects);
                }
                None => self.set_stage(Stage::Fetching),
            },
        }
    }

    /// What the end of a trial is called that the record does not explain.
    fn return_cause(&self, boot: &Boot, stage: &Stage, why: Return) -> Cause {
        let ran = !matches!(stage, Stage::Switching);
        let release = self.record.attempt.as_ref().map(|attempt| attempt.candidate.release);
        let excused = ran || self.record.excused_once != release;
        let kept = boot.table.slot(boot.slot.other()).state == SlotState::Staged;
        match why {
            // What dies by itself is started again at once: it was the power that stopped it.
            Return::SilentStarts | Return::TrialStarts if excused && boot.reset == ResetCause::PowerOn => {
                Cause::PowerUnstable
            }
            Return::SilentStarts => Cause::SilentStarts,
            Return::TrialStarts => Cause::TrialStarts,
            Return::NotStartable => Cause::NotStartable,
            Return::ImageDiffers => Cause::SlotTampered,
            // The reason could not be stored; the slot still tells whether the image was to blame.
            Return::AgentAsked if kept => Cause::ServerUnreachable,
            Return::AgentAsked => Cause::HealthFailed,
        }
    }

    /// The stage of the attempt, if it is about the image in the active slot.
    fn stage_of_active(&self, boot: &Boot) -> Option<Stage> {
        let active = boot.table.slot(boot.table.active).image;
        let attempt = self.record.attempt.as_ref()?;
        (attempt.candidate.image == active).then(|| attempt.stage.clone())
    }

    pub(crate) fn came_back_for(&mut self, now: Now, cause: Cause, effects: &mut Effects) {
        if matches!(cause, Cause::LinkLost | Cause::PowerUnstable) {
            self.record.excused_once = self.record.attempt.as_ref().map(|attempt| attempt.candidate.release);
        }
        if cause != Cause::LinkLost {
            return self.came_back(cause, effects);
        }
        self.set_stage(Stage::Judging);
        self.begin_judging(now);
    }

    fn begin_judging(&mut self, now: Now) {
        self.state = State::Judging { until: now.uptime.after(self.settings.trial.deadline_ms) };
    }

    /// The old image runs again: the outcome is noted, and the release burnt if its image is to blame.
    pub(crate) fn came_back(&mut self, cause: Cause, effects: &mut Effects) {
        let Some(attempt) = &self.record.attempt else { return };
        let seq = attempt.candidate.installed.seq;
        if !matches!(attempt.stage, Stage::Returning(_) | Stage::Judging) {
            self.note(EventKind::RollbackTriggered, Detail::Cause(cause));
        }
        self.note(EventKind::RollbackCompleted, Detail::Cause(cause));
        self.record.blame(seq, cause);
        if let Some(previous) = self.record.previous.take() {
            self.record.confirmed = previous;
        }
        self.record.attempt = None;
        self.state = State::Idle;
        effects.ask(Effect::Save);
    }
}

impl TrialLog {
    /// Counts a start that may be one of a loop: power that comes on is none.
    fn count_start(&mut self, reset: ResetCause) {
        if reset == ResetCause::PowerOn {
            return;
        }
        remember(&mut self.reboots, self.elapsed_ms);
        if reset == ResetCause::Watchdog {
            remember(&mut self.watchdogs, self.elapsed_ms);
        }
    }
}

/// Remembers a moment, forgetting the oldest.
fn remember<const N: usize>(moments: &mut heapless::Vec<u64, N>, moment: u64) {
    if moments.is_full() {
        moments.remove(0);
    }
    let _ = moments.push(moment);
}

/// What becomes of the slot that is left for this cause.
pub(crate) fn old_slot(cause: Cause) -> OldSlot {
    match cause.blame() {
        Blame::Image => OldSlot::MarkBad,
        Blame::None => OldSlot::Keep,
    }
}
