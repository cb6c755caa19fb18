//! The match map as the bits that `crate::map` reads.
//!
//! Touches: nothing but the records.
//! Never: writes a record that the decoder would refuse; `find` gives none.

use crate::map::{LEARNING_SHIFT, NUMBER_PROBABILITIES, Record};
use std::vec;
use std::vec::Vec;

/// The first stream of an artifact.
pub(super) fn encode(records: &[Record]) -> Vec<u8> {
    let mut encoder = Encoder { low: 0, range: u32::MAX, held: 0, held_count: 1, bytes: Vec::new() };
    let mut tables = [(); 3].map(|()| vec![1024; NUMBER_PROBABILITIES]);
    let mut previous = Record { target_start: 0, base_start: 0, length_bytes: 0 };
    for record in records {
        let gap = record.target_start - previous.target_end();
        let jump = i64::from(record.base_start) - i64::from(previous.base_end()) - i64::from(gap);
        // Zig-zag: even for jumps ahead, odd for jumps back.
        let jump = (jump << 1 ^ jump >> 63) as u64;
        let numbers = [u64::from(gap), jump, u64::from(record.length_bytes - 1)];
        for (table, number) in tables.iter_mut().zip(numbers) {
            encoder.number(table, number);
        }
        previous = *record;
    }
    encoder.finish()
}

struct Encoder {
    low: u64,
    range: u32,
    /// The last byte not yet written, because a carry may still change it, and the 0xFF after it.
    held: u8,
    held_count: u64,
    bytes: Vec<u8>,
}

impl Encoder {
    fn number(&mut self, table: &mut [u16], number: u64) {
        let bits = u64::BITS - number.leading_zeros();
        let mut node = 1;
        for place in (0..6).rev() {
            let bit = bits >> place & 1;
            self.bit(&mut table[node], bit == 1);
            node = node << 1 | bit as usize;
        }
        let mut below = bits.saturating_sub(1);
        let mut node = 1;
        while below > 0 && node < 8 {
            below -= 1;
            let bit = number >> below & 1;
            self.bit(&mut table[64 + (bits as usize) * 8 + node], bit == 1);
            node = node << 1 | bit as usize;
        }
        for place in (0..below).rev() {
            self.range >>= 1;
            self.low += u64::from(self.range) * (number >> place & 1);
            self.normalise();
        }
    }

    fn bit(&mut self, chance: &mut u16, bit: bool) {
        let bound = (self.range >> 11) * u32::from(*chance);
        if bit {
            self.low += u64::from(bound);
            self.range -= bound;
            *chance -= *chance >> LEARNING_SHIFT;
        } else {
            self.range = bound;
            *chance += (2048 - *chance) >> LEARNING_SHIFT;
        }
        self.normalise();
    }

    fn normalise(&mut self) {
        if self.range < 1 << 24 {
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

    fn finish(mut self) -> Vec<u8> {
        for _ in 0..5 {
            self.shift();
        }
        self.bytes
    }
}
