//! Sequence numbers that are never used twice, also not after a power cut.
//!
//! Touches: nothing. The caller saves a reservation before the numbers in it are used, and after a start goes
//! on behind it. Source: RFC 8613 appendix B.1.1.

use crate::limits::SEQUENCE_MAX;

/// Numbers of one sender.
#[derive(Debug, Clone)]
pub struct Sequence {
    next: u64,
    reserved: u64,
}

/// Save this reservation durably, tell [`Sequence::reserved`], and ask again. Beyond the last number the
/// context must be replaced, and no reservation helps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("reserve sequence numbers first")]
pub struct Reserve {
    /// The end to save: numbers below it may then be used.
    pub up_to: u64,
}

/// Numbers that one save reserves: a year of daily check-ins, or one artifact.
const RESERVED_AT_ONCE: u64 = 512;

impl Sequence {
    /// Begins at the saved reservation; zero for a new context. What was reserved and not used is lost.
    #[must_use]
    pub const fn resume(saved: u64) -> Self {
        Self { next: saved, reserved: saved }
    }

    /// A reservation was saved.
    pub fn reserved(&mut self, reserve: Reserve) {
        self.reserved = self.reserved.max(reserve.up_to);
    }

    /// A number that was never handed out before.
    ///
    /// # Errors
    /// [`Reserve`] if none is reserved; nothing changes.
    pub fn take(&mut self) -> Result<u64, Reserve> {
        let sequence = self.peek()?;
        self.next = sequence.saturating_add(1);
        Ok(sequence)
    }

    /// The number that comes next.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub fn peek(&self) -> Result<u64, Reserve> {
        let up_to = self.next.saturating_add(RESERVED_AT_ONCE).min(SEQUENCE_MAX);
        if self.next < self.reserved { Ok(self.next) } else { Err(Reserve { up_to }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_number_comes_twice_whenever_the_power_fails() {
        let mut saved = 0;
        let mut used = std::collections::BTreeSet::new();
        for boot in 0..50_u64 {
            let mut sequence = Sequence::resume(saved);
            for _ in 0..boot * 37 {
                let number = sequence.take().or_else(|reserve| {
                    saved = reserve.up_to;
                    sequence.reserved(reserve);
                    sequence.take()
                });
                assert!(used.insert(number.unwrap()));
            }
        }
    }

    #[test]
    fn the_numbers_end() {
        let mut sequence = Sequence::resume(SEQUENCE_MAX - 1);
        let reserve = sequence.take().unwrap_err();
        sequence.reserved(reserve);
        assert_eq!(sequence.take(), Ok(SEQUENCE_MAX - 1));
        let reserve = sequence.take().unwrap_err();
        sequence.reserved(reserve);
        assert!(sequence.take().is_err());
    }
}
