//! Which devices a person means: by what they are, how they stand, and what became of their updates.
//!
//! Touches: the fleet's rules, for filters and reasons; the counts of a rollout, so that every number of it has its
//! devices. Never: changes one.

use super::devices::reason;
use super::rollouts::outcomes::{base_version, ended_in};
use crate::app::App;
use crate::orchestrator::is_silent;
use crate::problem::Problem;
use crate::store::{AttemptRow, Device, HardwareNames, StoreError, rollout, tries};
use crate::view::facts_of;
use lapwing_core::AttemptId;
use lapwing_core::wire::check_in::{Health, HealthRow};
use lapwing_fleet::AttemptState;
use lapwing_fleet::filter::{Filter, FilterError};
use lapwing_fleet::rollout::{Counts, RolloutId, count_each};
use serde::Deserialize;
use std::collections::HashSet;
use utoipa::{IntoParams, ToSchema};

/// Which devices. With `rollout`, what is asked of the newest attempt is asked of the newest one by it.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Those that this filter holds for; docs/reference/filters.md has the language.
    #[param(max_length = 2048)]
    filter: Option<String>,
    /// Those that stand like this.
    #[param(inline)]
    standing: Option<Standing>,
    /// Those with this reason, by its code.
    why: Option<String>,
    /// Those that this rollout brought something.
    #[param(value_type = Option<String>)]
    rollout: Option<u64>,
    /// Those that `rollout` counts like this.
    #[param(inline)]
    counted: Option<Counted>,
    /// Those whose newest attempt has one of these states, with commas between them.
    attempt: Option<String>,
    /// Those whose newest attempt ended with one of these causes, with commas between them.
    cause: Option<String>,
    /// Those whose newest attempt was for this version.
    tried: Option<String>,
    /// Those whose newest attempt began from this version; `-` for what was never published here.
    base: Option<String>,
    /// Those whose newest attempt ended in the hour that begins then, in seconds since 1970.
    #[param(value_type = Option<u64>, maximum = 4_294_967_295_u64)]
    ended_hour: Option<u32>,
    /// Those that hold this version of the root document.
    #[param(value_type = Option<u64>, maximum = 4_294_967_295_u64)]
    root: Option<u32>,
    /// Those that hold this version of the delegation.
    #[param(value_type = Option<u64>, maximum = 4_294_967_295_u64)]
    delegation: Option<u32>,
    /// Where to go on: the `cursor` of the page before.
    pub(super) cursor: Option<String>,
    /// Rows at most; 500 if not given.
    #[param(minimum = 1, maximum = 500)]
    pub(super) limit: Option<u32>,
}

/// What a person may want to look after. A device may stand like several of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Standing {
    /// It has missed its check-in.
    Silent,
    /// It is let no further.
    Quarantined,
    /// What it runs is unwell, by its own word.
    Unwell,
    /// What it runs has had errors.
    Erring,
    /// What it runs has crashed.
    Crashed,
    /// The watchdog has had to stop what it runs.
    Stuck,
    /// An update is on its way to it.
    Updating,
}

impl Standing {
    /// Whether a device stands like this.
    pub(super) fn is_that_of(self, app: &App, device: &Device) -> Result<bool, StoreError> {
        let feels = |how: fn(&HealthRow) -> bool| -> Result<bool, StoreError> {
            let said = device.said()?;
            let runs = |image| said.components.iter().any(|component| component.running == image);
            Ok(said.health.iter().any(|row| runs(row.running) && how(row)))
        };
        match self {
            Self::Silent => Ok(is_silent(app, device, app.now())),
            Self::Quarantined => Ok(device.quarantine.is_some()),
            Self::Unwell => feels(|row| row.health == Health::Failing),
            Self::Erring => feels(|row| row.errors > 0),
            Self::Crashed => feels(|row| row.crashes > 0),
            Self::Stuck => feels(|row| row.watchdog_resets > 0),
            Self::Updating => {
                Ok(device.attempts.first().is_some_and(|newest| !newest.outcome.state.is_over()))
            }
        }
    }
}

/// What a device is to the counts of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Counted {
    /// It switched and has not come back.
    OnNew,
    /// It has not switched, or came back.
    OnOld,
    /// It has an offer and has not switched yet.
    OnItsWay,
    /// It came back.
    RolledBack,
    /// Its deadline has passed, or how it ended is known by then.
    Judged,
    /// Judged, and bad: silence is.
    Failed,
    /// It ended with no bearing on the release, or failed with many others at one site.
    Elsewise,
}

