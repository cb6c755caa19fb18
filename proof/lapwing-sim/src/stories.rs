//! Worlds to begin from: a device with an old image, and something that was shipped for it.
//!
//! Touches: `crate::{maker, server, world}`. Entered from: tests, the binary.

use crate::maker::{Image, release};
use crate::program::Program;
use crate::server::Published;
use crate::world::{Pace, World};
use lapwing_core::wire::answer::Urgency;

/// Longest a run may take until it rests, milliseconds.
pub const PATIENCE_MS: u64 = 4 * 3_600_000;

/// A device that runs 1.0, and a 1.1 that behaves like `program`, shipped as a delta or whole.
#[must_use]
pub fn update(seed: u64, pace: Pace, program: Program) -> World {
    let old = Image::new("1.0", Program::Good);
    let new = Image::new("1.1", program);
    let mut world = World::new(seed, pace, &old);
    world.ship(&new, 2);
    world
}

/// A device that watches 1.1 and is offered 1.2 with urgency.
#[must_use]
pub fn urgent_update(seed: u64, pace: Pace) -> World {
    let mut world = update(seed, pace, Program::Good);
    world.run(PATIENCE_MS, |world| world.doing() == Some("watching"));
    world.ship(&Image::new("1.2", Program::Good), 3);
    world.server.urgency = Urgency::Now;
    world.plan_cuts(&[]);
    world
}

impl World {
    /// Makes an image known, releases it and makes that the target, with deltas from all images before.
    pub fn ship(&mut self, image: &Image, seq: u64) {
        let bases: Vec<&Image> = self.images.iter().collect();
        let published = Published::signed_by(self.server.release_key, release(image, seq), image, &bases);
        self.server.ship(published);
        self.allowed.insert(image.digest());
        self.images.push(image.clone());
    }
}
