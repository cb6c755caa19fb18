//! One device of a swarm: the brain, and a body whose storage is memory.
//!
//! Touches: the server, one blocking exchange at a time; `lapwing_core::SlotTable` as the launcher does.
//! Never: decides anything, or loses power.

use super::count::Counts;
use super::fate::{Fate, fate};
use super::library::{Bytes, Library};
use super::template::Template;
use lapwing_core::cbor::encode;
use lapwing_core::limits::{CHECK_IN_BYTES_MAX, REPORT_BYTES_MAX};
use lapwing_core::trust::TlsAnchor;
use lapwing_core::wire::check_in::{Facts, Health, NamedFacts};
use lapwing_core::wire::claim::{Claim, DeviceSecret};
use lapwing_core::{
    BootId, Booted, DeviceId, Digest, OldSlot, Return, Slot, SlotTable, SlotTableError, StartLimits,
    TrustAnchor, Uptime,
};
use lapwing_device::{
    Applied, Boot, Conditions, DataBudget, Device, Effect, Fetched, Install, Link, Now, ResetCause, Settings,
    StoredRecord, Talking, Transfer, Trial, Tries, Trouble, TrustDocument, VersionPolicy,
};
use lapwing_sim::{Rng, Told};
use lapwing_transport::client::limits::BLOCK_BYTES;
use lapwing_transport::client::{Client, Credentials, ExchangeError, Piece, Wanted};
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;

/// A start takes so long, milliseconds.
const RESTART_MS: u64 = 2_000;
/// Health is known so long after a start, milliseconds.
const HEALTH_MS: u64 = 1_000;
/// The way back closes within half an hour, so that one update can follow another.
const FOLLOW_UPS_MS: [u64; 3] = [600_000, 1_200_000, 1_800_000];
/// Events in a row without a look at the clock.
const EVENTS_PER_TURN_MAX: usize = 100;
/// Where devices are and how they talk, in turn: what filters and strata are made for.
const REGIONS: [&str; 3] = ["eu-north", "us-east", "ap-south"];
const CONNECTIVITY: [&str; 2] = ["nb-iot", "lte-m"];

/// What a device needs from its crew for one turn.
pub(super) struct Surroundings<'a> {
    pub(super) client: &'a Client,
    pub(super) library: &'a Library,
    pub(super) counts: &'a Counts,
    /// Time of all devices, milliseconds.
    pub(super) now_ms: u64,
}

/// A device.
pub(super) struct Member {
    template: Arc<Template>,
    number: usize,
    settings: Settings,
    who: Credentials,
    claimed: bool,
    rng: Rng,
    /// What is stored.
    anchor: TrustAnchor,
    table: SlotTable,
    images: [Arc<Bytes>; 2],
    record: Option<Vec<u8>>,
    /// An artifact as far as it came, or whole.
    arriving: Option<(Digest, Vec<u8>)>,
    artifact: Option<Arc<Bytes>>,
    running: Option<Running>,
    /// It will never be heard of again.
    lost: bool,
}

/// A program with the brain inside.
struct Running {
    brain: Device,
    slot: Slot,
    since_ms: u64,
    /// When the brain wants to be woken.
    wake_ms: Option<u64>,
    health: Option<(u64, Health)>,
    told: VecDeque<Told>,
    /// The document that was just given to the brain.
    document: Vec<u8>,
}

/// What doing an effect came to, where it did not fail.
enum Done {
    Silently,
    With(Told),
    Restart,
}

