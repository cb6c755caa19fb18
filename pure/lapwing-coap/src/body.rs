//! A body sent in blocks, one after another: its sender, and the place where a server puts it together.
//!
//! Touches: `block`. For reports and claims, which are at most a few kilobytes. Never: takes a block out of
//! order, or more than the caller's limit. Source: RFC 7959 section 2.5.

use crate::block::{Block, BlockSize, More};
use crate::code::{Code, OptionNumber};
use crate::message::Message;
use heapless::Vec;

/// Sends a body: each block after the one before was taken.
#[derive(Debug)]
pub struct Upload<'a> {
    body: &'a [u8],
    sent_bytes: u32,
    size: BlockSize,
}

/// How an upload goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// The next block is due.
    Next,
    /// This is the answer to the whole body.
    Answered(Code),
    /// The server lost what it had: from the beginning.
    Again,
}

impl<'a> Upload<'a> {
    /// Begins with the first block.
    #[must_use]
    pub const fn new(body: &'a [u8], size: BlockSize) -> Self {
        Self { body, sent_bytes: 0, size }
    }

    /// The block that is due, and its bytes.
    #[must_use]
    pub fn block(&self) -> (Block, &'a [u8]) {
        let size = u32::try_from(self.body.len()).unwrap_or(u32::MAX);
        let wanted = Block::wanted(self.sent_bytes.checked_div(self.size.bytes()).unwrap_or(0), self.size);
        let (range, block) = wanted.of_body(size).unwrap_or((0..0, wanted));
        (block, self.body.get(range.start as usize..range.end as usize).unwrap_or(&[]))
    }

    /// Takes the answer to the block that was due.
    pub fn take(&mut self, answer: &Message<'_>) -> Sent {
        let (block, bytes) = self.block();
        match answer.code {
            Code::CONTINUE if block.more == More::Follows => {
                let taken = answer.options.first(OptionNumber::BLOCK1).and_then(Block::decode);
                self.sent_bytes =
                    self.sent_bytes.saturating_add(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
                self.size = taken.map_or(self.size, |taken| taken.size.min(self.size));
                Sent::Next
            }
            Code::REQUEST_INCOMPLETE if self.sent_bytes > 0 => {
                self.sent_bytes = 0;
                Sent::Again
            }
            code => Sent::Answered(code),
        }
    }
}

/// Where a server puts one body together, of at most `N` bytes.
#[derive(Debug, Default)]
pub struct Assembly<const N: usize>(Vec<u8, N>);

/// What a block of a body led to.
#[derive(Debug, PartialEq, Eq)]
pub enum Assembled<'a> {
    /// More is to come: answer 2.31 with the block's own option.
    Continue,
    /// The whole body.
    Whole(&'a [u8]),
    /// Answer with this error.
    Refused(Code),
}

impl<const N: usize> Assembly<N> {
    /// Takes the payload of a request; one without a Block1 option is whole by itself.
    ///
    /// Block 0 begins anew. A block that is repeated by its sender is taken for what it is.
    pub fn take(&mut self, request: &Message<'_>) -> Assembled<'_> {
        let block = match request.options.first(OptionNumber::BLOCK1) {
            None => Some(Block { number: 0, more: More::Last, size: BlockSize::B1024 }),
            Some(value) => Block::decode(value),
        };
        let Some(block) = block else { return Assembled::Refused(Code::BAD_OPTION) };
        if block.more == More::Follows && request.payload.len() != block.size.bytes() as usize {
            return Assembled::Refused(Code::BAD_REQUEST);
        }
        let offset = block.offset() as usize;
        if offset > self.0.len() {
            return Assembled::Refused(Code::REQUEST_INCOMPLETE);
        }
        self.0.truncate(offset);
        if self.0.extend_from_slice(request.payload).is_err() {
            self.0.clear();
            return Assembled::Refused(Code::TOO_LARGE);
        }
        if block.more == More::Follows { Assembled::Continue } else { Assembled::Whole(&self.0) }
    }
}
