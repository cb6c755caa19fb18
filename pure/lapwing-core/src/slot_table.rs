//! The slot table: which of two slots starts, on what terms, and how that may change.
//!
//! Touches: `crate::digest`, `record` (the frozen bytes). Entered from: launcher, device body and brain.
//! Never: changes its bytes. Today's launcher must start tomorrow's slots, and is never updated.

mod record;
mod slot;
#[cfg(test)]
mod tests;

use crate::digest::Digest;

pub use slot::{Booted, Slot, SlotEntry, SlotState};

/// Length of one record, bytes.
pub const SLOT_RECORD_LEN: usize = 128;
/// Where the two records lie, bytes from the start of the area. A record with an even generation
/// lies in the first place, with an odd one in the second, and nowhere else.
pub const SLOT_RECORD_OFFSETS: [u64; 2] = [0, 4096];
/// Length of the area, preallocated in full so that a full disk cannot block a write, bytes.
pub const SLOT_TABLE_LEN: u64 = 8192;

/// How far the way back is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Phase {
    /// The active slot runs and nothing is counted; the spare may be written.
    Settled = 0,
    /// The active slot is not confirmed; every start is spent from both counters.
    Trial = 1,
    /// The active slot is confirmed, follow-ups are open: silent starts still lead back.
    Watched = 2,
}

/// Why the active slot was last left again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Return {
    /// Too many starts without a sign of life.
    SilentStarts = 1,
    /// Too many starts before it was confirmed.
    TrialStarts = 2,
    /// Its image could not be executed.
    NotStartable = 3,
    /// Its image was not the one that was staged.
    ImageDiffers = 4,
    /// The agent judged it.
    AgentAsked = 5,
}

/// How many starts a trial may spend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StartLimits {
    /// Starts in a row without a sign of life.
    pub silent_starts: u8,
    /// Starts in the whole trial.
    pub trial_starts: u8,
}

impl StartLimits {
    /// For a program.
    pub const APP: Self = Self { silent_starts: 2, trial_starts: 10 };
    /// For a whole system.
    pub const SYSTEM: Self = Self { silent_starts: 3, trial_starts: 10 };
}

/// What becomes of the slot that is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OldSlot {
    /// Its image may run again.
    Keep,
    /// Its image must not run again.
    MarkBad,
}

/// A change that the table does not allow; nothing changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SlotTableError {
    /// The spare is the way back and must stay as it is.
    #[error("a trial is open")]
    TrialOpen,
    /// There is nothing to confirm, settle or roll back.
    #[error("no trial is open")]
    NoTrial,
    /// The table speaks of another slot than the one that runs.
    #[error("the running slot is not the active one")]
    NotActive,
    /// The slot's state does not allow this.
    #[error("the slot is in the wrong state")]
    WrongState,
    /// The other slot cannot be started either.
    #[error("the other slot holds nothing to start")]
    NoWayBack,
}

/// Neither record counts: the table was never written, or it is destroyed. The caller says which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither record of the slot table is valid")]
pub struct SlotTableUnreadable;

/// What the launcher shall start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// The slot.
    pub slot: Slot,
    /// What must be durable before; if that fails, [`SlotTable::fallback`] starts instead.
    pub store: Option<SlotTable>,
}

/// The table. Changes are pure: each takes the table and gives the one to [`store`](Self::store).
///
/// Source: formats/slot-table.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotTable {
    generation: u64,
    slots: [SlotEntry; 2],
    kept: [u8; record::KEPT_LEN],
    /// The slot to start.
    pub active: Slot,
    /// How far the way back is open.
    pub phase: Phase,
    /// Why the active slot was last left; cleared by the next switch.
    pub returned: Option<Return>,
    /// Starts since the last sign of life.
    pub starts_silent: u8,
    /// Starts since the switch.
    pub starts_trial: u8,
    /// What the counters are held against.
    pub limits: StartLimits,
    /// Starts that were written down in this table's life; settled starts are not.
    pub starts_total: u32,
}

impl SlotTable {
    /// The table of a device that leaves the factory: `slot` holds a confirmed image, the other nothing.
    ///
    /// Store it twice, so that both records count from the first day.
    #[must_use]
    pub const fn first(slot: Slot, image: Digest, image_size_bytes: u64) -> Self {
        let filled = SlotEntry { state: SlotState::Confirmed, image, image_size_bytes };
        let empty = SlotEntry::without_image(SlotState::Empty);
        let slots = match slot {
            Slot::A => [filled, empty],
            Slot::B => [empty, filled],
        };
        Self {
            generation: 0,
            slots,
            kept: [0; record::KEPT_LEN],
            active: slot,
            phase: Phase::Settled,
            returned: None,
            starts_silent: 0,
            starts_trial: 0,
            limits: StartLimits::APP,
            starts_total: 0,
        }
    }

