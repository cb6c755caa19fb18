//! An offer arrives, or none does: whether an attempt begins, goes on, changes or ends.
//!
//! Touches: `crate::{verify, policy}`. Entered from: `talk.rs`.
//! Never: begins anything that a gate holds back.

use crate::device::{Device, Ignored, Permission};
use crate::effect::{Effect, Effects};
use crate::event::Now;
use crate::gates::Deferral;
use crate::policy::{Demand, version_allowed};
use crate::record::{Attempt, Stage};
use crate::state::{Fetching, Staged, State};
use crate::verify::{Accepted, Refused, Standing, verify};
use lapwing_core::wire::answer::{Travel, Urgency};
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::check_in::Gate;
use lapwing_core::wire::report::{Detail, EventKind};
use lapwing_core::{Nonce, OldSlot, Phase, Uptime};

impl Device {
    pub(crate) fn offer_came(
        &mut self,
        now: Now,
        offer: &[u8],
        release: Option<&[u8]>,
        nonce: Nonce,
        effects: &mut Effects,
    ) -> Option<Ignored> {
        let verified = verify(&self.standing(), offer, release, nonce);
        let stated =
            verified.as_ref().map_or_else(|refused| refused.stated, |accepted| Some(accepted.stated));
        let Some(stated) = stated else {
            if let Err(refused) = verified {
                self.offer_refused(refused, effects);
            }
            return self.no_answer(now);
        };
        self.talk.answered(now, self.settings.talking.check_in_interval_ms);
        self.take_time(now, stated, effects);
        let judging = matches!(self.state, State::Judging { .. });
        self.fleet_reached(now, effects);
        let attempt = verified.as_ref().map_or_else(|refused| refused.attempt, |accepted| accepted.attempt);
        match verified {
            // The fleet made this offer before it heard how the attempt ended.
            _ if self.record.has_outcome_of(attempt) => {}
            // The verdict that just fell may have burnt this very release: the fleet shall hear it first.
            _ if judging => self.talk.hurry(now),
            Ok(accepted) => self.offer_accepted(now, accepted, effects),
            Err(refused) => self.offer_refused(refused, effects),
        }
        None
    }

    /// The fleet answered with a signed "nothing": whatever was on its way was withdrawn.
    pub(crate) fn nothing_offered(&mut self, effects: &mut Effects) {
        (self.world.permission, self.world.deferral) = (None, None);
        self.world.asked_for = false;
        let waiting = matches!(self.state, State::Fetching(_) | State::Staged(_));
        let stage = self.record.attempt.as_ref().map(|attempt| &attempt.stage);
        let resumable = matches!((&self.state, stage), (State::Idle, Some(Stage::Fetching)));
        if waiting || resumable {
            self.fail_attempt(Cause::Withdrawn, effects);
        }
    }

    /// A table that is open although nothing is being tried is closed: nobody else would do it.
    pub(crate) fn idle_advance(&mut self, now: Now, effects: &mut Effects) {
        let Some(boot) = self.world.boot else { return };
        if !self.table_open() || now.uptime < self.world.close_due {
            return;
        }
        self.world.close_due = now.uptime.after(self.settings.trial.checkpoint_ms);
        effects.ask(match boot.table.phase {
            _ if boot.slot != boot.table.active => Effect::RollBack(OldSlot::Keep),
            Phase::Trial => Effect::Confirm,
            Phase::Watched | Phase::Settled => Effect::Settle(OldSlot::Keep),
        });
    }

    /// The table was closed from the slot that the launcher fell back to.
    pub(crate) fn closed(&mut self, now: Now, effects: &mut Effects) {
        if let Some(Stage::Returning(cause)) = self.record.attempt.as_ref().map(|attempt| &attempt.stage) {
            let cause = *cause;
            self.came_back_for(now, cause, effects);
        }
    }

