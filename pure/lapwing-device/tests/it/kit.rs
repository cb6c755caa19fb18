//! A device on a bench: boots, answers and results by hand.
//!
//! Touches: `fleet.rs`. Never: does an effect; tests look at what was asked for.

use crate::fleet::{
    NONCE, NOW, answered, device, sign1, small_anchor, small_offer, small_release, small_status, spell,
};
use lapwing_core::envelope::Kind;
use lapwing_core::wire::answer::{Answer, Offer, Status};
use lapwing_core::wire::report::EventKind;
use lapwing_core::{
    AttemptId, BootId, Digest, HardwareClass, Release, SLOT_RECORD_LEN, Slot, SlotTable, Uptime,
};
use lapwing_device::{
    Attempt, Boot, Candidate, DataBudget, Device, Effect, Effects, Event, Identity, Ignored, Installed, Now,
    Provisioned, Record, ResetCause, Settings, Stage, StoredRecord, Talking, Trial, Tries, VersionPolicy,
};

pub(crate) const MINUTE_MS: u64 = 60_000;

/// What runs before anything happens: the base of the small offer's delta.
pub(crate) fn base() -> Digest {
    Digest::of(b"base")
}

/// The image of the small release.
pub(crate) fn image() -> Digest {
    Digest::of(b"image")
}

pub(crate) fn installed(version: &str, seq: u64) -> Installed {
    Installed { version: version.parse().unwrap(), seq, security_version: 3 }
}

pub(crate) fn settings() -> Settings {
    Settings {
        identity: Identity {
            device: device(),
            hardware: HardwareClass { vendor: [0xaa; 16], class: [0xbb; 16] },
            bootloader: 4,
            component: "app".parse().unwrap(),
            profile: 1,
            slot_bytes_max: 1_000_000,
            provisioned: Provisioned { version: "1.4.1".parse().unwrap(), seq: 41, security_version: 3 },
        },
        talking: Talking::default(),
        tries: Tries::default(),
        trial: Trial::default(),
        versions: VersionPolicy::default(),
        budget: DataBudget::default(),
        battery_floor_mv: 3300,
    }
}

pub(crate) fn candidate() -> Candidate {
    let release = small_release();
    let bytes = sign1(&crate::fleet::at_large(Kind::Release), &release, "release-a");
    Candidate {
        release: Digest::of(&bytes),
        installed: installed("1.4.2", 42),
        raise_to: 0,
        image: release.image,
        image_size_bytes: release.image_size_bytes,
        trial_s_max: None,
    }
}

pub(crate) fn record_at(stage: Stage) -> Record {
    let mut record = Record::new(installed("1.4.1", 41));
    if matches!(stage, Stage::Watching { .. }) {
        record.previous = Some(core::mem::replace(&mut record.confirmed, installed("1.4.2", 42)));
    }
    record.attempt = Some(Attempt { id: AttemptId(7), candidate: candidate(), stage });
    record
}

/// The table with `base` confirmed in slot a.
pub(crate) fn first_table() -> SlotTable {
    SlotTable::first(Slot::A, base(), 500_000)
}

pub(crate) fn staged_table() -> SlotTable {
    let booted = lapwing_core::Booted(Slot::A);
    first_table().begin_write(booted).unwrap().staged(Slot::B, image(), 524_288).unwrap()
}

/// Just switched, one start spent.
pub(crate) fn trial_table() -> SlotTable {
    staged_table().switch(Slot::B, lapwing_core::StartLimits::APP).unwrap().start().store.unwrap()
}

pub(crate) fn watched_table() -> SlotTable {
    trial_table().confirm(lapwing_core::Booted(Slot::B)).unwrap()
}

/// A table as it comes back from storage.
pub(crate) fn stored(table: SlotTable) -> SlotTable {
    let mut area = [[0; SLOT_RECORD_LEN]; 2];
    let stored = table.store::<()>(|offset, bytes| {
        area[usize::from(offset > 0)] = *bytes;
        Ok(())
    });
    assert_eq!(SlotTable::decode(&area), Ok(stored.unwrap()));
    stored.unwrap()
}

/// A device, its clock, and what its last step asked for.
#[derive(Clone)]
pub(crate) struct Bench {
    pub(crate) device: Device,
    pub(crate) uptime: Uptime,
    pub(crate) effects: Effects,
    pub(crate) ignored: Option<Ignored>,
    /// The question that waits for its answer.
    pub(crate) asked: Option<Effect>,
}

impl Bench {
    pub(crate) fn new(settings: Settings, record: Option<&Record>) -> Self {
        let mut buffer = [0; 2048];
        let stored = record
            .map_or(StoredRecord::Fresh, |record| StoredRecord::Bytes(record.encode(&mut buffer).unwrap()));
        let device = Device::new(settings, small_anchor(), stored);
        Self { device, uptime: Uptime(0), effects: Effects::default(), ignored: None, asked: None }
    }