    /// The table that the two records hold, in the order of [`SLOT_RECORD_OFFSETS`].
    ///
    /// # Errors
    /// `SlotTableUnreadable` if neither is whole and in its place. The table is then unknown, not empty.
    pub fn decode(records: &[[u8; SLOT_RECORD_LEN]; 2]) -> Result<Self, SlotTableUnreadable> {
        let [even, odd] = records;
        let tables = [(even, 0), (odd, 1)]
            .map(|(bytes, parity)| record::decode(bytes).filter(|table| table.generation & 1 == parity));
        tables.into_iter().flatten().max_by_key(|table| table.generation).ok_or(SlotTableUnreadable)
    }

    /// Writes the table over the older record and gives it back as it now stands.
    ///
    /// `write` gets the offset and the bytes, and must not return before they are durable. A change may
    /// be made of several steps; only the stored result exists. After an error decode afresh.
    ///
    /// # Errors
    /// Those of `write`; the record that counted before still does, unless the new one got through whole.
    pub fn store<E>(
        mut self,
        write: impl FnOnce(u64, &[u8; SLOT_RECORD_LEN]) -> Result<(), E>,
    ) -> Result<Self, E> {
        self.generation = self.generation.saturating_add(1);
        let [even, odd] = SLOT_RECORD_OFFSETS;
        write(if self.generation & 1 == 0 { even } else { odd }, &record::encode(&self))?;
        Ok(self)
    }

    /// How often the table was stored.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The entry of `slot`.
    #[must_use]
    pub const fn slot(&self, slot: Slot) -> &SlotEntry {
        let [a, b] = &self.slots;
        match slot {
            Slot::A => a,
            Slot::B => b,
        }
    }

    /// Makes the spare slot unbootable, before its first byte is written. May be repeated.
    ///
    /// # Errors
    /// `TrialOpen` until the last trial is settled: the spare is the way back. `NotActive` if the table
    /// does not speak of the slot that runs.
    pub fn begin_write(mut self, booted: Booted) -> Result<Self, SlotTableError> {
        if self.phase != Phase::Settled {
            return Err(SlotTableError::TrialOpen);
        }
        self.must_be_active(booted)?;
        *self.slot_mut(booted.spare()) = SlotEntry::without_image(SlotState::Writing);
        Ok(self)
    }

    /// Notes that `slot` holds this whole, verified, durable image.
    ///
    /// # Errors
    /// `WrongState` unless the slot was being written.
    pub fn staged(
        mut self,
        slot: Slot,
        image: Digest,
        image_size_bytes: u64,
    ) -> Result<Self, SlotTableError> {
        self.must_hold(slot, SlotState::Writing)?;
        *self.slot_mut(slot) = SlotEntry { state: SlotState::Staged, image, image_size_bytes };
        Ok(self)
    }

    /// Opens a trial of the staged image in `to`: from the next start on it is the active slot.
    ///
    /// # Errors
    /// `TrialOpen` while another is; `WrongState` unless `to` is staged.
    pub fn switch(self, to: Slot, limits: StartLimits) -> Result<Self, SlotTableError> {
        if self.phase != Phase::Settled {
            return Err(SlotTableError::TrialOpen);
        }
        self.must_hold(to, SlotState::Staged)?;
        Ok(Self { limits, returned: None, ..self }.on_trial(to))
    }

    /// Notes that the agent's loop has run long enough for this start to count as alive.
    ///
    /// Equal to the table before if nothing was counted: then there is nothing to store.
    /// # Errors
    /// `NotActive` if the active slot is not the one that runs.
    pub fn sign_of_life(self, booted: Booted) -> Result<Self, SlotTableError> {
        self.must_be_active(booted)?;
        Ok(if self.phase == Phase::Settled { self } else { Self { starts_silent: 0, ..self } })
    }

    /// Declares the running trial good. The way back stays open until [`settle`](Self::settle).
    ///
    /// # Errors
    /// `NoTrial` unless one is open; `NotActive` if its image is not the one that runs.
    pub fn confirm(mut self, booted: Booted) -> Result<Self, SlotTableError> {
        if self.phase != Phase::Trial {
            return Err(SlotTableError::NoTrial);
        }
        self.must_be_active(booted)?;
        self.slot_mut(booted.0).state = SlotState::Confirmed;
        Ok(Self { phase: Phase::Watched, starts_silent: 0, ..self })
    }

    /// Closes the way back after the last follow-up; the spare may be written from here on.
    ///
    /// # Errors
    /// `NoTrial` unless the active slot is confirmed and watched.
    pub fn settle(mut self, old: OldSlot) -> Result<Self, SlotTableError> {
        if self.phase != Phase::Watched {
            return Err(SlotTableError::NoTrial);
        }
        if old == OldSlot::MarkBad {
            self.slot_mut(self.active.other()).state = SlotState::Bad;
        }
        Ok(Self { phase: Phase::Settled, ..self })
    }

