//! Power, the launcher's decision, and the first moment of a program.
//!
//! Touches: `lapwing_core::SlotTable`, the disk. The launcher here does what the real one does, in the same order.
//! Checks that what starts is a whole image that was released for this device.

use crate::maker::Image;
use crate::program::Program;
use crate::storage::{DiskError, Loss};
use crate::supply::Supply;
use crate::told::Told;
use crate::world::{Happening, Running, World};
use lapwing_core::wire::check_in::Health;
use lapwing_core::{
    BootId, Digest, Return, SLOT_RECORD_LEN, SLOT_RECORD_OFFSETS, SLOT_TABLE_LEN, Slot, SlotTable,
    TrustAnchor,
};
use lapwing_device::{Boot, Device, Event, ResetCause, StoredRecord};

/// The slot table.
pub(crate) const TABLE: &str = "slots/table";
/// The brain's record.
pub(crate) const RECORD: &str = "record";
/// The newest delegation.
pub(crate) const DELEGATION: &str = "trust/delegation";
/// How long a supervisor waits before it starts a program again.
const RESTART_MS: u64 = 1_000;

pub(crate) const fn slot_file(slot: Slot) -> &'static str {
    match slot {
        Slot::A => "slots/a/image",
        Slot::B => "slots/b/image",
    }
}

pub(crate) fn root_file(version: u32) -> String {
    format!("trust/root.{version}")
}

impl World {
    /// The factory.
    pub(crate) fn provision(&mut self, first: &Image) {
        let mut table = SlotTable::first(Slot::A, first.digest(), first.bytes.len() as u64);
        let done = self.file(slot_file(Slot::A), &first.bytes).and_then(|()| {
            self.file(TABLE, &vec![0; usize::try_from(SLOT_TABLE_LEN).unwrap_or(0)])?;
            self.file(&root_file(1), &self.server.roots[0].clone())?;
            table = self.store_table(table)?;
            self.store_table(table)
        });
        debug_assert!(done.is_ok());
        self.disk.flush_all();
    }

    fn file(&mut self, file: &str, bytes: &[u8]) -> Result<(), DiskError> {
        self.disk.create(file)?;
        self.disk.write(file, 0, bytes)
    }

    pub(crate) fn table(&self) -> Option<SlotTable> {
        let area = self.disk.read(TABLE)?;
        let record = |offset: u64| {
            let at = usize::try_from(offset).ok()?;
            area.get(at..at + SLOT_RECORD_LEN)?.try_into().ok()
        };
        let [even, odd] = SLOT_RECORD_OFFSETS;
        SlotTable::decode(&[record(even)?, record(odd)?]).ok()
    }

    /// Writes the table in place, durably.
    pub(crate) fn store_table(&mut self, table: SlotTable) -> Result<SlotTable, DiskError> {
        table.store(|offset, record| {
            self.disk.write(TABLE, usize::try_from(offset).unwrap_or(0), record)?;
            self.disk.flush(TABLE)
        })
    }

    /// Cuts the power now, and brings it back as the supply has it.
    pub(crate) fn power_off(&mut self, loss: Loss) {
        if !self.power {
            return;
        }
        self.cuts += 1;
        self.say("power", || "cut".to_owned());
        self.power = false;
        self.running = None;
        self.plan_next_cut();
        let mut rng = self.rng.clone();
        self.rng.number();
        self.disk.lose(loss, &mut rng);
        let off_ms = match self.supply {
            _ if self.off_ms.is_some() => self.off_ms.take().unwrap_or(0),
            Supply::Steady => 2_000,
            Supply::Sagging { .. } => 500 + self.rng.below(3_000),
        };
        self.happens_in(off_ms, Happening::PowerOn);
    }

    pub(crate) fn power_on(&mut self) {
        if self.power {
            return;
        }
        self.power = true;
        self.say("power", || "on".to_owned());
        if let Some(on_ms) = self.supply.lasts_ms(self.now_ms, &mut self.rng) {
            self.happens_in(on_ms, Happening::PowerOff);
        }
        self.happens_in(200, Happening::Launch(ResetCause::PowerOn, false));
    }

    /// The power goes where the disk says it does.
    pub(crate) fn cut_here(&mut self) {
        let loss = self.disk.cut.map_or(self.loss, |cut| cut.loss);
        self.power_off(loss);
    }

    pub(crate) fn program_dies(&mut self) {
        self.running = None;
        self.say("program", || "dies".to_owned());
        self.happens_in(RESTART_MS, Happening::Launch(ResetCause::Unknown, true));
    }

    /// The launcher: decide, write down, start.
    pub(crate) fn launch(&mut self, reset: ResetCause, crashed: bool) {
        let Some(table) = self.table() else {
            return self.violate("the slot table is destroyed".to_owned());
        };
        if self.holds_another_image(&table) {
            return self.not_startable(Return::ImageDiffers);
        }
        let start = table.start();
        let mut slot = start.slot;
        if let Some(next) = start.store {
            match self.store_table(next) {
                Ok(stored) => self.say_return(&table, &stored),
                Err(DiskError::PowerLost) => return self.cut_here(),
                Err(_) => {
                    slot = table.fallback();
                    self.say("launcher", || "cannot write down the try".to_owned());
                }
            }
        }
        self.start_program(slot, reset, crashed);
    }

