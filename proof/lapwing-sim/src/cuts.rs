//! Crash-point enumeration: cut the power at every point of a run, then at every point of each recovery.
//!
//! A point is a disk operation, the boundary before an effect, or the arrival of a reply. Each is cut before,
//! inside and after, and what was not flushed is lost, kept or torn. Touches: `crate::world`.

use crate::faults::Fault;
use crate::program::Program;
use crate::rng::Rng;
use crate::storage::{Cut, Loss, Moment};
use crate::stories::{PATIENCE_MS, update};
use crate::world::{Pace, World};

/// The ways to cut at one point. `Before` with nothing lost is `After` the point before it.
const WAYS: [(Moment, Loss); 5] = [
    (Moment::Before, Loss::All),
    (Moment::Inside, Loss::Nothing),
    (Moment::Inside, Loss::Some),
    (Moment::After, Loss::All),
    (Moment::After, Loss::Nothing),
];

/// What a run should come to.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'e> {
    /// Versions one of which must run in the end.
    pub may_run: &'e [&'e str],
    /// Size of the artifact that travels, if its bytes are to be counted.
    pub artifact_bytes: Option<u64>,
}

/// A run that ended wrong.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The cuts, each counted from the one before.
    pub cuts: Vec<Cut>,
    /// What was wrong.
    pub violations: Vec<String>,
}

/// What an enumeration came to.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Runs made.
    pub runs: u64,
    /// Points of the run that nobody cut.
    pub points: u64,
    /// Runs that ended wrong.
    pub failures: Vec<Failure>,
    /// Runs with a failing effect that ended wrong.
    pub faulty: Vec<(Fault, Vec<String>)>,
    /// Seeds that ended wrong, where it is seeds that are counted.
    pub bad_seeds: u64,
}

/// Runs `world` with these cuts, each counted from the one before, and checks how it ends.
#[must_use]
pub fn run_with(mut world: World, cuts: &[Cut], expected: Expected<'_>) -> World {
    world.plan_cuts(cuts);
    end(world, expected)
}

fn end(mut world: World, expected: Expected<'_>) -> World {
    world.run(PATIENCE_MS, World::is_done);
    world.check_end(expected.may_run);
    if let Some(bytes) = expected.artifact_bytes
        && !world.check_bytes(bytes)
    {
        world.violate(format!("{} bytes moved for an artifact of {bytes}", world.server.sent_bytes));
    }
    world
}

/// The world at the moment after this cut.
fn cut_once(mut world: World, cut: Cut) -> World {
    world.plan_cuts(&[cut]);
    world.run(PATIENCE_MS, |world| world.cuts > 0 || world.is_done());
    world
}

impl Tally {
    /// Cuts the run of `world` at each `stride`-th point, in every way.
    pub fn singles(&mut self, world: &World, stride: u64, expected: Expected<'_>) {
        let points = self.note(world.clone(), &[], expected);
        self.points += points;
        for cut in cuts(points, stride) {
            self.note(cut_once(world.clone(), cut), &[cut], expected);
        }
    }

    /// Cuts at each `stride`-th point, then its recovery at each `second`-th.
    pub fn pairs(&mut self, world: &World, stride: u64, second: u64, expected: Expected<'_>) {
        let points = self.note(world.clone(), &[], expected);
        self.points += points;
        for first in cuts(points, stride) {
            let recovering = cut_once(world.clone(), first);
            let recovery = self.note(recovering.clone(), &[first], expected);
            for then in cuts(recovery, second) {
                let mut fork = recovering.clone();
                fork.plan_cuts(&[then]);
                self.note(fork, &[first, then], expected);
            }
        }
    }

    /// Lets a world in which an effect fails end, and counts it.
    pub(crate) fn note_fault(&mut self, world: World, fault: Fault, expected: Expected<'_>) {
        let ended = end(world, expected);
        self.runs += 1;
        if !ended.violations.is_empty() {
            self.faulty.push((fault, ended.violations));
        }
    }

    /// Lets a world end and counts it. Gives the points since its last cut.
    fn note(&mut self, world: World, cuts: &[Cut], expected: Expected<'_>) -> u64 {
        let ended = end(world, expected);
        self.runs += 1;
        if !ended.violations.is_empty() {
            self.failures.push(Failure { cuts: cuts.to_vec(), violations: ended.violations.clone() });
        }
        ended.disk.points - ended.points_at_cut
    }
}

/// Every way to cut at each `stride`-th of so many points.
fn cuts(points: u64, stride: u64) -> impl Iterator<Item = Cut> {
    let at = (1..=points).step_by(usize::try_from(stride).unwrap_or(1).max(1));
    at.flat_map(|point| WAYS.map(|(moment, loss)| Cut { point, moment, loss }))
}

impl World {
    /// Plans cuts, each counted from the one before, the first from now.
    pub fn plan_cuts(&mut self, cuts: &[Cut]) {
        self.planned_cuts = cuts.iter().rev().copied().collect();
        self.plan_next_cut();
    }

    pub(crate) fn plan_next_cut(&mut self) {
        self.points_at_cut = self.disk.points;
        let next = self.planned_cuts.pop();
        self.disk.cut = next.map(|cut| Cut { point: self.disk.points + cut.point, ..cut });
    }
}

/// Runs with one to three cuts each, in updates to images of every kind, at points that chance picks.
#[must_use]
pub fn cut_at_random(count: u64) -> Tally {
    let mut tally = Tally::default();
    let mut rng = Rng::new(1);
    let stories = STORIES.map(|(program, may_run)| (update(1, Pace::Short, program), may_run));
    let lengths = stories.each_ref().map(|(world, may_run)| {
        let ended = run_with(world.clone(), &[], Expected { may_run, artifact_bytes: None });
        ended.disk.points - world.disk.points
    });
    while tally.runs < count {
        let at = usize::try_from(rng.below(STORIES.len() as u64)).unwrap_or(0);
        let ((world, may_run), points) = (&stories[at], lengths[at]);
        let mut cut = || {
            let (moment, loss) = WAYS[usize::try_from(rng.below(5)).unwrap_or(0)];
            Cut { point: 1 + rng.below(points), moment, loss }
        };
        let all = [cut(), cut(), cut()];
        let some = usize::try_from(1 + rng.below(3)).unwrap_or(1);
        let mut world = world.clone();
        world.plan_cuts(&all[..some]);
        tally.note(world, &all[..some], Expected { may_run, artifact_bytes: None });
    }
    tally
}

/// Updates to cut, and what may run after them.
pub const STORIES: [(Program, &[&str]); 5] = [
    (Program::Good, &["1.1"]),
    (Program::DiesAtStart, &["1.0"]),
    (Program::NotExecutable, &["1.0"]),
    (Program::Unhealthy, &["1.0"]),
    (Program::UnhealthyAfter { ms: 60_000 }, &["1.0"]),
];
