//! One rollout to one fleet, in steps of ten minutes: who asks, who switches, what is heard, what is counted.
//!
//! Touches: `lapwing_fleet`, the seed. A device that fails is hurt from its switch on, whoever learns of it.
//! Never: tells the brain more than devices said.

use super::asking::reachable;
use super::devices::{Devices, Member};
use super::rivals::Rival;
use super::story::{BASE_LOUD, BASE_SILENT, CheckIns, Ruling, Story, Style, Trouble};
use crate::rng::Rng;
use lapwing_core::UnixSeconds;
use lapwing_fleet::EVERYONE;
use lapwing_fleet::rollout::{
    Approved, BuiltIn, Cell, Charter, Command, EARLY_S, Effect, Event, History, Notice, Order, Preflight,
    Rollout, Seen, State, Tally,
};
use std::collections::HashMap;

/// Steps of an hour.
pub(super) const TICKS_PER_HOUR: u32 = 6;
const TICK_S: u64 = 600;
const START: UnixSeconds = UnixSeconds(1_800_000_000);
const DEADLINE_S: u64 = 6 * 3_600;
/// No story is longer: sixty days.
const TICKS_MAX: u32 = 60 * 24 * TICKS_PER_HOUR;
/// Failures at one site in one window that count.
const SITE_FAILURES: u8 = 2;

/// How a story ended.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ending {
    /// Devices that switched and failed; with one bad revision only those of it.
    pub hurt: u32,
    /// Hours until it was halted, if it was: for everyone, or for one revision when only that was bad.
    pub halted_h: Option<f64>,
    /// Strata that were halted.
    pub strata: Vec<String>,
    /// How often a brake held it.
    pub brakes: u32,
    /// Whether a brake waited for a person at the end.
    pub person_needed: bool,
    /// Hours until everyone it was open for had it.
    pub everyone_h: Option<f64>,
    /// What people were told, with the hour.
    pub notices: Vec<(f64, Notice)>,
}

/// What becomes of a device after its switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Good,
    Loud,
    Silent,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Happening {
    Switch(u32),
    /// The device tries to say how it is, for the so-manieth time.
    Says(u32, u8),
    Early(u32),
    Whole(u32),
}

/// A device that was made an offer.
#[derive(Debug, Clone, Copy)]
struct Updating {
    switched: u32,
    fate: Fate,
    heard: Option<u32>,
}

pub(super) enum Ruler {
    Brain(Box<Rollout>),
    Rival(Rival),
}

pub(super) struct World<'a> {
    pub(super) fleet: &'a Devices,
    pub(super) story: Story,
    pub(super) rng: Rng,
    pub(super) tick: u32,
    wheel: Vec<Vec<Happening>>,
    /// By number; those that have not switched are not among them.
    updating: Vec<Option<Updating>>,
    pub(super) switched: u32,
    pub(super) ruler: Ruler,
    pub(super) tally: Tally,
    finished: Seen,
    /// When each site is dark no more.
    pub(super) dark_until: Vec<u32>,
    site_failures: HashMap<(u16, u64), u8>,
    /// Devices at their early horizon, in the last three steps.
    pub(super) outcomes: [Seen; 3],
    /// Devices that came back, in the last three steps.
    pub(super) came_back: [u32; 3],
    pub(super) boot_failures: u32,
    ending: Ending,
    /// By slot of the interval and cell: who has not been made an offer, in the order of their places.
    pub(super) queues: Vec<Vec<Vec<u32>>>,
    pub(super) granted: u32,
}

/// The ending of this story, told to this fleet.
#[must_use]
pub fn play(fleet: &Devices, story: Story, seed: u64) -> Ending {
    let mut world = World::new(fleet, story, seed);
    while world.tick < TICKS_MAX && !world.is_over() {
        world.advance();
    }
    world.ending
}

