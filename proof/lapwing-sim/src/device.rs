//! The device's body: one step of the brain at a time, its effects in order, each result as an event.
//!
//! Touches: the disk, by the same sequences as the real agent: write, flush, rename, flush names.
//! Never: decides anything.

use crate::launch::{DELEGATION, RECORD, root_file, slot_file};
use crate::maker::artifact;
use crate::program::Program;
use crate::server::Request;
use crate::storage::DiskError;
use crate::told::Told;
use crate::twist::When;
use crate::world::{Happening, World};
use lapwing_core::wire::check_in::NamedFacts;
use lapwing_core::{Booted, Digest, OldSlot, Return, SlotTable, SlotTableError, StartLimits, Uptime};
use lapwing_device::{
    Applied, Conditions, Effect, Event, Install, Link, Now, ResetCause, Transfer, Trouble, TrustDocument,
};

/// The artifact as far as it came.
pub(crate) const ARTIFACT: &str = "artifact";
/// Which artifact that is, and how much of it is durable.
pub(crate) const ARTIFACT_META: &str = "artifact.meta";
/// Bytes asked for at once.
pub const CHUNK_BYTES: u64 = 1_000;
/// What a request and its answer weigh on the link beside what they carry.
pub(crate) const FRAME_BYTES: u64 = 128;
/// Bytes of an image written at once.
const WRITE_BYTES: usize = 2_048;

/// What doing an effect came to.
enum Done {
    /// Nothing to tell.
    Silently,
    /// This is to be told.
    With(Told),
    /// The process is gone.
    Ended,
    /// The server is asked; the rest happens later.
    Asked(Request),
}

/// Why an effect could not be done.
enum Undone {
    PowerLost,
    Trouble(Trouble),
}

impl From<DiskError> for Undone {
    fn from(error: DiskError) -> Self {
        match error {
            DiskError::PowerLost => Self::PowerLost,
            DiskError::Full => Self::Trouble(Trouble::DiskFull),
            DiskError::ReadOnly => Self::Trouble(Trouble::ReadOnly),
            DiskError::Missing => Self::Trouble(Trouble::Storage),
        }
    }
}

impl From<SlotTableError> for Undone {
    fn from(_: SlotTableError) -> Self {
        Self::Trouble(Trouble::SlotTable)
    }
}

impl World {
    /// Tells the brain something.
    pub(crate) fn tell(&mut self, told: Told) {
        if let Told::TrustFetched(_, bytes) = &told {
            self.document.clone_from(bytes);
        }
        self.step(told.event());
    }

    /// One step of the brain, and what it asks for.
    pub(crate) fn step(&mut self, event: Event<'_>) {
        let entropy = self.entropy.number();
        let Some(running) = &mut self.running else { return };
        let now = Now { uptime: Uptime(self.now_ms - running.since_ms), entropy };
        let step = running.brain.clone().step(now, event);
        running.brain = step.next;
        running.wake += 1;
        let (life, wake) = (running.life, running.wake);
        let wake_at = running.brain.wake_at(now.uptime);
        let wake_ms = wake_at.map(|due| running.since_ms.saturating_add(due.0));
        self.steps += 1;
        self.dropped_effects += u64::from(step.effects.dropped());
        self.narrate_step();
        self.perform(life, &step.effects);
        if let Some(wake_ms) = wake_ms {
            self.happens_at(wake_ms.max(self.now_ms + 1), Happening::Wake(life, wake));
        }
    }

    /// Does effects in order; when one fails the rest is dropped.
    fn perform(&mut self, life: u64, effects: &[Effect]) {
        for effect in effects {
            self.effects += 1;
            let done = self.disk.point().map_err(Undone::from).and_then(|()| match self.fault_in(effect) {
                Some(trouble) => Err(Undone::Trouble(trouble)),
                None => self.effect(*effect),
            });
            match done {
                Ok(Done::Silently) => {}
                Ok(Done::With(told)) => self.happens_in(1, Happening::Tell(life, told)),
                Ok(Done::Asked(request)) => self.ask_server(*effect, request),
                Ok(Done::Ended) => {
                    self.running = None;
                    return self.happens_in(50, Happening::Launch(ResetCause::Software, false));
                }
                Err(Undone::PowerLost) => return self.cut_here(),
                Err(Undone::Trouble(trouble)) => {
                    self.say_failure(*effect, trouble);
                    return self.happens_in(1, Happening::Tell(life, Told::Failed(*effect, trouble)));
                }
            }
        }
    }

