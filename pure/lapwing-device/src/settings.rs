//! How a device behaves where its owner may choose. Resolved once by the body, never read again.
//!
//! All times are milliseconds of uptime. The defaults are those of the design; demos and tests use shorter ones.

use crate::limits::FOLLOW_UPS;
use lapwing_core::{Bump, ComponentName, DeviceId, HardwareClass, StartLimits, Version};

/// Who this device is and what it can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its name.
    pub device: DeviceId,
    /// Its hardware.
    pub hardware: HardwareClass,
    /// Its bootloader's version, zero if it has none.
    pub bootloader: u32,
    /// The component that this brain keeps up to date.
    pub component: ComponentName,
    /// Largest memory profile it can apply, by its number in the delta format.
    pub profile: u8,
    /// Largest image a slot can hold.
    pub slot_bytes_max: u64,
    /// What was installed when it left the factory.
    pub provisioned: Provisioned,
}

/// The release that a device was provisioned with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provisioned {
    /// Its version.
    pub version: Version,
    /// Its seq; zero if it never was released.
    pub seq: u64,
    /// Its security version, which is also the first floor.
    pub security_version: u32,
}

/// When the link may be used: so long in every so long, counted from the boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Awake {
    /// How long, milliseconds.
    pub awake_ms: u64,
    /// From the beginning of one to that of the next, milliseconds; longer than it.
    pub every_ms: u64,
}

/// When to talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Talking {
    /// Between check-ins, unless the server asks otherwise.
    pub check_in_interval_ms: u64,
    /// Between check-ins at most, however long the server would like an idle device to wait.
    pub check_in_interval_ms_max: u64,
    /// A first check-in comes at a random time within this after a boot.
    pub boot_spread_ms: u64,
    /// An answer later than this does not count.
    pub answer_window_ms: u64,
    /// First back-off.
    pub retry_first_ms: u64,
    /// Longest back-off.
    pub retry_max_ms: u64,
    /// A signed status is demanded at least this often.
    pub signed_status_max_age_ms: u64,
    /// Every check-in asks for a signed answer.
    pub always_signed: bool,
    /// Events are reported when they happen, not with the next check-in.
    pub report_promptly: bool,
    /// Prompt reports wait while an artifact comes: on a thin link the two would share a window.
    pub fetch_undisturbed: bool,
    /// The device sleeps in between; never if not given.
    pub awake: Option<Awake>,
}

impl Default for Talking {
    fn default() -> Self {
        Self {
            check_in_interval_ms: 300_000,
            check_in_interval_ms_max: u64::MAX,
            boot_spread_ms: 0,
            answer_window_ms: 600_000,
            retry_first_ms: 1_000,
            retry_max_ms: 900_000,
            signed_status_max_age_ms: 7 * 86_400_000,
            always_signed: true,
            report_promptly: true,
            fetch_undisturbed: false,
            awake: None,
        }
    }
}

/// How often to try before giving up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tries {
    /// Transfers of one artifact that may end in a wrong digest.
    pub wrong_digests: u8,
    /// Times one delta may fail to decode before the full image is asked for.
    pub deltas: u8,
}

impl Default for Tries {
    fn default() -> Self {
        Self { wrong_digests: 3, deltas: 2 }
    }
}

/// What a trial must show, and when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trial {
    /// How long health must hold.
    pub healthy_min_ms: u64,
    /// When the trial ends.
    pub deadline_ms: u64,
    /// How long a dead server may stretch the deadline.
    pub stretch_max_ms: u64,
    /// How long a health check may fail.
    pub unhealthy_max_ms: u64,
    /// A check-in must have succeeded.
    pub needs_check_in: bool,
    /// After this much running the launcher is told that the image lives.
    pub sign_of_life_ms: u64,
    /// Uptime in trial is stored this often.
    pub checkpoint_ms: u64,
    /// More starts than this within the window below end the trial.
    pub reboots_max: u8,
    /// The window for reboots.
    pub reboot_window_ms: u64,
    /// More watchdog resets than this within the window below end the trial.
    pub watchdogs_max: u8,
    /// The window for watchdog resets.
    pub watchdog_window_ms: u64,
    /// What the launcher counts against.
    pub limits: StartLimits,
    /// Check-ins after the confirmation, by time since then. The way back closes with the last.
    pub follow_ups_ms: [u64; FOLLOW_UPS],
}

impl Default for Trial {
    fn default() -> Self {
        Self {
            healthy_min_ms: 600_000,
            deadline_ms: 1_800_000,
            stretch_max_ms: 86_400_000,
            unhealthy_max_ms: 120_000,
            needs_check_in: true,
            sign_of_life_ms: 10_000,
            checkpoint_ms: 60_000,
            reboots_max: 3,
            reboot_window_ms: 300_000,
            watchdogs_max: 5,
            watchdog_window_ms: 600_000,
            limits: StartLimits::APP,
            follow_ups_ms: [900_000, 3_600_000, 21_600_000],
        }
    }
}

/// The device's own rules about versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionPolicy {
    /// Updates happen without being asked for.
    pub auto_update: bool,
    /// The largest step taken without being asked.
    pub largest: Bump,
    /// Versions that are not semver are taken.
    pub non_semver: bool,
}

impl Default for VersionPolicy {
    fn default() -> Self {
        Self { auto_update: true, largest: Bump::Major, non_semver: true }
    }
}

/// What may cross the link, bytes at the IP layer, both ways. Questions and reports are counted and never held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DataBudget {
    /// In a day; no limit if not given.
    pub day_bytes: Option<u64>,
    /// In thirty days; no limit if not given.
    pub month_bytes: Option<u64>,
    /// The least that going on with a transfer costs. With less left it waits for the next day.
    pub fetch_bytes_min: u64,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Who this is.
    pub identity: Identity,
    /// When to talk.
    pub talking: Talking,
    /// How often to try.
    pub tries: Tries,
    /// What a trial must show.
    pub trial: Trial,
    /// Which versions to take.
    pub versions: VersionPolicy,
    /// What may cross the link.
    pub budget: DataBudget,
    /// Lowest battery voltage to update at, millivolts.
    pub battery_floor_mv: u16,
}
