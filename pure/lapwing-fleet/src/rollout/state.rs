//! What a rollout is at any moment: one value, saved whole, from which every decision follows.
//!
//! Touches: `crate::rollout::{evidence, judge, place, plan, strata, tally}`.
//! Never: changes by itself; `step` makes the next one.

use super::evidence::{Odds, Rate, Seen, Test};
use super::judge::{Horizons, Outage};
use super::place::{BasisPoints, Salt};
use super::plan::{PhasePlan, Plan};
use super::strata::{Census, Stratum};
use super::tally::{Counts, Tally};
use crate::group::GroupName;
use crate::limits::HISTORY_JUDGED_MIN;
use lapwing_core::{UnixSeconds, Version};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// Which rollout, in the order in which they were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RolloutId(pub u64);

impl fmt::Display for RolloutId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a rollout was started with. It does not change; another plan is another rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Charter {
    /// The version set it brings.
    #[serde(with = "crate::spelled")]
    pub version: Version,
    /// To whom.
    #[serde(with = "crate::spelled")]
    pub group: GroupName,
    /// The version set that brings back who took it, signed beforehand, if there is one.
    #[serde(with = "crate::spelled::perhaps")]
    pub recall: Option<Version>,
    /// What whoever made it wants it to do beyond the usual.
    pub approved: Approved,
    /// Who made it, by the name of a token; empty if that was not noted.
    #[serde(default)]
    pub author: String,
    /// How it proceeds.
    pub plan: Plan,
    /// Who goes first.
    pub salt: Salt,
    /// The group, by kinds.
    pub census: Census,
    /// What failed of releases that were good.
    pub history: History,
    /// Seconds after the switch at which silence is a failure.
    pub deadline_s: u64,
}

/// What a version set may do only if a person said so, and another one agrees.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    /// Take devices to another major version, or to a release that its maker calls breaking.
    pub breaking: bool,
    /// Bring a variant other than the plain one to a group in production.
    pub variant: bool,
}

/// However bad good releases were, a new one is not allowed more than twice this.
const HISTORY_MAX: History = History { early: Rate::basis_points(100), whole: Rate::basis_points(200) };

/// Failure rates at the two horizons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// Failures that devices speak of within an hour.
    pub early: Rate,
    /// Failures and silence at the deadline.
    pub whole: Rate,
}

impl History {
    /// For a fleet without one.
    pub const NONE: Self = Self { early: Rate::basis_points(25), whole: Rate::basis_points(50) };

    /// What good releases had in all, by the devices judged at each horizon. Fewer than [`HISTORY_JUDGED_MIN`] say
    /// nothing, and no more than 1 % early and 2 % in all count: a fleet must not get used to ever worse releases.
    #[must_use]
    pub fn of(early: Seen, whole: Seen) -> Self {
        let rate = |seen: Seen, none: Rate, most: Rate| match seen.judged {
            0..HISTORY_JUDGED_MIN => none,
            _ => seen.rate().clamp(none, most),
        };
        Self {
            early: rate(early, Self::NONE.early, HISTORY_MAX.early),
            whole: rate(whole, Self::NONE.whole, HISTORY_MAX.whole),
        }
    }

    /// What a new release may have: twice what good ones had, and never less than half a percent early and
    /// one percent in all.
    #[must_use]
    pub fn allowed(self) -> Self {
        let twice = |rate: Rate, least: Rate| Rate::ppm(rate.max(least).as_ppm().saturating_mul(2));
        Self { early: twice(self.early, Self::NONE.early), whole: twice(self.whole, Self::NONE.whole) }
    }
}

/// A rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollout {
    /// What it was started with.
    pub charter: Arc<Charter>,
    /// Commands so far. A command says which it expects.
    pub generation: u64,
    /// Changes so far, by commands or by evidence. A store saves a revision only over the one before.
    pub revision: u64,
    /// What it does.
    pub state: State,
    /// Where in its plan it is.
    pub phase: Phase,
    /// What each phase opened so far is open for; the last entry is the present phase's.
    pub open: Vec<Open>,
    /// Strata that get no more offers, each with what was held against it.
    pub halted_strata: Vec<Evidence>,
    /// When the network was away.
    pub outages: Vec<Outage>,
    /// What a person has seen and accepted: halts count from there.
    pub accepted: Accepted,
    /// What was known when a brake was last released: brakes count from there.
    pub released: Counts,
    /// Offers a minute at present.
    pub rate_per_minute: u32,
    /// Who has agreed, by the names of their tokens.
    #[serde(default)]
    pub approvers: Vec<String>,
}

