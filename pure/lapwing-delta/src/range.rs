//! The range decoder under both streams: one adaptive bit at a time.
//!
//! Touches: the artifact, through a buffer and never past the end of the stream.
//! Never: knows what the bits mean.

use crate::apply::ApplyError;
use crate::ports::Artifact;

/// The chance of a bit being 0, in 2048ths. Bytes, because the memory they lie in is.
pub(crate) type Probability = [u8; 2];

/// What every probability starts from.
pub(crate) const EVEN: Probability = 1024u16.to_le_bytes();

/// The bytes of one stream of the artifact.
pub(crate) struct Input<'a> {
    artifact: &'a mut dyn Artifact,
    buffer: &'a mut [u8],
    next: usize,
    end: usize,
    unread_bytes: u32,
}

impl<'a> Input<'a> {
    pub(crate) fn new(artifact: &'a mut dyn Artifact, buffer: &'a mut [u8]) -> Self {
        Self { artifact, buffer, next: 0, end: 0, unread_bytes: 0 }
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, ApplyError> {
        if self.next >= self.end {
            self.refill()?;
        }
        let byte = self.buffer.get(self.next).ok_or(ApplyError::Truncated)?;
        self.next = self.next.wrapping_add(1);
        Ok(*byte)
    }

    #[cold]
    fn refill(&mut self) -> Result<(), ApplyError> {
        let wanted = usize::try_from(self.unread_bytes).unwrap_or(usize::MAX).min(self.buffer.len());
        if wanted == 0 {
            return Err(ApplyError::Corrupt);
        }
        let buffer = self.buffer.get_mut(..wanted).ok_or(ApplyError::Corrupt)?;
        let read = self.artifact.read(buffer).map_err(|_| ApplyError::Artifact)?.min(wanted);
        if read == 0 {
            return Err(ApplyError::Truncated);
        }
        self.next = 0;
        self.end = read;
        self.unread_bytes = self.unread_bytes.saturating_sub(u32::try_from(read).unwrap_or(u32::MAX));
        Ok(())
    }
}

/// The decoder of one stream.
pub(crate) struct Range<'i, 'a> {
    input: &'i mut Input<'a>,
    range: u32,
    code: u32,
    learning_shift: u32,
}

impl<'i, 'a> Range<'i, 'a> {
    /// Starts the stream that is the next `length_bytes` of the artifact. The more the learning
    /// shift, the slower a probability learns.
    pub(crate) fn start(
        input: &'i mut Input<'a>,
        length_bytes: u32,
        learning_shift: u32,
    ) -> Result<Self, ApplyError> {
        input.unread_bytes = length_bytes;
        if input.byte()? != 0 {
            return Err(ApplyError::Corrupt);
        }
        let code = u32::from_be_bytes([input.byte()?, input.byte()?, input.byte()?, input.byte()?]);
        Ok(Self { input, range: u32::MAX, code, learning_shift })
    }

    /// Ends the stream, of which nothing may be left.
    pub(crate) fn finish(self) -> Result<(), ApplyError> {
        let all_read = self.input.unread_bytes == 0 && self.input.next == self.input.end;
        if all_read && self.code == 0 { Ok(()) } else { Err(ApplyError::Corrupt) }
    }

    /// The next bit, of which `probability` learns.
    #[inline]
    pub(crate) fn bit(&mut self, probability: &mut Probability) -> Result<bool, ApplyError> {
        let chance = u16::from_le_bytes(*probability);
        let bound = (self.range >> 11).wrapping_mul(u32::from(chance));
        let bit = self.code >= bound;
        let learned = if bit {
            self.range = self.range.wrapping_sub(bound);
            self.code = self.code.wrapping_sub(bound);
            chance.wrapping_sub(chance >> self.learning_shift)
        } else {
            self.range = bound;
            chance.wrapping_add(2048u16.wrapping_sub(chance) >> self.learning_shift)
        };
        *probability = learned.to_le_bytes();
        self.normalise()?;
        Ok(bit)
    }

    /// The next `count` bits, most significant first, each as likely 0 as 1.
    pub(crate) fn even_bits(&mut self, count: u32) -> Result<u32, ApplyError> {
        let mut value = 0;
        for _ in 0..count {
            self.range >>= 1;
            let bit = self.code >= self.range;
            if bit {
                self.code = self.code.wrapping_sub(self.range);
            }
            self.normalise()?;
            value = value << 1 | u32::from(bit);
        }
        Ok(value)
    }

    /// A number of `count` bits, most significant first, from a tree of `1 << count` probabilities.
    #[inline]
    pub(crate) fn tree(&mut self, tree: &mut [Probability], count: u32) -> Result<u32, ApplyError> {
        let mut node = 1u32;
        for _ in 0..count {
            node = node << 1 | u32::from(self.bit(at(tree, node)?)?);
        }
        Ok(node ^ 1 << count)
    }

    /// As `tree`, least significant bit first.
    pub(crate) fn tree_reversed(&mut self, tree: &mut [Probability], count: u32) -> Result<u32, ApplyError> {
        let (mut node, mut value) = (1u32, 0);
        for place in 0..count {
            let bit = u32::from(self.bit(at(tree, node)?)?);
            node = node << 1 | bit;
            value |= bit << place;
        }
        Ok(value)
    }

    /// A bit that is 1 with `chance` 65536ths, 1 to 65535.
    #[inline]
    pub(crate) fn likely_bit(&mut self, chance: u32) -> Result<u32, ApplyError> {
        let bound = (u64::from(self.range).wrapping_mul(chance.into()) >> 16) as u32;
        let bit = self.code < bound;
        if bit {
            self.range = bound;
        } else {
            self.range = self.range.wrapping_sub(bound);
            self.code = self.code.wrapping_sub(bound);
        }
        // A range may shrink to 256ths of the least at once.
        self.normalise()?;
        self.normalise()?;
        Ok(u32::from(bit))
    }

    #[inline]
    fn normalise(&mut self) -> Result<(), ApplyError> {
        if self.range < 1 << 24 {
            self.range <<= 8;
            self.code = self.code << 8 | u32::from(self.input.byte()?);
        }
        Ok(())
    }
}

/// The probability at `index`.
#[inline]
pub(crate) fn at(table: &mut [Probability], index: u32) -> Result<&mut Probability, ApplyError> {
    // On a machine of 16 bits a wide index would wrap; the table would still be the bound.
    table.get_mut(index as usize).ok_or(ApplyError::Corrupt)
}
