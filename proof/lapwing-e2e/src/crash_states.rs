//! Every folder that a power cut could leave, built from a recording and judged.
//!
//! Touches: `crate::{changes, tree}`, `model` (what is durable), `choices` (what may be lost).
//! Never: says "all" when it sampled: what was possible is counted beside what was tried.

mod choices;
mod model;

use crate::changes::{Change, Recording};
use crate::tree::{Content, NodeId, Tree};
use choices::{Fate, Seed};
use model::Durability;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

pub use model::Model;

/// Bad states that are kept with all that is known about them.
const BAD_KEPT_MAX: usize = 20;

/// What to enumerate, and how much of it where it is too much.
#[derive(Debug, Clone, Copy)]
pub struct Plan<'a> {
    /// Which favours the file system does.
    pub model: Model,
    /// A cut that allows more states than this gets its telling ones (each loss alone and alone not
    /// suffered) and as many others as make up the number, drawn from the seed.
    pub states_per_cut: usize,
    /// Where the draw begins.
    pub seed: u64,
    /// No further cut is tried after so many bad states: what is thoroughly wrong allows too many.
    pub bad_max: usize,
    /// After so many operations something was promised: the same folder is judged anew from there on.
    pub promises: &'a [usize],
}

/// A folder that a power cut could leave.
#[derive(Debug)]
pub struct Crash<'a> {
    /// The folder.
    pub tree: &'a Tree,
    /// How many operations had returned.
    pub cut: usize,
    /// The last of the plan's promises that had been made.
    pub promised: Option<usize>,
}

/// A state that the judge refused.
#[derive(Debug)]
pub struct Bad {
    /// How many operations had returned.
    pub cut: usize,
    /// What the judge said.
    pub why: String,
    /// What had been done and did not survive.
    pub lost: Vec<String>,
    /// The folder, to look at.
    pub tree: Tree,
}

/// What came of it.
#[derive(Debug)]
pub struct Findings {
    /// The model.
    pub model: Model,
    /// Moments at which the power could be cut: before, between and after the operations.
    pub moments: usize,
    /// At how many of them it was.
    pub cuts: usize,
    /// States that the model allows, the same folder counted at every cut.
    pub possible: u128,
    /// How many of them were built.
    pub tried: u128,
    /// How many of these differ in their bytes or in what was promised before.
    pub distinct: usize,
    /// What the judge said of the good ones.
    pub good: BTreeMap<String, usize>,
    /// How many were bad.
    pub bad: usize,
    /// The first of them.
    pub examples: Vec<Bad>,
}

/// Judges every state that a power cut at any moment of the recording could leave.
pub fn enumerate(
    recording: &Recording,
    plan: &Plan<'_>,
    judge: &dyn Fn(&Crash<'_>) -> Result<String, String>,
) -> Findings {
    let mut run = Run::new(recording, plan);
    for cut in 0..=recording.operations.len() {
        if run.findings.bad >= plan.bad_max {
            break;
        }
        run.cut(cut, judge);
        run.findings.cuts += 1;
    }
    run.findings
}

struct Run<'a> {
    recording: &'a Recording,
    plan: &'a Plan<'a>,
    /// The folder before, in which everything that ever exists already does, without a name.
    base: Tree,
    durability: Durability,
    seed: Seed,
    contents: HashMap<(NodeId, Fate), Arc<Content>>,
    combinations: HashSet<u64>,
    folders: HashSet<(u64, Option<usize>)>,
    findings: Findings,
}