    /// Leaves the slot on trial or under watch; the old one starts next.
    ///
    /// `old` speaks of the slot that is left: bad if the image is to blame, staged again if not.
    /// # Errors
    /// `NoTrial` if none is open; `NoWayBack` if the other slot is not confirmed.
    pub fn roll_back(self, why: Return, old: OldSlot) -> Result<Self, SlotTableError> {
        if self.phase == Phase::Settled {
            return Err(SlotTableError::NoTrial);
        }
        match self.slot(self.active.other()).state {
            SlotState::Confirmed => Ok(self.leave(why, old)),
            _ => Err(SlotTableError::NoWayBack),
        }
    }

    /// Notes that the spare slot's image must not run: bits rotted, or somebody changed them.
    ///
    /// # Errors
    /// `WrongState` for the active slot, which is left by other ways, and for one without an image.
    pub fn mark_bad(mut self, slot: Slot) -> Result<Self, SlotTableError> {
        let holds_image = !matches!(self.slot(slot).state, SlotState::Empty | SlotState::Writing);
        if slot == self.active || !holds_image {
            return Err(SlotTableError::WrongState);
        }
        self.slot_mut(slot).state = SlotState::Bad;
        Ok(self)
    }

    /// Notes that the active slot cannot be started, in any phase; the other one is active at once.
    ///
    /// A confirmed image is settled on. A staged one is better than none and goes on trial; its start
    /// is not spent yet.
    /// # Errors
    /// `NoWayBack` if the other slot holds nothing that may start: then try the active one again.
    pub fn not_startable(self, why: Return) -> Result<Self, SlotTableError> {
        let other = self.active.other();
        match self.slot(other).state {
            SlotState::Confirmed => Ok(self.leave(why, OldSlot::MarkBad)),
            SlotState::Staged => Ok(self.leave(why, OldSlot::MarkBad).on_trial(other)),
            _ => Err(SlotTableError::NoWayBack),
        }
    }

    /// What the launcher shall start, and what it must make durable before.
    #[must_use]
    pub fn start(self) -> Start {
        if self.phase == Phase::Settled {
            return Start { slot: self.active, store: None };
        }
        let came_back = self.used_up().map(|why| self.roll_back(why, OldSlot::MarkBad));
        let table = match came_back {
            None => self.spend(),
            Some(Ok(back)) => back,
            // Nowhere to go back to: trying again is better than stopping.
            Some(Err(_)) => Self { starts_silent: 0, starts_trial: 0, ..self }.spend(),
        };
        Start { slot: table.active, store: Some(table) }
    }

    /// What the launcher starts when it cannot write down a try: the confirmed slot.
    #[must_use]
    pub fn fallback(&self) -> Slot {
        let other = self.active.other();
        let way_back = self.phase != Phase::Settled && self.slot(other).state == SlotState::Confirmed;
        if way_back { other } else { self.active }
    }

    /// Whether the active slot is about to be started for the first time since the switch.
    #[must_use]
    pub fn is_first_start(&self) -> bool {
        self.phase == Phase::Trial && self.starts_trial == 0
    }

    const fn slot_mut(&mut self, slot: Slot) -> &mut SlotEntry {
        let [a, b] = &mut self.slots;
        match slot {
            Slot::A => a,
            Slot::B => b,
        }
    }

    fn must_be_active(&self, booted: Booted) -> Result<(), SlotTableError> {
        if booted.0 == self.active { Ok(()) } else { Err(SlotTableError::NotActive) }
    }

    fn must_hold(&self, slot: Slot, state: SlotState) -> Result<(), SlotTableError> {
        let fits = slot != self.active && self.slot(slot).state == state;
        if fits { Ok(()) } else { Err(SlotTableError::WrongState) }
    }

    /// Which counter is used up, the faster one first.
    fn used_up(&self) -> Option<Return> {
        if self.starts_silent >= self.limits.silent_starts {
            Some(Return::SilentStarts)
        } else if self.phase == Phase::Trial && self.starts_trial >= self.limits.trial_starts {
            Some(Return::TrialStarts)
        } else {
            None
        }
    }

    fn spend(self) -> Self {
        let on_trial = u8::from(self.phase == Phase::Trial);
        Self {
            starts_silent: self.starts_silent.saturating_add(1),
            starts_trial: self.starts_trial.saturating_add(on_trial),
            starts_total: self.starts_total.saturating_add(1),
            ..self
        }
    }

    fn on_trial(mut self, slot: Slot) -> Self {
        self.slot_mut(slot).state = SlotState::Trial;
        Self { active: slot, phase: Phase::Trial, starts_silent: 0, starts_trial: 0, ..self }
    }

    fn leave(mut self, why: Return, old: OldSlot) -> Self {
        self.slot_mut(self.active).state = match old {
            OldSlot::Keep => SlotState::Staged,
            OldSlot::MarkBad => SlotState::Bad,
        };
        Self { active: self.active.other(), phase: Phase::Settled, returned: Some(why), ..self }
    }
}
