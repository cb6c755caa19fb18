//! The device brain: its parts, its one step, and what the body may ask of it.
//!
//! Touches: every room of this crate; this is where they are joined. Entered from: the body's loop.
//! Never: blocks, panics, or learns anything that is not in an event.

use crate::effect::{Effect, Effects};
use crate::event::{Boot, Conditions, Event, Fetched, Now};
use crate::gates::Deferral;
use crate::policy::{awake_left_ms, next_awake};
use crate::record::{Installed, Record, Stage};
use crate::settings::Settings;
use crate::state::State;
use crate::talk::Talk;
use lapwing_core::cbor::{DecodeError, NoRoom};
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::check_in::{Gate, Health};
use lapwing_core::wire::report::{Detail, EventKind};
use lapwing_core::{AttemptId, Digest, ShortDigest, TrustAnchor, UnixSeconds, Uptime};

/// Everything a device knows and intends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    pub(crate) settings: Settings,
    pub(crate) anchor: TrustAnchor,
    pub(crate) record: Record,
    pub(crate) state: State,
    pub(crate) talk: Talk,
    pub(crate) world: World,
}

/// What was last seen of the world. Forgotten with every boot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct World {
    pub(crate) boot: Option<Boot>,
    pub(crate) conditions: Conditions,
    pub(crate) health: Health,
    pub(crate) health_since: Uptime,
    /// The last time that a signed answer stated, and when it came.
    pub(crate) time: Option<(UnixSeconds, Uptime)>,
    /// Permission to switch to this release, while it is fresh.
    pub(crate) permission: Option<Permission>,
    /// The update that a gate holds back.
    pub(crate) deferral: Option<Deferral>,
    /// No check-in before its time for the sake of a gate, not before this.
    pub(crate) early_due: Uptime,
    /// Somebody at the device asked for an update.
    pub(crate) asked_for: bool,
    /// The refusal last reported.
    pub(crate) refusal_said: Option<(AttemptId, Cause)>,
    /// An open slot table that nothing explains is closed, not before this.
    pub(crate) close_due: Uptime,
    /// Bytes of the data budget that are reserved and not spent.
    pub(crate) ahead_bytes: u64,
    /// The record could not be stored: then is another try.
    pub(crate) save_due: Option<Uptime>,
    /// The stored record could not be decoded, and that was not reported yet.
    pub(crate) record_lost: bool,
}

/// An offer that may still be acted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Permission {
    pub(crate) release: Digest,
    pub(crate) until: Uptime,
    pub(crate) opens: Uptime,
    pub(crate) closes: Uptime,
}

/// Why an event changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ignored {
    /// Nothing was waiting for it.
    Unexpected,
    /// It came too late to count.
    Late,
    /// It was not what it should be.
    Undecodable,
}

/// One decision.
#[derive(Debug)]
pub struct Step {
    /// The device after it.
    pub next: Device,
    /// What to do, in order.
    pub effects: Effects,
    /// Why the event changed nothing, if it did not.
    pub ignored: Option<Ignored>,
}

/// What the body found where the record should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredRecord<'b> {
    /// The device was never started before.
    Fresh,
    /// These bytes.
    Bytes(&'b [u8]),
    /// Something that could not be read.
    Unreadable,
}

/// What people at the device want to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View<'d> {
    /// What it is doing, in a word.
    pub doing: &'static str,
    /// The release that is confirmed.
    pub confirmed: &'d Installed,
    /// The release being tried, if any.
    pub trying: Option<(AttemptId, &'d Installed)>,
    /// Bytes fetched and expected, while fetching.
    pub fetched_bytes: Option<(u64, u64)>,
    /// Bytes that transfers may still cost today, if there is a data budget.
    pub budget_bytes: Option<u64>,
    /// The gate that holds it back, if one does.
    pub deferred: Option<Gate>,
    /// Failed contacts in a row.
    pub failures: u8,
    /// Outcomes that the fleet has not acknowledged.
    pub outcomes_pending: usize,
    /// Root document and delegation held.
    pub trust_versions: (u32, u32),
    /// No signed answer came for longer than allowed: somebody may be keeping them away.
    pub freeze_suspected: bool,
}

impl Device {
    /// A device that is about to start. Its first event must be [`Event::Booted`].
    ///
    /// A record that cannot be read is replaced by what was provisioned; the device then stays on its
    /// confirmed slot, checks in afresh and reports the loss.
    #[must_use]
    pub fn new(settings: Settings, anchor: TrustAnchor, stored: StoredRecord<'_>) -> Self {
        let provisioned = &settings.identity.provisioned;
        let fresh = Record::new(Installed {
            version: provisioned.version.clone(),
            seq: provisioned.seq,
            security_version: provisioned.security_version,
        });
        let decoded = match stored {
            StoredRecord::Fresh => Ok(fresh.clone()),
            StoredRecord::Bytes(bytes) => Record::decode(bytes),
            StoredRecord::Unreadable => Err(DecodeError::Malformed),
        };
        let world = World { record_lost: decoded.is_err(), ..World::default() };
        let record = decoded.unwrap_or(fresh);
        Self { settings, anchor, record, state: State::Starting, talk: Talk::new(), world }
    }

