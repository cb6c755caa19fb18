//! References: the bit patterns in an image that name an address, taken apart and put together again.
//!
//! Touches: a few bytes of the base around the one in question.
//! Never: disassembles. What only looks like a reference costs little, since it is one candidate of several.

mod aarch64;
mod arm;
mod x86_64;

use crate::layout::Layout;
use crate::window::View;

/// Whose instructions an image has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub(crate) enum Architecture {
    #[default]
    None = 0,
    X86_64 = 1,
    Aarch64 = 2,
    A32 = 3,
    Thumb2 = 4,
}

impl Architecture {
    pub(crate) const fn from_id(id: u8) -> Option<Self> {
        match id {
            0 => Some(Self::None),
            1 => Some(Self::X86_64),
            2 => Some(Self::Aarch64),
            3 => Some(Self::A32),
            4 => Some(Self::Thumb2),
            _ => None,
        }
    }

    pub(crate) const fn is_arm(self) -> bool {
        matches!(self, Self::A32 | Self::Thumb2)
    }

    /// Whether the highest byte of an instruction says most about it.
    pub(crate) const fn is_top_first(self) -> bool {
        matches!(self, Self::Aarch64 | Self::A32)
    }
}

/// What a few bytes of an image are taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// Instructions without a reference, or bytes that are no word.
    Plain = 0,
    /// A branch or call relative to itself.
    Branch = 1,
    /// aarch64: the page of an address, relative to its own.
    Page = 2,
    /// aarch64: the low twelve bits of an address.
    PageOffset = 3,
    /// A word that is an address.
    Pointer = 4,
    /// A word of data that may be an address relative to itself.
    Relative = 5,
    /// x86-64: an operand relative to the next instruction.
    Operand = 6,
    /// A word of data.
    Data = 7,
}

/// Kinds there are.
pub(crate) const KINDS: usize = 8;

/// A few bytes of the base that are decided on together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unit {
    pub(crate) kind: Kind,
    /// 1 to 4. References and data have 4.
    pub(crate) length: u32,
    /// Its bytes, the first one lowest.
    pub(crate) old: u32,
    /// The address in the base that it refers to; 0 if it is no reference.
    pub(crate) refers_to: u32,
    /// What a word refers to if it is relative to itself, and that may be.
    pub(crate) relative: Option<u32>,
}

impl Unit {
    const fn plain(length: u32) -> Self {
        Self { kind: Kind::Plain, length, old: 0, refers_to: 0, relative: None }
    }

    const fn reference(kind: Kind, refers_to: u32) -> Self {
        Self { kind, length: 4, old: 0, refers_to, relative: None }
    }

    /// Whether it refers to something, if it is what it seems to be.
    pub(crate) const fn refers(&self) -> bool {
        !matches!(self.kind, Kind::Plain | Kind::Data | Kind::Relative)
    }

    /// Whether it may as well be a number.
    pub(crate) const fn is_word(&self) -> bool {
        matches!(self.kind, Kind::Plain | Kind::Pointer | Kind::Relative | Kind::Data)
    }

    /// The unit that begins at `offset` of the base, which is in the middle of `view`. No longer than `room`,
    /// which is at least 1.
    #[inline]
    pub(crate) fn at(
        architecture: Architecture,
        layout: &Layout,
        view: View<'_>,
        offset: u32,
        room: u32,
    ) -> Self {
        let mut unit = match view.word(0) {
            Some(word) if room >= 4 => Self::whole(architecture, layout, view, offset, word),
            _ => Self::plain(1),
        };
        unit.old = match unit.length {
            4 => view.word(0).unwrap_or(0),
            length => view.short_word(length),
        };
        unit
    }

    #[inline]
    fn whole(architecture: Architecture, layout: &Layout, view: View<'_>, offset: u32, word: u32) -> Self {
        let (address, code) = match layout.segment_of(offset) {
            Some(s) => (offset.wrapping_sub(s.offset).wrapping_add(s.address), s.code == 1),
            None => (offset, false),
        };
        match architecture {
            Architecture::X86_64 if code => x86_64::unit(layout, view, address),
            Architecture::Thumb2 if code => arm::thumb_unit(layout, view, address),
            _ if address & 3 != 0 => Self::plain(4u32.wrapping_sub(address & 3)),
            Architecture::Aarch64 if code => aarch64::unit(view, address, word),
            Architecture::A32 if code => arm::unit(layout, address, word),
            _ => data(architecture, layout, address, word),
        }
    }