/// What a power cut at one moment leaves to chance.
struct Moment<'a> {
    cut: usize,
    promised: Option<usize>,
    /// Changes of names and permissions, and whether each is certain to survive.
    names: Vec<(usize, &'a Change, bool)>,
    /// Of each file that was written: its changes, and how many of them are durable.
    files: BTreeMap<NodeId, (Vec<&'a Change>, usize)>,
}

impl<'a> Run<'a> {
    fn new(recording: &'a Recording, plan: &'a Plan<'a>) -> Self {
        let mut base = recording.before.clone();
        for (_, change) in recording.changes() {
            base.prepare(change);
        }
        let findings = Findings {
            model: plan.model,
            moments: recording.operations.len() + 1,
            cuts: 0,
            possible: 0,
            tried: 0,
            distinct: 0,
            good: BTreeMap::new(),
            bad: 0,
            examples: Vec::new(),
        };
        Self {
            recording,
            plan,
            base,
            durability: Durability::new(plan.model),
            seed: Seed::new(plan.seed),
            contents: HashMap::new(),
            combinations: HashSet::new(),
            folders: HashSet::new(),
            findings,
        }
    }

    fn cut(&mut self, cut: usize, judge: &dyn Fn(&Crash<'_>) -> Result<String, String>) {
        let operations = self.recording.operations.get(..cut).unwrap_or_default();
        if cut > 0 {
            self.durability.take(operations);
        }
        let moment = self.moment(cut);
        let free = moment.names.iter().filter(|(.., certain)| !certain).count();
        let (possible_names, sets) = choices::name_sets(self.plan.model, free, &mut self.seed);
        let budget = self.plan.states_per_cut.div_ceil(sets.len().max(1));
        let mut counted: u128 = 0;
        for set in &sets {
            let names = moment.with_names(&self.base, set);
            let fates = self.fates(&moment, &names);
            let possible: u128 = fates.iter().map(|(_, fates)| fates.len() as u128).product();
            counted = counted.saturating_add(possible);
            for picks in choices::picks(&fates, budget, &mut self.seed) {
                self.findings.tried += 1;
                self.judge_one(&moment, set, &names, &picks, judge);
            }
        }
        // Sets that were not drawn count like those that were.
        let drawn = sets.len().max(1) as u128;
        let all =
            if possible_names > drawn { counted.saturating_mul(possible_names / drawn) } else { counted };
        self.findings.possible = self.findings.possible.saturating_add(all);
    }

    fn moment(&self, cut: usize) -> Moment<'a> {
        let mut moment = Moment {
            cut,
            promised: self.plan.promises.iter().copied().filter(|promise| *promise <= cut).max(),
            names: Vec::new(),
            files: BTreeMap::new(),
        };
        for (index, change) in self.recording.changes().take_while(|(index, _)| *index < cut) {
            let certain = self.durability.is_certain(index);
            match change.file() {
                None => moment.names.push((index, change, certain)),
                Some(file) => {
                    let (changes, kept) = moment.files.entry(file).or_default();
                    changes.push(change);
                    // A flush covers all that was written to the file before it.
                    *kept = if certain { changes.len() } else { *kept };
                }
            }
        }
        moment
    }

    /// For every file that still has a name: what may have become of its bytes.
    fn fates(&mut self, moment: &Moment<'a>, names: &Tree) -> Vec<(NodeId, Vec<Fate>)> {
        let named: HashSet<NodeId> = names.named().collect();
        let open = moment.files.iter().filter(|(file, _)| named.contains(file));
        let mut fates = Vec::new();
        for (file, (changes, kept)) in open {
            fates.push((*file, choices::fates(self.plan.model, changes, *kept, &mut self.seed)));
        }
        fates
    }

    fn judge_one(
        &mut self,
        moment: &Moment<'a>,
        set: &[bool],
        names: &Tree,
        picks: &[(NodeId, Fate)],
        judge: &dyn Fn(&Crash<'_>) -> Result<String, String>,
    ) {
        if !self.combinations.insert(moment.combination(set, picks)) {
            return;
        }
        let mut tree = names.clone();
        for (file, fate) in picks {
            let content = self.content(moment, *file, *fate);
            tree.set_content(*file, content);
        }
        if !self.folders.insert((tree.fingerprint(), moment.promised)) {
            return;
        }
        self.findings.distinct += 1;
        match judge(&Crash { tree: &tree, cut: moment.cut, promised: moment.promised }) {
            Ok(label) => *self.findings.good.entry(label).or_default() += 1,
            Err(why) => {
                self.findings.bad += 1;
                if self.findings.examples.len() < BAD_KEPT_MAX {
                    let lost = moment.lost(set, picks);
                    self.findings.examples.push(Bad { cut: moment.cut, why, lost, tree });
                }
            }
        }
    }

    fn content(&mut self, moment: &Moment<'a>, file: NodeId, fate: Fate) -> Arc<Content> {
        let base = self.base.content_of(file).cloned().unwrap_or_default();
        let changes = moment.files.get(&file).map_or(&[][..], |(changes, _)| changes.as_slice());
        let build = || Arc::new(Content::new(fate.apply(base.bytes().to_vec(), changes)));
        Arc::clone(self.contents.entry((file, fate)).or_insert_with(build))
    }
}

impl Moment<'_> {
    /// The folder with those changes of names that are durable or in the set.
    fn with_names(&self, base: &Tree, set: &[bool]) -> Tree {
        let mut tree = base.clone();
        let mut free = set.iter();
        for (_, change, certain) in &self.names {
            if *certain || free.next().is_some_and(|kept| *kept) {
                tree.apply(change);
            }
        }
        tree
    }

    /// Tells combinations apart without building them.
    fn combination(&self, set: &[bool], picks: &[(NodeId, Fate)]) -> u64 {
        let mut hasher = DefaultHasher::new();
        let mut free = set.iter();
        for (index, _, certain) in &self.names {
            if *certain || free.next().is_some_and(|kept| *kept) {
                index.hash(&mut hasher);
            }
        }
        (usize::MAX, picks, self.promised).hash(&mut hasher);
        hasher.finish()
    }

    fn lost(&self, set: &[bool], picks: &[(NodeId, Fate)]) -> Vec<String> {
        let mut free = set.iter();
        let names = self.names.iter().filter(|(.., certain)| !certain && free.next() == Some(&false));
        let mut lost: Vec<String> = names.map(|(_, change, _)| change.to_string()).collect();
        for (file, fate) in picks {
            let Some((changes, kept)) = self.files.get(file) else { continue };
            lost.extend(fate.lost(changes, *kept));
        }
        lost
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, moments, cuts, possible, tried, distinct, good, bad, examples } = self;
        write!(f, "{model}: {cuts} of {moments} cuts, {tried} of {possible} states tried, ")?;
        write!(f, "{distinct} distinct, {bad} bad")?;
        for (label, count) in good {
            write!(f, ", {count} {label}")?;
        }
        for example in examples {
            write!(
                f,
                "\n  cut after {} operations: {}; lost: {}",
                example.cut,
                example.why,
                example.lost.join(", ")
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
