//! A body that a server gives in blocks: which part a request wants, and the options that say so.
//!
//! Touches: `block`, `message`. Never: keeps anything between requests, so that any block can be had at any
//! time from any server. Source: RFC 7959 sections 2.4 and 4, RFC 7252 section 5.10.6.

use crate::block::{Block, BlockSize};
use crate::code::{Code, OptionNumber};
use crate::limits::ETAG_BYTES_MAX;
use crate::message::{Message, WriteError, Writer};
use core::ops::Range;

/// Names one content of a resource; for an artifact the beginning of its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Etag {
    bytes: [u8; ETAG_BYTES_MAX],
    len: u8,
}

impl Etag {
    /// A tag of one to eight bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut tag = Self { bytes: [0; ETAG_BYTES_MAX], len: u8::try_from(bytes.len()).ok()? };
        tag.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        (!bytes.is_empty()).then_some(tag)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&[])
    }
}

/// How long an answer may be cached if it does not say, seconds (RFC 7252 section 5.10.5).
pub const MAX_AGE_S_UNSAID: u32 = 60;

/// What a server has to give.
#[derive(Debug, Clone, Copy)]
pub struct Representation {
    /// All of it.
    pub size_bytes: u32,
    /// Its name; other contents have another.
    pub etag: Etag,
    /// How long it may be cached, seconds.
    pub max_age_s: u32,
}

/// What a request gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// These bytes, as this block.
    Content(Range<u32>, Block),
    /// Who asks has it already.
    Unchanged,
    /// An error without a payload.
    Refused(Code),
}

impl Representation {
    /// The part of it that `request` wants.
    #[must_use]
    pub fn part(&self, request: &Message<'_>) -> Part {
        if request.options.all(OptionNumber::ETAG).any(|tag| tag == self.etag.as_bytes()) {
            return Part::Unchanged;
        }
        let wanted = match request.options.first(OptionNumber::BLOCK2) {
            None => Some(Block::wanted(0, BlockSize::B1024)),
            Some(value) => Block::decode(value),
        };
        let Some(wanted) = wanted else { return Part::Refused(Code::BAD_OPTION) };
        let part = wanted.of_body(self.size_bytes);
        part.map_or(Part::Refused(Code::BAD_REQUEST), |(range, block)| Part::Content(range, block))
    }

    /// Writes the options of a part: the tag, what is not the default, the size where it was asked for or the
    /// body begins.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn write_options(
        &self,
        writer: &mut Writer<'_>,
        part: &Part,
        request: &Message<'_>,
    ) -> Result<(), WriteError> {
        if matches!(part, Part::Refused(_)) {
            return Ok(());
        }
        writer.option(OptionNumber::ETAG, self.etag.as_bytes())?;
        if self.max_age_s != MAX_AGE_S_UNSAID {
            writer.uint(OptionNumber::MAX_AGE, self.max_age_s)?;
        }
        let Part::Content(_, block) = part else { return Ok(()) };
        let asked = |number| request.options.first(number).is_some();
        if self.size_bytes > block.size.bytes() || asked(OptionNumber::BLOCK2) {
            writer.uint(OptionNumber::BLOCK2, block.encode().ok_or(WriteError::NoRoom)?)?;
        }
        if asked(OptionNumber::SIZE2) || (block.number == 0 && self.size_bytes > block.size.bytes()) {
            writer.uint(OptionNumber::SIZE2, self.size_bytes)?;
        }
        Ok(())
    }
}

impl Part {
    /// The code of the answer.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Content(..) => Code::CONTENT,
            Self::Unchanged => Code::VALID,
            Self::Refused(code) => *code,
        }
    }
}
