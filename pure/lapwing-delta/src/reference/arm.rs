//! A32: B and BL. Thumb-2: BL, BLX and B.W. Both: addresses in literal pools.
//!
//! Touches: `crate::reference`.
//! Never: mixes the two; which one the code is has been decided by `make`.

use super::{Architecture, Kind, Unit, data, signed};
use crate::layout::Layout;
use crate::window::View;

/// The A32 unit at `address` in code, which is divisible by 4.
#[inline]
pub(super) fn unit(layout: &Layout, address: u32, word: u32) -> Unit {
    if word & 0x0E00_0000 == 0x0A00_0000 {
        Unit::reference(Kind::Branch, address.wrapping_add(8).wrapping_add(signed(word, 24) << 2))
    } else {
        pooled(layout, address, word)
    }
}

/// A word that may be an instruction, or be in a literal pool.
#[inline]
fn pooled(layout: &Layout, address: u32, word: u32) -> Unit {
    let unit = data(Architecture::A32, layout, address, word);
    if unit.kind == Kind::Data { Unit::plain(4) } else { unit }
}

pub(super) const fn with_branch(old: u32, distance: u32) -> u32 {
    old & 0xFF00_0000 | distance.wrapping_sub(8) >> 2 & 0x00FF_FFFF
}

pub(super) const fn branch(old: u32, word: u32, address: u32) -> Option<u32> {
    if word >> 24 != old >> 24 {
        return None;
    }
    Some(address.wrapping_add(8).wrapping_add(signed(word, 24) << 2))
}

/// The Thumb-2 unit at `address` in code.
#[inline]
pub(super) fn thumb_unit(layout: &Layout, view: View<'_>, address: u32) -> Unit {
    if address & 1 != 0 {
        return Unit::plain(1);
    }
    let Some(word) = view.word(0) else { return Unit::plain(2) };
    if is_thumb_branch(word) {
        return Unit::reference(Kind::Branch, counter(word, address).wrapping_add(distance_of(word)));
    }
    if address & 3 == 0 && !view.word(2).is_some_and(is_thumb_branch) {
        let unit = pooled(layout, address, word);
        if unit.kind != Kind::Plain {
            return unit;
        }
    }
    // Two instructions of two bytes go together, but not across what may be a word.
    let is_pair = address & 3 == 0 && !is_wide(word >> 16);
    Unit::plain(if is_wide(word) || is_pair { 4 } else { 2 })
}

/// Whether the instruction that begins with the lower half of `word` has four bytes.
const fn is_wide(word: u32) -> bool {
    word & 0xFFFF >= 0xE800
}

/// Whether the two half words of `word` are BL, BLX or B.W.
const fn is_thumb_branch(word: u32) -> bool {
    let second = word >> 16;
    word & 0xF800 == 0xF000
        && (second & 0xD000 == 0xD000 || second & 0xD001 == 0xC000 || second & 0xD000 == 0x9000)
}

/// What the program counter is taken for; BLX leads to A32 and rounds it down.
const fn counter(word: u32, address: u32) -> u32 {
    let next = address.wrapping_add(4);
    if word >> 16 & 0xD001 == 0xC000 { next & !3 } else { next }
}

const fn distance_of(word: u32) -> u32 {
    let second = word >> 16;
    let sign = word >> 10 & 1;
    let first_bit = second >> 13 & 1 ^ sign ^ 1;
    let second_bit = second >> 11 & 1 ^ sign ^ 1;
    let high = sign << 24 | first_bit << 23 | second_bit << 22;
    signed(high | (word & 0x3FF) << 12 | (second & 0x7FF) << 1, 25)
}

pub(super) const fn with_thumb_branch(old: u32, address: u32, refers_to: u32) -> u32 {
    let distance = refers_to.wrapping_sub(counter(old, address));
    let sign = distance >> 24 & 1;
    let first_bit = distance >> 23 & 1 ^ sign ^ 1;
    let second_bit = distance >> 22 & 1 ^ sign ^ 1;
    let first = old & 0xF800 | sign << 10 | distance >> 12 & 0x3FF;
    let second = old >> 16 & 0xD000 | first_bit << 13 | second_bit << 11 | distance >> 1 & 0x7FF;
    first | second << 16
}

pub(super) const fn thumb_branch(old: u32, word: u32, address: u32) -> Option<u32> {
    if (word ^ old) & 0xD000_F800 != 0 {
        return None;
    }
    Some(counter(word, address).wrapping_add(distance_of(word)))
}
