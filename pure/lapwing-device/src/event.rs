//! What can happen to a device: everything the brain ever learns comes in as one of these.
//!
//! Facts are events. The body measures, fetches and writes; it reports here and decides nothing.

use crate::effect::Effect;
use lapwing_core::wire::check_in::Health;
use lapwing_core::{BootId, Digest, Slot, SlotTable, Uptime};

/// The moment of a step: time since this boot, and randomness for jitter and nonces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Time since this boot.
    pub uptime: Uptime,
    /// Fresh random bits, new ones for every step.
    pub entropy: u64,
}

/// Why the hardware started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResetCause {
    /// Nothing tells.
    #[default]
    Unknown,
    /// Power came on. Does not count as a reboot.
    PowerOn,
    /// The watchdog.
    Watchdog,
    /// Software asked for it.
    Software,
}

/// What the body finds when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Boot {
    /// This boot, chosen at random.
    pub id: BootId,
    /// The slot table as stored.
    pub table: SlotTable,
    /// The slot whose image runs.
    pub slot: Slot,
    /// Digest of that image's bytes as read.
    pub running: Digest,
    /// Why the hardware started.
    pub reset: ResetCause,
    /// The run before this one did not end by its own will.
    pub crashed: bool,
}

/// Whether the link is there, whoever configured how to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Link {
    /// Nothing tells; counts as up.
    #[default]
    Unknown,
    /// There is a way out.
    Up,
    /// There is none.
    Down,
}

/// Energy left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Battery {
    /// Voltage under load, millivolts.
    pub voltage_mv: u16,
    /// What may still be spent, joules, if the host can tell.
    pub left_j: Option<u32>,
    /// What an update of this size would cost, joules, if the host can tell.
    pub needed_j: Option<u32>,
}

/// What the world around the update is like, as last measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Conditions {
    /// The owner opted out.
    pub opted_out: bool,
    /// The host's own window is closed.
    pub window_closed: bool,
    /// Energy, if this device runs on a battery.
    pub battery: Option<Battery>,
    /// Power is not good, or there were brown-outs.
    pub supply_unstable: bool,
    /// The link is too poor or too expensive for transfers now.
    pub link_poor: bool,
    /// The data budget is spent.
    pub data_budget_spent: bool,
    /// Bytes that may be written, if limited.
    pub room_bytes: Option<u64>,
    /// A gate of the host is closed.
    pub host_gate_closed: bool,
    /// Whether there is a link.
    pub link: Link,
    /// A counter of the host's own, for the health summary.
    pub errors: u32,
}

/// A document of the trust chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TrustDocument {
    /// The root document of this version.
    Root(u32),
    /// The newest delegation.
    Delegation,
}

/// How far a transfer got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetched {
    /// So much is stored; there is more to come.
    Part {
        /// Bytes stored.
        have_bytes: u64,
    },
    /// All is stored and has the right digest.
    Whole,
    /// All arrived and has a wrong digest. It was deleted.
    WrongDigest,
}

/// How applying an artifact ended, when the storage did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// The spare slot holds the image, durably, and the slot table says so.
    Staged(SlotTable),
    /// The artifact does not decode against this base.
    Undecodable,
    /// It decoded into something else than the image.
    WrongImage,
    /// It needs more memory than there is.
    TooLarge,
    /// The boot chain would refuse the image.
    BootChain,
}

/// Why an effect could not be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// No answer: no link, no server, or an answer cut short.
    Link {
        /// What the server asked for, milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// The server answered and refused.
    Refused,
    /// No space left.
    DiskFull,
    /// The storage takes no writes.
    ReadOnly,
    /// The storage failed otherwise.
    Storage,
    /// The slot table does not allow it.
    SlotTable,
    /// The spare slot no longer holds what was staged.
    Tampered,
}

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'b> {
    /// The body started. Always the first event.
    Booted(Boot),
    /// The time that [`crate::Device::wake_at`] named has come, or nothing else did for a while.
    Woke,
    /// Somebody at the device asked to update now: check in at once, and let one offer pass the
    /// device's own version policy and the watch over the last update.
    Triggered,
    /// Somebody called: check in. Anybody may have, so it changes nothing but the time of a check-in, and that
    /// no oftener than [`crate::limits::CALLS_MAX`] allows.
    Called,
    /// The world changed.
    Conditions(Conditions),
    /// Health was measured.
    Health(Health),
    /// A check-in was answered with these bytes.
    Answered(&'b [u8]),
    /// A trust document arrived.
    TrustFetched(TrustDocument, &'b [u8]),
    /// The report with this number was acknowledged.
    Reported {
        /// That of its [`Effect::Report`].
        up_to: u32,
    },
    /// So many bytes crossed the link, at the IP layer, both ways. Told before what they brought.
    Spent {
        /// Since it was last told.
        bytes: u64,
    },
    /// A transfer got on.
    Fetched(Fetched),
    /// Applying ended.
    Applied(Applied),
    /// The slot table changed, durably.
    SlotTable(SlotTable),
    /// An effect could not be done. What followed it in the same step was dropped.
    Failed(Effect, Trouble),
}
