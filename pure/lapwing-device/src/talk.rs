//! The conversation with the fleet: one exchange at a time, reports first, then check-ins, and the
//! walk along the trust chain when the fleet is ahead.
//!
//! Runs beside the update's state and feeds it. Touches: `walk`, the record's floor.
//! Never: decides about an update; `states/` does.

mod walk;

use crate::device::{Device, Ignored};
use crate::effect::{Effect, Effects};
use crate::event::{Now, Trouble};
use crate::limits::{CALL_REST_MS, CALLS_MAX};
use crate::policy::{awake_left_ms, back_off_ms};
use crate::record::Floor;
use crate::settings::Settings;
use crate::state::State;
use lapwing_core::cbor::{NoRoom, decode, encode};
use lapwing_core::limits::REPORT_EVENTS_MAX;
use lapwing_core::wire::answer::Answer;
use lapwing_core::wire::check_in::{CheckIn, ComponentState, Facts, NamedFacts};
use lapwing_core::wire::report::{Event, EventKind, Report};
use lapwing_core::{Nonce, Uptime};

/// Questions in a row that a server may answer with a question.
const ASKS_MAX: u8 = 2;

/// The conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Talk {
    phase: Phase,
    /// When this phase began.
    since: Uptime,
    /// The next check-in.
    due: Uptime,
    /// A wake-up call asks for a check-in at this time.
    called: Option<Uptime>,
    /// When all calls that were followed are made up for.
    calls_over: Uptime,
    /// Back-off: nothing at all before this.
    not_before: Uptime,
    pub(crate) failures: u8,
    /// The next check-in must ask for a signed answer.
    nonce_wanted: bool,
    /// The next check-in must carry facts and health.
    facts_due: bool,
    health_due: bool,
    asks: u8,
    /// The fleet refused a report: no other before this, so that nothing can keep a device from its offers.
    reports_due: Uptime,
    /// When a signed answer last came.
    signed: Uptime,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Quiet,
    CheckingIn { nonce: Option<Nonce> },
    Reporting { up_to: u32 },
    Walking { root_to: u32, steps: u8 },
}

impl Talk {
    pub(crate) const fn new() -> Self {
        Self {
            phase: Phase::Quiet,
            since: Uptime(0),
            due: Uptime(0),
            called: None,
            calls_over: Uptime(0),
            not_before: Uptime(0),
            failures: 0,
            nonce_wanted: true,
            facts_due: true,
            health_due: true,
            asks: 0,
            reports_due: Uptime(0),
            signed: Uptime(0),
        }
    }

    /// Check in as soon as back-off allows.
    pub(crate) fn hurry(&mut self, now: Now) {
        self.due = self.due.min(now.uptime.max(self.not_before));
    }

    /// Somebody called, whoever that is. A call that waits stands for those that follow; one too many waits until
    /// the oldest is made up for.
    pub(crate) fn called(&mut self, now: Now) {
        if self.called.is_none() {
            let over = self.calls_over.max(now.uptime);
            let saved_ms = CALL_REST_MS.saturating_mul(CALLS_MAX.saturating_sub(1));
            self.called = Some(Uptime(over.0.saturating_sub(saved_ms)).max(now.uptime));
            self.calls_over = over.after(CALL_REST_MS);
        }
    }

    /// When the next check-in is due. No call is stronger than back-off.
    fn check_in_due(&self) -> Uptime {
        self.called.map_or(self.due, |called| called.max(self.not_before).min(self.due))
    }

    /// Check in at this time.
    pub(crate) fn at(&mut self, due: Uptime) {
        self.due = due;
    }

    /// The next check-in must carry a nonce.
    pub(crate) fn want_signed(&mut self) {
        self.nonce_wanted = true;
    }

    /// Whether an answer to this is being waited for.
    pub(crate) fn awaits(&self, effect: Effect) -> bool {
        match self.phase {
            Phase::Quiet => false,
            Phase::CheckingIn { .. } => effect == Effect::CheckIn,
            Phase::Reporting { up_to } => effect == Effect::Report { up_to },
            Phase::Walking { .. } => matches!(effect, Effect::FetchTrust(_)),
        }
    }

