//! One seed, one story: whatever may go wrong goes wrong for a while, then the world is kind and must come to rest.
//!
//! Touches: `crate::{network, stories, supply, world}`. The kind world at the end is what convergence means.

use crate::maker::Image;
use crate::network::Network;
use crate::program::Program;
use crate::rng::Rng;
use crate::storage::Loss;
use crate::supply::Supply;
use crate::world::{Happening, Pace, World};

/// How long the world is unkind, milliseconds.
const TROUBLE_MS: u64 = 1_800_000;
/// How long it may take to come to rest after that.
const REST_MS: u64 = 6 * 3_600_000;

/// Something that happens on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Twist {
    /// Another release is shipped; it behaves like this.
    Ship(Program),
    /// What was shipped is withdrawn.
    Withdraw,
    /// The newest release is offered again.
    Offer,
    /// The power goes.
    Cut,
    /// The disk has no room, or has again.
    DiskFull(bool),
    /// The disk takes no writes, or does again.
    ReadOnly(bool),
    /// Bytes of artifacts go wrong.
    SpoilRanges(u32),
    /// The world becomes kind.
    Peace,
}

/// The story of this seed, to its end, with everything checked.
#[must_use]
pub fn any(seed: u64, narrate: bool) -> World {
    let mut rng = Rng::new(seed);
    let program = any_program(&mut rng);
    let old = Image::new("1.0", Program::Good);
    let mut world = World::new(rng.number(), Pace::Short, &old);
    world.seed = seed;
    world.transcript = narrate.then(Vec::new);
    world.server.retries = usize::MAX;
    world.network = Network::any(&mut rng);
    world.server.deltas = rng.happens(500);
    world.settings.talking.report_promptly = rng.happens(700);
    world.settings.talking.always_signed = rng.happens(700);
    world.ship(&Image::new("1.1", program), 2);
    if rng.happens(300) {
        let longest = rng.between(300..=40_000);
        world.supply =
            Supply::Sagging { on_ms_min: 250, on_ms_max: 250 + longest, until_ms: rng.below(TROUBLE_MS) };
    }
    world.loss = [Loss::All, Loss::Nothing, Loss::Some][usize::try_from(rng.below(3)).unwrap_or(0)];
    plan(&mut world, &mut rng);
    world.run(TROUBLE_MS, |_| false);
    world.run(TROUBLE_MS + REST_MS, World::is_done);
    let may_run = world.good_ends();
    let may_run: Vec<&str> = may_run.iter().map(String::as_str).collect();
    world.check_end(&may_run);
    world
}

fn any_program(rng: &mut Rng) -> Program {
    let ms = rng.between(500..=60_000);
    match rng.below(12) {
        0 => Program::NotExecutable,
        1 => Program::DiesAtStart,
        2 => Program::DiesAfter { ms },
        3 => Program::Unhealthy,
        4 => Program::UnhealthyAfter { ms: 2 * ms },
        5 => Program::LosesLink,
        6 => Program::DeafToServer,
        _ => Program::Good,
    }
}

fn plan(world: &mut World, rng: &mut Rng) {
    let at = |world: &mut World, at_ms: u64, twist| world.happens_at(at_ms, Happening::Twist(twist));
    for _ in 0..rng.below(5) {
        let (when_ms, lasts_ms) = (rng.below(TROUBLE_MS), rng.below(TROUBLE_MS / 4));
        match rng.below(9) {
            0 => at(world, when_ms, Twist::Ship(any_program(rng))),
            1 => {
                at(world, when_ms, Twist::Withdraw);
                at(world, when_ms + lasts_ms, Twist::Offer);
            }
            2 | 3 => at(world, when_ms, Twist::Cut),
            4 => {
                at(world, when_ms, Twist::DiskFull(true));
                at(world, when_ms + lasts_ms, Twist::DiskFull(false));
            }
            5 => {
                at(world, when_ms, Twist::ReadOnly(true));
                at(world, when_ms + lasts_ms, Twist::ReadOnly(false));
            }
            6 => at(world, when_ms, Twist::SpoilRanges(3)),
            7 => world.server_down.push(when_ms..when_ms + lasts_ms),
            _ => world.network.outages_ms.push(when_ms..when_ms + lasts_ms),
        }
    }
    at(world, TROUBLE_MS, Twist::Peace);
}

impl World {
    /// The script says that something happens now.
    pub(crate) fn twist(&mut self, twist: Twist) {
        self.say("world", || format!("{twist:?}"));
        match twist {
            Twist::Ship(program) => {
                let newest = self.server.releases.len() as u64;
                let image = Image::new(&format!("1.{}", newest + 1), program);
                self.ship(&image, newest + 2);
            }
            Twist::Withdraw => self.server.target = None,
            Twist::Offer => self.server.target = self.server.releases.len().checked_sub(1),
            Twist::Cut => self.power_off(self.loss),
            Twist::DiskFull(full) => self.disk.room_bytes = full.then_some(0),
            Twist::ReadOnly(read_only) => self.disk.read_only = read_only,
            Twist::SpoilRanges(ranges) => self.server.spoil_ranges = ranges,
            Twist::Peace => self.peace(),
        }
    }

    /// The world is kind from here on: what is to be done can be done.
    fn peace(&mut self) {
        self.network = Network::good();
        self.supply = Supply::Steady;
        (self.disk.room_bytes, self.disk.read_only) = (None, false);
        self.server.spoil_ranges = 0;
        self.server_down.clear();
        self.server.idle = false;
        self.server.target = self.server.releases.len().checked_sub(1);
        if let Some(newest) = self.images.last().filter(|image| image.program != Program::Good) {
            // A bad last word would be tried for ever: something good follows.
            let image = Image::new(&format!("{}.1", newest.version), Program::Good);
            let seq = self.server.releases.len() as u64 + 2;
            self.ship(&image, seq);
        }
    }

    /// Versions that may run at the end of a story of chance: the newest.
    fn good_ends(&self) -> Vec<String> {
        self.images.last().map(|image| image.version.to_string()).into_iter().collect()
    }
}