impl Counted {
    fn is_that_of(self, counts: &Counts) -> bool {
        let is_new = counts.switched > 0 && counts.rolled_back == 0;
        match self {
            Self::OnNew => is_new,
            Self::OnOld => !is_new,
            Self::OnItsWay => counts.switched == 0 && counts.gone == 0,
            Self::RolledBack => counts.rolled_back > 0,
            Self::Judged => counts.whole.judged > 0,
            Self::Failed => counts.whole.failed > 0,
            Self::Elsewise => counts.gone + counts.uncounted > 0,
        }
    }
}

/// What was asked for, ready to be asked of each device.
pub(super) struct Chosen {
    which: Which,
    filter: Option<Filter>,
    states: Option<Vec<AttemptState>>,
    counted: Option<HashSet<AttemptId>>,
}

impl Chosen {
    /// # Errors
    /// A problem that says which word is not understood.
    pub(super) async fn of(app: &App, which: Which) -> Result<Self, Problem> {
        let state = |label| {
            let unknown = || Problem::bad_request("query", "an attempt has no such state");
            AttemptState::from_label(label).ok_or_else(unknown)
        };
        let states = which.attempt.as_deref().map(|listed| listed.split(',').map(state).collect());
        let counted = match (which.counted, which.rollout) {
            (Some(how), Some(id)) => Some(counted(app, RolloutId(id), how).await?),
            (Some(_), None) => return Err(Problem::bad_request("query", "say by which rollout")),
            (None, _) => None,
        };
        let filter = which.filter.as_deref().map(Filter::parse).transpose()?;
        Ok(Self { filter, states: states.transpose()?, counted, which })
    }

    /// Whether a device is one of those.
    pub(super) fn means(&self, app: &App, device: &Device) -> Result<bool, StoreError> {
        let which = &self.which;
        if !self.means_attempt_of(app, device)? {
            return Ok(false);
        }
        let said = device.said()?;
        if which.root.is_some_and(|version| version != said.root_version)
            || which.delegation.is_some_and(|version| version != said.delegation_version)
        {
            return Ok(false);
        }
        if let Some(standing) = which.standing
            && !standing.is_that_of(app, device)?
        {
            return Ok(false);
        }
        if let Some(filter) = &self.filter
            && !facts_of(device, &app.catalogue(), &app.orchestrator.steering())?.is_meant_by(filter)
        {
            return Ok(false);
        }
        match &which.why {
            Some(code) => Ok(reason(app, device, &HardwareNames::default())?.code == *code),
            None => Ok(true),
        }
    }

    fn means_attempt_of(&self, app: &App, device: &Device) -> Result<bool, StoreError> {
        let Which { rollout, attempt, cause, tried, base, ended_hour, .. } = &self.which;
        let asks = rollout.is_some()
            || ended_hour.is_some()
            || [attempt, cause, tried, base].into_iter().any(Option::is_some);
        let by = |row: &&AttemptRow| rollout.is_none_or(|id| row.brought.is_some_and(|(by, _)| by.0 == id));
        let Some(newest) = device.attempts.iter().find(by) else { return Ok(!asks) };
        let catalogue = app.catalogue();
        if let Some(base) = base
            && base_version(device, newest, &catalogue)?.as_deref().unwrap_or("-") != base
        {
            return Ok(false);
        }
        let caused = |listed: &String| {
            newest.outcome.cause.is_some_and(|cause| listed.split(',').any(|label| label == cause.label()))
        };
        let was_for = |version: &String| {
            catalogue.release(newest.release).is_some_and(|entry| entry.release.version.as_str() == version)
        };
        Ok(self.states.as_ref().is_none_or(|states| states.contains(&newest.outcome.state))
            && self.counted.as_ref().is_none_or(|counted| counted.contains(&newest.id))
            && cause.as_ref().is_none_or(caused)
            && tried.as_ref().is_none_or(was_for)
            && ended_hour.is_none_or(|hour| ended_in(newest) == u64::from(hour)))
    }
}

/// The attempts that a rollout counts like this.
async fn counted(app: &App, id: RolloutId, how: Counted) -> Result<HashSet<AttemptId>, Problem> {
    let (row, tries) = app.store.read(move |c| Ok((rollout(c, id)?, tries(c, id)?))).await?;
    let Some(row) = row else { return Ok(HashSet::new()) };
    let rollout = row.rollout().map_err(|error| Problem::internal(&error))?;
    let horizons = rollout.horizons();
    let counts = count_each(&tries, &horizons, app.now());
    Ok(counts.filter(|(_, counts)| how.is_that_of(counts)).map(|(one, _)| one.attempt).collect())
}

impl From<FilterError> for Problem {
    fn from(error: FilterError) -> Self {
        Self::bad_request("filter", error.to_string())
    }
}