    fn effect(&mut self, effect: Effect) -> Result<Done, Undone> {
        match effect {
            Effect::Save => self.save(),
            Effect::CheckIn => self.encode_check_in().map(|bytes| Done::Asked(Request::CheckIn(bytes))),
            Effect::Report { .. } => self.encode_report().map(|bytes| Done::Asked(Request::Report(bytes))),
            Effect::FetchTrust(document) => Ok(Done::Asked(Request::Trust(document))),
            Effect::KeepTrust(document) => self.keep_trust(document),
            Effect::Fetch(transfer) => self.fetch(transfer),
            Effect::Apply(install) => self.apply(install),
            Effect::DropArtifact => self.drop_artifact(),
            Effect::SignOfLife => self.change_table(SlotTable::sign_of_life),
            Effect::Switch { image, limits } => self.switch(image, limits),
            Effect::Restart => Ok(Done::Ended),
            Effect::Confirm => self.change_table(SlotTable::confirm),
            Effect::Settle(old) => self.change_table(|table, _| table.settle(old)),
            Effect::RollBack(old) => self.roll_back(old),
        }
    }

    /// New bytes for a file, all or nothing.
    fn replace(&mut self, name: &str, bytes: &[u8]) -> Result<(), Undone> {
        let new = format!("{name}.new");
        self.disk.create(&new)?;
        self.disk.write(&new, 0, bytes)?;
        self.disk.flush(&new)?;
        self.disk.rename(&new, name)?;
        Ok(self.disk.flush_names()?)
    }

    fn save(&mut self) -> Result<Done, Undone> {
        let Some(running) = &self.running else { return Ok(Done::Silently) };
        let mut buffer = [0; lapwing_device::limits::RECORD_BYTES_MAX];
        match running.brain.encode_record(&mut buffer).map(<[u8]>::to_vec) {
            Ok(bytes) => self.replace(RECORD, &bytes)?,
            Err(_) => self.violate("the record does not fit its buffer".to_owned()),
        }
        Ok(Done::Silently)
    }

    fn encode_check_in(&mut self) -> Result<Vec<u8>, Undone> {
        let Some(running) = &self.running else { return Err(Undone::PowerLost) };
        let mut buffer = [0; lapwing_core::limits::CHECK_IN_BYTES_MAX];
        let encoded = running.brain.encode_check_in(NamedFacts::NONE, &mut buffer).map(<[u8]>::to_vec);
        Ok(encoded.unwrap_or_default())
    }

    fn encode_report(&mut self) -> Result<Vec<u8>, Undone> {
        let Some(running) = &self.running else { return Err(Undone::PowerLost) };
        let mut buffer = [0; lapwing_core::limits::REPORT_BYTES_MAX];
        Ok(running.brain.encode_report(&mut buffer).map(<[u8]>::to_vec).unwrap_or_default())
    }

    fn keep_trust(&mut self, document: TrustDocument) -> Result<Done, Undone> {
        let bytes = core::mem::take(&mut self.document);
        match document {
            TrustDocument::Root(version) => self.replace(&root_file(version), &bytes)?,
            TrustDocument::Delegation => self.replace(DELEGATION, &bytes)?,
        }
        Ok(Done::Silently)
    }

    /// How much of this artifact is stored; anything else is removed.
    fn stored_of(&mut self, transfer: &Transfer) -> Result<u64, DiskError> {
        let meta = self.disk.read(ARTIFACT_META).and_then(|meta| {
            let (digest, have) = meta.split_at_checked(Digest::LEN)?;
            Some((Digest::from_bytes(digest.try_into().ok()?), u64::from_le_bytes(have.try_into().ok()?)))
        });
        match meta {
            Some((digest, have)) if digest == transfer.artifact && self.disk.read(ARTIFACT).is_some() => {
                Ok(have)
            }
            _ => {
                self.disk.unlink(ARTIFACT_META)?;
                self.disk.flush_names()?;
                self.disk.create(ARTIFACT)?;
                self.disk.flush_names()?;
                Ok(0)
            }
        }
    }

    fn fetch(&mut self, transfer: Transfer) -> Result<Done, Undone> {
        let from = self.stored_of(&transfer)?;
        let left = self.running.as_ref().map_or(0, |running| running.brain.transfer_bytes_left());
        let rest = transfer.artifact_size_bytes.saturating_sub(from);
        let len = CHUNK_BYTES.min(rest).min(left.saturating_sub(FRAME_BYTES));
        if len == 0 {
            return Ok(Done::With(Told::Fetched(self.stored_whole(&transfer)?)));
        }
        Ok(Done::Asked(Request::Range { artifact: transfer.artifact, from, len }))
    }

    fn stored_whole(&mut self, transfer: &Transfer) -> Result<lapwing_device::Fetched, DiskError> {
        let right = self.disk.read(ARTIFACT).is_some_and(|bytes| Digest::of(bytes) == transfer.artifact);
        if right {
            return Ok(lapwing_device::Fetched::Whole);
        }
        self.remove_artifact()?;
        Ok(lapwing_device::Fetched::WrongDigest)
    }

    /// A part of the artifact arrived.
    pub(crate) fn range_arrived(&mut self, transfer: &Transfer, from: u64, bytes: &[u8]) -> Told {
        let effect = Effect::Fetch(*transfer);
        match self.keep_range(transfer, from, bytes) {
            Ok(fetched) => Told::Fetched(fetched),
            Err(Undone::Trouble(trouble)) => Told::Failed(effect, trouble),
            Err(Undone::PowerLost) => {
                self.cut_here();
                Told::Woke
            }
        }
    }