impl<'a> World<'a> {
    fn new(fleet: &'a Devices, story: Story, seed: u64) -> Self {
        let slots = match story.check_ins {
            CheckIns::Hourly => TICKS_PER_HOUR,
            CheckIns::Daily => 24 * TICKS_PER_HOUR,
        };
        let mut queues = vec![vec![Vec::new(); fleet.by_cell.len()]; slots as usize];
        for (cell, numbers) in fleet.by_cell.iter().enumerate() {
            for number in numbers.iter().rev() {
                let slot = fleet.members[*number as usize].phase % slots;
                queues[slot as usize][cell].push(*number);
            }
        }
        let ruler = match story.ruling {
            Ruling::Lapwing => Ruler::Brain(Box::new(started(fleet))),
            ruling => Ruler::Rival(Rival::new(ruling)),
        };
        let cells = fleet.census.cells();
        Self {
            fleet,
            story,
            rng: Rng::new(seed),
            tick: 0,
            wheel: vec![Vec::new(); TICKS_MAX as usize + 1_000],
            updating: vec![None; fleet.members.len()],
            switched: 0,
            ruler,
            tally: Tally { cells: vec![Default::default(); cells], ..Tally::default() },
            finished: Seen::default(),
            dark_until: vec![0; usize::try_from(fleet.sites).unwrap_or(0)],
            site_failures: HashMap::new(),
            outcomes: [Seen::default(); 3],
            came_back: [0; 3],
            boot_failures: 0,
            ending: Ending::default(),
            queues,
            granted: 0,
        }
    }

    fn hours(&self) -> f64 {
        f64::from(self.tick) / f64::from(TICKS_PER_HOUR)
    }

    fn now(&self) -> UnixSeconds {
        START.after(u64::from(self.tick) * TICK_S)
    }

    fn advance(&mut self) {
        self.outcomes.rotate_right(1);
        self.outcomes[0] = Seen::default();
        self.came_back.rotate_right(1);
        self.came_back[0] = 0;
        self.lose_sites();
        for happening in std::mem::take(&mut self.wheel[self.tick as usize]) {
            match happening {
                Happening::Switch(number) => self.switch(number),
                Happening::Says(number, times) => self.says(number, times),
                Happening::Early(number) => self.judge_early(number),
                Happening::Whole(number) => self.judge_whole(number),
            }
        }
        self.look();
        self.grant();
        self.tick += 1;
    }

    pub(super) fn at(&mut self, ticks_later: u32, happening: Happening) {
        let at = (self.tick + ticks_later.max(1)) as usize;
        if let Some(slot) = self.wheel.get_mut(at) {
            slot.push(happening);
        }
    }

    pub(super) fn member(&self, number: u32) -> Member {
        self.fleet.members[number as usize]
    }

    pub(super) fn is_dark(&self, site: u16) -> bool {
        self.dark_until[usize::from(site)] > self.tick
    }

    /// The last question before the switch: does the offer still stand?
    fn switch(&mut self, number: u32) {
        let member = self.member(number);
        if self.is_dark(member.site) {
            return self.at(TICKS_PER_HOUR, Happening::Switch(number));
        }
        let withdrawn = match &self.ruler {
            Ruler::Brain(rollout) => {
                matches!(rollout.state, State::Halted(_)) || is_halted(rollout, member.cell)
            }
            Ruler::Rival(rival) => rival.stopped,
        };
        let counts = &mut self.tally.cells[member.cell.index()];
        if withdrawn {
            counts.gone += 1;
            return;
        }
        counts.switched += 1;
        let fate = self.fate(member);
        let counted = !self.story.failing.only_rare || member.is_rare;
        self.ending.hurt += u32::from(fate != Fate::Good && counted);
        self.updating[number as usize] = Some(Updating { switched: self.tick, fate, heard: None });
        self.switched += 1;
        match fate {
            Fate::Good => {
                let ticks = self.stretched(2);
                self.at(ticks, Happening::Says(number, 0));
            }
            Fate::Loud => {
                let ticks = u32::try_from(self.rng.between(1..=5)).unwrap_or(1);
                self.at(ticks, Happening::Says(number, 0));
            }
            Fate::Silent => {}
        }
        self.at(TICKS_PER_HOUR, Happening::Early(number));
        self.at(6 * TICKS_PER_HOUR, Happening::Whole(number));
    }