    /// Booted from what the record says, with this table, running what this slot should hold.
    pub(crate) fn booted(record: Option<&Record>, table: SlotTable, slot: Slot) -> Self {
        let mut bench = Self::new(settings(), record);
        bench.boot(table, slot, ResetCause::Unknown);
        bench
    }

    pub(crate) fn boot(&mut self, table: SlotTable, slot: Slot, reset: ResetCause) {
        let running = match slot {
            Slot::A => base(),
            Slot::B => image(),
        };
        let boot = Boot { id: BootId([1; 8]), table, slot, running, reset, crashed: false };
        self.step(Event::Booted(boot));
    }

    /// One step, whose random bits make the nonce of the vectors.
    pub(crate) fn step(&mut self, event: Event<'_>) {
        let now = Now { uptime: self.uptime, entropy: u64::from_be_bytes(NONCE.0) };
        let step = self.device.clone().step(now, event);
        assert_eq!(step.effects.dropped(), 0, "{event:?}");
        (self.device, self.effects, self.ignored) = (step.next, step.effects, step.ignored);
        let asks = |effect: &&Effect| matches!(effect, Effect::CheckIn | Effect::Report { .. });
        let asked = self.effects.iter().find(asks).copied();
        let ended = matches!(
            event,
            Event::Booted(_) | Event::Answered(_) | Event::Reported { .. } | Event::Failed(..)
        );
        self.asked = if ended { asked } else { asked.or(self.asked) };
    }

    pub(crate) fn pass(&mut self, ms: u64) {
        self.uptime = self.uptime.after(ms);
        self.step(Event::Woke);
    }

    pub(crate) fn asks(&self, effect: Effect) -> bool {
        self.effects.contains(&effect)
    }

    pub(crate) fn fetches(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect, Effect::Fetch(_)))
    }

    pub(crate) fn doing(&self) -> &'static str {
        self.device.view(self.uptime).doing
    }

    pub(crate) fn kinds(&self) -> Vec<EventKind> {
        self.device.record().events.iter().map(|event| event.kind).collect()
    }

    /// Whether it asks for something if nothing happens, within the longest pause that a server may ask for.
    pub(crate) fn asks_in_time(&mut self) -> bool {
        let until = self.uptime.after(8 * 24 * 60 * MINUTE_MS);
        while self.effects.is_empty() {
            match self.device.wake_at(self.uptime) {
                Some(due) if due <= until => self.uptime = due,
                _ => return false,
            }
            self.step(Event::Woke);
        }
        true
    }

    /// Acknowledges the report that is under way, if one is.
    pub(crate) fn acknowledge(&mut self) -> bool {
        let Some(Effect::Report { up_to }) = self.asked else { return false };
        self.step(Event::Reported { up_to });
        true
    }

    /// Answers reports until a check-in is under way.
    pub(crate) fn until_check_in(&mut self) {
        for _ in 0..100 {
            if self.asked == Some(Effect::CheckIn) {
                return;
            }
            if !self.acknowledge() {
                self.uptime = self.device.wake_at(self.uptime).expect("it wants to go on");
                self.step(Event::Woke);
            }
        }
        panic!("no check-in comes: {:?}", self.effects);
    }

    pub(crate) fn answer(&mut self, bytes: &[u8]) {
        self.until_check_in();
        self.step(Event::Answered(bytes));
    }

    pub(crate) fn offer(&mut self, change: impl FnOnce(&mut Release, &mut Offer)) {
        self.answer(&offer_answer(change));
    }

    pub(crate) fn status(&mut self) {
        let bytes = status_answer(small_status());
        self.answer(&bytes);
    }
}

/// A signed offer of a signed release, both changed before they are signed.
pub(crate) fn offer_answer(change: impl FnOnce(&mut Release, &mut Offer)) -> Vec<u8> {
    let mut release = small_release();
    let mut offer = Offer { attempt: AttemptId(7), ..small_offer(&[]) };
    change(&mut release, &mut offer);
    let release = sign1(&crate::fleet::at_large(Kind::Release), &release, "release-a");
    if offer.release == Digest::of(&[]) {
        offer.release = Digest::of(&release);
    }
    let offer = sign1(&answered(Kind::Offer, &device()), &offer, "online-a");
    spell(&Answer::Offer { offer: &offer, release: Some(&release) })
}

pub(crate) fn status_answer(status: Status) -> Vec<u8> {
    let envelope = sign1(&answered(Kind::Status, &device()), &status, "online-a");
    spell(&Answer::Status(&envelope))
}

/// What the server states when it is asked again after so many seconds.
pub(crate) fn later(seconds: u64) -> Status {
    Status { now: NOW.after(seconds), ..small_status() }
}
