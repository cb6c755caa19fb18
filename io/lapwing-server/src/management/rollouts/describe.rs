//! A rollout, its counts and its outlook as people and programs are shown them.
//!
//! Touches: nothing. What is good and what came back always stand together.

use super::preflight::Fault;
use crate::orchestrator::Outlook;
use crate::store::{HistoryRow, RolloutRow};
use lapwing_core::DeviceId;
use lapwing_fleet::rollout::{
    BasisPoints, Evidence, HowMany, PhasePlan, Priority, Rollout, Stage, State, Tally, Tier, Who,
};
use serde::Serialize;
use std::cmp::Ordering;
use utoipa::ToSchema;

/// Rollouts, the newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = Rollouts)]
pub(in crate::management) struct RolloutsAnswer {
    pub(super) rollouts: Vec<RolloutAnswer>,
    pub(super) cursor: Option<String>,
}

/// A rollout.
#[derive(Serialize, ToSchema)]
#[schema(as = Rollout)]
pub(in crate::management) struct RolloutAnswer {
    id: u64,
    version: String,
    group: String,
    plan: String,
    plan_revision: u32,
    /// `feature` or `security`; security overtakes.
    priority: &'static str,
    /// The version that brings devices back.
    recall: Option<String>,
    state: &'static str,
    /// Why it does not go on, if it does not.
    why: Option<String>,
    /// What it was halted on; enough to work it out again.
    #[schema(value_type = Option<Object>)]
    evidence: Option<Evidence>,
    /// Kinds of devices that it was halted for alone.
    halted_strata: Vec<HaltedAnswer>,
    /// Who made it, by the name of a token.
    author: String,
    /// Who agreed that it starts.
    approvers: Vec<String>,
    /// Commands so far; the next one says that it has seen this.
    pub(super) generation: u64,
    made: u64,
    phases: Vec<PhaseAnswer>,
    rate_per_minute: u32,
    /// None while it is not under way.
    counts: Option<CountsAnswer>,
}

/// A kind of devices that gets no more offers.
#[derive(Serialize, ToSchema)]
#[schema(as = HaltedStratum)]
pub(in crate::management) struct HaltedAnswer {
    stratum: String,
    sentence: String,
    #[schema(value_type = Object)]
    evidence: Evidence,
}

/// A phase of a rollout.
#[derive(Serialize, ToSchema)]
#[schema(as = Phase)]
pub(in crate::management) struct PhaseAnswer {
    name: String,
    /// Whom it is for.
    r#for: String,
    /// `pending`, `admitting`, `soaking`, `gating` or `passed`.
    stage: &'static str,
    /// When its soak ends.
    until: Option<u64>,
    soak_s: u64,
}

/// Devices of a rollout, each counted once, by its newest attempt.
#[derive(Serialize, ToSchema)]
#[schema(as = RolloutCounts)]
pub(in crate::management) struct CountsAnswer {
    /// In the group when the rollout was made.
    group: u32,
    /// Seen lately, for which what is open is open.
    reachable: u32,
    granted: u32,
    in_flight: u32,
    switched: u32,
    /// At their deadline.
    judged: u32,
    /// Of those judged, silence among them.
    failed: u32,
    /// Those that said so within an hour.
    failed_early: u32,
    rolled_back: u32,
    /// Ended with no bearing on the release.
    gone: u32,
    /// Failed with many others at one site, which says little.
    uncounted: u32,
    on_new_percent: f64,
    rolled_back_percent: f64,
}

/// What happened to a rollout.
#[derive(Serialize, ToSchema)]
#[schema(as = RolloutHistory)]
pub(in crate::management) struct HistoryAnswer {
    pub(super) history: Vec<HappenedAnswer>,
}

/// Something that happened to a rollout.
#[derive(Serialize, ToSchema)]
#[schema(as = RolloutHappened)]
pub(in crate::management) struct HappenedAnswer {
    time: u64,
    name: String,
    words: String,
    /// For halts.
    #[schema(value_type = Option<Object>)]
    evidence: Option<serde_json::Value>,
}

/// What a rollout would do.
#[derive(Serialize, ToSchema)]
#[schema(as = RolloutPreview)]
pub(in crate::management) struct PreviewAnswer {
    version: String,
    group: String,
    /// In the group when the rollout was made.
    devices: u32,
    /// Get it in the first phase.
    now: u32,
    /// Get it in a later one, or wait for something that passes by itself.
    later: u32,
    /// Never get it as things are.
    never: u32,
    have_it: u32,
    /// People who must agree before it starts, whoever made it not among them.
    approvals: u8,
    /// All soaks together; evidence may take longer.
    at_least_s: u64,
    /// Why not in the first phase.
    why: Vec<FindingAnswer>,
    /// What is in the way of its start.
    findings: Vec<FindingAnswer>,
}

/// A reason and the devices it concerns.
#[derive(Serialize, ToSchema)]
#[schema(as = RolloutFinding)]
pub(in crate::management) struct FindingAnswer {
    code: &'static str,
    sentence: String,
    devices: u32,
    /// The first of them.
    shown: Vec<String>,
}