    /// Before its first start on trial an image is held against the digest that was staged.
    fn holds_another_image(&self, table: &SlotTable) -> bool {
        let bytes = self.disk.read(slot_file(table.active)).unwrap_or(&[]);
        table.is_first_start() && Digest::of(bytes) != table.slot(table.active).image
    }

    fn say_return(&mut self, before: &SlotTable, after: &SlotTable) {
        if after.active != before.active {
            let (slot, why) = (after.active.name(), after.returned);
            self.say("launcher", || format!("goes back to slot {slot}: {}", why_text(why)));
        }
    }

    fn start_program(&mut self, slot: Slot, reset: ResetCause, crashed: bool) {
        let bytes = self.disk.read(slot_file(slot)).unwrap_or(&[]).to_vec();
        let Some(image) = self.images.iter().find(|image| image.bytes == bytes).cloned() else {
            return self.violate(format!("slot {} is started and holds no whole image", slot.name()));
        };
        self.check_start(&image);
        self.say("launcher", || format!("starts {} in slot {}", image.version, slot.name()));
        let now_ms = self.now_ms;
        let first_ms = *self.first_started.entry(image.version.to_string()).or_insert(now_ms);
        match image.program {
            Program::NotExecutable => return self.not_startable(Return::NotStartable),
            Program::DiesAtStart => return self.program_dies(),
            _ => {}
        }
        self.start_agent(slot, &image, reset, crashed);
        let Some(life) = self.running.as_ref().map(|running| running.life) else { return };
        self.happens_in(5, Happening::Tell(life, Told::Conditions(self.conditions_now())));
        match image.program {
            Program::DiesAfter { ms } => self.happens_in(ms, Happening::Dies(life)),
            Program::Unhealthy => {
                self.happens_in(1_000, Happening::Tell(life, Told::Health(Health::Failing)));
            }
            Program::UnhealthyAfter { ms } => {
                let fails_ms = (first_ms + ms).max(now_ms + 1_500);
                self.happens_in(1_000, Happening::Tell(life, Told::Health(Health::Good)));
                self.happens_at(fails_ms, Happening::Tell(life, Told::Health(Health::Failing)));
            }
            _ => self.happens_in(1_000, Happening::Tell(life, Told::Health(Health::Good))),
        }
    }

    /// The image cannot be executed: the other slot starts at once.
    fn not_startable(&mut self, why: Return) {
        let Some(table) = self.table() else { return };
        self.say("launcher", || why_text(Some(why)).to_owned());
        match table.not_startable(why) {
            Ok(next) => match self.store_table(next) {
                Ok(_) | Err(DiskError::Full | DiskError::ReadOnly | DiskError::Missing) => {
                    self.happens_in(10, Happening::Launch(ResetCause::Unknown, true));
                }
                Err(DiskError::PowerLost) => self.cut_here(),
            },
            Err(_) => self.violate("nothing is left to start".to_owned()),
        }
    }

    /// The agent inside the program begins: what is stored, then the first event.
    fn start_agent(&mut self, slot: Slot, image: &Image, reset: ResetCause, crashed: bool) {
        let Some(anchor) = self.stored_anchor() else {
            return self.violate("the provisioned root document is gone".to_owned());
        };
        let Some(table) = self.table() else { return };
        let stored = self.disk.read(RECORD).map(<[u8]>::to_vec);
        let stored = stored.as_deref().map_or(StoredRecord::Fresh, StoredRecord::Bytes);
        let brain = Device::new(self.settings.clone(), anchor, stored);
        self.lives += 1;
        let narrated = brain.record().next_event;
        self.running = Some(Running {
            life: self.lives,
            slot,
            program: image.program,
            since_ms: self.now_ms,
            brain,
            narrated,
            exchanges: 0,
            transfer: None,
            open_exchanges: Vec::new(),
            wake: 0,
        });
        let id = BootId(self.rng.number().to_be_bytes());
        let running = Digest::of(&image.bytes);
        self.step(Event::Booted(Boot { id, table, slot, running, reset, crashed }));
    }

    /// Walks the stored root documents from the provisioned one on.
    fn stored_anchor(&self) -> Option<TrustAnchor> {
        let mut anchor = TrustAnchor::provisioned(self.disk.read(&root_file(1))?).ok()?;
        while let Some(next) = self.disk.read(&root_file(anchor.root().version + 1)) {
            match anchor.advance(next) {
                Ok(advanced) => anchor = advanced,
                Err(_) => break,
            }
        }
        let delegated = self.disk.read(DELEGATION).and_then(|bytes| anchor.delegate(bytes).ok());
        Some(delegated.unwrap_or(anchor))
    }

    /// Nothing may start that was not released for this device, nor anything below its floor.
    fn check_start(&mut self, image: &Image) {
        let digest = image.digest();
        let allowed = self.allowed.contains(&digest);
        if !allowed {
            self.violate(format!("{} was not released for this device, and starts", image.version));
        }
    }
}

fn why_text(why: Option<Return>) -> &'static str {
    match why {
        None => "nobody knows why",
        Some(Return::SilentStarts) => "too many starts without a sign of life",
        Some(Return::TrialStarts) => "too many starts before it was confirmed",
        Some(Return::NotStartable) => "it could not be executed",
        Some(Return::ImageDiffers) => "its image is another one",
        Some(Return::AgentAsked) => "the agent asked",
    }
}