    /// Health changed in a way the fleet should hear of.
    pub(crate) fn health_changed(&mut self) {
        self.health_due = true;
    }

    /// No signed answer came for longer than the settings allow.
    pub(crate) fn freeze_suspected(&self, settings: &Settings, uptime: Uptime) -> bool {
        uptime.since(self.signed) > settings.talking.signed_status_max_age_ms
    }

    fn enter(&mut self, phase: Phase, now: Now) {
        (self.phase, self.since) = (phase, now.uptime);
    }

    fn failed(&mut self, settings: &Settings, now: Now, hint_ms: u64) {
        let talking = &settings.talking;
        self.phase = Phase::Quiet;
        self.asks = 0;
        self.failures = self.failures.saturating_add(1);
        let wait =
            back_off_ms(talking.retry_first_ms, talking.retry_max_ms, self.failures, hint_ms, now.entropy);
        self.due = now.uptime.after(wait);
        self.not_before = self.due;
    }

    pub(crate) fn answered(&mut self, now: Now, next_ms: u64) {
        self.phase = Phase::Quiet;
        (self.failures, self.asks) = (0, 0);
        (self.nonce_wanted, self.facts_due, self.health_due) = (false, false, false);
        self.not_before = now.uptime;
        self.due = now.uptime.after(next_ms);
    }
}

impl Device {
    /// Begins the next exchange if one is due and nothing is in its way.
    pub(crate) fn talk_advance(&mut self, now: Now, effects: &mut Effects) {
        let busy = matches!(
            self.state,
            State::Starting | State::Restarting { retry: None, .. } | State::Applying(_)
        );
        if self.talk.phase != Phase::Quiet && now.uptime > self.answer_due() {
            // Whatever became of it, nobody will say any more.
            self.no_answer(now);
        }
        let asleep = awake_left_ms(self.settings.talking.awake, now.uptime) == 0;
        if busy || asleep || self.talk.phase != Phase::Quiet || now.uptime < self.talk.not_before {
            return;
        }
        let check_in_due = now.uptime >= self.talk.check_in_due();
        let prompt = self.reports_promptly();
        let last = self.record.events.last().filter(|_| now.uptime >= self.talk.reports_due);
        // What else happened the fleet must hear before it decides; more progress can wait for the check-in.
        let progress = |event: &Event| event.kind == EventKind::DownloadProgress;
        let only_progress = self.record.events.iter().all(progress);
        match last.map(|event| event.number) {
            Some(up_to) if check_in_due && !(prompt && only_progress) || prompt && !check_in_due => {
                self.talk.enter(Phase::Reporting { up_to }, now);
                effects.ask(Effect::Report { up_to });
            }
            _ if check_in_due => self.check_in(now, effects),
            _ => {}
        }
    }

    /// Whether an event is told when it happens: on a thin link not while an artifact comes.
    fn reports_promptly(&self) -> bool {
        let comes = matches!(&self.state, State::Fetching(fetching) if fetching.asked);
        let talking = &self.settings.talking;
        talking.report_promptly && !(talking.fetch_undisturbed && comes)
    }

    /// When the conversation wants to go on by itself.
    pub(crate) fn talk_due(&self) -> Option<Uptime> {
        let prompt = self.reports_promptly() && !self.record.events.is_empty();
        let report = self.talk.not_before.max(self.talk.reports_due);
        let check_in = self.talk.check_in_due();
        let due = if prompt { report.min(check_in) } else { check_in };
        Some(if self.talk.phase == Phase::Quiet { due } else { self.answer_due().after(1) })
    }

    fn answer_due(&self) -> Uptime {
        self.talk.since.after(self.settings.talking.answer_window_ms)
    }