impl RolloutAnswer {
    pub(super) fn of(row: &RolloutRow, rollout: &Rollout, tally: Option<&Tally>) -> Self {
        let charter = &rollout.charter;
        let phases = charter.plan.phases.iter().enumerate();
        Self {
            id: row.id.0,
            version: charter.version.to_string(),
            group: charter.group.to_string(),
            plan: charter.plan.name.to_string(),
            plan_revision: charter.plan.revision,
            priority: match charter.plan.priority {
                Priority::Feature => "feature",
                Priority::Security => "security",
            },
            recall: charter.recall.as_ref().map(ToString::to_string),
            state: rollout.state.label(),
            why: why(rollout),
            evidence: match &rollout.state {
                State::Halted(evidence) => Some(evidence.clone()),
                _ => None,
            },
            halted_strata: rollout.halted_strata.iter().filter_map(HaltedAnswer::of).collect(),
            author: charter.author.clone(),
            approvers: rollout.approvers.clone(),
            generation: rollout.generation,
            made: row.made.0,
            phases: phases.map(|(number, phase)| PhaseAnswer::of(rollout, number, phase)).collect(),
            rate_per_minute: rollout.rate_per_minute,
            counts: tally.map(|tally| CountsAnswer::of(rollout, tally)),
        }
    }
}

/// Why it does not go on, if it does not.
fn why(rollout: &Rollout) -> Option<String> {
    match &rollout.state {
        State::Halted(evidence) => Some(evidence.to_string()),
        State::Held(hold) if hold.person_needed => Some(format!("{} A person goes on.", hold.brake)),
        State::Held(hold) => Some(format!("{} It goes on by itself after a calm hour.", hold.brake)),
        State::AwaitingApproval(given) => Some(format!(
            "{given} of {} people have agreed; {}, who made it, does not count.",
            rollout.charter.approvals(),
            rollout.charter.author
        )),
        State::Paused => Some("A person paused it.".to_owned()),
        _ => None,
    }
}

impl HaltedAnswer {
    fn of(evidence: &Evidence) -> Option<Self> {
        let stratum = evidence.stratum.as_ref()?.name.clone();
        Some(Self { stratum, sentence: evidence.to_string(), evidence: evidence.clone() })
    }
}

impl PhaseAnswer {
    fn of(rollout: &Rollout, number: usize, phase: &PhasePlan) -> Self {
        let stage = match number.cmp(&rollout.phase.number) {
            _ if rollout.open.is_empty() => "pending",
            Ordering::Less => "passed",
            Ordering::Greater => "pending",
            Ordering::Equal => match rollout.phase.stage {
                _ if rollout.state == State::Completed => "passed",
                Stage::Admitting => "admitting",
                Stage::Soaking(_) => "soaking",
                Stage::Gating => "gating",
            },
        };
        let until = match rollout.phase.stage {
            Stage::Soaking(until) if stage == "soaking" => Some(until.0),
            _ => None,
        };
        Self { name: phase.name.to_string(), r#for: whom(phase), stage, until, soak_s: phase.soak_s }
    }
}

/// Whom a phase is for, in a few words.
fn whom(phase: &PhasePlan) -> String {
    let how_many = match phase.how_many {
        HowMany::Share(BasisPoints::ALL) => "all".to_owned(),
        HowMany::Share(share) => share.to_string(),
        HowMany::Count(count) => format!("{count} devices"),
    };
    match &phase.who {
        Who::Everyone => format!("{how_many} of the group"),
        Who::Tier(Tier::General) => format!("{how_many} of all tiers"),
        Who::Tier(tier) => format!("{how_many} up to tier {}", tier.label()),
        Who::Filter(filter) => format!("{how_many} with {filter}"),
    }
}

impl CountsAnswer {
    fn of(rollout: &Rollout, tally: &Tally) -> Self {
        let pooled = tally.pooled();
        let group = rollout.charter.census.size();
        let percent = |part: u32| f64::from(part) * 100.0 / f64::from(group.max(1));
        Self {
            group,
            reachable: tally.reachable,
            granted: pooled.granted,
            in_flight: pooled.in_flight(),
            switched: pooled.switched,
            judged: pooled.whole.judged,
            failed: pooled.whole.failed,
            failed_early: pooled.early.failed,
            rolled_back: pooled.rolled_back,
            gone: pooled.gone,
            uncounted: pooled.uncounted,
            on_new_percent: percent(pooled.switched.saturating_sub(pooled.rolled_back)),
            rolled_back_percent: percent(pooled.rolled_back),
        }
    }
}

impl HappenedAnswer {
    pub(super) fn of(row: HistoryRow) -> Self {
        let evidence = row.evidence.and_then(|text| serde_json::from_str(&text).ok());
        Self { time: row.time.0, name: row.name, words: row.words, evidence }
    }
}

impl PreviewAnswer {
    pub(super) fn of(rollout: &Rollout, outlook: Outlook, faults: Vec<Fault>) -> Self {
        let Outlook { now, later, never, have_it, why, .. } = outlook;
        let why = why.into_iter().map(|(code, finding)| FindingAnswer {
            code,
            sentence: finding.sentence,
            devices: finding.devices,
            shown: shown(&finding.shown),
        });
        let fault = |fault: Fault| FindingAnswer {
            code: fault.code,
            sentence: fault.sentence,
            devices: fault.devices,
            shown: shown(&fault.shown),
        };
        Self {
            version: rollout.charter.version.to_string(),
            group: rollout.charter.group.to_string(),
            devices: rollout.charter.census.size(),
            now,
            later,
            never,
            have_it,
            approvals: rollout.charter.approvals(),
            at_least_s: rollout.charter.plan.phases.iter().map(|phase| phase.soak_s).sum(),
            why: why.collect(),
            findings: faults.into_iter().map(fault).collect(),
        }
    }
}

fn shown(devices: &[DeviceId]) -> Vec<String> {
    devices.iter().map(ToString::to_string).collect()
}
