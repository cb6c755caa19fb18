//! An offer arrives, or none does: whether an attempt begins, goes on, changes or ends.
//!
//! Touches: `crate::{verify, policy}`. Entered from: `talk.rs`.
//! Never: begins anything that a gate holds back.

use crate::device::{Device, Permission};
use crate::effect::{Effect, Effects};
use crate::event::Now;
use crate::policy::{Demand, closed_gate, version_allowed};
use crate::record::{Attempt, Stage};
use crate::state::{Fetching, Staged, State};
use crate::verify::{Accepted, Refused, Standing, verify};
use lapwing_core::wire::answer::Travel;
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::check_in::Gate;
use lapwing_core::wire::report::{Detail, EventKind};
use lapwing_core::{Nonce, Uptime};

impl Device {
    pub(crate) fn offer_came(
        &mut self,
        now: Now,
        offer: &[u8],
        release: Option<&[u8]>,
        nonce: Nonce,
        effects: &mut Effects,
    ) {
        match verify(&self.standing(), offer, release, nonce) {
            Ok(accepted) => {
                self.take_time(now, accepted.stated, effects);
                self.fleet_reached(now, effects);
                self.offer_accepted(now, accepted, effects);
            }
            Err(refused) => self.offer_refused(refused, effects),
        }
    }

    /// The fleet answered with a signed "nothing": whatever was on its way was withdrawn.
    pub(crate) fn nothing_offered(&mut self, effects: &mut Effects) {
        self.world.permission = None;
        let waiting = matches!(self.state, State::Fetching(_) | State::Staged(_));
        let resumable = matches!(self.state, State::Idle) && self.record.attempt.is_some();
        if waiting || resumable {
            self.fail_attempt(Cause::Withdrawn, effects);
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

    /// A refusal is said once: the same release refused again is old news.
    fn offer_refused(&mut self, refused: Refused, effects: &mut Effects) {
        let detail = Detail::Cause(refused.cause);
        let known = refused.release.is_some_and(|release| self.record.refused.contains(&release));
        let said = self.record.events.last().is_some_and(|last| {
            last.kind == EventKind::VerifyFailed && last.detail == detail && last.attempt == refused.attempt
        });
        if known || said {
            return;
        }
        self.note_for(refused.attempt, EventKind::VerifyFailed, detail);
        let Some(release) = refused.release else { return };
        let current =
            self.record.attempt.as_ref().is_some_and(|attempt| attempt.candidate.release == release);
        if current && !self.trial_open() {
            self.fail_attempt(refused.cause, effects);
        } else if self.record.has_room_for_outcome() {
            self.record.refuse(release);
            self.note_for(refused.attempt, EventKind::AttemptFailed, detail);
            effects.ask(Effect::Save);
        }
    }

    fn offer_accepted(&mut self, now: Now, accepted: Accepted, effects: &mut Effects) {
        if self.trial_open() || matches!(self.state, State::Applying(_) | State::Restarting { .. }) {
            return;
        }
        let current = self.record.attempt.as_ref();
        let same = current.is_some_and(|attempt| attempt.candidate.release == accepted.candidate.release);
        self.permit(now, &accepted);
        match &mut self.state {
            State::Staged(_) if same => return,
            State::Fetching(fetching) if same && fetching.travel.artifact == accepted.travel.artifact => {
                return;
            }
            _ => {}
        }
        if let Some(gate) = self.gate_for(&accepted) {
            return self.defer(gate, accepted.attempt);
        }
        if current_differs(self.record.attempt.as_ref(), &accepted) {
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

    fn gate_for(&self, accepted: &Accepted) -> Option<Gate> {
        let demand = Demand {
            forced: accepted.forced,
            version_allowed: self.world.asked_for
                || version_allowed(
                    &self.settings.versions,
                    &self.record.confirmed.version,
                    &accepted.candidate.installed.version,
                ),
            room_bytes: accepted
                .travel
                .artifact_size_bytes
                .saturating_add(accepted.candidate.image_size_bytes),
            trial_open: self.trial_open(),
            outcomes_full: !self.record.has_room_for_outcome(),
        };
        closed_gate(demand, &self.world.conditions, self.settings.battery_floor_mv)
    }

    /// Says once which gate holds an update back.
    pub(crate) fn defer(&mut self, gate: Gate, attempt: lapwing_core::AttemptId) {
        if self.world.deferred != Some(gate) {
            self.world.deferred = Some(gate);
            self.note_for(attempt, EventKind::Deferred, Detail::Gate(gate));
        }
    }

    fn begin(&mut self, now: Now, accepted: Accepted, same: bool, effects: &mut Effects) {
        let Accepted { attempt: id, candidate, travel, .. } = accepted;
        self.world.deferred = None;
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

fn current_differs(attempt: Option<&Attempt>, accepted: &Accepted) -> bool {
    attempt.is_some_and(|attempt| attempt.candidate.release != accepted.candidate.release)
}

impl Fetching {
    pub(crate) fn begin(travel: Travel, now: Now) -> Self {
        Self {
            travel,
            have_bytes: 0,
            wrong_digests: 0,
            failed_deltas: 0,
            failures: 0,
            due: now.uptime,
            asked: false,
        }
    }
}
