//! The wall clock, and the guard that keeps a wrong one from being signed.
//!
//! Touches: the system clock, here and nowhere else in this crate.
//! Never: corrects a clock; a person confirms a jump or mends it.

use lapwing_core::UnixSeconds;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Where the server's time comes from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The system.
    #[default]
    System,
    /// A number that someone else moves, in seconds since 1970.
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// The time.
    #[must_use]
    pub fn now(&self) -> UnixSeconds {
        match self {
            Self::System => {
                let elapsed = SystemTime::now().duration_since(UNIX_EPOCH);
                UnixSeconds(elapsed.map_or(0, |elapsed| elapsed.as_secs()))
            }
            Self::Manual(seconds) => UnixSeconds(seconds.load(Ordering::Relaxed)),
        }
    }

    /// Seconds on a clock that nobody sets, where there is one.
    fn steady_s(&self, since: Instant) -> Option<u64> {
        match self {
            Self::System => Some(since.elapsed().as_secs()),
            Self::Manual(_) => None,
        }
    }
}

/// The wall clock moved without as much time having passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Jump {
    /// The last time that was vouched for.
    pub from: UnixSeconds,
    /// What the clock says now.
    pub to: UnixSeconds,
}

/// Remembers the last time that was signed, and stops when the next one is not believable.
#[derive(Debug)]
pub struct ClockGuard {
    /// Last vouched-for time, and when that was on the steady clock.
    last: Option<(UnixSeconds, Option<u64>)>,
    jump: Option<Jump>,
    jump_s_max: u64,
}

impl ClockGuard {
    /// A guard that continues where the last one stopped; `last_signed` is none at the very first start.
    #[must_use]
    pub fn new(last_signed: Option<UnixSeconds>, jump_s_max: u64) -> Self {
        Self { last: last_signed.map(|time| (time, None)), jump: None, jump_s_max }
    }

    /// The time to sign, if it is believable.
    ///
    /// # Errors
    /// The jump that a person must confirm first.
    pub fn check(&mut self, now: UnixSeconds, steady_s: Option<u64>) -> Result<UnixSeconds, Jump> {
        if let Some(jump) = self.jump {
            return Err(jump);
        }
        if let Some((last, then)) = self.last {
            let passed = steady_s.zip(then).map_or(0, |(now, then)| now.saturating_sub(then));
            let expected = last.after(passed);
            if now.0.abs_diff(expected.0) > self.jump_s_max {
                let jump = Jump { from: expected, to: now };
                self.jump = Some(jump);
                return Err(jump);
            }
        }
        self.last = Some((now, steady_s));
        Ok(now)
    }

    /// A person says that the clock is right.
    pub fn confirm(&mut self, now: UnixSeconds, steady_s: Option<u64>) {
        self.jump = None;
        self.last = Some((now, steady_s));
    }

    /// The jump that waits for a person, if any.
    #[must_use]
    pub fn jump(&self) -> Option<Jump> {
        self.jump
    }

    /// The last time that was vouched for.
    #[must_use]
    pub fn last_signed(&self) -> Option<UnixSeconds> {
        self.last.map(|(time, _)| time)
    }
}

/// A clock with its steady companion.
#[derive(Debug, Clone)]
pub struct Timepiece {
    clock: Clock,
    started: Instant,
}

impl Timepiece {
    /// The companion starts now.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self { clock, started: Instant::now() }
    }

    /// The wall clock's time.
    #[must_use]
    pub fn now(&self) -> UnixSeconds {
        self.clock.now()
    }

    /// Seconds since start on the steady clock, where there is one.
    #[must_use]
    pub fn steady_s(&self) -> Option<u64> {
        self.clock.steady_s(self.started)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_in_either_direction_stops_until_confirmed() {
        for to in [10_000 + 3_601, 10_000 - 3_601] {
            let mut guard = ClockGuard::new(Some(UnixSeconds(10_000)), 3_600);
            let jump = Jump { from: UnixSeconds(10_000), to: UnixSeconds(to) };
            assert_eq!(guard.check(UnixSeconds(to), Some(0)), Err(jump));
            assert_eq!(guard.check(UnixSeconds(10_000), Some(0)), Err(jump), "stays stopped");
            guard.confirm(UnixSeconds(to), Some(1));
            assert_eq!(guard.check(UnixSeconds(to + 2), Some(3)), Ok(UnixSeconds(to + 2)));
        }
    }

    #[test]
    fn idle_hours_are_no_jump_while_the_steady_clock_saw_them() {
        let mut guard = ClockGuard::new(None, 3_600);
        assert!(guard.check(UnixSeconds(10_000), Some(0)).is_ok());
        assert!(guard.check(UnixSeconds(100_000), Some(90_000)).is_ok());
        assert!(guard.check(UnixSeconds(200_000), Some(90_010)).is_err());
    }
}