/// What a rollout does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum State {
    /// It is being written.
    Draft,
    /// Preflight looks at it.
    Validating,
    /// So many people have agreed, and more must.
    AwaitingApproval(u8),
    /// It starts then.
    Scheduled(#[serde(with = "crate::spelled::seconds")] UnixSeconds),
    /// It makes offers.
    Running,
    /// A person stopped it.
    Paused,
    /// A brake stopped it.
    Held(Hold),
    /// Evidence stopped it.
    Halted(Evidence),
    /// Everyone has it.
    Completed,
    /// A person ended it.
    Cancelled,
    /// Another rollout took its place.
    Superseded,
    /// A person ended it and had those who took the release brought back.
    Recalled,
}

impl State {
    /// Its spelling in stores and JSON.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Validating => "validating",
            Self::AwaitingApproval(_) => "awaiting-approval",
            Self::Scheduled(_) => "scheduled",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Held(_) => "held",
            Self::Halted(_) => "halted",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Superseded => "superseded",
            Self::Recalled => "recalled",
        }
    }

    /// Whether it never changes again, save that a recall may follow.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Superseded | Self::Recalled)
    }

    /// Whether devices may be on their way, so that evidence about them counts.
    #[must_use]
    pub const fn is_under_way(&self) -> bool {
        matches!(self, Self::Running | Self::Paused | Self::Held(_))
    }
}

/// What a brake holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Which brake.
    pub brake: Brake,
    /// Since when.
    #[serde(with = "crate::spelled::seconds")]
    pub since: UnixSeconds,
    /// Since when its reason has been gone; none while it lasts.
    #[serde(with = "crate::spelled::seconds::perhaps")]
    pub calm_since: Option<UnixSeconds>,
    /// Who releases it.
    pub person_needed: bool,
}

/// What can stop a rollout without proof that the release is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Brake {
    /// Devices that were offered nothing went silent too: it is the network.
    Network(Seen),
    /// The new version has more errors than the old one.
    Errors {
        /// The new version's.
        new: Seen,
        /// The old version's.
        old: Seen,
    },
    /// More devices failed in the last half hour than with good releases.
    Outcomes {
        /// What came to its early horizon.
        seen: Seen,
        /// What good releases had.
        history: Rate,
    },
    /// Too many on the new version are unwell.
    Health(Seen),
    /// Too many came back.
    Rollbacks(Seen),
    /// A phase did not pass in its time.
    Overdue,
}

/// Where in its plan a rollout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// Which phase, counted from zero.
    pub number: usize,
    /// How far it is.
    pub stage: Stage,
    /// When it opened.
    #[serde(with = "crate::spelled::seconds")]
    pub opened_at: UnixSeconds,
    /// Whether a brake was released in it already.
    pub was_released: bool,
}

/// How far a phase is. Those before it have passed, those after it are pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Stage {
    /// Its devices get their offers.
    Admitting,
    /// They have them; time must pass until then.
    Soaking(#[serde(with = "crate::spelled::seconds")] UnixSeconds),
    /// Its gate is asked.
    Gating,
}

/// What a phase is open for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Open {
    /// A share of each cell.
    Shares(Vec<BasisPoints>),
    /// So many devices of the rollout.
    Count(u32),
}

/// What a person has seen and accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accepted {
    /// Cell by cell; empty for nothing.
    pub cells: Vec<Counts>,
    /// Boot failures among the first.
    pub first_boot_failures: u32,
    /// Signatures found wrong.
    pub signature_failures: u32,
}

impl Accepted {
    /// All that `tally` says.
    #[must_use]
    pub fn all_of(tally: &Tally) -> Self {
        Self {
            cells: tally.cells.clone(),
            first_boot_failures: tally.first_boot_failures,
            signature_failures: tally.signature_failures,
        }
    }
}

/// Why a rollout, or one stratum of it, was halted: enough to work it out again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The version of the rules; see [`RULES`].
    pub rules: u16,
    /// Which rule.
    pub rule: Rule,
    /// The stratum it was found in; none for the whole group.
    pub stratum: Option<Stratum>,
    /// What was counted since the start, or since a person accepted what there was.
    pub seen: Seen,
    /// The phase, counted from zero.
    pub phase: usize,
    /// When.
    #[serde(with = "crate::spelled::seconds")]
    pub at: UnixSeconds,
}

/// The version of the rules of `stopping`. It rises when the same counts would be judged otherwise.
pub const RULES: u16 = 1;

