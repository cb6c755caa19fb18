//! How many requests a fetch keeps in flight.
//!
//! Touches: limits. Starts at eight, one more after each window without a loss up to what fills the link, half
//! after a window of which more than a tenth was lost. Never: knows blocks.

use crate::estimator::Estimator;
use crate::limits::{JUDGED_REQUESTS, WINDOW_FIRST, WINDOW_LEAST, WINDOW_MAX};

/// A full block on the air with IPv6, UDP, CoAP and security, bytes.
const PACKET_BYTES: u64 = 1104;
/// Requests beyond what the link holds, so that it never runs dry.
const SPARE: u64 = 4;

/// The window and what it is judged by.
#[derive(Debug)]
pub(crate) struct Pace {
    window: u32,
    /// Requests of the present window that were answered or lost, and how many were lost.
    ended: u32,
    ended_lost: u32,
    /// The same over the whole judged stretch.
    judged: u32,
    judged_lost: u32,
    is_lossy: bool,
    delivered_bytes: u64,
    rate_bytes_per_s: u64,
}

impl Pace {
    pub(crate) const fn new() -> Self {
        Self {
            window: WINDOW_FIRST,
            ended: 0,
            ended_lost: 0,
            judged: 0,
            judged_lost: 0,
            is_lossy: false,
            delivered_bytes: 0,
            rate_bytes_per_s: 0,
        }
    }

    /// Requests that may be in flight.
    pub(crate) const fn window(&self) -> u32 {
        self.window
    }

    /// How long a window and one more take to cross the link, milliseconds: an answer may wait behind them.
    pub(crate) fn queue_ms(&self) -> u64 {
        let window_bytes = u64::from(self.window).saturating_add(1).saturating_mul(PACKET_BYTES);
        window_bytes.saturating_mul(1000).checked_div(self.rate_bytes_per_s).unwrap_or(0)
    }

    /// Bytes that arrived so far.
    pub(crate) const fn delivered_bytes(&self) -> u64 {
        self.delivered_bytes
    }

    /// Whether more than a tenth of the packets are lost; a fifth of the exchanges, which are two packets.
    pub(crate) const fn is_lossy(&self) -> bool {
        self.is_lossy
    }

    /// A block of `bytes` came, `took_ms` after its request; `before_bytes` had come when that was sent.
    pub(crate) fn answered(&mut self, before_bytes: u64, bytes: u64, took_ms: u64, link: &Estimator) {
        self.window = self.window.max(WINDOW_LEAST);
        self.delivered_bytes = self.delivered_bytes.saturating_add(bytes);
        let since = self.delivered_bytes.saturating_sub(before_bytes).saturating_mul(1000);
        self.rate_bytes_per_s = self.rate_bytes_per_s.max(since.checked_div(took_ms).unwrap_or(0));
        self.end(0);
        if self.ended < self.window {
            return;
        }
        if self.ended_lost == 0 {
            let held_bytes = self.rate_bytes_per_s.saturating_mul(link.shortest_ms().unwrap_or(0)) / 1000;
            let fills = (held_bytes / PACKET_BYTES).saturating_add(SPARE).min(WINDOW_MAX as u64);
            let wider = self.window.saturating_add(1);
            self.window = if u64::from(wider) <= fills { wider } else { self.window };
        } else if self.ended_lost > 1 && self.ended_lost.saturating_mul(10) > self.window {
            // One loss is chance on a radio, two in a window are a queue that overflows.
            self.window = (self.window / 2).max(WINDOW_LEAST);
        }
        (self.ended, self.ended_lost) = (0, 0);
    }

    /// A request was lost.
    pub(crate) fn lost(&mut self) {
        self.end(1);
    }

    /// Nothing comes any more: one request at a time until something does.
    pub(crate) fn silence(&mut self) {
        self.window = 1;
    }

    fn end(&mut self, lost: u32) {
        self.ended = self.ended.saturating_add(1);
        self.ended_lost = self.ended_lost.saturating_add(lost);
        self.judged = self.judged.saturating_add(1);
        self.judged_lost = self.judged_lost.saturating_add(lost);
        if self.judged >= JUDGED_REQUESTS {
            self.is_lossy |= self.judged_lost.saturating_mul(5) > self.judged;
            (self.judged, self.judged_lost) = (0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A link on which every answer takes a second, and `bytes` come in it.
    fn answered(pace: &mut Pace, count: u32, bytes: u64) {
        let mut link = Estimator::new(1_000);
        link.answered(1_000);
        for _ in 0..count {
            let before_bytes = (pace.delivered_bytes() + 1_024).saturating_sub(bytes);
            pace.answered(before_bytes, 1_024, 1_000, &link);
        }
    }

    #[test]
    fn clean_windows_grow_by_one_up_to_what_the_link_holds_and_four() {
        let mut pace = Pace::new();
        answered(&mut pace, 8 + 9, 1_000_000);
        assert_eq!(pace.window(), 10);
        answered(&mut pace, 10_000, 1_000_000);
        assert_eq!(pace.window(), 32);
        let mut thin = Pace::new();
        answered(&mut thin, 10_000, 6 * PACKET_BYTES);
        assert_eq!(thin.window(), 6 + 4);
        assert_eq!(thin.queue_ms(), 11 * 1_000 / 6);
    }

    #[test]
    fn more_than_a_tenth_lost_halves_a_window_and_a_single_loss_does_not() {
        for (lost, expected) in [(0, 21), (1, 20), (2, 20), (3, 10)] {
            let mut pace = Pace { window: 20, ..Pace::new() };
            (0..lost).for_each(|_| pace.lost());
            answered(&mut pace, 20 - lost, 1_000_000);
            assert_eq!(pace.window(), expected, "{lost} lost");
        }
        let mut pace = Pace { window: 8, ..Pace::new() };
        pace.lost();
        answered(&mut pace, 7, 1_000_000);
        assert_eq!(pace.window(), 8, "one of eight is more than a tenth, and chance");
    }
}
