//! The body of an artifact: a raw LZMA stream, decoded without a heap.
//!
//! Touches: the tables and the dictionary given to it, and `crate::range`.
//! Never: looks further back than the dictionary, or than what it has decoded.

use crate::apply::ApplyError;
use crate::correction::Differences;
use crate::range::{EVEN, Probability, Range, at};

/// How slowly this stream's probabilities learn.
pub(crate) const LEARNING_SHIFT: u32 = 5;

/// Position states: the most that any stream has (`pb` = 4).
const POSITION_STATES: u32 = 16;
const STATES: u32 = 12;

// Where each table begins among the probabilities.
const MATCH: u32 = 0;
const REP: u32 = MATCH + STATES * POSITION_STATES;
const REP_0: u32 = REP + STATES;
const REP_1: u32 = REP_0 + STATES;
const REP_2: u32 = REP_1 + STATES;
const REP_0_LONG: u32 = REP_2 + STATES;
const SLOTS: u32 = REP_0_LONG + STATES * POSITION_STATES;
const SPECIAL: u32 = SLOTS + 4 * 64;
const ALIGN: u32 = SPECIAL + 115;
const MATCH_LENGTH: u32 = ALIGN + 16;
const REP_LENGTH: u32 = MATCH_LENGTH + LENGTH_TABLE;
const LITERALS: u32 = REP_LENGTH + LENGTH_TABLE;

// Where each table begins within one for lengths.
const LENGTH_LOW: u32 = 2;
const LENGTH_MIDDLE: u32 = LENGTH_LOW + POSITION_STATES * 8;
const LENGTH_HIGH: u32 = LENGTH_MIDDLE + POSITION_STATES * 8;
const LENGTH_TABLE: u32 = LENGTH_HIGH + 256;

/// Context for literals and positions, as the format has them in one byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Properties {
    pub(crate) literal_context_bits: u32,
    pub(crate) literal_position_bits: u32,
    pub(crate) position_bits: u32,
}

impl Properties {
    /// Reads the byte of the format; none for one that the format does not have.
    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        let [context, rest] = [byte % 9, byte / 9];
        let [position, position_bits] = [rest % 5, rest / 5];
        if position_bits > 4 {
            return None;
        }
        Some(Self {
            literal_context_bits: context as u32,
            literal_position_bits: position as u32,
            position_bits: position_bits as u32,
        })
    }

    #[cfg(feature = "make")]
    pub(crate) fn to_byte(self) -> u8 {
        let Self { literal_context_bits, literal_position_bits, position_bits } = self;
        let rest = position_bits.wrapping_mul(5).wrapping_add(literal_position_bits);
        rest.wrapping_mul(9).wrapping_add(literal_context_bits).to_le_bytes()[0]
    }

    /// How many probabilities a decoder needs.
    pub(crate) const fn probabilities(self) -> u32 {
        let literal_bits = self.literal_context_bits.saturating_add(self.literal_position_bits);
        // Saturates only for bits that no header is let through with.
        LITERALS.saturating_add(768u32.saturating_mul(1u32.wrapping_shl(literal_bits)))
    }
}

impl Differences for Lzma<'_, '_, '_> {
    fn byte(&mut self, _known: u8) -> Result<u8, ApplyError> {
        self.next()
    }
}

/// The decoder; what it decodes follows from the stream alone.
pub(crate) struct Lzma<'m, 'i, 'a> {
    range: Range<'i, 'a>,
    probabilities: &'m mut [Probability],
    dictionary: &'m mut [u8],
    properties: Properties,
    /// Where in the dictionary the next byte goes.
    place: usize,
    /// How many bytes of the dictionary have been written.
    filled: usize,
    /// How many bytes have been decoded, modulo 2^32.
    position: u32,
    previous: u8,
    state: u32,
    /// The last four distances, less one.
    distances: [u32; 4],
    /// What is left to copy from the first of them.
    copy_bytes: u32,
}

impl<'m, 'i, 'a> Lzma<'m, 'i, 'a> {
    pub(crate) fn new(
        properties: Properties,
        probabilities: &'m mut [Probability],
        dictionary: &'m mut [u8],
        range: Range<'i, 'a>,
    ) -> Self {
        probabilities.fill(EVEN);
        Self {
            range,
            probabilities,
            dictionary,
            properties,
            place: 0,
            filled: 0,
            position: 0,
            previous: 0,
            state: 0,
            distances: [0; 4],
            copy_bytes: 0,
        }
    }

    /// The next byte.
    #[inline]
    pub(crate) fn next(&mut self) -> Result<u8, ApplyError> {
        if self.copy_bytes == 0 {
            let position_state = self.position & low_mask(self.properties.position_bits);
            let is_match = MATCH.wrapping_add(self.state << 4).wrapping_add(position_state);
            if !self.range.bit(at(self.probabilities, is_match)?)? {
                let byte = self.literal()?;
                return self.put(byte);
            }
            self.copy_bytes = self.copy(position_state)?;
        }
        self.copy_bytes = self.copy_bytes.wrapping_sub(1);
        let byte = self.back(self.distances[0])?;
        self.put(byte)
    }