    fn keep_range(
        &mut self,
        transfer: &Transfer,
        from: u64,
        bytes: &[u8],
    ) -> Result<lapwing_device::Fetched, Undone> {
        let have = self.stored_of(transfer)?;
        if from != have || bytes.is_empty() {
            return Err(Undone::Trouble(Trouble::Link { retry_after_ms: None }));
        }
        self.disk.write(ARTIFACT, usize::try_from(from).unwrap_or(0), bytes)?;
        self.disk.flush(ARTIFACT)?;
        let have_bytes = have + bytes.len() as u64;
        let meta = [&transfer.artifact.as_bytes()[..], &have_bytes.to_le_bytes()].concat();
        self.replace(ARTIFACT_META, &meta)?;
        let percent = have_bytes.saturating_mul(100) / transfer.artifact_size_bytes.max(1);
        self.now_that(&When::Fetched(percent));
        if have_bytes < transfer.artifact_size_bytes {
            return Ok(lapwing_device::Fetched::Part { have_bytes });
        }
        Ok(self.stored_whole(transfer)?)
    }

    fn remove_artifact(&mut self) -> Result<(), DiskError> {
        self.disk.unlink(ARTIFACT_META)?;
        self.disk.unlink(ARTIFACT)?;
        self.disk.flush_names()
    }

    fn drop_artifact(&mut self) -> Result<Done, Undone> {
        if let Some(running) = &mut self.running {
            running.transfer = None;
        }
        self.remove_artifact()?;
        Ok(Done::Silently)
    }

    fn booted(&self) -> Result<(SlotTable, Booted), Undone> {
        let slot = self.running.as_ref().map(|running| running.slot);
        match (self.table(), slot) {
            (Some(table), Some(slot)) => Ok((table, Booted(slot))),
            _ => Err(Undone::Trouble(Trouble::Storage)),
        }
    }

    fn change_table(
        &mut self,
        change: impl FnOnce(SlotTable, Booted) -> Result<SlotTable, SlotTableError>,
    ) -> Result<Done, Undone> {
        let (table, booted) = self.booted()?;
        let changed = change(table, booted)?;
        let stored = if changed == table { table } else { self.store_table(changed)? };
        self.say_table(&table, &stored);
        Ok(Done::With(Told::SlotTable(stored)))
    }

    /// Writes the image into the spare slot: unbootable first, staged only when whole and durable.
    fn apply(&mut self, install: Install) -> Result<Done, Undone> {
        let (table, booted) = self.booted()?;
        let base = self.disk.read(slot_file(booted.0)).unwrap_or(&[]).to_vec();
        let stored = self.disk.read(ARTIFACT).unwrap_or(&[]).to_vec();
        let Some(image) = artifact::apply(&stored, &base) else {
            return Ok(Done::With(Told::Applied(Applied::Undecodable)));
        };
        let spare = booted.spare();
        let table = self.store_table(table.begin_write(booted)?)?;
        let file = slot_file(spare);
        self.disk.create(file)?;
        for (at, part) in image.chunks(WRITE_BYTES).enumerate() {
            self.disk.write(file, at * WRITE_BYTES, part)?;
        }
        self.disk.flush(file)?;
        self.disk.flush_names()?;
        if Digest::of(self.disk.read(file).unwrap_or(&[])) != install.image {
            return Ok(Done::With(Told::Applied(Applied::WrongImage)));
        }
        let staged = table.staged(spare, install.image, install.image_size_bytes)?;
        let table = self.store_table(staged)?;
        Ok(Done::With(Told::Applied(Applied::Staged(table))))
    }

    /// Checks the staged image once more and opens its trial.
    fn switch(&mut self, image: Digest, limits: StartLimits) -> Result<Done, Undone> {
        let (table, booted) = self.booted()?;
        let spare = booted.spare();
        let whole = self.disk.read(slot_file(spare)).is_some_and(|bytes| Digest::of(bytes) == image);
        if !whole || table.slot(spare).image != image {
            if let Ok(bad) = table.mark_bad(spare) {
                self.store_table(bad)?;
            }
            return Err(Undone::Trouble(Trouble::Tampered));
        }
        let stored = self.store_table(table.switch(spare, limits)?)?;
        self.say_table(&table, &stored);
        Ok(Done::With(Told::SlotTable(stored)))
    }

    fn roll_back(&mut self, old: OldSlot) -> Result<Done, Undone> {
        self.change_table(|table, _| table.roll_back(Return::AgentAsked, old))
    }

    /// Whether what runs has a link.
    pub(crate) fn link_now(&self) -> bool {
        let under = self.running.as_ref().is_none_or(|running| running.program != Program::LosesLink);
        under && self.link_up && self.network.is_up(self.now_ms)
    }

    pub(crate) fn conditions_now(&self) -> Conditions {
        let link = if self.link_now() { Link::Up } else { Link::Down };
        Conditions { link, ..self.conditions }
    }
}
