//! Blocks of a body: which one, how large, whether more follow; both ways, with all twenty bits.
//!
//! Touches: nothing. Source: RFC 7959 section 2.2.

use crate::limits::BLOCK_NUMBER_MAX;

/// Size of a block: a power of two from 16 to 1024 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockSize(u8);

impl BlockSize {
    /// 256 bytes.
    pub const B256: Self = Self(4);
    /// 512 bytes.
    pub const B512: Self = Self(5);
    /// 1024 bytes, the largest.
    pub const B1024: Self = Self(6);

    /// In bytes.
    #[must_use]
    pub const fn bytes(self) -> u32 {
        16 << self.0
    }
}

/// One block of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// Counted in blocks of its own size, at most [`BLOCK_NUMBER_MAX`].
    pub number: u32,
    /// What follows this block; in a request for a block of an answer it says nothing.
    pub more: More,
    /// Its size.
    pub size: BlockSize,
}

/// Whether blocks follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum More {
    /// This is the last one.
    Last,
    /// There are more.
    Follows,
}

impl Block {
    /// A request for one block.
    #[must_use]
    pub const fn wanted(number: u32, size: BlockSize) -> Self {
        Self { number, more: More::Last, size }
    }

    /// The block that an option's value names; none for a reserved size or a value over three bytes.
    #[must_use]
    pub fn decode(value: &[u8]) -> Option<Self> {
        if value.len() > 3 {
            return None;
        }
        let value = value.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        let [.., low] = value.to_be_bytes();
        let more = if low & 8 == 0 { More::Last } else { More::Follows };
        (low & 7 != 7).then_some(Self { number: value >> 4, more, size: BlockSize(low & 7) })
    }

    /// The value of the option, or none if the number is too large.
    #[must_use]
    pub fn encode(self) -> Option<u32> {
        let more = if self.more == More::Follows { 8 } else { 0 };
        (self.number <= BLOCK_NUMBER_MAX).then_some(self.number << 4 | more | u32::from(self.size.0))
    }

    /// Where it begins in the body, bytes.
    #[must_use]
    pub fn offset(self) -> u32 {
        self.number.saturating_mul(self.size.bytes())
    }

    /// Which bytes of a body of `body_bytes` it holds, and whether more follow; none behind the end.
    /// Only block 0 of an empty body is empty.
    #[must_use]
    pub fn of_body(self, body_bytes: u32) -> Option<(core::ops::Range<u32>, Self)> {
        let from = self.offset();
        if from >= body_bytes && self.number > 0 {
            return None;
        }
        let end = from.saturating_add(self.size.bytes()).min(body_bytes);
        let more = if end < body_bytes { More::Follows } else { More::Last };
        Some((from..end, Self { more, ..self }))
    }
}