    /// Ends the stream, which must have ended with a whole symbol.
    pub(crate) fn finish(self) -> Result<(), ApplyError> {
        if self.copy_bytes == 0 { self.range.finish() } else { Err(ApplyError::Corrupt) }
    }

    fn literal(&mut self) -> Result<u8, ApplyError> {
        let Properties { literal_context_bits, literal_position_bits, .. } = self.properties;
        let low = (self.position & low_mask(literal_position_bits)) << literal_context_bits;
        let high = u32::from(self.previous) >> 8u32.saturating_sub(literal_context_bits);
        let table = LITERALS.wrapping_add(768u32.wrapping_mul(low | high));
        let mut symbol = 1u32;
        if self.state >= 7 {
            let mut expected = u32::from(self.back(self.distances[0])?);
            while symbol < 0x100 {
                expected <<= 1;
                let side = (expected & 0x100).wrapping_add(0x100);
                let index = table.wrapping_add(side).wrapping_add(symbol);
                let bit = u32::from(self.range.bit(at(self.probabilities, index)?)?);
                symbol = symbol << 1 | bit;
                if expected >> 8 & 1 != bit {
                    break;
                }
            }
        }
        while symbol < 0x100 {
            let index = table.wrapping_add(symbol);
            symbol = symbol << 1 | u32::from(self.range.bit(at(self.probabilities, index)?)?);
        }
        self.state = match self.state {
            0..=3 => 0,
            4..=9 => self.state.wrapping_sub(3),
            _ => self.state.wrapping_sub(6),
        };
        Ok(symbol.to_le_bytes()[0])
    }

    /// Decodes how long a copy is, and makes its distance the first of the last four.
    fn copy(&mut self, position_state: u32) -> Result<u32, ApplyError> {
        let after_literal = self.state < 7;
        let [first, second, third, fourth] = self.distances;
        if !self.range.bit(at(self.probabilities, REP.wrapping_add(self.state))?)? {
            let length = self.length(MATCH_LENGTH, position_state)?;
            self.distances = [self.distance(length)?, first, second, third];
            self.state = if after_literal { 7 } else { 10 };
            return self.checked(length);
        }
        if !self.range.bit(at(self.probabilities, REP_0.wrapping_add(self.state))?)? {
            let is_long = REP_0_LONG.wrapping_add(self.state << 4).wrapping_add(position_state);
            if !self.range.bit(at(self.probabilities, is_long)?)? {
                self.state = if after_literal { 9 } else { 11 };
                return self.checked(1);
            }
        } else if !self.range.bit(at(self.probabilities, REP_1.wrapping_add(self.state))?)? {
            self.distances = [second, first, third, fourth];
        } else if !self.range.bit(at(self.probabilities, REP_2.wrapping_add(self.state))?)? {
            self.distances = [third, first, second, fourth];
        } else {
            self.distances = [fourth, first, second, third];
        }
        let length = self.length(REP_LENGTH, position_state)?;
        self.state = if after_literal { 8 } else { 11 };
        self.checked(length)
    }

    /// `length`, if there is something at the first distance.
    fn checked(&self, length: u32) -> Result<u32, ApplyError> {
        if (self.distances[0] as usize) < self.filled { Ok(length) } else { Err(ApplyError::Corrupt) }
    }

    fn length(&mut self, table: u32, position_state: u32) -> Result<u32, ApplyError> {
        let table = self.probabilities.get_mut(table as usize..).ok_or(ApplyError::Corrupt)?;
        let (start, bits, least) = if !self.range.bit(at(table, 0)?)? {
            (LENGTH_LOW.wrapping_add(position_state << 3), 3, 2)
        } else if !self.range.bit(at(table, 1)?)? {
            (LENGTH_MIDDLE.wrapping_add(position_state << 3), 3, 10)
        } else {
            (LENGTH_HIGH, 8, 18)
        };
        let tree = table.get_mut(start as usize..).ok_or(ApplyError::Corrupt)?;
        Ok(self.range.tree(tree, bits)?.wrapping_add(least))
    }

