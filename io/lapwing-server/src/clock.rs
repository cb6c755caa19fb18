//! The wall clock, and the guard that keeps a wrong one from being signed.
//!
//! Touches: the system's clocks, here and nowhere else in this crate.
//! Never: corrects a clock; a person confirms a jump or mends it.

use lapwing_core::{Digest, UnixSeconds};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

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

    /// The time on a clock that nobody sets, where there is one.
    pub(crate) fn steady(&self) -> Option<Steady> {
        match self {
            Self::System => Steady::of_machine(),
            Self::Manual(_) => None,
        }
    }
}

/// Seconds since a machine started, and which start that was. It goes on while the server is off, so a
/// server that was only stopped for a while needs nobody to confirm its clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Steady {
    pub(crate) boot: u64,
    pub(crate) seconds: u64,
}

impl Steady {
    fn of_machine() -> Option<Self> {
        let boot = std::fs::read("/proc/sys/kernel/random/boot_id").ok()?;
        let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
        let [a, b, c, d, ..] = *Digest::of(&boot).as_bytes();
        let boot = u32::from_be_bytes([a, b, c, d]).into();
        Some(Self { boot, seconds: uptime.split('.').next()?.parse().ok()? })
    }

    /// Seconds from `earlier` to this, if it is the same machine in the same run.
    fn since(self, earlier: Self) -> Option<u64> {
        (self.boot == earlier.boot).then(|| self.seconds.saturating_sub(earlier.seconds))
    }
}

/// The wall clock moved without as much time having passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Jump {
    /// What the clock should have said.
    pub(crate) from: UnixSeconds,
    /// What it said.
    pub(crate) to: UnixSeconds,
}

/// Remembers the last time that was signed, and stops when the next one is not believable.
#[derive(Debug)]
pub(crate) struct ClockGuard {
    last: Option<(UnixSeconds, Option<Steady>)>,
    jump: Option<Jump>,
    jump_s_max: u64,
}

impl ClockGuard {
    /// A guard that continues where the last one stopped; `last` is none at the very first start.
    pub(crate) fn new(last: Option<(UnixSeconds, Option<Steady>)>, jump_s_max: u64) -> Self {
        Self { last, jump: None, jump_s_max }
    }

    /// The time to sign, if it is believable; else the jump that a person must confirm first.
    pub(crate) fn check(&mut self, now: UnixSeconds, steady: Option<Steady>) -> Result<UnixSeconds, Jump> {
        if let Some(jump) = self.jump {
            return Err(jump);
        }
        if let Some((last, then)) = self.last {
            let passed = steady.zip(then).and_then(|(now, then)| now.since(then)).unwrap_or(0);
            let expected = last.after(passed);
            if now.0.abs_diff(expected.0) > self.jump_s_max {
                let jump = Jump { from: expected, to: now };
                self.jump = Some(jump);
                return Err(jump);
            }
        }
        self.last = Some((now, steady));
        Ok(now)
    }

    /// A person says that the clock is right.
    pub(crate) fn confirm(&mut self, now: UnixSeconds, steady: Option<Steady>) {
        self.jump = None;
        self.last = Some((now, steady));
    }

    /// The jump that waits for a person, if any.
    pub(crate) fn jump(&self) -> Option<Jump> {
        self.jump
    }

    /// The last time that was vouched for, on both clocks.
    pub(crate) fn last_signed(&self) -> Option<(UnixSeconds, Option<Steady>)> {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Option<Steady> {
        Some(Steady { boot: 1, seconds })
    }

    #[test]
    fn a_jump_in_either_direction_stops_until_confirmed() {
        for to in [10_000 + 3_601, 10_000 - 3_601] {
            let mut guard = ClockGuard::new(Some((UnixSeconds(10_000), None)), 3_600);
            let jump = Jump { from: UnixSeconds(10_000), to: UnixSeconds(to) };
            assert_eq!(guard.check(UnixSeconds(to), at(0)), Err(jump));
            assert_eq!(guard.check(UnixSeconds(10_000), at(0)), Err(jump), "stays stopped");
            guard.confirm(UnixSeconds(to), at(1));
            assert_eq!(guard.check(UnixSeconds(to + 2), at(3)), Ok(UnixSeconds(to + 2)));
        }
    }

    #[test]
    fn hours_that_the_steady_clock_saw_are_no_jump_even_over_a_restart() {
        let mut guard = ClockGuard::new(None, 3_600);
        assert!(guard.check(UnixSeconds(10_000), at(0)).is_ok());
        assert!(guard.check(UnixSeconds(100_000), at(90_000)).is_ok());
        let mut restarted = ClockGuard::new(guard.last_signed(), 3_600);
        assert!(restarted.check(UnixSeconds(200_000), at(190_000)).is_ok());
        assert!(restarted.check(UnixSeconds(300_000), at(190_010)).is_err());
        let mut elsewhere = ClockGuard::new(guard.last_signed(), 3_600);
        let other = Some(Steady { boot: 2, seconds: 190_000 });
        assert!(elsewhere.check(UnixSeconds(200_000), other).is_err());
    }

    #[test]
    fn this_machine_has_a_steady_clock() {
        assert!(Clock::System.steady().is_some());
        assert_eq!(Clock::Manual(Arc::default()).steady(), None);
    }
}
