//! Which sequence numbers of a peer were seen.
//!
//! Touches: nothing. After a start nothing is known, and until a request proves that it is fresh none is
//! believed. Source: RFC 8613 section 7.4 and appendix B.1.2.

use crate::limits::REPLAY_WINDOW;

/// The numbers seen of one peer.
#[derive(Debug, Clone)]
pub struct Replay(Option<Seen>);

#[derive(Debug, Clone)]
struct Seen {
    highest: u64,
    /// Bit n: the number n below the highest was seen.
    below: u64,
}

/// What is known of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Not seen.
    Fresh,
    /// Seen, or too old to tell.
    Replayed,
    /// This start has seen nothing yet: ask for an Echo.
    Unknown,
}

impl Replay {
    /// Of a context that was never used.
    #[must_use]
    pub const fn new() -> Self {
        // As if number 0 were the highest and not yet seen.
        Self(Some(Seen { highest: 0, below: 0 }))
    }

    /// Of a context that may have been used before this start.
    #[must_use]
    pub const fn unknown() -> Self {
        Self(None)
    }

    /// Judges a number; only one that was opened may then be recorded.
    #[must_use]
    pub fn judge(&self, sequence: u64) -> Verdict {
        let Some(seen) = &self.0 else { return Verdict::Unknown };
        match seen.highest.checked_sub(sequence) {
            None => Verdict::Fresh,
            Some(back) if back >= REPLAY_WINDOW || seen.below >> back & 1 == 1 => Verdict::Replayed,
            Some(_) => Verdict::Fresh,
        }
    }

    /// Records a number whose message was opened. The first one after an unknown past rules out all below.
    pub fn record(&mut self, sequence: u64) {
        let seen = self.0.get_or_insert(Seen { highest: sequence, below: u64::MAX });
        if let Some(ahead) = sequence.checked_sub(seen.highest) {
            seen.below = if ahead < REPLAY_WINDOW { seen.below << ahead } else { 0 };
            seen.highest = sequence;
        }
        let back = seen.highest.saturating_sub(sequence);
        if back < REPLAY_WINDOW {
            seen.below |= 1 << back;
        }
    }
}

impl Default for Replay {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_fresh_once_within_the_window() {
        let mut replay = Replay::new();
        for sequence in [0, 3, 1, 2, 70, 69, 7, 200, 137] {
            assert_eq!(replay.judge(sequence), Verdict::Fresh, "{sequence}");
            replay.record(sequence);
            assert_eq!(replay.judge(sequence), Verdict::Replayed, "{sequence}");
        }
        for sequence in [0, 69, 70, 136] {
            assert_eq!(replay.judge(sequence), Verdict::Replayed, "{sequence} is too old to tell");
        }
        assert_eq!(replay.judge(138), Verdict::Fresh);
    }

    #[test]
    fn after_a_start_nothing_is_believed_until_proven_and_then_nothing_older() {
        let mut replay = Replay::unknown();
        assert_eq!(replay.judge(9), Verdict::Unknown);
        replay.record(9);
        assert!((0..=9).all(|sequence| replay.judge(sequence) == Verdict::Replayed));
        assert_eq!(replay.judge(10), Verdict::Fresh);
    }
}