    fn distance(&mut self, length: u32) -> Result<u32, ApplyError> {
        let slots = SLOTS.wrapping_add(length.saturating_sub(2).min(3) << 6);
        let slots = self.probabilities.get_mut(slots as usize..).ok_or(ApplyError::Corrupt)?;
        let slot = self.range.tree(slots, 6)?;
        if slot < 4 {
            return Ok(slot);
        }
        let low_bits = (slot >> 1).saturating_sub(1);
        let high = (2 | slot & 1) << low_bits;
        if slot < 14 {
            let tree = SPECIAL.wrapping_add(high).wrapping_sub(slot);
            let tree = self.probabilities.get_mut(tree as usize..).ok_or(ApplyError::Corrupt)?;
            return Ok(high.wrapping_add(self.range.tree_reversed(tree, low_bits)?));
        }
        let middle = self.range.even_bits(low_bits.saturating_sub(4))? << 4;
        let tree = self.probabilities.get_mut(ALIGN as usize..).ok_or(ApplyError::Corrupt)?;
        Ok(high.wrapping_add(middle).wrapping_add(self.range.tree_reversed(tree, 4)?))
    }

    /// The byte `distance` + 1 back.
    fn back(&self, distance: u32) -> Result<u8, ApplyError> {
        let back = (distance as usize).wrapping_add(1);
        let place = match self.place.checked_sub(back) {
            Some(place) => place,
            None => self.place.wrapping_add(self.dictionary.len()).wrapping_sub(back),
        };
        self.dictionary.get(place).copied().ok_or(ApplyError::Corrupt)
    }

    fn put(&mut self, byte: u8) -> Result<u8, ApplyError> {
        *self.dictionary.get_mut(self.place).ok_or(ApplyError::Corrupt)? = byte;
        self.place = self.place.wrapping_add(1);
        self.filled = self.filled.max(self.place);
        if self.place == self.dictionary.len() {
            self.place = 0;
        }
        self.position = self.position.wrapping_add(1);
        self.previous = byte;
        Ok(byte)
    }
}

const fn low_mask(bits: u32) -> u32 {
    1u32.wrapping_shl(bits).wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::range::Input;
    use lzma_rust2::{LzmaOptions, LzmaWriter};
    use std::io::Write;
    use std::vec::Vec;
    use std::{format, vec};

    fn encoded(text: &[u8], properties: Properties, dictionary_bytes: u32, end_marker: bool) -> Vec<u8> {
        let options = LzmaOptions {
            dict_size: dictionary_bytes,
            lc: properties.literal_context_bits,
            lp: properties.literal_position_bits,
            pb: properties.position_bits,
            ..LzmaOptions::default()
        };
        let mut writer = LzmaWriter::new_no_header(Vec::new(), &options, end_marker).unwrap();
        writer.write_all(text).unwrap();
        writer.finish().unwrap()
    }

    fn decoded(
        mut stream: &[u8],
        length: usize,
        properties: Properties,
        dictionary_bytes: u32,
    ) -> Result<Vec<u8>, ApplyError> {
        let mut buffer = [0; 7];
        let stream_bytes = stream.len() as u32;
        let mut input = Input::new(&mut stream, &mut buffer);
        let range = Range::start(&mut input, stream_bytes, LEARNING_SHIFT)?;
        let mut probabilities = vec![[0; 2]; properties.probabilities() as usize];
        let mut dictionary = vec![0; dictionary_bytes as usize];
        let mut lzma = Lzma::new(properties, &mut probabilities, &mut dictionary, range);
        let text = (0..length).map(|_| lzma.next()).collect::<Result<_, _>>()?;
        lzma.finish()?;
        Ok(text)
    }

    /// Copies of all kinds, words that line up, and the beginning once more at the end.
    fn text() -> Vec<u8> {
        let words = (0..1200u32).map(|n| format!("{:04}{}", n * n % 7919, "lapwing".repeat(n as usize % 5)));
        let text = words.collect::<Vec<_>>().concat();
        [&text, &text[..2000]].concat().into_bytes()
    }

    #[test]
    fn every_property_and_dictionary_decodes() {
        let text = text();
        for byte in 0..=u8::MAX {
            let Some(properties) = Properties::from_byte(byte) else { continue };
            if properties.literal_context_bits + properties.literal_position_bits > 4 {
                continue;
            }
            for dictionary_bytes in [4096, 5000, 1 << 17] {
                let stream = encoded(&text, properties, dictionary_bytes, false);
                assert!(stream.len() < text.len() / 2);
                assert!(decoded(&stream, text.len(), properties, dictionary_bytes).as_ref() == Ok(&text));
            }
        }
    }

    #[test]
    fn a_smaller_dictionary_and_an_end_marker_are_refused() {
        let text = text();
        let properties = Properties::from_byte(0x5D).unwrap();
        let stream = encoded(&text, properties, 1 << 17, false);
        assert_eq!(decoded(&stream, text.len(), properties, 4096), Err(ApplyError::Corrupt));
        let marked = encoded(&text, properties, 4096, true);
        assert_eq!(decoded(&marked, text.len(), properties, 4096), Err(ApplyError::Corrupt));
        assert_eq!(decoded(&marked, text.len() + 1, properties, 4096), Err(ApplyError::Corrupt));
    }
}
