//! What a device is doing: an enum of structs, each holding only what that state knows.
//!
//! Every state but `Starting` can be left by a power cut; `states/booting.rs` finds the way back
//! from the record and the slot table alone.

use lapwing_core::Uptime;
use lapwing_core::wire::answer::Travel;

/// The state of the update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    /// Not booted yet.
    Starting,
    /// Nothing to do but check in.
    Idle,
    /// An artifact is on its way.
    Fetching(Fetching),
    /// The spare slot is being written.
    Applying(Applying),
    /// The spare slot holds the image; waiting for gates and for a fresh offer.
    Staged(Staged),
    /// The switch or the return was made; the next event should be a boot.
    Restarting {
        /// When to ask again if it was not.
        retry: Option<Uptime>,
        /// Attempts at it that failed.
        failures: u8,
    },
    /// The new image runs and must prove itself.
    OnTrial(OnTrial),
    /// It did; follow-ups are open.
    Watching(Watching),
    /// Back on the old image; whether it has a link decides who is to blame.
    Judging {
        /// When the verdict falls.
        until: Uptime,
    },
}

/// An artifact on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fetching {
    pub(crate) travel: Travel,
    pub(crate) have_bytes: u64,
    pub(crate) wrong_digests: u8,
    pub(crate) failed_deltas: u8,
    pub(crate) failures: u8,
    /// Times the server refused.
    pub(crate) refusals: u8,
    pub(crate) due: Uptime,
    /// The body is at it.
    pub(crate) asked: bool,
    /// The data budget holds it back until another day.
    pub(crate) held: bool,
}

/// The spare slot is being written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Applying {
    pub(crate) travel: Travel,
    pub(crate) failed_deltas: u8,
}

/// Waiting for the switch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Staged {
    /// Not before this, after a switch failed.
    pub(crate) due: Uptime,
    pub(crate) failures: u8,
    /// The fleet was asked for permission since it last gave some.
    pub(crate) asked: bool,
}

/// A trial in this boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OnTrial {
    pub(crate) since: Uptime,
    /// Uptime in trial before this boot.
    pub(crate) before_ms: u64,
    /// When the launcher is to be told that this start lives, until the table says that it was.
    pub(crate) life: Option<Uptime>,
    pub(crate) checkpoint: Uptime,
    /// A table write is on its way or failed; not before this.
    pub(crate) confirm_due: Uptime,
}

/// Follow-ups in this boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Watching {
    pub(crate) since: Uptime,
    /// Uptime since the confirmation, before this boot.
    pub(crate) before_ms: u64,
    /// As in a trial.
    pub(crate) life: Option<Uptime>,
    pub(crate) checkpoint: Uptime,
    /// The last follow-up is done, the table is being settled; not before this.
    pub(crate) settle_due: Option<Uptime>,
}

impl State {
    /// The state in a word, for people.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Idle => "idle",
            Self::Fetching(_) => "fetching",
            Self::Applying(_) => "applying",
            Self::Staged(_) => "staged",
            Self::Restarting { .. } => "restarting",
            Self::OnTrial(_) => "trial",
            Self::Watching(_) => "watching",
            Self::Judging { .. } => "judging",
        }
    }
}
