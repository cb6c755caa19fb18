//! One step of a rollout: a rollout and what happened in, the next rollout and what to do in order out.
//!
//! Touches: `crate::rollout::{advance, stopping, state}`. Level-triggered: what is asked again gives the
//! same answer, so a restart loses nothing and two servers agree. A lost `Save` voids the effects after it.
//! Never: waits, counts or sends; leaves `halted` without a person.

use super::advance;
use super::judge::Outage;
use super::state::{Accepted, Brake, Evidence, Hold, Rollout, State};
use super::stopping;
use super::tally::Tally;
use crate::limits::{OUTAGES_MAX, REASON_CHARS_MAX};
use lapwing_core::UnixSeconds;
use std::fmt;

/// A brake that releases itself waits until its reason has been gone for two windows, seconds.
const CALM_S: u64 = 2 * super::WINDOW_S;

/// What happened.
#[derive(Debug, Clone)]
pub enum Event<'a> {
    /// Time passed, or the counts changed.
    Tick(&'a Tally),
    /// Preflight has looked.
    Checked(Preflight),
    /// A person, or another rollout, wants something.
    Command(Command),
}

/// What preflight found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preflight {
    /// Nothing in the way; the start may be as early as this.
    Clear(UnixSeconds),
    /// Findings, which are kept beside the rollout.
    Findings,
}

/// An order, meant for a rollout as it was when it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The generation it was given for.
    pub expected: u64,
    /// What it wants.
    pub order: Order,
}

/// What a command wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Have the draft checked.
    Submit,
    /// Agree that it starts, by the name of a token.
    Approve(String),
    /// Make no more offers. Needs no reason: slowing down never does.
    Pause,
    /// Go on, having seen the evidence and the counts it stands on.
    Resume(Reason, Tally),
    /// End it.
    Cancel,
    /// Give way to another rollout. Waits for no device.
    Supersede,
    /// End it and bring back who took the release, also when it was over already.
    Recall(Reason),
}

/// Why a person went on after a stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

/// The reason is empty or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("give a reason of 1 to {REASON_CHARS_MAX} characters")]
pub struct ReasonError;

impl Reason {
    /// These words.
    ///
    /// # Errors
    /// If they say nothing, or more than fits.
    pub fn new(words: &str) -> Result<Self, ReasonError> {
        let words = words.trim();
        let fits = !words.is_empty() && words.chars().count() <= REASON_CHARS_MAX;
        fits.then(|| Self(words.to_owned())).ok_or(ReasonError)
    }

    /// The words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What to do, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Save the rollout over the revision before it. If another server was faster, drop the rest.
    Save,
    /// Tell people and machines.
    Announce(Notice),
    /// Bring back who took the release, by its recall release if there is one.
    Recall,
    /// Ask again at this time at the latest.
    Wake(UnixSeconds),
}

/// What people and machines are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// It does something else now, for example `running`.
    State(&'static str),
    /// Evidence halted it, or one stratum.
    Halted(Evidence),
    /// A brake holds it.
    Held(Brake),
    /// A brake released itself.
    Released(Brake),
    /// A phase, counted from zero, has opened.
    PhaseOpened(usize),
    /// The present phase opened for more devices, short of evidence.
    Widened,
    /// A phase has passed, and how much it could show.
    PhasePassed(usize, advance::Proof),
}

impl Notice {
    /// Its name among events.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::State(_) => "rollout.state",
            Self::Halted(_) => "rollout.halted",
            Self::Held(_) => "rollout.held",
            Self::Released(_) => "rollout.released",
            Self::PhaseOpened(_) => "rollout.phase.opened",
            Self::Widened => "rollout.phase.widened",
            Self::PhasePassed(..) => "rollout.phase.passed",
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State(label) => write!(f, "It is {label} now."),
            Self::Halted(evidence) => evidence.fmt(f),
            Self::Held(brake) => write!(f, "A brake holds it: {brake}"),
            Self::Released(_) => f.write_str("The brake let go: it has been calm for an hour."),
            Self::PhaseOpened(number) => write!(f, "Phase {} opened.", number + 1),
            Self::Widened => f.write_str("Short of evidence, it opened for half as many more."),
            Self::PhasePassed(number, proof) => write!(f, "Phase {} passed; {proof}.", number + 1),
        }
    }
}