impl Member {
    /// The device of this number, as the factory made it.
    pub(super) fn new(template: Arc<Template>, number: usize) -> Result<Self, String> {
        let name = format!("swarm-{number:05}");
        let device: DeviceId = name.parse().map_err(|_| format!("{name} is no device id"))?;
        let secret = DeviceSecret(*Digest::of(format!("secret of {name}").as_bytes()).as_bytes());
        let image = Arc::clone(&template.image);
        let mut table = SlotTable::first(Slot::A, image.digest, image.bytes.len() as u64);
        table = stored(table);
        Ok(Self {
            settings: Settings {
                identity: template.identity(device.clone()),
                talking: Talking { boot_spread_ms: 60_000, ..Talking::default() },
                tries: Tries::default(),
                trial: Trial { follow_ups_ms: FOLLOW_UPS_MS, ..Trial::default() },
                versions: VersionPolicy::default(),
                budget: DataBudget::default(),
                battery_floor_mv: 0,
            },
            who: Credentials { device, secret },
            claimed: false,
            rng: Rng::new(number as u64),
            anchor: template.anchor()?,
            table: stored(table),
            images: [Arc::clone(&image), image],
            record: None,
            arriving: None,
            artifact: None,
            running: None,
            lost: false,
            template,
            number,
        })
    }

    /// Does all that is due, and says when something is again. None: never.
    pub(super) fn turn(&mut self, around: &Surroundings<'_>) -> Option<u64> {
        for _ in 0..EVENTS_PER_TURN_MAX {
            if self.running.is_none() {
                self.launch(around);
            }
            if self.lost {
                return None;
            }
            let running = self.running.as_mut()?;
            let health_ms = running.health.map(|(due_ms, _)| due_ms);
            let is_due = |due_ms: Option<u64>| due_ms.is_some_and(|due_ms| due_ms <= around.now_ms);
            let told = if let Some(told) = running.told.pop_front() {
                told
            } else if is_due(health_ms) {
                running.health.take().map_or(Told::Woke, |(_, health)| Told::Health(health))
            } else if is_due(running.wake_ms) {
                Told::Woke
            } else {
                return [running.wake_ms, health_ms].into_iter().flatten().min();
            };
            if self.step(around, told) {
                self.running = None;
                return Some(around.now_ms + RESTART_MS);
            }
        }
        Some(around.now_ms + 1)
    }

    /// The launcher: decide, write down, start. A program that dies is started until the table goes back.
    fn launch(&mut self, around: &Surroundings<'_>) {
        let mut crashed = false;
        loop {
            let (before, start) = (self.table, self.table.start());
            self.table = start.store.map_or(before, stored);
            if self.table.active != before.active {
                around.counts.rolled_back.one_more();
            }
            let image = Arc::clone(self.image(start.slot));
            match fate(&self.who.device, &image.bytes, &image.digest) {
                Fate::Dies if self.table.phase != lapwing_core::Phase::Settled => crashed = true,
                Fate::Silent if before.is_first_start() => {
                    self.lost = true;
                    return around.counts.silent.one_more();
                }
                fate => return self.start(around.now_ms, start.slot, fate, crashed),
            }
        }
    }

    fn start(&mut self, now_ms: u64, slot: Slot, fate: Fate, crashed: bool) {
        let stored = self.record.as_deref().map_or(StoredRecord::Fresh, StoredRecord::Bytes);
        let brain = Device::new(self.settings.clone(), self.anchor.clone(), stored);
        let running = self.image(slot).digest;
        let id = BootId(self.rng.number().to_be_bytes());
        let health = if fate == Fate::Unhealthy { Health::Failing } else { Health::Good };
        let boot = Boot { id, table: self.table, slot, running, reset: ResetCause::Software, crashed };
        let link = Conditions { link: Link::Up, ..Conditions::default() };
        self.running = Some(Running {
            brain,
            slot,
            since_ms: now_ms,
            wake_ms: None,
            health: Some((now_ms + HEALTH_MS, health)),
            told: VecDeque::from([Told::Booted(boot), Told::Conditions(link)]),
            document: Vec::new(),
        });
    }

