//! Layouts and match map as the bits that `crate::map` reads.
//!
//! Touches: nothing but the records and layouts.
//! Never: writes a record that the decoder would refuse; `find` gives none.

use super::loader::Program;
use super::range_encoder::Encoder;
use crate::layout::Segment;
use crate::map::{LEARNING_SHIFT, NUMBER_KINDS, NUMBER_PROBABILITIES, Record};
use std::vec;
use std::vec::Vec;

/// The first stream of an artifact. No layouts for architecture 0, else two that correspond.
pub(super) fn encode(programs: Option<&[Program; 2]>, records: &[Record]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    let mut tables = [(); NUMBER_KINDS].map(|()| vec![1024; NUMBER_PROBABILITIES]);
    let [layout_table, record_tables @ ..] = &mut tables;
    if let Some([base, target]) = programs {
        number(&mut encoder, layout_table, base.segments.len() as u64);
        number(&mut encoder, layout_table, base.anchors.len() as u64);
        let mut change = |value: u32, expected: u32| {
            let change = value.wrapping_sub(expected);
            number(&mut encoder, layout_table, (change << 1 ^ ((change as i32) >> 31) as u32).into());
        };
        let mut previous = Segment::default();
        for (base, target) in base.segments.iter().zip(&target.segments) {
            for (segment, expected) in [(base, previous.successor()), (target, *base)] {
                segment.fields().into_iter().zip(expected.fields()).for_each(|(a, b)| change(a, b));
            }
            previous = *base;
        }
        let mut previous = 0;
        for (base, target) in base.anchors.iter().zip(&target.anchors) {
            change(*base, previous);
            change(*target, *base);
            previous = *base;
        }
    }
    let mut previous = Record { target_start: 0, base_start: 0, length_bytes: 0 };
    for record in records {
        let gap = record.target_start - previous.target_end();
        let jump = i64::from(record.base_start) - i64::from(previous.base_end()) - i64::from(gap);
        // Zig-zag: even for jumps ahead, odd for jumps back.
        let jump = (jump << 1 ^ jump >> 63) as u64;
        let numbers = [u64::from(gap), jump, u64::from(record.length_bytes - 1)];
        for (table, value) in record_tables.iter_mut().zip(numbers) {
            number(&mut encoder, table, value);
        }
        previous = *record;
    }
    encoder.finish()
}

fn number(encoder: &mut Encoder, table: &mut [u16], number: u64) {
    let bits = u64::BITS - number.leading_zeros();
    let mut node = 1;
    for place in (0..6).rev() {
        let bit = bits >> place & 1;
        encoder.bit(&mut table[node], LEARNING_SHIFT, bit == 1);
        node = node << 1 | bit as usize;
    }
    let mut below = bits.saturating_sub(1);
    let mut node = 1;
    while below > 0 && node < 8 {
        below -= 1;
        let bit = number >> below & 1;
        encoder.bit(&mut table[64 + (bits as usize) * 8 + node], LEARNING_SHIFT, bit == 1);
        node = node << 1 | bit as usize;
    }
    encoder.even_bits(number, below);
}