/// Why an event changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Somebody else gave a command in between.
    #[error("the rollout has changed since; look again (it is at generation {0})")]
    Stale(u64),
    /// The rollout is not in a state for it.
    #[error("a rollout that is {0} cannot do that")]
    NotNow(&'static str),
    /// Whoever made it agrees with himself.
    #[error("you made it, and somebody else has to agree; another token says who that is")]
    OwnWork,
    /// The same person twice.
    #[error("you have agreed already, and somebody else has to agree as well")]
    AgreedAlready,
    /// There is nothing to bring devices back with.
    #[error("it was made without a recall release; push an old image under a new version instead")]
    NoRecall,
}

/// What came of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The rollout from now on.
    pub next: Rollout,
    /// What to do.
    pub effects: Vec<Effect>,
    /// Why the event changed nothing, if it should have.
    pub refused: Option<Refused>,
}

impl Rollout {
    /// What `event` makes of this rollout at `now`.
    #[must_use]
    pub fn step(self, now: UnixSeconds, event: Event<'_>) -> Step {
        match event {
            Event::Tick(tally) => self.tick(now, tally),
            Event::Checked(found) => self.checked(found),
            Event::Command(Command { expected, .. }) if expected != self.generation => {
                let generation = self.generation;
                self.refuse(Refused::Stale(generation))
            }
            Event::Command(Command { order, .. }) => self.command(now, order),
        }
    }

    fn command(mut self, now: UnixSeconds, order: Order) -> Step {
        let next = match (&self.state, order) {
            (State::Draft, Order::Submit) => State::Validating,
            (State::AwaitingApproval(_), Order::Approve(who)) if who == self.charter.author => {
                return self.refuse(Refused::OwnWork);
            }
            (State::AwaitingApproval(_), Order::Approve(who)) if self.approvers.contains(&who) => {
                return self.refuse(Refused::AgreedAlready);
            }
            (State::AwaitingApproval(given), Order::Approve(who)) => {
                let next = self.agreed(now, given.saturating_add(1));
                self.approvers.push(who);
                next
            }
            (State::Scheduled(_) | State::Running | State::Held(_), Order::Pause) => State::Paused,
            (State::Paused | State::Held(_) | State::Halted(_), Order::Resume(_, tally)) => {
                self.accept(&tally);
                if self.open.is_empty() { State::Scheduled(now) } else { State::Running }
            }
            (state, Order::Cancel) if !state.is_final() => State::Cancelled,
            (state, Order::Supersede) if !state.is_final() => State::Superseded,
            (_, Order::Recall(_)) if self.charter.recall.is_none() => {
                return self.refuse(Refused::NoRecall);
            }
            (state, Order::Recall(_)) if !self.open.is_empty() && *state != State::Recalled => {
                let next = self.commanded();
                return next.becomes(State::Recalled, vec![Effect::Recall]);
            }
            (state, _) => {
                let label = state.label();
                return self.refuse(Refused::NotNow(label));
            }
        };
        self.commanded().becomes(next, Vec::new())
    }

    fn commanded(mut self) -> Self {
        self.generation = self.generation.saturating_add(1);
        self
    }

    /// A person has seen what speaks against the rollout and goes on: it is counted afresh from here.
    fn accept(&mut self, tally: &Tally) {
        if matches!(self.state, State::Halted(_)) {
            self.accepted = Accepted::all_of(tally);
        }
        self.released = stopping::going_on(self, tally);
    }

    fn checked(self, found: Preflight) -> Step {
        let next = match (&self.state, found) {
            (State::Validating, Preflight::Findings) => State::Draft,
            (State::Validating, Preflight::Clear(start)) => self.agreed(start, 0),
            (state, _) => {
                let label = state.label();
                return self.refuse(Refused::NotNow(label));
            }
        };
        self.becomes(next, Vec::new())
    }

    fn agreed(&self, start: UnixSeconds, approvals: u8) -> State {
        if approvals < self.charter.approvals() {
            State::AwaitingApproval(approvals)
        } else {
            State::Scheduled(start)
        }
    }

