//! What a swarm does, counted.
//!
//! Touches: atomics that every thread of the crew shares.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// One number.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn one_more(&self) {
        self.add(1);
    }

    pub(super) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Devices that have a place in the fleet.
    pub(super) claimed: Count,
    /// Check-ins that were answered.
    pub(super) check_ins: Count,
    /// Reports that were acknowledged.
    pub(super) reports: Count,
    /// Bytes of artifacts.
    pub(super) fetched_bytes: Count,
    /// Trials begun.
    pub(super) trials: Count,
    /// Trials won.
    pub(super) confirmed: Count,
    /// Trials lost.
    pub(super) rolled_back: Count,
    /// Devices that were lost.
    pub(super) silent: Count,
    /// Exchanges without an answer.
    pub(super) failed: Count,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            claimed,
            check_ins,
            reports,
            fetched_bytes,
            trials,
            confirmed,
            rolled_back,
            silent,
            failed,
        } = self;
        write!(
            f,
            "claimed {}, check-ins {}, reports {}, fetched {} KiB, trials {}, confirmed {}, rolled back {}, \
             silent {}, unanswered {}",
            claimed.get(),
            check_ins.get(),
            reports.get(),
            fetched_bytes.get() / 1024,
            trials.get(),
            confirmed.get(),
            rolled_back.get(),
            silent.get(),
            failed.get(),
        )
    }
}