    /// An effect of the conversation may have been dropped with the rest of its step.
    pub(crate) fn talk_again(&mut self, effects: &mut Effects) {
        match self.talk.phase {
            Phase::CheckingIn { .. } => effects.ask(Effect::CheckIn),
            Phase::Reporting { up_to } => effects.ask(Effect::Report { up_to }),
            Phase::Walking { root_to, .. } => effects.ask(Effect::FetchTrust(self.next_document(root_to))),
            Phase::Quiet => {}
        }
    }

    fn check_in(&mut self, now: Now, effects: &mut Effects) {
        let talking = &self.settings.talking;
        let signed = talking.always_signed
            || self.talk.nonce_wanted
            || now.uptime.since(self.talk.signed) >= talking.signed_status_max_age_ms;
        let nonce = signed.then(|| Nonce(now.entropy.to_be_bytes()));
        self.talk.enter(Phase::CheckingIn { nonce }, now);
        self.talk.called = None;
        effects.ask(Effect::CheckIn);
    }

    /// Spells the check-in for [`Effect::CheckIn`]. `named` are the host's facts, sent when due.
    ///
    /// # Errors
    /// [`NoRoom`] if `buffer` is smaller than [`lapwing_core::limits::CHECK_IN_BYTES_MAX`].
    pub fn encode_check_in<'a>(
        &self,
        named: NamedFacts<'_>,
        buffer: &'a mut [u8],
    ) -> Result<&'a [u8], NoRoom> {
        let identity = &self.settings.identity;
        let nonce = match self.talk.phase {
            Phase::CheckingIn { nonce } => nonce,
            _ => None,
        };
        let component = ComponentState {
            name: identity.component.clone(),
            running: self.running().short(),
            held: self.held(),
        };
        let facts = Facts {
            hardware: identity.hardware,
            bootloader: identity.bootloader,
            profile: identity.profile,
            named,
        };
        let health = if self.talk.health_due { self.record.health.clone() } else { heapless::Vec::new() };
        let check_in = CheckIn {
            root_version: self.anchor.root().version,
            delegation_version: self.anchor.delegation_version(),
            components: heapless::Vec::from_iter([component]),
            nonce,
            facts: self.talk.facts_due.then_some(facts),
            health,
            gates: self.gates_to_tell().collect(),
            boot: nonce.and(self.world.boot).map(|boot| boot.id),
        };
        encode(&check_in, buffer)
    }

    /// Spells the report for [`Effect::Report`].
    ///
    /// # Errors
    /// [`NoRoom`] if `buffer` is smaller than [`lapwing_core::limits::REPORT_BYTES_MAX`].
    pub fn encode_report<'a>(&self, buffer: &'a mut [u8]) -> Result<&'a [u8], NoRoom> {
        let events = self.record.events.iter().take(REPORT_EVENTS_MAX).copied().collect();
        encode(&Report { events }, buffer)
    }

    /// Only the report that is being waited for counts: what a late answer speaks of, a newer one repeats.
    pub(crate) fn reported(&mut self, now: Now, up_to: u32, effects: &mut Effects) -> Option<Ignored> {
        if !self.talk.awaits(Effect::Report { up_to }) {
            return Some(Ignored::Late);
        }
        let outcomes = self.record.outcomes_pending();
        self.record.acknowledged(up_to);
        self.talk.phase = Phase::Quiet;
        self.talk.not_before = now.uptime;
        if self.record.outcomes_pending() != outcomes {
            effects.ask(Effect::Save);
        }
        None
    }

    pub(crate) fn contact_failed(&mut self, now: Now, trouble: Trouble) {
        let reporting = matches!(self.talk.phase, Phase::Reporting { .. });
        if reporting && trouble == Trouble::Refused {
            self.talk.reports_due = now.uptime.after(self.settings.talking.check_in_interval_ms);
        }
        let hint_ms = match trouble {
            Trouble::Link { retry_after_ms } => retry_after_ms.unwrap_or(0),
            _ => 0,
        };
        let hint_ms = hint_ms.min(self.settings.talking.signed_status_max_age_ms);
        self.talk.failed(&self.settings, now, hint_ms);
    }

    /// What came answers nothing, or nothing came: the exchange is over, the next one waits.
    pub(crate) fn no_answer(&mut self, now: Now) -> Option<Ignored> {
        self.talk.failed(&self.settings, now, 0);
        Some(Ignored::Undecodable)
    }

    pub(crate) fn answered(&mut self, now: Now, bytes: &[u8], effects: &mut Effects) -> Option<Ignored> {
        let Phase::CheckingIn { nonce } = self.talk.phase else { return Some(Ignored::Unexpected) };
        if now.uptime.since(self.talk.since) > self.settings.talking.answer_window_ms {
            self.no_answer(now);
            return Some(Ignored::Late);
        }
        match (decode(bytes), nonce) {
            (Ok(Answer::Nothing { next_check_in_s }), None) => {
                self.talk.answered(now, self.interval_ms(next_check_in_s));
                self.fleet_reached(now, effects);
            }
            (Ok(Answer::Ask(wanted)), _) if self.talk.asks < ASKS_MAX => {
                self.talk.nonce_wanted |= wanted.nonce;
                self.talk.facts_due |= wanted.facts;
                self.talk.asks = self.talk.asks.saturating_add(1);
                self.check_in(now, effects);
            }
            (Ok(Answer::Wait { after_s, .. }), _) => {
                self.talk.answered(now, self.pause_ms(after_s));
                self.talk.not_before = self.talk.due;
                self.talk.facts_due = true;
            }
            (Ok(Answer::CatchUp { root, delegation }), _) => {
                return self.catch_up(now, root, delegation, effects);
            }
            (Ok(Answer::Status(envelope)), Some(nonce)) => {
                return self.status_came(now, envelope, nonce, effects);
            }
            (Ok(Answer::Offer { offer, release }), Some(nonce)) => {
                return self.offer_came(now, offer, release, nonce, effects);
            }
            _ => return self.no_answer(now),
        }
        None
    }

    fn status_came(
        &mut self,
        now: Now,
        envelope: &[u8],
        nonce: Nonce,
        effects: &mut Effects,
    ) -> Option<Ignored> {
        let device = &self.settings.identity.device;
        let above_floor = |time| self.record.floor.is_none_or(|floor| time >= floor.time);
        match self.anchor.open_status(envelope, device, nonce) {
            Ok((status, key)) if above_floor(status.now) => {
                self.talk.answered(now, self.interval_ms(status.next_check_in_s));
                self.take_time(now, Floor { time: status.now, key }, effects);
                self.fleet_reached(now, effects);
                self.nothing_offered(effects);
                None
            }
            _ => self.no_answer(now),
        }
    }

    /// Takes over the time that a signed, fresh answer stated.
    pub(crate) fn take_time(&mut self, now: Now, stated: Floor, effects: &mut Effects) {
        self.talk.signed = now.uptime;
        self.world.time = Some((stated.time, now.uptime));
        self.budget_advance(now);
        let moved = self.record.floor.is_none_or(|floor| stated.time.since(floor.time) > FLOOR_STEP_S);
        if moved {
            self.record.floor = Some(stated);
            effects.ask(Effect::Save);
        }
    }

    /// Between two check-ins of an idle device: the shorter of what the server asks for and its owner allows.
    fn interval_ms(&self, asked_s: u32) -> u64 {
        self.pause_ms(asked_s).min(self.settings.talking.check_in_interval_ms_max)
    }

    /// What a server may ask for: never so long that nobody would notice that it keeps a device quiet.
    fn pause_ms(&self, asked_s: u32) -> u64 {
        u64::from(asked_s).saturating_mul(1_000).min(self.settings.talking.signed_status_max_age_ms)
    }
}

/// The floor is written only when it moved by more than this.
const FLOOR_STEP_S: u64 = 86_400;