    fn fate(&mut self, member: Member) -> Fate {
        let failing = self.story.failing;
        let chance = self.rng.below(10_000);
        if (!failing.only_rare || member.is_rare) && chance < failing.rate {
            return match failing.style {
                Style::Loud => Fate::Loud,
                Style::Silent => Fate::Silent,
                Style::Half if chance.is_multiple_of(2) => Fate::Loud,
                Style::Half => Fate::Silent,
            };
        }
        match self.rng.below(10_000) {
            0..BASE_LOUD => Fate::Loud,
            chance if chance < BASE_LOUD + BASE_SILENT => Fate::Silent,
            _ => Fate::Good,
        }
    }

    /// So long by a clock that may be wrong.
    fn stretched(&mut self, ticks: u32) -> u32 {
        if self.story.trouble == Trouble::Clocks && self.rng.happens(100) {
            let half_to_triple = u32::try_from(self.rng.between(5..=30)).unwrap_or(10);
            return (ticks * half_to_triple / 10).max(1);
        }
        ticks
    }

    /// What a device has to say arrives, or is kept and said again after an hour, six, and then hourly.
    fn says(&mut self, number: u32, times: u8) {
        let member = self.member(number);
        if self.is_dark(member.site) {
            let again = self.stretched(if times == 1 { 5 * TICKS_PER_HOUR } else { TICKS_PER_HOUR });
            return self.at(again, Happening::Says(number, times.saturating_add(1)));
        }
        let Some(updating) = &mut self.updating[number as usize] else { return };
        updating.heard = Some(self.tick);
        let failed = updating.fate == Fate::Loud;
        self.finished = self.finished.plus(Seen { judged: 1, failed: u32::from(failed) });
        if failed {
            self.came_back[0] += 1;
            let counts = &mut self.tally.cells[member.cell.index()];
            counts.rolled_back += 1;
            // Every third of them never came up.
            let never_came_up = self.rng.below(3) == 0;
            self.boot_failures += u32::from(never_came_up && self.granted <= 20);
        }
    }

    fn due(&self, updating: &Updating, after_s: u64) -> Option<u32> {
        let start = START.after(u64::from(updating.switched) * TICK_S);
        let due = match &self.ruler {
            Ruler::Brain(rollout) => rollout.horizons().due(start, after_s)?,
            Ruler::Rival(_) => start.after(after_s),
        };
        u32::try_from(due.since(START).div_ceil(TICK_S)).ok()
    }

    fn judge_early(&mut self, number: u32) {
        let Some(updating) = self.updating[number as usize] else { return };
        match self.due(&updating, EARLY_S) {
            Some(due) if due <= self.tick => {
                let failed = updating.fate == Fate::Loud && updating.heard.is_some_and(|heard| heard <= due);
                if !failed || self.counts_at_site(number, &updating) {
                    let seen = Seen { judged: 1, failed: u32::from(failed) };
                    let cell = self.member(number).cell.index();
                    let counts = &mut self.tally.cells[cell];
                    counts.early = counts.early.plus(seen);
                    self.outcomes[0] = self.outcomes[0].plus(seen);
                }
            }
            due => self.at(due.map_or(TICKS_PER_HOUR, |due| due - self.tick), Happening::Early(number)),
        }
    }

    fn judge_whole(&mut self, number: u32) {
        let Some(updating) = self.updating[number as usize] else { return };
        match self.due(&updating, DEADLINE_S) {
            Some(due) if due <= self.tick => {
                let confirmed =
                    updating.fate == Fate::Good && updating.heard.is_some_and(|heard| heard <= due);
                let known = updating.fate == Fate::Loud && updating.heard.is_some();
                let counted = confirmed || known || self.counts_at_site(number, &updating);
                let cell = self.member(number).cell.index();
                let counts = &mut self.tally.cells[cell];
                if counted {
                    counts.whole = counts.whole.plus(Seen { judged: 1, failed: u32::from(!confirmed) });
                } else {
                    counts.uncounted += 1;
                }
            }
            due => self.at(due.map_or(TICKS_PER_HOUR, |due| due - self.tick), Happening::Whole(number)),
        }
    }

