//! How a rollout proceeds, as data: phases, soaks, rates, and who may release a brake.
//!
//! Touches: `crate::filter`, `crate::rollout::{evidence, place}`. A plan does not change while a rollout
//! follows it; `built_in` has the five that need no writing.
//! Never: weaker than the rules of `stopping`; a plan asks for more, not for less.

use super::evidence::Rate;
use super::place::BasisPoints;
use crate::filter::Filter;
use crate::limits::{ATTESTATIONS_MAX, PHASE_S_MAX, PHASES_MAX, PREDICATE_TYPE_CHARS_MAX, WINDOWS_MAX};
use crate::window::Windows;
use lapwing_core::Name;
use serde::{Deserialize, Serialize};

/// What a plan or a phase is called.
pub type PlanName = Name<32>;

/// How early a device volunteers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Tier {
    /// First of all.
    Canary,
    /// The maker's own.
    Internal,
    /// Customers who asked for it.
    Pilot,
    /// Everybody else.
    General,
}

impl Tier {
    /// Its spelling in facts, filters and plans.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Canary => "canary",
            Self::Internal => "internal",
            Self::Pilot => "pilot",
            Self::General => "general",
        }
    }

    /// The tier of this spelling.
    #[must_use]
    pub fn from_label(label: &str) -> Option<Self> {
        [Self::Canary, Self::Internal, Self::Pilot, Self::General].into_iter().find(|t| t.label() == label)
    }
}

/// Which devices a phase is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Who {
    /// The whole group.
    Everyone,
    /// This tier and all that volunteer earlier.
    Tier(Tier),
    /// Those that a filter means, for example one region.
    Filter(Filter),
}

/// How many of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum HowMany {
    /// A share, by place.
    #[serde(rename = "share_basis_points")]
    Share(BasisPoints),
    /// So many, whoever asks first.
    Count(u32),
}

/// One step of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhasePlan {
    /// For people.
    #[serde(with = "crate::spelled")]
    pub name: PlanName,
    /// For whom it opens, beside all for whom an earlier phase did.
    pub who: Who,
    /// How many of them it opens for.
    pub how_many: HowMany,
    /// Seconds to wait at least once its devices have their offers.
    pub soak_s: u64,
    /// The failure rate it must have excluded before the next phase opens.
    #[serde(rename = "excludes_ppm")]
    pub excludes: Rate,
    /// Seconds after which it has failed if it has not passed.
    pub longest_s: u64,
}

/// Who releases a brake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ReleasedBy {
    /// The brake itself, once a phase, at half the rate. Never a critical one.
    Itself,
    /// A person.
    Person,
}

/// Which of two rollouts a device gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Priority {
    /// It waits its turn.
    Feature,
    /// It overtakes features.
    Security,
}

/// How a rollout proceeds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// For people.
    #[serde(with = "crate::spelled")]
    pub name: PlanName,
    /// Rises with every change.
    pub revision: u32,
    /// In order.
    pub phases: Vec<PhasePlan>,
    /// Who releases a brake.
    pub brakes: ReleasedBy,
    /// People who must agree before it starts, the author not among them.
    pub approvals: u8,
    /// Offers a minute, at most.
    pub rate_per_minute: u32,
    /// Which rollout wins.
    pub priority: Priority,
    /// What must have been attested of each image before it starts, by in-toto predicate types.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attestations: Vec<String>,
    /// When devices may switch; at any time, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<Windows>,
}

