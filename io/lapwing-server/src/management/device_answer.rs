//! A device as people are shown it.
//!
//! Touches: nothing; `devices` fills it in. Never: has a secret in it.

use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// All that is known of a device.
#[derive(Serialize, ToSchema)]
#[schema(as = Device)]
pub(super) struct DeviceAnswer {
    pub(super) id: String,
    /// The id of its hardware class, once it has said it.
    pub(super) hardware: Option<String>,
    /// What people call that.
    pub(super) hardware_name: Option<String>,
    pub(super) bootloader: Option<u32>,
    pub(super) profile: Option<u8>,
    /// Whatever else it reports, by name.
    pub(super) facts: Option<BTreeMap<String, String>>,
    /// What people set, in place of what it reports.
    pub(super) noted: BTreeMap<String, String>,
    pub(super) root_version: u32,
    pub(super) delegation_version: u32,
    pub(super) running: Vec<RunningAnswer>,
    /// What holds it back, by its own word.
    pub(super) gates: Vec<&'static str>,
    pub(super) health: Vec<HealthRowAnswer>,
    /// Its present boot.
    pub(super) boot: Option<String>,
    pub(super) first_seen: u64,
    pub(super) last_seen: u64,
    /// Why it is in quarantine, if it is.
    pub(super) quarantined: Option<String>,
    /// The version it is kept at, if any.
    pub(super) pinned: Option<String>,
    pub(super) update_now: bool,
    /// The newest first.
    pub(super) attempts: Vec<AttemptAnswer>,
    pub(super) why: WhyAnswer,
}

/// A component and what runs of it.
#[derive(Serialize, ToSchema)]
#[schema(as = Running)]
pub(super) struct RunningAnswer {
    pub(super) component: String,
    /// The beginning of the digest of the image that runs.
    pub(super) digest: String,
    /// Its version, if a release has that image.
    pub(super) version: Option<String>,
    /// The beginning of the digest of the image in the other slot.
    pub(super) held: Option<String>,
}

/// How a device was on one version.
#[derive(Serialize, ToSchema)]
#[schema(as = DeviceHealth)]
pub(super) struct HealthRowAnswer {
    pub(super) running: String,
    pub(super) boots: u32,
    pub(super) watchdog_resets: u32,
    pub(super) crashes: u32,
    /// `unknown`, `good` or `failing`.
    pub(super) health: &'static str,
    pub(super) errors: u32,
}

/// One device trying one release.
#[derive(Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(super) struct AttemptAnswer {
    pub(super) id: u64,
    pub(super) release: String,
    pub(super) version: Option<String>,
    pub(super) state: &'static str,
    /// Why it failed; docs/reference/causes.md lists them.
    pub(super) cause: Option<&'static str>,
    /// Whether the image is to blame.
    pub(super) blamed: bool,
    pub(super) percent: u8,
    pub(super) delta: bool,
    pub(super) artifact_size_bytes: u64,
    pub(super) opened: u64,
    pub(super) deadline: u64,
    pub(super) ended: Option<u64>,
    pub(super) forgiven: bool,
    /// The rollout that brought it, if one did.
    pub(super) rollout: Option<u64>,
}

/// Why a device is not updating.
#[derive(Serialize, ToSchema)]
#[schema(as = Why)]
pub(super) struct WhyAnswer {
    pub(super) code: &'static str,
    pub(super) sentence: String,
    /// What a person can do about it.
    pub(super) advice: Option<&'static str>,
    /// When it is over by itself.
    pub(super) until: Option<u64>,
    /// When it is expected to check in.
    pub(super) expected: Option<u64>,
}