    /// Evidence first, then the network, then brakes; only what none of them stops moves on.
    fn tick(mut self, now: UnixSeconds, tally: &Tally) -> Step {
        match &self.state {
            State::Scheduled(start) if *start <= now => {
                let effects = advance::open(&mut self, now);
                return self.becomes(State::Running, effects);
            }
            State::Scheduled(start) => {
                let wake = Effect::Wake(*start);
                return Step { next: self, effects: vec![wake], refused: None };
            }
            state if !state.is_under_way() => return Step { next: self, effects: Vec::new(), refused: None },
            _ => {}
        }
        let before = self.clone();
        self.watch_network(now, tally);
        if let Some(evidence) = stopping::halt(&self, tally, now) {
            return self.halted(evidence);
        }
        let (state, effects) = match self.state.clone() {
            State::Running => self.run(now, tally),
            State::Held(hold) => self.hold(now, hold, tally),
            other => (other, Vec::new()),
        };
        self.state = state;
        let wake = Effect::Wake(now.after(super::LOOK_S));
        if self == before {
            return Step { next: self, effects: vec![wake], refused: None };
        }
        let label = self.state.label();
        let changed = (before.state.label() != label).then_some(Effect::Announce(Notice::State(label)));
        self.revision = self.revision.saturating_add(1);
        let effects = [Effect::Save].into_iter().chain(changed).chain(effects).chain([wake]).collect();
        Step { next: self, effects, refused: None }
    }

    /// One stratum is halted alone and the others go on; otherwise everything is.
    fn halted(mut self, evidence: Evidence) -> Step {
        let notice = Effect::Announce(Notice::Halted(evidence.clone()));
        if evidence.stratum.is_some() {
            self.halted_strata.push(evidence);
            let state = self.state.clone();
            return self.becomes(state, vec![notice]);
        }
        self.becomes(State::Halted(evidence), vec![notice, Effect::Recall])
    }

    /// Notes when the network went away and when it is back.
    fn watch_network(&mut self, now: UnixSeconds, tally: &Tally) {
        match (stopping::network_is_away(tally), self.outages.last_mut()) {
            (true, Some(outage)) if outage.until.is_none() => {}
            (true, _) => {
                let from = UnixSeconds(now.0.saturating_sub(super::WINDOW_S));
                self.outages.push(Outage { from, until: None });
                let excess = self.outages.len().saturating_sub(OUTAGES_MAX);
                self.outages.drain(..excess);
            }
            (false, Some(outage)) if outage.until.is_none() => outage.until = Some(now),
            (false, _) => {}
        }
    }

    fn run(&mut self, now: UnixSeconds, tally: &Tally) -> (State, Vec<Effect>) {
        let hold = |brake, person_needed| {
            let hold = Hold { brake, since: now, calm_since: None, person_needed };
            (State::Held(hold), vec![Effect::Announce(Notice::Held(brake))])
        };
        if self.is_cut_off() {
            return hold(Brake::Network(tally.window.controls), false);
        }
        if let Some((brake, critical)) = stopping::brake(self, tally) {
            return hold(brake, critical || !self.may_release_itself());
        }
        match advance::go_on(self, now, tally) {
            advance::Progress::Overdue => hold(Brake::Overdue, true),
            advance::Progress::Going(effects) => (State::Running, effects),
            advance::Progress::Done(effects) => (State::Completed, effects),
        }
    }

    /// Stays held, or lets go: the network's brake when it is back, another after two calm windows.
    fn hold(&mut self, now: UnixSeconds, mut hold: Hold, tally: &Tally) -> (State, Vec<Effect>) {
        let by_network = matches!(hold.brake, Brake::Network(_));
        let still = if by_network { self.is_cut_off() } else { stopping::is_restless(self, tally) };
        hold.calm_since = if still { None } else { hold.calm_since.or(Some(now)) };
        let is_calm = hold.calm_since.is_some_and(|since| now.since(since) >= CALM_S);
        if hold.person_needed || !is_calm {
            return (State::Held(hold), Vec::new());
        }
        if !by_network {
            self.phase.was_released = true;
            self.rate_per_minute = self.rate_per_minute.div_ceil(2);
            self.released = stopping::going_on(self, tally);
        }
        (State::Running, vec![Effect::Announce(Notice::Released(hold.brake))])
    }

    fn may_release_itself(&self) -> bool {
        self.charter.plan.brakes == super::plan::ReleasedBy::Itself && !self.phase.was_released
    }

    fn becomes(mut self, state: State, effects: Vec<Effect>) -> Step {
        self.revision = self.revision.saturating_add(1);
        self.state = state;
        let announced = Effect::Announce(Notice::State(self.state.label()));
        let effects = [Effect::Save, announced].into_iter().chain(effects).collect();
        Step { next: self, effects, refused: None }
    }

    fn refuse(self, why: Refused) -> Step {
        Step { next: self, effects: Vec::new(), refused: Some(why) }
    }
}