    fn standing(&self) -> Standing<'_> {
        let running = self.running();
        let expected = self.world.boot.map_or(running, |boot| boot.table.slot(boot.table.active).image);
        Standing {
            identity: &self.settings.identity,
            anchor: &self.anchor,
            record: &self.record,
            running,
            expected,
        }
    }

    /// A refusal is said once: the same release refused again in the same attempt is old news.
    fn offer_refused(&mut self, refused: Refused, effects: &mut Effects) {
        let detail = Detail::Cause(refused.cause);
        let known = refused.release.is_some_and(|release| self.record.has_refused(refused.attempt, &release));
        let said = Some((refused.attempt, refused.cause));
        if known || core::mem::replace(&mut self.world.refusal_said, said) == said {
            return;
        }
        self.note_for(refused.attempt, EventKind::VerifyFailed, detail);
        let Some(release) = refused.release else { return };
        let current = self.record.attempt.as_ref().is_some_and(|attempt| attempt.id == refused.attempt);
        if current && self.spare_is_way_back() {
            // It was switched to already; how it ends, its trial says.
        } else if current {
            self.fail_attempt(refused.cause, effects);
        } else if self.record.has_room_for_outcome() {
            self.record.refuse(refused.attempt, release);
            self.note_for(refused.attempt, EventKind::AttemptFailed, detail);
            effects.ask(Effect::Save);
        }
    }

    fn offer_accepted(&mut self, now: Now, accepted: Accepted, effects: &mut Effects) {
        let current = self.record.attempt.as_ref();
        let same = current.is_some_and(|attempt| {
            attempt.id == accepted.attempt && attempt.candidate.release == accepted.candidate.release
        });
        let other = current.is_none_or(|attempt| attempt.candidate.release != accepted.candidate.release);
        let watching = other && matches!(self.state, State::Watching(_));
        let busy = matches!(self.state, State::Applying(_) | State::Restarting { .. });
        if busy || (self.spare_is_way_back() && !watching) {
            return;
        }
        self.permit(now, &accepted);
        match &mut self.state {
            State::Staged(staged) if same => {
                staged.asked = false;
                return;
            }
            State::Fetching(fetching) if same && fetching.travel.artifact == accepted.travel.artifact => {
                return;
            }
            _ => {}
        }
        let (attempt, demand) = (accepted.attempt, self.demand_of(&accepted));
        if let Some(gate) = self.closed_gate(demand) {
            return self.defer(now, Deferral { attempt, demand, gate });
        }
        if watching {
            // The offer comes again when the spare slot may be written.
            self.world.deferral = Some(Deferral { attempt, demand, gate: Gate::Watching });
            return self.end_watch(now, effects);
        }
        if !same && self.record.attempt.is_some() {
            self.note(EventKind::AttemptFailed, Detail::Cause(Cause::Superseded));
        }
        self.begin(now, accepted, same, effects);
    }

    /// Remembers for how long, and when, a switch may rest on this offer.
    fn permit(&mut self, now: Now, accepted: &Accepted) {
        let at = |seconds: u32| now.uptime.after(u64::from(seconds).saturating_mul(1_000));
        let window = accepted.switch_window;
        self.world.permission = Some(Permission {
            release: accepted.candidate.release,
            until: at(accepted.ttl_s),
            opens: window.map_or(now.uptime, |window| at(window.opens_in_s)),
            closes: window.map_or(Uptime(u64::MAX), |window| at(window.closes_in_s)),
        });
    }

    fn demand_of(&self, accepted: &Accepted) -> Demand {
        let Accepted { candidate, travel, forced, urgency, .. } = accepted;
        let from = &self.record.confirmed.version;
        Demand {
            forced: *forced,
            urgent: *forced || *urgency == Urgency::Now,
            version_allowed: version_allowed(&self.settings.versions, from, &candidate.installed.version),
            room_bytes: travel.artifact_size_bytes.saturating_add(candidate.image_size_bytes),
            begins: true,
        }
    }

    fn begin(&mut self, now: Now, accepted: Accepted, same: bool, effects: &mut Effects) {
        let Accepted { attempt: id, candidate, travel, .. } = accepted;
        self.world.deferral = None;
        self.world.asked_for = false;
        let staged = self.spare_holds(&candidate.image);
        let stage = if staged { Stage::Staged } else { Stage::Fetching };
        self.record.attempt = Some(Attempt { id, candidate, stage });
        if !same {
            self.note(EventKind::CheckStarted, Detail::None);
            self.note(EventKind::CheckCompleted, Detail::None);
            self.note(EventKind::Offered, Detail::None);
        }
        effects.ask(Effect::Save);
        if staged {
            self.state = State::Staged(Staged::default());
            return;
        }
        if !same {
            self.note(EventKind::DownloadStarted, Detail::Amount(travel.artifact_size_bytes));
        }
        self.state = State::Fetching(Fetching::begin(travel, now));
    }
}

impl Fetching {
    pub(crate) fn begin(travel: Travel, now: Now) -> Self {
        Self {
            travel,
            have_bytes: 0,
            wrong_digests: 0,
            failed_deltas: 0,
            failures: 0,
            refusals: 0,
            due: now.uptime,
            asked: false,
            held: false,
        }
    }
}
