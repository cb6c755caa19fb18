//! Foretells literals: what followed when the last bytes occurred before.
//!
//! Touches: the history of the target, and a table of places in it.
//! Never: believes the table; it compares.

use crate::history::History;
use crate::memory::{Word, scaled, set_word, stirred, word_at};

/// Bytes that find a match.
const CONTEXT_BYTES: u32 = 6;
/// Bytes that a match must have in common to be believed, and that are compared at most.
const LENGTH_MIN: u32 = 5;
const LENGTH_MAX: u32 = 32;

/// The table, and the match that is being followed.
pub(crate) struct Matches<'m> {
    places: &'m mut [Word],
    at: u32,
    /// 0 if there is no match.
    length: u32,
}

impl<'m> Matches<'m> {
    pub(crate) fn new(places: &'m mut [Word]) -> Self {
        places.fill([0; 4]);
        Self { places, at: 0, length: 0 }
    }

    /// The byte that ought to come, or 256; and how long the match has been.
    #[inline]
    pub(crate) fn foretold(&mut self, history: &History<'_>) -> (u32, u32) {
        if self.length == 0 || !is_there(history, self.at) {
            self.length = 0;
            return (256, 0);
        }
        (history.byte_at(self.at), self.length)
    }

    /// Follows the match, or drops it.
    #[inline]
    pub(crate) fn told(&mut self, history_byte: u32, byte: u32) {
        if self.length > 0 && history_byte == byte {
            self.length = self.length.saturating_add(1).min(LENGTH_MAX << 4);
            self.at = self.at.wrapping_add(1);
        } else {
            self.length = 0;
        }
    }

    /// Remembers the end of the history, and looks for a match if there is none.
    pub(crate) fn look(&mut self, history: &History<'_>) {
        let made = history.made_bytes();
        if made < CONTEXT_BYTES {
            return;
        }
        let hash = (1..=CONTEXT_BYTES).fold(0, |hash, back| stirred(hash, history.back(back)));
        let place = scaled(hash, self.places.len());
        if self.length == 0 {
            let at = word_at(self.places, place);
            let common = (1..=LENGTH_MAX.min(at))
                .take_while(|back| {
                    is_there(history, at.wrapping_sub(*back))
                        && history.byte_at(at.wrapping_sub(*back)) == history.back(*back)
                })
                .count() as u32;
            if common >= LENGTH_MIN {
                (self.at, self.length) = (at, common);
            }
        }
        set_word(self.places, place, made);
    }
}

fn is_there(history: &History<'_>, at: u32) -> bool {
    let back = history.made_bytes().wrapping_sub(at);
    back > 0 && back <= history.capacity_bytes()
}