    /// The unit as it would be at `address` of the target if it referred to `refers_to`.
    #[inline]
    pub(crate) fn pointed(&self, architecture: Architecture, address: u32, refers_to: u32) -> u32 {
        let distance = refers_to.wrapping_sub(address);
        match (self.kind, architecture) {
            (Kind::Branch, Architecture::Aarch64) => aarch64::with_branch(self.old, distance),
            (Kind::Branch, Architecture::A32) => arm::with_branch(self.old, distance),
            (Kind::Branch, Architecture::Thumb2) => arm::with_thumb_branch(self.old, address, refers_to),
            (Kind::Branch | Kind::Operand, _) => distance.wrapping_sub(4),
            (Kind::Page, _) => aarch64::with_page(self.old, address, refers_to),
            (Kind::PageOffset, _) => aarch64::with_page_offset(self.old, refers_to),
            (Kind::Pointer, _) => refers_to,
            (Kind::Plain | Kind::Relative | Kind::Data, _) => self.old,
        }
    }

    /// What `word`, which took the place of the unit at `address` of the target, refers to; none if it is
    /// another instruction. Of a page and of a page offset the other half is that of `guess`.
    #[inline]
    pub(crate) fn referred(
        &self,
        architecture: Architecture,
        word: u32,
        address: u32,
        guess: u32,
    ) -> Option<u32> {
        match (self.kind, architecture) {
            (Kind::Branch, Architecture::Aarch64) => aarch64::branch(self.old, word, address),
            (Kind::Branch, Architecture::A32) => arm::branch(self.old, word, address),
            (Kind::Branch, Architecture::Thumb2) => arm::thumb_branch(self.old, word, address),
            (Kind::Branch | Kind::Operand, _) => Some(address.wrapping_add(4).wrapping_add(word)),
            (Kind::Page, _) => aarch64::page(self.old, word, address).map(|page| page | guess & 0xFFF),
            (Kind::PageOffset, _) => aarch64::page_offset(self.old, word).map(|low| guess & !0xFFF | low),
            (Kind::Pointer, _) => Some(word),
            (Kind::Plain | Kind::Relative | Kind::Data, _) => None,
        }
    }
}

/// An address below this one is more likely a small number.
const POINTER_MIN: u32 = 0x1000;
/// A relative word that leads to the head of the image is more likely a small negative number.
const RELATIVE_MARGIN: u32 = 64;

fn is_pointer(layout: &Layout, word: u32) -> bool {
    word >= POINTER_MIN && layout.holder_of(word).is_some()
}

/// The unwind tables of 32-bit ARM have distances of 31 bits; these are the bits of a negative one.
pub(crate) const PREL31_MASK: u32 = 3 << 30;
pub(crate) const PREL31_NEGATIVE: u32 = 1 << 30;

fn data(architecture: Architecture, layout: &Layout, address: u32, word: u32) -> Unit {
    let is_short = word & PREL31_MASK == PREL31_NEGATIVE && architecture.is_arm();
    let relative = address.wrapping_add(if is_short { word | 1 << 31 } else { word });
    let relative = layout.spans(relative, RELATIVE_MARGIN).then_some(relative);
    let kind = match relative {
        _ if is_pointer(layout, word) => Kind::Pointer,
        Some(_) => Kind::Relative,
        None => Kind::Data,
    };
    let refers_to = if kind == Kind::Pointer { word } else { 0 };
    Unit { relative, ..Unit::reference(kind, refers_to) }
}

/// `word`'s lowest `bits` as a signed number.
#[inline]
const fn signed(word: u32, bits: u32) -> u32 {
    let unused = 32u32.wrapping_sub(bits);
    (word.wrapping_shl(unused) as i32).wrapping_shr(unused) as u32
}