    fn counts_at_site(&mut self, number: u32, updating: &Updating) -> bool {
        let window = u64::from(updating.switched) * TICK_S / DEADLINE_S;
        let failures = self.site_failures.entry((self.member(number).site, window)).or_default();
        *failures = failures.saturating_add(1);
        *failures <= SITE_FAILURES
    }

    /// The brain, or a rival, looks at what there is.
    fn look(&mut self) {
        self.fill_window();
        let (now, hours, tick) = (self.now(), self.hours(), self.tick);
        match &mut self.ruler {
            Ruler::Rival(rival) => {
                rival.look(tick, self.finished);
                if rival.stopped {
                    self.ending.halted_h.get_or_insert(hours);
                }
            }
            Ruler::Brain(rollout) => {
                let step = (**rollout).clone().step(now, Event::Tick(&self.tally));
                let reopened = step.next.open != rollout.open
                    || step.next.halted_strata.len() != rollout.halted_strata.len();
                **rollout = step.next;
                for effect in step.effects {
                    if let Effect::Announce(notice) = effect {
                        self.ending.hear(hours, &notice);
                        self.ending.notices.push((hours, notice));
                    }
                }
                self.ending.person_needed = matches!(&rollout.state, State::Held(hold) if hold.person_needed);
                if reopened {
                    self.tally.reachable = reachable(self.fleet, rollout);
                }
            }
        }
    }

    fn is_over(&mut self) -> bool {
        let counts = self.tally.pooled();
        let nobody_moves = counts.in_flight() == 0;
        match &self.ruler {
            Ruler::Rival(rival) => {
                let all =
                    Rival::is_open_for_all(self.tick) && self.granted == self.fleet.count() && nobody_moves;
                if all && !rival.stopped {
                    self.ending.everyone_h = Some(self.hours());
                }
                all || (rival.stopped && nobody_moves)
            }
            Ruler::Brain(rollout) => {
                let last = rollout.phase.number + 1 == rollout.charter.plan.phases.len();
                let nearly = u64::from(self.granted) * 100 >= u64::from(self.tally.reachable) * 97;
                let everyone = last && nearly && nobody_moves;
                let halted = matches!(rollout.state, State::Halted(_) | State::Completed);
                if last && nearly {
                    self.ending.everyone_h.get_or_insert(self.hours());
                }
                ((halted || self.ending.person_needed) && nobody_moves) || everyone
            }
        }
    }
}

impl Ending {
    fn hear(&mut self, hours: f64, notice: &Notice) {
        match notice {
            Notice::Halted(evidence) => {
                self.strata.extend(evidence.stratum.iter().map(|stratum| stratum.name.clone()));
                self.halted_h.get_or_insert(hours);
            }
            Notice::Held(_) => self.brakes += 1,
            _ => {}
        }
    }
}

/// A rollout of these devices that has just been started, by the plan for every day without a staging group.
fn started(fleet: &Devices) -> Rollout {
    let mut plan = BuiltIn::Delivery.plan();
    plan.phases.remove(0);
    let charter = Charter {
        version: "2.0.0".parse().unwrap_or_else(|_| unreachable!("a plain name")),
        group: EVERYONE.parse().unwrap_or_else(|_| unreachable!("a plain name")),
        recall: None,
        approved: Approved::default(),
        author: String::new(),
        plan,
        salt: fleet.salt,
        census: fleet.census.clone(),
        history: History::NONE,
        deadline_s: DEADLINE_S,
    };
    let submit = Command { expected: 0, order: Order::Submit };
    let rollout = Rollout::new(charter).step(START, Event::Command(submit)).next;
    rollout.step(START, Event::Checked(Preflight::Clear(START))).next
}

pub(super) fn is_halted(rollout: &Rollout, cell: Cell) -> bool {
    let strata = rollout.halted_strata.iter().filter_map(|evidence| evidence.stratum.as_ref());
    strata.into_iter().any(|stratum| stratum.cells.contains(&cell))
}
