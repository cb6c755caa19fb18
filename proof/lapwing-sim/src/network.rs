//! A link that loses, delays, doubles, reorders and spoils, and is sometimes not there at all.
//!
//! Touches: `crate::rng`. Never: looks into what it carries.

use crate::rng::Rng;
use std::ops::Range;

/// How bad the link is; all shares in a thousand.
#[derive(Debug, Clone)]
pub struct Network {
    /// Messages lost, each way.
    pub loss: u64,
    /// Messages spoilt.
    pub spoil: u64,
    /// Answers that come twice.
    pub double: u64,
    /// Transfers cut short.
    pub cut: u64,
    /// Answers that come later than anybody waits.
    pub late: u64,
    /// The longest usual delay, milliseconds.
    pub delay_ms_max: u64,
    /// Times at which nothing gets through.
    pub outages_ms: Vec<Range<u64>>,
    /// Once, a transfer stops when this many percent have arrived, and the link is gone for an hour.
    pub gone_at_percent: Option<u64>,
}

impl Network {
    /// A link without faults.
    #[must_use]
    pub const fn good() -> Self {
        Self {
            loss: 0,
            spoil: 0,
            double: 0,
            cut: 0,
            late: 0,
            delay_ms_max: 40,
            outages_ms: Vec::new(),
            gone_at_percent: None,
        }
    }

    /// A link that is as bad as chance has it.
    #[must_use]
    pub fn any(rng: &mut Rng) -> Self {
        let mut up_to = |most| if rng.happens(600) { rng.below(most) } else { 0 };
        Self {
            loss: up_to(300),
            spoil: up_to(100),
            double: up_to(200),
            cut: up_to(300),
            late: up_to(100),
            delay_ms_max: 1 + up_to(5_000),
            outages_ms: Vec::new(),
            gone_at_percent: None,
        }
    }

    /// Whether anything gets through at this time.
    #[must_use]
    pub fn is_up(&self, now_ms: u64) -> bool {
        self.outages_ms.iter().all(|outage| !outage.contains(&now_ms))
    }

    /// How long a message takes, if it arrives.
    pub fn carry(&self, now_ms: u64, rng: &mut Rng) -> Option<u64> {
        let arrives = self.is_up(now_ms) && !rng.happens(self.loss);
        let delay_ms = 1 + rng.below(self.delay_ms_max);
        arrives.then_some(delay_ms)
    }

    /// Spoils some of the bytes, sometimes.
    pub fn handle(&self, bytes: &mut [u8], rng: &mut Rng) {
        if !bytes.is_empty() && rng.happens(self.spoil) {
            let at = usize::try_from(rng.below(bytes.len() as u64)).unwrap_or(0);
            bytes[at] ^= 1 << rng.below(8);
        }
    }
}
