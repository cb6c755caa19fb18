//! What a decision knows of a device: what it said, and what the fleet noted about it.
//!
//! Touches: `lapwing_core`. Never: what only the server's body needs, such as secrets.

use crate::attempt::Outcome;
use crate::filter::FilterFacts;
use crate::rollout::{Cell, RolloutId};
use lapwing_core::wire::check_in::Gate;
use lapwing_core::{ComponentName, DeviceId, Digest, HardwareClass, ShortDigest, UnixSeconds, Version};

/// One component as the device says it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Component {
    /// Which.
    pub name: ComponentName,
    /// What runs.
    pub running: ShortDigest,
}

/// What people and alarms decided about a device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// It gets nothing until a person looks.
    pub quarantined: bool,
    /// It gets this version and no other.
    pub pinned: Option<Version>,
    /// A person asked for an update now: waiting times do not count.
    pub update_now: bool,
}

/// An earlier attempt of this device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastAttempt {
    /// The digest of the signed release.
    pub release: Digest,
    /// How it stands.
    pub outcome: Outcome,
    /// The rollout that brought it and the cell it counts in there; none if it was pushed to everyone.
    pub brought: Option<(RolloutId, Cell)>,
    /// When it ended, or was opened if it has not.
    pub at: UnixSeconds,
    /// A person said `retry`, so it does not count any more.
    pub forgiven: bool,
}

/// A device, as far as a decision needs to know it.
#[derive(Debug, Clone, Copy)]
pub struct DeviceFacts<'a> {
    /// Which device.
    pub id: &'a DeviceId,
    /// What filters are asked about, its groups among them.
    pub named: &'a FilterFacts<'a>,
    /// Downloads going on in its radio cell, if it has one.
    pub downloads_nearby: u32,
    /// What hardware it is; none until it said so.
    pub hardware: Option<HardwareClass>,
    /// Version of its bootloader.
    pub bootloader: u32,
    /// What runs.
    pub components: &'a [Component],
    /// Root document it holds.
    pub root_version: u32,
    /// Delegation it holds.
    pub delegation_version: u32,
    /// What holds it back, as it says.
    pub gates: &'a [Gate],
    /// What was decided about it.
    pub standing: &'a Standing,
    /// What it tried before, newest first.
    pub attempts: &'a [PastAttempt],
}
