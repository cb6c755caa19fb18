//! Fault enumeration: each effect of a run fails once, or fails for a while, without the power going.
//!
//! What followed it in its step is dropped, as the contract of effects says; whatever was dropped must come to pass
//! another way, and the run must end as it would have. Touches: `crate::{cuts, world}`.

use crate::cuts::{Expected, Tally};
use crate::world::World;
use lapwing_device::{Effect, Trouble};
use std::mem::discriminant;

/// An effect that fails.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// Which one of the run, counted from one.
    pub effect: u64,
    /// Why.
    pub trouble: Trouble,
    /// All others of its kind fail for so long after it, milliseconds.
    pub lasts_ms: u64,
    /// What kind that is and until when, once it has begun.
    began: Option<(Effect, u64)>,
}

/// Longer than any try is put off, and shorter than a trial may take.
const WHILE_MS: u64 = 70_000;

impl Tally {
    /// Runs `world` once for each effect that it still asks for, each trouble, once and for a while.
    pub fn faults(&mut self, world: &World, expected: Expected<'_>) {
        let mut whole = world.clone();
        whole.run(crate::stories::PATIENCE_MS, World::is_done);
        let effects = world.effects + 1..=whole.effects;
        self.points += whole.effects - world.effects;
        let troubles = [
            Trouble::Link { retry_after_ms: None },
            Trouble::Refused,
            Trouble::DiskFull,
            Trouble::ReadOnly,
            Trouble::Storage,
        ];
        for effect in effects {
            for (trouble, lasts_ms) in troubles.into_iter().flat_map(|it| [(it, 0), (it, WHILE_MS)]) {
                let mut world = world.clone();
                let fault = Fault { effect, trouble, lasts_ms, began: None };
                world.fault = Some(fault);
                self.note_fault(world, fault, expected);
            }
        }
    }
}

impl World {
    /// Why this effect fails, if it does.
    pub(crate) fn fault_in(&mut self, effect: &Effect) -> Option<Trouble> {
        let fault = self.fault.as_mut()?;
        if fault.effect == self.effects {
            fault.began = Some((*effect, self.now_ms + fault.lasts_ms));
        }
        let (kind, until_ms) = fault.began?;
        let fails = fault.effect == self.effects
            || (self.now_ms < until_ms && discriminant(&kind) == discriminant(effect));
        self.disk.failures += u64::from(fails);
        fails.then_some(fault.trouble).filter(|trouble| can_be(effect, *trouble))
    }
}

/// Whether an effect of this kind can fail for this reason.
fn can_be(effect: &Effect, trouble: Trouble) -> bool {
    let of_link = matches!(trouble, Trouble::Link { .. } | Trouble::Refused);
    match effect {
        Effect::CheckIn | Effect::Report { .. } | Effect::FetchTrust(_) => of_link,
        Effect::Fetch(_) => true,
        _ => !of_link,
    }
}
