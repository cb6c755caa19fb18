//! The range encoder under both streams.
//!
//! Touches: the stream it writes.
//! Never: knows what the bits mean.

use crate::apply::ApplyError;
use crate::mixing::Bits;
use std::vec::Vec;

/// A stream being written.
pub(super) struct Encoder {
    low: u64,
    range: u32,
    /// The last byte not yet written, because a carry may still change it, and the 0xFF after it.
    held: u8,
    held_count: u64,
    bytes: Vec<u8>,
}

impl Encoder {
    pub(super) const fn new() -> Self {
        Self { low: 0, range: u32::MAX, held: 0, held_count: 1, bytes: Vec::new() }
    }

    /// A learned bit: `chance` is that of 0, in 2048ths.
    pub(super) fn bit(&mut self, chance: &mut u16, learning_shift: u32, bit: bool) {
        let bound = (self.range >> 11) * u32::from(*chance);
        if bit {
            self.low += u64::from(bound);
            self.range -= bound;
            *chance -= *chance >> learning_shift;
        } else {
            self.range = bound;
            *chance += (2048 - *chance) >> learning_shift;
        }
        self.normalise();
    }

    /// The `count` lowest bits of `number`, the highest first.
    pub(super) fn even_bits(&mut self, number: u64, count: u32) {
        for place in (0..count).rev() {
            self.range >>= 1;
            self.low += u64::from(self.range) * (number >> place & 1);
            self.normalise();
        }
    }

    fn normalise(&mut self) {
        while self.range < 1 << 24 {
            self.range <<= 8;
            self.shift();
        }
    }

    /// Moves the highest byte of `low` out, once no carry can reach it.
    fn shift(&mut self) {
        let carry = (self.low >> 32) as u8;
        if carry != 0 || self.low < 0xFF00_0000 {
            self.bytes.push(self.held.wrapping_add(carry));
            self.bytes.extend((1..self.held_count).map(|_| 0xFFu8.wrapping_add(carry)));
            self.held = (self.low >> 24) as u8;
            self.held_count = 0;
        }
        self.held_count += 1;
        self.low = self.low << 8 & 0xFFFF_FFFF;
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        for _ in 0..5 {
            self.shift();
        }
        self.bytes
    }
}

impl Bits for Encoder {
    fn bit(&mut self, chance: u32, known: u32) -> Result<u32, ApplyError> {
        let bound = ((u64::from(self.range) * u64::from(chance)) >> 16) as u32;
        if known == 1 {
            self.range = bound;
        } else {
            self.low += u64::from(bound);
            self.range -= bound;
        }
        self.normalise();
        Ok(known)
    }
}