    /// One step of the brain and its effects, in order; says whether the program ended.
    fn step(&mut self, around: &Surroundings<'_>, told: Told) -> bool {
        let entropy = self.rng.number();
        let Some(running) = &mut self.running else { return false };
        let now = Now { uptime: Uptime(around.now_ms.saturating_sub(running.since_ms)), entropy };
        let step = running.brain.clone().step(now, told.event());
        running.brain = step.next;
        let due = running.brain.wake_at(now.uptime);
        running.wake_ms = due.map(|due| running.since_ms.saturating_add(due.0).max(around.now_ms + 1));
        if let Told::TrustFetched(_, bytes) = told {
            running.document = bytes;
        }
        for effect in &step.effects {
            let told = match self.effect(around, *effect) {
                Ok(Done::Silently) => continue,
                Ok(Done::With(told)) => told,
                Ok(Done::Restart) => return true,
                Err(trouble) => Told::Failed(*effect, trouble),
            };
            let failed = matches!(told, Told::Failed(..));
            if let Some(running) = &mut self.running {
                running.told.push_back(told);
            }
            if failed {
                return false;
            }
        }
        false
    }

    fn effect(&mut self, around: &Surroundings<'_>, effect: Effect) -> Result<Done, Trouble> {
        match effect {
            Effect::Save => self.save(),
            Effect::CheckIn => self.check_in(around),
            Effect::Report { up_to } => self.report(around, up_to),
            Effect::FetchTrust(document) => self.fetch_trust(around, document),
            Effect::KeepTrust(document) => self.keep_trust(document),
            Effect::Fetch(transfer) => self.fetch(around, transfer),
            Effect::Apply(install) => self.apply(around, install),
            Effect::DropArtifact => {
                (self.arriving, self.artifact) = (None, None);
                Ok(Done::Silently)
            }
            Effect::SignOfLife => self.change_table(SlotTable::sign_of_life),
            Effect::Switch { image, limits } => self.switch(around, image, limits),
            Effect::Restart => Ok(Done::Restart),
            Effect::Confirm => {
                around.counts.confirmed.one_more();
                self.change_table(SlotTable::confirm)
            }
            Effect::Settle(old) => self.change_table(|table, _| table.settle(old)),
            Effect::RollBack(old) => self.roll_back(around, old),
        }
    }

    fn save(&mut self) -> Result<Done, Trouble> {
        let mut buffer = [0; lapwing_device::limits::RECORD_BYTES_MAX];
        let record = self.brain()?.encode_record(&mut buffer).map_err(|_| Trouble::Storage)?;
        self.record = Some(record.to_vec());
        Ok(Done::Silently)
    }

    fn check_in(&mut self, around: &Surroundings<'_>) -> Result<Done, Trouble> {
        let anchors = self.introduce(around)?;
        let (mut facts, mut buffer) = ([0; CHECK_IN_BYTES_MAX], [0; CHECK_IN_BYTES_MAX]);
        let facts = named_facts(self.number, &mut facts);
        let message = self.brain()?.encode_check_in(facts, &mut buffer).map_err(|_| Trouble::Storage)?;
        let answer = around.client.check_in(&anchors, &self.who, message).map_err(|e| trouble(around, &e))?;
        around.counts.check_ins.one_more();
        Ok(Done::With(Told::Answered(answer)))
    }

    fn report(&mut self, around: &Surroundings<'_>, up_to: u32) -> Result<Done, Trouble> {
        let anchors = self.introduce(around)?;
        let mut buffer = [0; REPORT_BYTES_MAX];
        let message = self.brain()?.encode_report(&mut buffer).map_err(|_| Trouble::Storage)?;
        around.client.report(&anchors, &self.who, message).map_err(|e| trouble(around, &e))?;
        around.counts.reports.one_more();
        Ok(Done::With(Told::Reported(up_to)))
    }