/// A rule that halts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Rule {
    /// The failures speak against the allowed rate with these odds.
    Odds {
        /// When the devices were judged, in seconds after their switch.
        horizon_s: u64,
        /// What may fail.
        allowed: Rate,
        /// How strongly the counts speak against it.
        odds: Odds,
        /// How strong is strong enough here.
        needed: Odds,
    },
    /// Two of the first twenty did not come up with the new image.
    BootFailures,
    /// A device of ours found a signature wrong.
    Signature,
}

impl Evidence {
    /// Whether its own numbers, judged again, halt again.
    #[must_use]
    pub fn replays(&self) -> bool {
        match self.rule {
            Rule::Odds { allowed, odds, needed, .. } => {
                Test::against(allowed).odds(self.seen) == odds && odds >= needed
            }
            Rule::BootFailures => self.seen.failed >= super::stopping::BOOT_FAILURES_MAX,
            Rule::Signature => self.seen.failed >= 1,
        }
    }
}

impl Charter {
    /// People who must agree before it starts, its author not among them: as many as its plan wants, and one at
    /// least for what is beyond the usual.
    #[must_use]
    pub fn approvals(&self) -> u8 {
        let Approved { breaking, variant } = self.approved;
        self.plan.approvals.max(u8::from(breaking || variant))
    }
}

impl Rollout {
    /// The draft of a rollout.
    #[must_use]
    pub fn new(charter: Charter) -> Self {
        Self {
            generation: 0,
            revision: 0,
            state: State::Draft,
            phase: Phase {
                number: 0,
                stage: Stage::Admitting,
                opened_at: UnixSeconds(0),
                was_released: false,
            },
            open: Vec::new(),
            halted_strata: Vec::new(),
            outages: Vec::new(),
            accepted: Accepted::default(),
            released: Counts::default(),
            rate_per_minute: charter.plan.rate_per_minute,
            approvers: Vec::new(),
            charter: Arc::new(charter),
        }
    }

    /// The present phase, as planned.
    #[must_use]
    pub fn planned(&self) -> Option<&PhasePlan> {
        self.charter.plan.phases.get(self.phase.number)
    }

    /// The version set that its devices are brought back by, while they are.
    #[must_use]
    pub fn recalls(&self) -> Option<&Version> {
        let calls = matches!(self.state, State::Halted(_) | State::Recalled);
        self.charter.recall.as_ref().filter(|_| calls)
    }

    /// When its devices are judged.
    #[must_use]
    pub fn horizons(&self) -> Horizons<'_> {
        Horizons { deadline_s: self.charter.deadline_s, outages: &self.outages }
    }

    /// Whether the network is away.
    #[must_use]
    pub fn is_cut_off(&self) -> bool {
        self.outages.last().is_some_and(|outage| outage.until.is_none())
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Seen { judged, failed } = self.seen;
        write!(f, "{failed} of {judged} devices ")?;
        match self.rule {
            Rule::Odds { horizon_s, allowed, odds, needed } => write!(
                f,
                "had failed or were silent {} h after their switch; {allowed} may. Odds {odds}, {needed} needed",
                horizon_s / 3_600
            )?,
            Rule::BootFailures => f.write_str("that switched first did not come up with the new image")?,
            Rule::Signature => f.write_str("found a signature wrong")?,
        }
        match &self.stratum {
            Some(stratum) => write!(f, ". Halted for {stratum} only")?,
            None => f.write_str(". Halted for everyone")?,
        }
        write!(f, ", phase {}, rules {}.", self.phase + 1, self.rules)
    }
}

impl fmt::Display for Brake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(controls) => write!(
                f,
                "{} of {} devices that were offered nothing stayed away too: it is the network.",
                controls.failed, controls.judged
            ),
            Self::Errors { new, old } => write!(
                f,
                "{} of {} devices on the new version had errors, {} of {} on the old one.",
                new.failed, new.judged, old.failed, old.judged
            ),
            Self::Outcomes { seen, history } => write!(
                f,
                "{} of {} devices had failed within an hour of their switch; with good releases {history} do.",
                seen.failed, seen.judged
            ),
            Self::Health(seen) => {
                write!(f, "{} of {} devices on the new version are unwell.", seen.failed, seen.judged)
            }
            Self::Rollbacks(seen) => {
                write!(f, "{} of {} devices that switched came back.", seen.failed, seen.judged)
            }
            Self::Overdue => f.write_str("The phase did not pass in its time."),
        }
    }
}
