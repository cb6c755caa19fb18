//! aarch64: B and BL; ADRP, and the ADD, LDR or STR that brings the rest of the address.
//!
//! Touches: `crate::reference`.
//! Never: follows control flow; an ADRP and its companion are within a few instructions of each other.

use super::{Kind, Unit, signed};
use crate::window::View;

/// How many instructions lie between ADRP and its companion at most.
const NEIGHBOURS: usize = 7;

const LOW_MASK: u32 = 0xFFF << 10;

/// The unit at `address` in code, which is divisible by 4.
#[inline]
pub(super) fn unit(view: View<'_>, address: u32, word: u32) -> Unit {
    if is_branch(word) {
        return Unit::reference(Kind::Branch, address.wrapping_add(signed(word, 26) << 2));
    }
    if is_page(word) {
        let page = page_of(word, address);
        let companion = |nth: usize| low_of(view.word(nth.wrapping_mul(4))?, word & 31);
        let low = (1..=NEIGHBOURS).find_map(companion).unwrap_or(0);
        return Unit::reference(Kind::Page, page.wrapping_add(low));
    }
    let register = word >> 5 & 31;
    if let Some(low) = low_of(word, register) {
        for nth in 1..=NEIGHBOURS {
            let back = nth.wrapping_mul(4);
            let Some(earlier) = view.word_before(back) else { break };
            if is_page(earlier) && earlier & 31 == register {
                let page = page_of(earlier, address.wrapping_sub(back as u32));
                return Unit::reference(Kind::PageOffset, page.wrapping_add(low));
            }
        }
    }
    Unit::plain(4)
}

const fn is_branch(word: u32) -> bool {
    word & 0x7C00_0000 == 0x1400_0000
}

const fn is_page(word: u32) -> bool {
    word & 0x9F00_0000 == 0x9000_0000
}

/// The page that the ADRP `word` at `address` gives.
const fn page_of(word: u32, address: u32) -> u32 {
    let pages = signed((word >> 5 & 0x7_FFFF) << 2 | word >> 29 & 3, 21);
    (address & !0xFFF).wrapping_add(pages << 12)
}

/// The low bits that `word` adds to `register`.
const fn low_of(word: u32, register: u32) -> Option<u32> {
    let is_add = word & 0x7FC0_0000 == 0x1100_0000;
    let is_load_or_store = word & 0x3B00_0000 == 0x3900_0000;
    if word >> 5 & 31 != register || !is_add && !is_load_or_store {
        return None;
    }
    Some((word >> 10 & 0xFFF) << scale_of(word))
}

/// The unit of the low bits, as a power of two.
const fn scale_of(word: u32) -> u32 {
    if word & 0x7FC0_0000 == 0x1100_0000 {
        0
    } else if word & 1 << 26 != 0 && word >> 23 & 1 == 1 {
        4
    } else {
        word >> 30
    }
}

pub(super) const fn with_branch(old: u32, distance: u32) -> u32 {
    old & 0xFC00_0000 | distance >> 2 & 0x03FF_FFFF
}

pub(super) const fn branch(old: u32, word: u32, address: u32) -> Option<u32> {
    if word >> 26 != old >> 26 {
        return None;
    }
    Some(address.wrapping_add(signed(word, 26) << 2))
}

pub(super) const fn with_page(old: u32, address: u32, refers_to: u32) -> u32 {
    let pages = ((refers_to & !0xFFF).wrapping_sub(address & !0xFFF) as i32 >> 12) as u32;
    old & 0x9F00_001F | (pages & 3) << 29 | (pages >> 2 & 0x7_FFFF) << 5
}

pub(super) const fn page(old: u32, word: u32, address: u32) -> Option<u32> {
    if (word ^ old) & 0x9F00_001F != 0 {
        return None;
    }
    Some(page_of(word, address))
}

pub(super) const fn with_page_offset(old: u32, refers_to: u32) -> u32 {
    old & !LOW_MASK | (refers_to & 0xFFF) >> scale_of(old) << 10
}

pub(super) const fn page_offset(old: u32, word: u32) -> Option<u32> {
    if (word ^ old) & !LOW_MASK != 0 {
        return None;
    }
    Some((word >> 10 & 0xFFF) << scale_of(word) & 0xFFF)
}
