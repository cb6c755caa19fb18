//! How long an answer may take on this link, learnt from those that came.
//!
//! Touches: limits. Never: counts an answer whose request is not known for sure. Source: RFC 6298, with a
//! first value that the caller knows from the kind of link.

use crate::limits::{TIMER_MS_MAX, TIMER_MS_MIN};

/// First timer on NB-IoT, where the first exchange after sleep may take that long, milliseconds.
pub const FIRST_TIMER_MS_NB_IOT: u64 = 10_000;
/// First timer on LTE-M, milliseconds.
pub const FIRST_TIMER_MS_LTE_M: u64 = 4_000;

/// A round-trip estimator.
#[derive(Debug, Clone)]
pub struct Estimator {
    first_ms: u64,
    /// Smoothed round trip and its deviation, in eighths and quarters of a millisecond; none before a sample.
    learnt: Option<(u64, u64)>,
    shortest_ms: u64,
    back_off: u32,
}

impl Estimator {
    /// One that knows nothing but the first timer.
    #[must_use]
    pub const fn new(first_ms: u64) -> Self {
        Self { first_ms, learnt: None, shortest_ms: u64::MAX, back_off: 0 }
    }

    /// An answer came after this long.
    pub fn answered(&mut self, took_ms: u64) {
        self.shortest_ms = self.shortest_ms.min(took_ms);
        self.back_off = 0;
        let (smoothed, deviation) = match self.learnt {
            None => (took_ms.saturating_mul(8), took_ms.saturating_mul(2)),
            Some((smoothed, deviation)) => {
                let error = took_ms.abs_diff(smoothed / 8);
                let deviation = deviation.saturating_sub(deviation / 4).saturating_add(error);
                (smoothed.saturating_sub(smoothed / 8).saturating_add(took_ms), deviation)
            }
        };
        self.learnt = Some((smoothed, deviation));
    }

    /// Nothing came: the next timers are twice as long, until an answer comes.
    pub fn ran_out(&mut self) {
        self.back_off = self.back_off.saturating_add(1).min(10);
    }

    /// How long to wait for an answer, milliseconds.
    ///
    /// The deviation adds at least half of the round trip: a steady link makes it vanish, and then the
    /// least jitter would look like a loss.
    #[must_use]
    pub fn timer_ms(&self) -> u64 {
        let plain = match self.learnt {
            None => self.first_ms,
            Some((smoothed, deviation)) => (smoothed / 8).saturating_add(deviation.max(smoothed / 16)),
        };
        plain.max(TIMER_MS_MIN).saturating_mul(1 << self.back_off).min(TIMER_MS_MAX)
    }

    /// How long an answer usually takes, milliseconds; zero before the first.
    #[must_use]
    pub fn expected_ms(&self) -> u64 {
        self.learnt.map_or(0, |(smoothed, _)| smoothed / 8)
    }

    /// The shortest round trip seen, milliseconds; none before the first.
    #[must_use]
    pub fn shortest_ms(&self) -> Option<u64> {
        self.learnt.map(|_| self.shortest_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timer_begins_with_the_link_and_follows_the_round_trip() {
        let mut estimator = Estimator::new(FIRST_TIMER_MS_NB_IOT);
        assert_eq!(estimator.timer_ms(), 10_000);
        estimator.answered(1_000);
        assert_eq!(estimator.timer_ms(), 3_000, "RFC 6298: R + 4 * R/2");
        (0..100).for_each(|_| estimator.answered(1_000));
        assert!((1_500..1_600).contains(&estimator.timer_ms()), "{}", estimator.timer_ms());
        assert_eq!(estimator.expected_ms(), 1_000);
        assert_eq!(estimator.shortest_ms(), Some(1_000));
    }

    #[test]
    fn silence_doubles_the_timer_up_to_its_limit_and_an_answer_ends_that() {
        let mut estimator = Estimator::new(4_000);
        estimator.ran_out();
        assert_eq!(estimator.timer_ms(), 8_000);
        (0..100).for_each(|_| estimator.ran_out());
        assert_eq!(estimator.timer_ms(), TIMER_MS_MAX);
        estimator.answered(1_000);
        assert_eq!(estimator.timer_ms(), 3_000);
    }
}