/// What is wrong with a plan; phases count from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Nothing to do.
    #[error("a plan needs at least one phase")]
    NoPhases,
    /// See [`PHASES_MAX`].
    #[error("a plan has at most {PHASES_MAX} phases")]
    TooManyPhases,
    /// It would never offer anything.
    #[error("let it make at least one offer a minute")]
    NoRate,
    /// A phase for nobody.
    #[error("phase {0} opens for nobody; give it a share or a count")]
    Empty(usize),
    /// A phase that opens less than an earlier one for the same devices.
    #[error("phase {0} opens less than one before it for the same devices; shares only grow")]
    Shrinks(usize),
    /// A phase that cannot pass in time.
    #[error("phase {0} soaks longer than it may last; raise its limit or shorten its soak")]
    NeverPasses(usize),
    /// See [`PHASE_S_MAX`].
    #[error("phase {0} may last at most {PHASE_S_MAX} seconds")]
    TooLong(usize),
    /// The last phase does not reach the group.
    #[error("the last phase opens for everyone, with a share of 100 %")]
    NotForAll,
    /// None at all, or too many; see [`WINDOWS_MAX`].
    #[error("name 1 to {WINDOWS_MAX} windows, or leave `windows` out")]
    Windows,
    /// Too many, or no URI; see [`ATTESTATIONS_MAX`] and [`PREDICATE_TYPE_CHARS_MAX`].
    #[error(
        "name at most {ATTESTATIONS_MAX} attestations by their predicate types, such as https://slsa.dev/provenance/v1"
    )]
    Attestations,
}

impl PlanError {
    /// The phase that it names, counted from one.
    #[must_use]
    pub const fn phase(self) -> Option<usize> {
        match self {
            Self::Empty(at) | Self::Shrinks(at) | Self::NeverPasses(at) | Self::TooLong(at) => Some(at),
            _ => None,
        }
    }
}

/// Whether `text` may be a predicate type: a URI of some scheme, not too long.
#[must_use]
pub fn is_predicate_type(text: &str) -> bool {
    text.len() <= PREDICATE_TYPE_CHARS_MAX
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && text.split_once(':').is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty())
}

impl Plan {
    /// This plan, if it makes sense.
    ///
    /// # Errors
    /// The first thing that does not.
    pub fn validated(self) -> Result<Self, PlanError> {
        if self.phases.len() > PHASES_MAX {
            return Err(PlanError::TooManyPhases);
        }
        if self.rate_per_minute == 0 {
            return Err(PlanError::NoRate);
        }
        if self.windows.as_ref().is_some_and(|windows| !windows.is_sound()) {
            return Err(PlanError::Windows);
        }
        let known = self.attestations.len() <= ATTESTATIONS_MAX;
        if !known || !self.attestations.iter().all(|kind| is_predicate_type(kind)) {
            return Err(PlanError::Attestations);
        }
        let last = self.phases.last().ok_or(PlanError::NoPhases)?;
        let for_all = last.who == Who::Everyone && last.how_many == HowMany::Share(BasisPoints::ALL);
        for (at, phase) in self.phases.iter().enumerate() {
            let earlier = self.phases.iter().take(at);
            phase.fault(earlier).map_or(Ok(()), |fault| Err(fault(at.saturating_add(1))))?;
        }
        if for_all { Ok(self) } else { Err(PlanError::NotForAll) }
    }
}

impl PhasePlan {
    fn fault<'a>(&self, mut earlier: impl Iterator<Item = &'a Self>) -> Option<fn(usize) -> PlanError> {
        let wider = |before: &Self| {
            let shrinks = match (before.how_many, self.how_many) {
                (HowMany::Share(before), HowMany::Share(now)) => now < before,
                (HowMany::Count(before), HowMany::Count(now)) => now < before,
                _ => false,
            };
            before.who == self.who && shrinks
        };
        match self.how_many {
            HowMany::Share(share) if share == BasisPoints::default() => Some(PlanError::Empty),
            HowMany::Count(0) => Some(PlanError::Empty),
            _ if self.longest_s > PHASE_S_MAX => Some(PlanError::TooLong),
            _ if self.soak_s >= self.longest_s => Some(PlanError::NeverPasses),
            _ if earlier.any(wider) => Some(PlanError::Shrinks),
            _ => None,
        }
    }
}
