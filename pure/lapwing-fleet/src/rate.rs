//! How often somebody may ask: a few times at once, and then at a steady rate.
//!
//! Touches: nothing; what is remembered of somebody is one time. Never: makes anybody pay for a question that was
//! refused. Source: the generic cell rate algorithm, ITU-T I.371.

use core::num::NonZeroU32;
use lapwing_core::Uptime;

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    every_ms: u64,
    /// How far somebody may be ahead of the steady rate.
    ahead_ms: u64,
}

/// What somebody asked: the time by which it would all have been asked at the steady rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked(Uptime);

/// It was too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOften {
    /// One more question is welcome after this, milliseconds, at least one.
    pub wait_ms: u64,
}

impl Rate {
    /// So many questions an hour, at most a thousand a second; a minute's worth of them, at least one, at once.
    #[must_use]
    pub const fn an_hour(questions: NonZeroU32) -> Self {
        let every_ms = (3_600_000 / questions.get()) as u64;
        let every_ms = if every_ms == 0 { 1 } else { every_ms };
        let at_once = questions.get().div_ceil(60) as u64;
        Self { every_ms, ahead_ms: every_ms.saturating_mul(at_once.saturating_sub(1)) }
    }
}

impl Asked {
    /// With one question more, asked at `now`.
    ///
    /// # Errors
    /// [`TooOften`]; the question does not count then.
    pub const fn once_more(self, rate: &Rate, now: Uptime) -> Result<Self, TooOften> {
        match self.0.since(now.after(rate.ahead_ms)) {
            0 => {
                let from = if self.0.0 > now.0 { self.0 } else { now };
                Ok(Self(from.after(rate.every_ms)))
            }
            wait_ms => Err(TooOften { wait_ms }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(questions: u32) -> Rate {
        Rate::an_hour(NonZeroU32::new(questions).unwrap())
    }

    #[test]
    fn a_minutes_worth_is_had_at_once_and_then_one_at_a_time() {
        let (rate, mut asked) = (rate(7_200), Asked::default());
        for _ in 0..120 {
            asked = asked.once_more(&rate, Uptime(1_000)).unwrap();
        }
        assert_eq!(asked.once_more(&rate, Uptime(1_000)), Err(TooOften { wait_ms: 500 }));
        assert_eq!(asked.once_more(&rate, Uptime(1_200)), Err(TooOften { wait_ms: 300 }));
        let asked = asked.once_more(&rate, Uptime(1_500)).unwrap();
        assert_eq!(asked.once_more(&rate, Uptime(1_500)), Err(TooOften { wait_ms: 500 }));
        let one = super::tests::rate(1);
        let asked = Asked::default().once_more(&one, Uptime(0)).unwrap();
        assert_eq!(asked.once_more(&one, Uptime(0)), Err(TooOften { wait_ms: 3_600_000 }));
    }

    proptest! {
        #[test]
        fn no_stretch_of_time_has_more_than_its_share(
            questions in 1_u32..5_000_000,
            gaps in proptest::collection::vec(prop_oneof![Just(0), 0_u64..5, 0_u64..100_000], 1..300),
        ) {
            let (rate, mut asked, mut now) = (rate(questions), Asked::default(), Uptime(7));
            let mut granted = Vec::new();
            for gap in gaps {
                now = now.after(gap);
                match asked.once_more(&rate, now) {
                    Ok(more) => {
                        asked = more;
                        granted.push(now);
                    }
                    Err(TooOften { wait_ms }) => {
                        // Who waits as told is welcome, and not a moment before.
                        prop_assert!(asked.once_more(&rate, now.after(wait_ms)).is_ok());
                        prop_assert!(asked.once_more(&rate, now.after(wait_ms - 1)).is_err());
                    }
                }
            }
            let at_once = u64::from(questions.div_ceil(60));
            for (first, from) in granted.iter().enumerate() {
                for (count, to) in (1..).zip(&granted[first..]) {
                    prop_assert!(count <= at_once + to.since(*from) / rate.every_ms);
                }
            }
        }

        #[test]
        fn who_keeps_to_the_rate_is_never_refused(questions in 1_u32..100_000, late in proptest::collection::vec(0_u64..1_000, 1..200)) {
            let (rate, mut asked, mut now) = (rate(questions), Asked::default(), Uptime(0));
            for late in late {
                asked = asked.once_more(&rate, now).unwrap();
                now = now.after(rate.every_ms + late);
            }
        }
    }
}
