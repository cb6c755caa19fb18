//! Whether an artifact may come, and how fast.
//!
//! Touches: nothing; time is an argument. Entered from: `boot`.
//! Never: waits; it says until when others have to.

use crate::limits::{BLOCK_BYTES, FETCH_TURN_BYTES, FETCH_TURN_MS};
use lapwing_core::Uptime;
use std::num::NonZeroU64;

/// Whether artifacts may come at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transfers {
    Allowed,
    Paused,
}

/// A rate, and how far what has come is ahead of it.
#[derive(Debug)]
pub(crate) struct Pace {
    pub(crate) transfers: Transfers,
    pub(crate) bytes_per_s_max: Option<NonZeroU64>,
    free_at: Uptime,
}

impl Pace {
    /// Without a rate nothing has to wait.
    pub(crate) const fn new(bytes_per_s_max: Option<NonZeroU64>) -> Self {
        Self { transfers: Transfers::Allowed, bytes_per_s_max, free_at: Uptime(0) }
    }

    /// Bytes that may come in one turn of the loop: what the rate allows for its length, or a block.
    pub(crate) fn turn_bytes(&self) -> u64 {
        self.bytes_per_s_max.map_or(FETCH_TURN_BYTES, |rate| {
            (rate.get().saturating_mul(FETCH_TURN_MS) / 1_000).clamp(BLOCK_BYTES, FETCH_TURN_BYTES)
        })
    }

    /// So many bytes came, in a turn that began then.
    pub(crate) fn spend(&mut self, began: Uptime, bytes: u64) {
        if let Some(rate) = self.bytes_per_s_max {
            self.free_at = began.after(bytes.saturating_mul(1_000).div_ceil(rate.get()));
        }
    }

    /// When the next turn may begin, as far as that is known.
    pub(crate) fn free_at(&self) -> Option<Uptime> {
        (self.transfers == Transfers::Allowed).then_some(self.free_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_and_waits_keep_to_the_rate() {
        let check = |rate, turn_bytes, free_at| {
            let mut pace = Pace::new(NonZeroU64::new(rate));
            assert_eq!(pace.turn_bytes(), turn_bytes, "{rate}");
            pace.spend(Uptime(500), turn_bytes);
            assert_eq!(pace.free_at(), Some(Uptime(free_at)), "{rate}");
        };
        check(0, FETCH_TURN_BYTES, 0);
        check(100, 512, 500 + 5_120);
        check(100_000, 50_000, 500 + 500);
        check(1_000_000, FETCH_TURN_BYTES, 500 + 263);
        check(u64::MAX, FETCH_TURN_BYTES, 500 + 1);
    }
}
