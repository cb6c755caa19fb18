//! What a device can be asked to do: plain data, done in order by the body.
//!
//! The contract with the body: do them in order; report each result as an event; when one fails,
//! drop the rest of the step and report [`crate::Event::Failed`]. `Save` therefore guards everything behind it.

use crate::event::TrustDocument;
use crate::limits::EFFECTS_MAX;
use core::ops::Deref;
use lapwing_core::{Digest, OldSlot, StartLimits};

/// One thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Store [`crate::Device::encode_record`] durably. No event when it succeeds.
    Save,
    /// Send [`crate::Device::encode_check_in`]; gives `Answered`.
    CheckIn,
    /// Send [`crate::Device::encode_report`]; gives `Reported` with the same number.
    Report {
        /// Number of the newest event in it.
        up_to: u32,
    },
    /// Fetch a trust document; gives `TrustFetched`.
    FetchTrust(TrustDocument),
    /// Store the trust document that was just given to the brain, durably. No event when it succeeds.
    KeepTrust(TrustDocument),
    /// Get on with fetching this artifact, resuming what is stored of it and deleting any other;
    /// gives `Fetched`. There is one transfer at a time: another `Fetch`, or `DropArtifact`, ends it without
    /// an event.
    Fetch(Transfer),
    /// Write the image into the spare slot from the stored artifact, check it, and stage it; gives `Applied`.
    Apply(Install),
    /// Delete the stored artifact. No event when it succeeds.
    DropArtifact,
    /// Note that the loop runs; gives `SlotTable`.
    SignOfLife,
    /// Check the staged image once more and open its trial; gives `SlotTable`.
    Switch {
        /// The image that must be in the spare slot.
        image: Digest,
        /// What the launcher counts against.
        limits: StartLimits,
    },
    /// Start whatever the slot table says. Gives nothing: the next event is `Booted`.
    Restart,
    /// Declare the trial good; gives `SlotTable`.
    Confirm,
    /// Close the way back; gives `SlotTable`.
    Settle(OldSlot),
    /// Leave the slot on trial or under watch; gives `SlotTable`.
    RollBack(OldSlot),
}

/// An artifact on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer {
    /// Its digest.
    pub artifact: Digest,
    /// Its size.
    pub artifact_size_bytes: u64,
}

/// An image to be made from an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Install {
    /// The artifact, stored whole.
    pub transfer: Transfer,
    /// The image it must become.
    pub image: Digest,
    /// Its size, never exceeded.
    pub image_size_bytes: u64,
}

/// What to do, in order, each thing once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effects {
    list: heapless::Vec<Effect, EFFECTS_MAX>,
    dropped: u8,
}

impl Effects {
    pub(crate) const fn new() -> Self {
        Self { list: heapless::Vec::new(), dropped: 0 }
    }

    /// Adds an effect, unless it is there. `Save` goes before all others: it stores the record after the step
    /// whenever it comes, and so nothing that fails can keep it from being tried.
    pub(crate) fn ask(&mut self, effect: Effect) {
        if self.list.contains(&effect) {
            return;
        }
        let at = if effect == Effect::Save { 0 } else { self.list.len() };
        if self.list.insert(at, effect).is_err() {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// Effects that had no room. A step never asks for so many; every test and simulation looks here.
    #[must_use]
    pub const fn dropped(&self) -> u8 {
        self.dropped
    }
}

impl Deref for Effects {
    type Target = [Effect];

    fn deref(&self) -> &[Effect] {
        &self.list
    }
}

impl<'e> IntoIterator for &'e Effects {
    type Item = &'e Effect;
    type IntoIter = core::slice::Iter<'e, Effect>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}
