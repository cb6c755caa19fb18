//! Which devices belong together: listed one by one, or meant by a filter that is asked at every check-in.
//!
//! Touches: `crate::filter`. Never: a list made from a filter; a device that changes, changes its groups.

use crate::filter::{Filter, FilterFacts};
use lapwing_core::{DeviceId, Name};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a group is called.
pub type GroupName = Name<32>;

/// The group that every device is in. It need not be made, and cannot be.
pub const EVERYONE: &str = "everyone";

/// A group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// For people and for filters.
    pub name: GroupName,
    /// Who is in it.
    pub members: Members,
    /// What its devices are for.
    pub purpose: Purpose,
}

/// Who is in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Members {
    /// These.
    Listed(BTreeSet<DeviceId>),
    /// All that the filter means. It cannot ask for other groups.
    Meant(Filter),
}

/// What the devices of a group are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// Somebody relies on them. A variant other than the plain one needs its own agreement there.
    Production,
    /// They are for trying things.
    Testing,
}

impl Purpose {
    /// Its spelling in stores and JSON.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Testing => "testing",
        }
    }

    /// The purpose of this spelling.
    #[must_use]
    pub fn from_label(label: &str) -> Option<Self> {
        [Self::Production, Self::Testing].into_iter().find(|purpose| purpose.label() == label)
    }
}

impl Group {
    /// Whether a device with these facts is in it. Groups among the facts do not count.
    #[must_use]
    pub fn has(&self, device: &DeviceId, facts: &FilterFacts<'_>) -> bool {
        match &self.members {
            Members::Listed(devices) => devices.contains(device),
            Members::Meant(filter) => filter.holds(facts),
        }
    }
}
