//! How a rollout survives: one JSON text with the number of its format.
//!
//! Touches: `serde_json`, all states of `crate::rollout`. What cannot be read, or contradicts itself, is refused.
//! Never: fills in what is missing; a rollout that is half known must not go on.

use super::place::PLACES;
use super::plan::PlanError;
use super::state::{Open, Rollout};
use serde::{Deserialize, Serialize};

/// The number of this format. It rises when an older reader would misunderstand.
const FORMAT: u32 = 1;

/// Why a saved rollout is refused.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// Not JSON, or not a rollout.
    #[error("the saved rollout cannot be read")]
    Unreadable(#[source] serde_json::Error),
    /// Written by a newer version of this program.
    #[error("the rollout was saved in format {0}, which this version does not know")]
    Format(u32),
    /// Its plan makes no sense.
    #[error("the plan of the saved rollout is not one")]
    Plan(#[source] PlanError),
    /// Its parts do not belong together.
    #[error("the saved rollout contradicts itself")]
    Contradiction,
}

#[derive(Serialize)]
struct Saving<'a> {
    format: u32,
    rollout: &'a Rollout,
}

/// Read first, so that what is newer is called so.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    #[serde(rename = "format")]
    _format: u32,
    rollout: Rollout,
}

impl Rollout {
    /// This rollout as text.
    ///
    /// # Errors
    /// None that is known; what JSON cannot say is not part of a rollout.
    pub fn to_saved(&self) -> Result<String, SavedError> {
        serde_json::to_string(&Saving { format: FORMAT, rollout: self }).map_err(SavedError::Unreadable)
    }

    /// The rollout that was saved as `text`.
    ///
    /// # Errors
    /// See [`SavedError`].
    pub fn from_saved(text: &str) -> Result<Self, SavedError> {
        let Head { format } = serde_json::from_str(text).map_err(SavedError::Unreadable)?;
        if format != FORMAT {
            return Err(SavedError::Format(format));
        }
        let Saved { rollout, .. } = serde_json::from_str(text).map_err(SavedError::Unreadable)?;
        rollout.charter.plan.clone().validated().map_err(SavedError::Plan)?;
        if rollout.agrees() { Ok(rollout) } else { Err(SavedError::Contradiction) }
    }

    /// Whether everything that is counted by cells or phases has as many of them as there are.
    fn agrees(&self) -> bool {
        let cells = self.charter.census.cells();
        let shares = |open: &Open| match open {
            Open::Count(_) => true,
            Open::Shares(shares) => shares.len() == cells && shares.iter().all(|s| s.get() <= PLACES),
        };
        let strata = self.halted_strata.iter().filter_map(|evidence| evidence.stratum.as_ref());
        let known = strata.flat_map(|stratum| &stratum.cells).all(|cell| cell.index() < cells);
        let opened = if self.open.is_empty() { 0 } else { self.phase.number.saturating_add(1) };
        self.planned().is_some()
            && self.open.len() == opened
            && self.open.iter().all(shares)
            && known
            && (self.accepted.cells.is_empty() || self.accepted.cells.len() == cells)
    }
}