    /// Claims the device's place, once; gives the anchors of its server.
    fn introduce(&mut self, around: &Surroundings<'_>) -> Result<Vec<TlsAnchor>, Trouble> {
        let anchors = self.brain()?.anchor().root().tls_anchors.to_vec();
        if !self.claimed {
            let (mut named, mut buffer) = ([0; CHECK_IN_BYTES_MAX], [0; CHECK_IN_BYTES_MAX]);
            let identity = &self.settings.identity;
            let claim = Claim {
                device: self.who.device.clone(),
                token: self.template.token.clone(),
                secret: self.who.secret.clone(),
                facts: Facts {
                    hardware: identity.hardware,
                    bootloader: identity.bootloader,
                    profile: identity.profile,
                    named: named_facts(self.number, &mut named),
                },
            };
            let claim = encode(&claim, &mut buffer).map_err(|_| Trouble::Storage)?;
            around.client.claim(&anchors, claim).map_err(|e| trouble(around, &e))?;
            self.claimed = true;
            around.counts.claimed.one_more();
        }
        Ok(anchors)
    }

    fn fetch_trust(&self, around: &Surroundings<'_>, document: TrustDocument) -> Result<Done, Trouble> {
        let anchors = &self.brain()?.anchor().root().tls_anchors;
        let fetched = match document {
            TrustDocument::Root(version) => around.client.root(anchors, version),
            TrustDocument::Delegation => around.client.delegation(anchors),
        };
        let bytes = fetched.map_err(|e| trouble(around, &e))?;
        Ok(Done::With(Told::TrustFetched(document, bytes)))
    }

    fn keep_trust(&mut self, document: TrustDocument) -> Result<Done, Trouble> {
        let bytes = &self.running.as_ref().ok_or(Trouble::Storage)?.document;
        let kept = match document {
            TrustDocument::Root(_) => self.anchor.advance(bytes),
            TrustDocument::Delegation => self.anchor.delegate(bytes),
        };
        self.anchor = kept.map_err(|_| Trouble::Storage)?;
        Ok(Done::Silently)
    }

    fn fetch(&mut self, around: &Surroundings<'_>, transfer: Transfer) -> Result<Done, Trouble> {
        let anchors = self.introduce(around)?;
        let Transfer { artifact, artifact_size_bytes } = transfer;
        let arriving = self.arriving.take().filter(|(digest, _)| *digest == artifact);
        let mut have = arriving.map_or(Vec::new(), |(_, have)| have);
        let came = receive(around, (&anchors, &self.who), transfer, &mut have);
        if have.len() as u64 != artifact_size_bytes {
            self.arriving = Some((artifact, have));
            return Err(
                came.map_or_else(|e| trouble(around, &e), |()| Trouble::Link { retry_after_ms: None })
            );
        }
        let kept = around.library.keep(have);
        let right = kept.digest == artifact;
        self.artifact = right.then_some(kept);
        Ok(Done::With(Told::Fetched(if right { Fetched::Whole } else { Fetched::WrongDigest })))
    }

    /// Begin to write, write, stage, in memory.
    fn apply(&mut self, around: &Surroundings<'_>, install: Install) -> Result<Done, Trouble> {
        let booted = self.booted()?;
        let artifact = self.artifact.as_ref().ok_or(Trouble::Storage)?;
        let Some(image) = around.library.apply(self.image(booted.0), artifact) else {
            return Ok(Done::With(Told::Applied(Applied::Undecodable)));
        };
        let spare = booted.spare();
        let table = stored(self.table.begin_write(booted).map_err(slot_table)?);
        self.table = table;
        *self.image_mut(spare) = Arc::clone(&image);
        if image.digest != install.image {
            return Ok(Done::With(Told::Applied(Applied::WrongImage)));
        }
        let staged = table.staged(spare, install.image, install.image_size_bytes).map_err(slot_table)?;
        self.table = stored(staged);
        Ok(Done::With(Told::Applied(Applied::Staged(self.table))))
    }

    fn switch(
        &mut self,
        around: &Surroundings<'_>,
        image: Digest,
        limits: StartLimits,
    ) -> Result<Done, Trouble> {
        around.counts.trials.one_more();
        self.change_table(|table, booted| {
            let whole = table.slot(booted.spare()).image == image;
            if whole { table.switch(booted.spare(), limits) } else { Err(SlotTableError::WrongState) }
        })
    }