    /// One decision. Same inputs, same outputs; never blocks, never panics.
    #[must_use]
    pub fn step(mut self, now: Now, event: Event<'_>) -> Step {
        let mut effects = Effects::new();
        self.budget_advance(now);
        let ignored = self.take(now, event, &mut effects);
        self.advance(now, &mut effects);
        self.save_again(now, &mut effects);
        self.talk_advance(now, &mut effects);
        self.reserve_for_talk(&mut effects);
        Step { next: self, effects, ignored }
    }

    /// When the next step is due if nothing happens before, if ever. Asked after a step at `uptime`,
    /// which acted on everything that was due until then.
    #[must_use]
    pub fn wake_at(&self, uptime: Uptime) -> Option<Uptime> {
        let awake = |due: Uptime| next_awake(self.settings.talking.awake, due.max(uptime));
        let [a, b, c, d] = self.state_due();
        let a = if matches!(self.state, State::Fetching(_)) { a.map(awake) } else { a };
        [a, b, c, d, self.talk_due().map(awake), self.world.save_due, self.budget_due(uptime)]
            .into_iter()
            .flatten()
            .filter(|due| *due > uptime)
            .min()
    }

    /// How long the link may be used from then on, milliseconds: a transfer asks for nothing that comes later.
    #[must_use]
    pub fn awake_left_ms(&self, uptime: Uptime) -> u64 {
        awake_left_ms(self.settings.talking.awake, uptime)
    }

