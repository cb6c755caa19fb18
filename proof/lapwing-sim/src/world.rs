//! Virtual time and one queue of what happens next: a device, its disk, its link and its server.
//!
//! Touches: every room of this crate; this is where they are joined. Everything follows from the seed.
//! Never: looks at a real clock.

use crate::faults::Fault;
use crate::maker::{self, Image};
use crate::network::Network;
use crate::program::Program;
use crate::rng::Rng;
use crate::server::{Reply, Request, Server};
use crate::storage::{Cut, Disk, Loss};
use crate::supply::Supply;
use crate::told::Told;
use crate::twist::{Twist, When};
use lapwing_core::{Digest, Slot};
use lapwing_device::{
    Conditions, DataBudget, Device, Effect, Identity, Provisioned, ResetCause, Settings, Talking, Trial,
    Tries, VersionPolicy,
};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::ops::Range;

/// Something that happens at its time.
#[derive(Debug, Clone)]
pub(crate) enum Happening {
    /// The hardware starts.
    PowerOn,
    /// The power goes.
    PowerOff,
    /// The launcher runs; the last program of this life is gone.
    Launch(ResetCause, bool),
    /// The program of this life ends by itself.
    Dies(u64),
    /// The brain of this life is told something.
    Tell(u64, Told),
    /// The brain of this life wanted to be woken; only the newest wish counts.
    Wake(u64, u64),
    /// A request reaches the server.
    Arrives(Exchange, Request),
    /// A reply reaches the device.
    Replied(Exchange, Reply),
    /// An exchange took too long.
    TimesOut(Exchange),
    /// The story takes a turn.
    Twist(Twist),
    /// The world around the device is measured again.
    Measured,
}

/// One question and its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Exchange {
    pub(crate) life: u64,
    pub(crate) number: u64,
    pub(crate) effect: Effect,
}

#[derive(Debug, Clone)]
struct Queued {
    at_ms: u64,
    order: u64,
    happening: Happening,
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        (self.at_ms, self.order) == (other.at_ms, other.order)
    }
}

impl Eq for Queued {}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at_ms, self.order).cmp(&(other.at_ms, other.order))
    }
}

/// A program that runs, with the brain inside.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    pub(crate) life: u64,
    pub(crate) slot: Slot,
    pub(crate) program: Program,
    pub(crate) since_ms: u64,
    pub(crate) brain: Device,
    /// Numbers of events already narrated.
    pub(crate) narrated: u32,
    pub(crate) exchanges: u64,
    /// The transfer under way; there is one at a time.
    pub(crate) transfer: Option<u64>,
    /// Exchanges under way, by their number.
    pub(crate) open_exchanges: Vec<u64>,
    pub(crate) wake: u64,
}

/// Everything.
#[derive(Debug, Clone)]
pub struct World {
    /// The seed it all follows from.
    pub seed: u64,
    pub(crate) rng: Rng,
    /// What the brain draws from, apart, so that one step more does not move everything else.
    pub(crate) entropy: Rng,
    /// Time since the beginning, milliseconds.
    pub now_ms: u64,
    order: u64,
    queue: BinaryHeap<Reverse<Queued>>,
    /// The device's disk.
    pub disk: Disk,
    /// Its link.
    pub network: Network,
    /// Its power.
    pub supply: Supply,
    /// Its server.
    pub server: Server,
    /// When that is gone.
    pub server_down: Vec<Range<u64>>,
    /// Its settings.
    pub settings: Settings,
    /// What the world around it is like.
    pub conditions: Conditions,
    /// Every image that exists.
    pub images: Vec<Image>,
    /// Digests of those that may run on this device.
    pub allowed: BTreeSet<Digest>,
    /// The document that was just given to the brain.
    pub(crate) document: Vec<u8>,
    /// Whether there is a link at all.
    pub link_up: bool,
    pub(crate) running: Option<Running>,
    pub(crate) power: bool,
    pub(crate) lives: u64,
    /// When each program was first started, by its version.
    pub(crate) first_started: BTreeMap<String, u64>,
    /// How long the next power cut lasts, if that was said.
    pub(crate) off_ms: Option<u64>,
    /// Turns that wait for something.
    pub(crate) waiting: Vec<(When, Twist)>,
    /// What the server last answered, and what failed since something happened, as they were narrated.
    pub(crate) answered: String,
    pub(crate) failed: BTreeSet<String>,
    /// Losses of power, and what each costs if nothing else says so.
    pub loss: Loss,
    /// Cuts still to come, the next one last; each counted from the one before.
    pub(crate) planned_cuts: Vec<Cut>,
    pub(crate) points_at_cut: u64,
    /// Power cuts so far.
    pub cuts: u64,
    /// Effects asked for so far.
    pub effects: u64,
    /// What goes wrong without the power going.
    pub(crate) fault: Option<Fault>,
    /// Bytes on the link that the brain was not told of yet, and those of each of its days.
    pub(crate) spent_bytes: u64,
    pub(crate) spent_on: BTreeMap<u64, u64>,
    /// Exchanges that failed so far.
    pub failed_exchanges: u64,
    /// Steps of the brain so far.
    pub steps: u64,
    /// Effects that had no room in their step.
    pub dropped_effects: u64,
    /// What must not happen, and did.
    pub violations: Vec<String>,
    /// Lines of the narration, if wanted.
    pub transcript: Option<Vec<String>>,
}

/// The delays of the settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Those of the design.
    Default,
    /// Short ones, so that thousands of runs take a minute.
    Short,
}

