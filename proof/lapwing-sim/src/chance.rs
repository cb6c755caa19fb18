//! One seed, one story: whatever may go wrong goes wrong for a while, then the world is kind and must come to rest.
//!
//! Touches: `crate::{network, stories, supply, world}`. The kind world at the end is what convergence means.

use crate::maker::Image;
use crate::network::Network;
use crate::program::Program;
use crate::rng::Rng;
use crate::storage::Loss;
use crate::supply::Supply;
use crate::twist::{Shipment, Twist};
use crate::world::{Happening, Pace, World};
use lapwing_core::wire::answer::Urgency;

/// How long the world is unkind, milliseconds.
const TROUBLE_MS: u64 = 1_800_000;
/// How long it may take to come to rest after that.
const REST_MS: u64 = 6 * 3_600_000;

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
    for _ in 0..rng.below(6) {
        let (when_ms, lasts_ms) = (rng.below(TROUBLE_MS), rng.below(TROUBLE_MS / 4));
        let end = match rng.below(14) {
            0 => ship(world, when_ms, rng),
            1 => Some((Twist::Withdraw, Twist::Offer)),
            2 | 3 => Some((Twist::PowerOff(2_000), Twist::PowerOff(60_000))),
            4 => Some((Twist::DiskFull(true), Twist::DiskFull(false))),
            5 => Some((Twist::ReadOnly(true), Twist::ReadOnly(false))),
            6 => Some((Twist::SpoilRanges(3), Twist::SpoilRanges(1))),
            7 => Some((Twist::ServerGone(lasts_ms), Twist::Restart)),
            8 => Some((Twist::LinkGone(lasts_ms), Twist::Restart)),
            9 => Some((Twist::WindowClosed(true), Twist::WindowClosed(false))),
            10 => Some((Twist::ClockOff(-3_600), Twist::ClockOff(0))),
            11 => Some((Twist::LinkUp(false), Twist::LinkUp(true))),
            12 => Some((Twist::TamperSpare, Twist::Trigger)),
            _ if world.server.roots.len() == 1 && !rng.happens(700) => {
                Some((Twist::RotateRoots(3), Twist::Restart))
            }
            _ => turn_of_the_server(when_ms, lasts_ms, rng),
        };
        if let Some((begins, ends)) = end {
            world.happens_at(when_ms, Happening::Twist(begins));
            world.happens_at(when_ms + lasts_ms, Happening::Twist(ends));
        }
    }
    world.happens_at(TROUBLE_MS, Happening::Twist(Twist::Peace));
}

/// What a server may do to its devices without meaning harm.
fn turn_of_the_server(when_ms: u64, lasts_ms: u64, rng: &mut Rng) -> Option<(Twist, Twist)> {
    let later_ms = when_ms + lasts_ms / 2;
    match rng.below(6) {
        0 => Some((Twist::ServerBusy(lasts_ms), Twist::Trigger)),
        1 => Some((Twist::OffersLast(20), Twist::OffersLast(3_600))),
        2 => Some((Twist::SwitchWindow(Some(later_ms..later_ms + 60_000)), Twist::SwitchWindow(None))),
        3 => Some((Twist::Urgent(Urgency::Now), Twist::Urgent(Urgency::Routine))),
        4 => Some((Twist::Room(Some(100)), Twist::Room(None))),
        _ => None,
    }
}

/// One more release is made now and shipped later.
fn ship(world: &mut World, when_ms: u64, rng: &mut Rng) -> Option<(Twist, Twist)> {
    let image = Image::new(&format!("1.{}", world.images.len() + 1), any_program(rng));
    let shipment = Shipment { version: image.version.to_string(), seq: None, flaws: Vec::new() };
    world.images.push(image);
    world.happens_at(when_ms, Happening::Twist(Twist::Ship(shipment)));
    None
}

impl World {
    /// Versions that may run at the end of a story of chance: the newest.
    fn good_ends(&self) -> Vec<String> {
        self.newest().map(|image| image.version.to_string()).into_iter().collect()
    }
}