    /// Spells the record for [`Effect::Save`].
    ///
    /// # Errors
    /// [`NoRoom`] if `buffer` is smaller than [`crate::limits::RECORD_BYTES_MAX`].
    pub fn encode_record<'a>(&self, buffer: &'a mut [u8]) -> Result<&'a [u8], NoRoom> {
        self.record.encode(buffer)
    }

    /// The record, to look at.
    #[must_use]
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// The trust anchor, for the transport's own checks.
    #[must_use]
    pub fn anchor(&self) -> &TrustAnchor {
        &self.anchor
    }

    /// What people at the device want to know.
    #[must_use]
    pub fn view(&self, uptime: Uptime) -> View<'_> {
        let trying = self.record.attempt.as_ref();
        View {
            doing: self.state.word(),
            confirmed: &self.record.confirmed,
            trying: trying.map(|attempt| (attempt.id, &attempt.candidate.installed)),
            fetched_bytes: match &self.state {
                State::Fetching(fetching) => Some((fetching.have_bytes, fetching.travel.artifact_size_bytes)),
                _ => None,
            },
            budget_bytes: self.left_bytes(),
            deferred: self.deferred(),
            failures: self.talk.failures,
            outcomes_pending: self.record.outcomes_pending(),
            trust_versions: (self.anchor.root().version, self.anchor.delegation_version()),
            freeze_suspected: self.talk.freeze_suspected(&self.settings, uptime),
        }
    }

    /// A record that could not be stored is stored when storage takes it again.
    fn save_again(&mut self, now: Now, effects: &mut Effects) {
        if self.world.save_due.is_some_and(|due| now.uptime >= due) {
            effects.ask(Effect::Save);
        }
        if effects.contains(&Effect::Save) {
            self.world.save_due = None;
        }
    }

    /// Moves the state on as far as time and facts allow.
    fn advance(&mut self, now: Now, effects: &mut Effects) {
        match &self.state {
            State::Fetching(_) => self.fetching_advance(now, effects),
            State::Staged(_) => self.staged_advance(now, effects),
            State::Restarting { .. } => self.restarting_advance(now, effects),
            State::OnTrial(_) => self.trial_advance(now, effects),
            State::Watching(_) => self.watching_advance(now, effects),
            State::Judging { .. } => self.judging_advance(now, effects),
            State::Starting | State::Idle | State::Applying(_) => {}
        }
        if matches!(self.state, State::Idle) {
            self.idle_advance(now, effects);
        }
        if matches!(self.state, State::Idle | State::Watching(_)) {
            self.gates_advance(now);
        }
    }

    /// When the state may want to go on by itself.
    fn state_due(&self) -> [Option<Uptime>; 4] {
        let one = |due| [due, None, None, None];
        match &self.state {
            State::Fetching(fetching) => one((!fetching.asked).then_some(fetching.due)),
            State::Staged(staged) => self.staged_due(staged),
            State::Restarting { retry, .. } => one(*retry),
            State::OnTrial(on_trial) => self.trial_due(on_trial),
            State::Watching(watching) => self.watching_due(watching),
            State::Judging { until } => one(Some(*until)),
            State::Idle => one(self.table_open().then_some(self.world.close_due)),
            State::Starting | State::Applying(_) => [None; 4],
        }
    }

    fn take(&mut self, now: Now, event: Event<'_>, effects: &mut Effects) -> Option<Ignored> {
        match event {
            Event::Booted(boot) => self.booted(now, boot, effects),
            Event::Woke => {}
            Event::Triggered => {
                self.world.asked_for = true;
                self.talk.hurry(now);
            }
            Event::Called => self.talk.called(now),
            Event::Conditions(conditions) => self.world.conditions = conditions,
            Event::Health(health) => self.measured(now, health),
            Event::Answered(bytes) => return self.answered(now, bytes, effects),
            Event::TrustFetched(document, bytes) => {
                return self.trust_fetched(now, document, bytes, effects);
            }
            Event::Reported { up_to } => return self.reported(now, up_to, effects),
            Event::Spent { bytes } => self.spent(bytes),
            Event::Fetched(fetched) => return self.fetched(now, fetched, effects),
            Event::Applied(applied) => return self.applied(now, applied, effects),
            Event::SlotTable(table) => {
                if let Some(boot) = &mut self.world.boot {
                    boot.table = table;
                }
                self.table_changed(now, effects);
            }
            Event::Failed(effect, trouble) => return self.failed(now, effect, trouble, effects),
        }
        None
    }

    /// Notes an event of the present attempt, or of none.
    pub(crate) fn note(&mut self, kind: EventKind, detail: Detail) {
        let attempt = self.record.attempt.as_ref().map_or(AttemptId::NONE, |attempt| attempt.id);
        self.note_for(attempt, kind, detail);
    }

    /// Notes an event of this attempt.
    pub(crate) fn note_for(&mut self, attempt: AttemptId, kind: EventKind, detail: Detail) {
        let running = self.running().short();
        self.record.note(attempt, running, kind, detail);
    }

    /// Ends the attempt without a switch: notes the outcome, burns the seq if the image is to blame,
    /// and forgets what was fetched.
    pub(crate) fn fail_attempt(&mut self, cause: Cause, effects: &mut Effects) {
        self.note(EventKind::AttemptFailed, Detail::Cause(cause));
        if let Some(attempt) = self.record.attempt.take() {
            self.record.blame(attempt.candidate.installed.seq, cause);
        }
        self.state = State::Idle;
        self.world.permission = None;
        effects.ask(Effect::Save);
        effects.ask(Effect::DropArtifact);
    }

    /// Whether the way back is still open.
    pub(crate) fn table_open(&self) -> bool {
        self.world.boot.is_some_and(|boot| boot.table.phase != lapwing_core::Phase::Settled)
    }

    pub(crate) fn set_stage(&mut self, stage: Stage) {
        if let Some(attempt) = &mut self.record.attempt {
            attempt.stage = stage;
        }
    }

    /// Digest of the bytes that run; zero before the boot event.
    pub(crate) fn running(&self) -> Digest {
        self.world.boot.map_or(Digest::from_bytes([0; Digest::LEN]), |boot| boot.running)
    }

    /// Digest of what the spare slot holds, if that is whole.
    pub(crate) fn held(&self) -> Option<ShortDigest> {
        use lapwing_core::SlotState::{Confirmed, Staged};
        let boot = self.world.boot?;
        let spare = boot.table.slot(boot.slot.other());
        matches!(spare.state, Staged | Confirmed).then_some(spare.image.short())
    }

    /// Whether the spare slot holds this image, staged.
    pub(crate) fn spare_holds(&self, image: &Digest) -> bool {
        self.world.boot.is_some_and(|boot| {
            let spare = boot.table.slot(boot.slot.other());
            spare.state == lapwing_core::SlotState::Staged && spare.image == *image
        })
    }

    fn measured(&mut self, now: Now, health: Health) {
        let running = self.running().short();
        let errors = self.world.conditions.errors;
        if self.world.health != health {
            self.world.health = health;
            self.world.health_since = now.uptime;
            self.health_changed(health);
        }
        if let Some(row) = self.record.health_row(running) {
            (row.health, row.errors) = (health, errors);
        }
    }

    fn fetched(&mut self, now: Now, fetched: Fetched, effects: &mut Effects) -> Option<Ignored> {
        match &self.state {
            State::Fetching(_) => self.fetch_went_on(now, fetched, effects),
            _ => return Some(Ignored::Unexpected),
        }
        None
    }
}