impl World {
    /// A device that left the factory with `first` in slot a, about to be powered on.
    #[must_use]
    pub fn new(seed: u64, pace: Pace, first: &Image) -> Self {
        let settings = settings(pace, first);
        let mut world = Self {
            seed,
            rng: Rng::new(seed),
            entropy: Rng::new(!seed),
            now_ms: 0,
            order: 0,
            queue: BinaryHeap::new(),
            disk: Disk::default(),
            network: Network::good(),
            supply: Supply::Steady,
            server: Server::new(settings.identity.device.clone()),
            server_down: Vec::new(),
            settings,
            conditions: Conditions::default(),
            images: vec![first.clone()],
            allowed: BTreeSet::from([first.digest()]),
            document: Vec::new(),
            link_up: true,
            running: None,
            power: false,
            lives: 0,
            first_started: BTreeMap::new(),
            off_ms: None,
            waiting: Vec::new(),
            answered: String::new(),
            failed: BTreeSet::new(),
            loss: Loss::Some,
            planned_cuts: Vec::new(),
            points_at_cut: 0,
            cuts: 0,
            effects: 0,
            fault: None,
            spent_bytes: 0,
            spent_on: BTreeMap::new(),
            failed_exchanges: 0,
            steps: 0,
            dropped_effects: 0,
            violations: Vec::new(),
            transcript: None,
        };
        if pace == Pace::Short {
            world.server.next_check_in_s = 30;
        }
        world.provision(first);
        world.happens_at(0, Happening::PowerOn);
        world
    }

    pub(crate) fn happens_at(&mut self, at_ms: u64, happening: Happening) {
        self.order += 1;
        self.queue.push(Reverse(Queued { at_ms, order: self.order, happening }));
    }

    pub(crate) fn happens_in(&mut self, ms: u64, happening: Happening) {
        self.happens_at(self.now_ms + ms, happening);
    }

    /// Lets time pass until `until_ms`, or until `enough`.
    pub fn run(&mut self, until_ms: u64, enough: impl Fn(&Self) -> bool) {
        while let Some(Reverse(next)) = self.queue.peek()
            && next.at_ms <= until_ms
            && !enough(self)
        {
            let Some(Reverse(next)) = self.queue.pop() else { return };
            self.now_ms = next.at_ms;
            self.happen(next.happening);
        }
        if !enough(self) {
            self.now_ms = self.now_ms.max(until_ms);
        }
    }

    fn happen(&mut self, happening: Happening) {
        let alive = |life: u64| self.running.as_ref().is_some_and(|running| running.life == life);
        match happening {
            Happening::PowerOn => self.power_on(),
            Happening::PowerOff => self.power_off(self.loss),
            Happening::Launch(reset, crashed) if self.power && self.running.is_none() => {
                self.launch(reset, crashed);
            }
            Happening::Dies(life) if alive(life) => self.program_dies(),
            Happening::Tell(life, told) if alive(life) => self.tell(told),
            Happening::Wake(life, wake)
                if alive(life) && self.running.as_ref().is_some_and(|running| running.wake == wake) =>
            {
                self.tell(Told::Woke);
            }
            Happening::Arrives(exchange, request) => self.arrives(exchange, &request),
            Happening::Replied(exchange, reply) if alive(exchange.life) => self.replied(exchange, reply),
            Happening::TimesOut(exchange) if alive(exchange.life) => self.times_out(exchange),
            Happening::Twist(twist) => self.twist(&twist),
            Happening::Measured => self.tell_conditions(),
            _ => {}
        }
    }

    /// Says something in the narration.
    pub(crate) fn say(&mut self, who: &str, what: impl FnOnce() -> String) {
        let now_ms = self.now_ms;
        if let Some(lines) = &mut self.transcript {
            lines.push(format!("{}  {who:<8} {}", clock(now_ms), what()));
        }
    }

    /// Notes what must not happen.
    pub(crate) fn violate(&mut self, what: String) {
        self.say("CHECK", || what.clone());
        self.violations.push(format!("{}: {what}", clock(self.now_ms)));
    }
}

/// Days, hours, minutes, seconds.
fn clock(ms: u64) -> String {
    let s = ms / 1000;
    let (days, hours, minutes) = (s / 86_400, s / 3600 % 24, s / 60 % 60);
    let days = if days > 0 { format!("{days} d ") } else { String::new() };
    format!("{days:>6}{hours:02}:{minutes:02}:{:02}", s % 60)
}

fn settings(pace: Pace, first: &Image) -> Settings {
    let identity = Identity {
        device: maker::name("sim-0001"),
        hardware: maker::HARDWARE,
        bootloader: 1,
        component: maker::component(),
        profile: 2,
        slot_bytes_max: 100_000,
        provisioned: Provisioned { version: first.version.clone(), seq: 1, security_version: 1 },
    };
    let (mut talking, mut trial) = (Talking::default(), Trial::default());
    if pace == Pace::Short {
        talking.check_in_interval_ms = 30_000;
        talking.retry_max_ms = 30_000;
        trial.healthy_min_ms = 20_000;
        trial.deadline_ms = 120_000;
        trial.stretch_max_ms = 600_000;
        trial.unhealthy_max_ms = 15_000;
        trial.checkpoint_ms = 15_000;
        trial.follow_ups_ms = [30_000, 60_000, 90_000];
    }
    Settings {
        identity,
        talking,
        tries: Tries::default(),
        trial,
        versions: VersionPolicy::default(),
        budget: DataBudget::default(),
        battery_floor_mv: 3300,
    }
}
