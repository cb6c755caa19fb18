//! Whether a file is whole: what two looks in a row say.
//!
//! Touches: nothing; observations in, verdict out. The pace of the looks is the caller's.

use serde::{Deserialize, Serialize};

/// One look at one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stat {
    pub(crate) size_bytes: u64,
    pub(crate) modified_ns: i64,
    pub(crate) inode: u64,
    pub(crate) device: u64,
}

/// One look at an image and the files beside it that speak of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sight {
    pub(crate) image: Stat,
    pub(crate) recipe: Option<Stat>,
    pub(crate) digest: Option<Stat>,
}

/// Why a file that does not change is not taken all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// It has no bytes.
    Empty,
    /// Somebody has it open for writing.
    BeingWritten,
    /// It is a program that ends before its own header says.
    CutShort,
    /// The digest beside it is not its digest.
    DigestDiffers,
    /// There must be a digest beside it, and is none.
    DigestMissing,
}

impl Hold {
    /// The reason, for people.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Empty => "it is empty",
            Self::BeingWritten => "somebody has it open for writing",
            Self::CutShort => "it is a program that ends before its own header says",
            Self::DigestDiffers => "the .sha256 file beside it gives another digest",
            Self::DigestMissing => "there is no .sha256 file beside it",
        }
    }
}

/// What to do with a file now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was dealt with, as it is.
    Done,
    /// It is new or changed since the last look: look again.
    Arriving,
    /// It stands still, but is not to be taken.
    Held(Hold),
    /// It is whole.
    Ready,
}

/// Judges a file by this look, the last one, and how it looked when it was dealt with.
pub(crate) fn judge(
    before: Option<&Sight>,
    now: &Sight,
    done: Option<&Sight>,
    hold: impl FnOnce() -> Option<Hold>,
) -> Verdict {
    if done == Some(now) {
        return Verdict::Done;
    }
    if before != Some(now) {
        return Verdict::Arriving;
    }
    hold().map_or(Verdict::Ready, Verdict::Held)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sight(size_bytes: u64, modified_ns: i64) -> Sight {
        Sight { image: Stat { size_bytes, modified_ns, inode: 1, device: 1 }, recipe: None, digest: None }
    }

    #[test]
    fn a_file_is_ready_only_when_two_looks_agree_on_everything() {
        let check = |before: Option<&Sight>, now: &Sight, expected| {
            assert_eq!(judge(before, now, None, || None), expected);
        };
        let now = sight(100, 5);
        check(None, &now, Verdict::Arriving);
        check(Some(&sight(99, 5)), &now, Verdict::Arriving);
        check(Some(&sight(100, 4)), &now, Verdict::Arriving);
        let replaced = Sight { image: Stat { inode: 2, ..now.image }, ..now.clone() };
        check(Some(&replaced), &now, Verdict::Arriving);
        let recipe_came = Sight { recipe: Some(now.image), ..now.clone() };
        check(Some(&now), &recipe_came, Verdict::Arriving);
        check(Some(&now), &now, Verdict::Ready);
    }

    #[test]
    fn what_stands_still_can_be_held_and_what_was_dealt_with_stays_so_until_it_changes() {
        let now = sight(100, 5);
        let held = judge(Some(&now), &now, None, || Some(Hold::BeingWritten));
        assert_eq!(held, Verdict::Held(Hold::BeingWritten));
        assert_eq!(judge(Some(&now), &now, Some(&now), || None), Verdict::Done);
        assert_eq!(judge(Some(&now), &now, Some(&sight(9, 5)), || None), Verdict::Ready);
    }

    #[test]
    fn no_look_during_a_copy_ever_takes_it() {
        // A copy of 50 writes, looked at after every one of them, in any rhythm that sees it change.
        for pace in 1..7 {
            let mut before = None;
            for written in (1..50).step_by(pace) {
                let now = sight(written, i64::try_from(written).unwrap());
                assert_eq!(judge(before.as_ref(), &now, None, || None), Verdict::Arriving);
                before = Some(now);
            }
        }
    }
}