    fn roll_back(&mut self, around: &Surroundings<'_>, old: OldSlot) -> Result<Done, Trouble> {
        around.counts.rolled_back.one_more();
        self.change_table(|table, _| table.roll_back(Return::AgentAsked, old))
    }

    fn change_table(
        &mut self,
        change: impl FnOnce(SlotTable, Booted) -> Result<SlotTable, SlotTableError>,
    ) -> Result<Done, Trouble> {
        let changed = change(self.table, self.booted()?).map_err(slot_table)?;
        self.table = if changed == self.table { changed } else { stored(changed) };
        Ok(Done::With(Told::SlotTable(self.table)))
    }

    fn booted(&self) -> Result<Booted, Trouble> {
        self.running.as_ref().map(|running| Booted(running.slot)).ok_or(Trouble::Storage)
    }

    fn brain(&self) -> Result<&Device, Trouble> {
        self.running.as_ref().map(|running| &running.brain).ok_or(Trouble::Storage)
    }

    fn image(&self, slot: Slot) -> &Arc<Bytes> {
        let [a, b] = &self.images;
        if slot == Slot::A { a } else { b }
    }

    fn image_mut(&mut self, slot: Slot) -> &mut Arc<Bytes> {
        let [a, b] = &mut self.images;
        if slot == Slot::A { a } else { b }
    }
}

/// Memory takes every write.
fn stored(table: SlotTable) -> SlotTable {
    match table.store(|_, _| Ok::<(), Infallible>(())) {
        Ok(table) => table,
        Err(impossible) => match impossible {},
    }
}

/// What is missing of an artifact, for as long as it comes.
fn receive(
    around: &Surroundings<'_>,
    (anchors, who): (&[TlsAnchor], &Credentials),
    transfer: Transfer,
    have: &mut Vec<u8>,
) -> Result<(), ExchangeError> {
    let Transfer { artifact, artifact_size_bytes } = transfer;
    // Whole blocks count.
    let blocks = have.len() / BLOCK_BYTES as usize;
    have.truncate(blocks * BLOCK_BYTES as usize);
    let mut bitmap = vec![0; artifact_size_bytes.div_ceil(BLOCK_BYTES * 8) as usize];
    for (at, byte) in bitmap.iter_mut().enumerate() {
        *byte = u8::MAX.checked_shr(8u32.saturating_sub(blocks.saturating_sub(at * 8) as u32)).unwrap_or(0);
    }
    let wanted = Wanted { artifact, size_bytes: artifact_size_bytes, have: &bitmap };
    let mut coming = around.client.artifact(anchors, who, &wanted)?;
    let mut buffer = [0; 16 * 1024];
    loop {
        // Over HTTP one piece follows the other.
        let Piece { offset, bytes } = coming.read(&mut buffer)?;
        let fresh = buffer.get(..bytes).unwrap_or_default();
        if fresh.is_empty() || offset != have.len() as u64 {
            return Ok(());
        }
        around.counts.fetched_bytes.add(bytes as u64);
        have.extend_from_slice(fresh);
    }
}

fn named_facts(number: usize, buffer: &mut [u8]) -> NamedFacts<'_> {
    let pick = |from: &[&'static str], number: usize| from.get(number % from.len()).copied().unwrap_or("");
    let region = pick(&REGIONS, number);
    let connectivity = pick(&CONNECTIVITY, number / REGIONS.len());
    NamedFacts::spell(&[("region", region), ("connectivity", connectivity)], buffer)
        .unwrap_or(NamedFacts::NONE)
}

fn slot_table(_: SlotTableError) -> Trouble {
    Trouble::SlotTable
}

fn trouble(around: &Surroundings<'_>, error: &ExchangeError) -> Trouble {
    around.counts.failed.one_more();
    if error.is_refusal() {
        return Trouble::Refused;
    }
    let retry_after_ms = error.retry_after().and_then(|wait| u64::try_from(wait.as_millis()).ok());
    Trouble::Link { retry_after_ms }
}
