//! Power: steady, or sagging in short boots for a while.
//!
//! Touches: `crate::rng`.

use crate::rng::Rng;

/// The supply of one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Supply {
    /// It stays.
    Steady,
    /// Until some time it comes and goes.
    Sagging {
        /// Shortest boot, milliseconds.
        on_ms_min: u64,
        /// Longest boot, milliseconds.
        on_ms_max: u64,
        /// Until when, milliseconds since the beginning.
        until_ms: u64,
    },
}

impl Supply {
    /// How long the power stays from now on, if it does not stay for good.
    pub(crate) fn lasts_ms(self, now_ms: u64, rng: &mut Rng) -> Option<u64> {
        match self {
            Self::Sagging { on_ms_min, on_ms_max, until_ms } if now_ms < until_ms => {
                Some(rng.between(on_ms_min..=on_ms_max))
            }
            _ => None,
        }
    }
}
