//! What is said to a request, before it is sealed.
//!
//! Touches: `lapwing_coap`. Problems are told by their code alone, with the seconds to wait where there are any.

use crate::limits::WAKE_MAX_AGE_S;
use crate::problem::Problem;
use axum::http::StatusCode;
use lapwing_coap::{
    Block, Code, ECHO_BYTES, Kind, Message, MessageId, OptionNumber, Part, Representation, Token, WriteError,
    Writer,
};

/// An answer without its header.
pub(super) struct Reply {
    code: Code,
    /// More will follow, and this is its place among them.
    observe: Option<u32>,
    /// How long it holds, or when to come back, seconds.
    max_age_s: Option<u32>,
    block2: Option<(Block, u32)>,
    /// The value of the block that was taken.
    block1: Option<Vec<u8>>,
    echo: Option<[u8; ECHO_BYTES]>,
    payload: Vec<u8>,
    part: Option<(Representation, Part)>,
}

impl Reply {
    pub(super) const fn code(code: Code) -> Self {
        let payload = Vec::new();
        Self {
            code,
            observe: None,
            max_age_s: None,
            block2: None,
            block1: None,
            echo: None,
            payload,
            part: None,
        }
    }

    /// The short answer to a message.
    pub(super) fn with(payload: Vec<u8>) -> Self {
        Self { payload, ..Self::code(Code::CHANGED) }
    }

    /// What a call says, and the answer to who wants to be called.
    pub(super) fn wake(observe: Option<u32>) -> Self {
        Self { observe, max_age_s: Some(WAKE_MAX_AGE_S), ..Self::code(Code::CONTENT) }
    }

    /// Say that again, with this.
    pub(super) fn again_with(echo: [u8; ECHO_BYTES]) -> Self {
        Self { echo: Some(echo), ..Self::code(Code::UNAUTHORIZED) }
    }

    /// The next block is due.
    pub(super) fn goes_on(block1: &[u8]) -> Self {
        Self { block1: Some(block1.to_vec()), ..Self::code(Code::CONTINUE) }
    }

    /// One block of a longer answer to a message.
    pub(super) fn part_of(answer: &[u8], wanted: Block) -> Self {
        let size_bytes = u32::try_from(answer.len()).unwrap_or(u32::MAX);
        let part = wanted.of_body(size_bytes).filter(|_| !answer.is_empty());
        let Some((range, block)) = part else { return Self::code(Code::REQUEST_INCOMPLETE) };
        let payload = answer.get(range.start as usize..range.end as usize).unwrap_or_default().to_vec();
        Self { block2: Some((block, size_bytes)), payload, ..Self::code(Code::CHANGED) }
    }
}

impl From<Problem> for Reply {
    fn from(problem: Problem) -> Self {
        let status = problem.status();
        let code = match status {
            StatusCode::INSUFFICIENT_STORAGE => Code::UNAVAILABLE,
            status => Code::of_status(status.as_u16()),
        };
        Self { max_age_s: problem.retry_after_s(), ..Self::code(code) }
    }
}

impl Reply {
    /// A part of something that can be had in parts.
    pub(super) fn of_part(representation: Representation, part: Part, payload: Vec<u8>) -> Self {
        Self { payload, part: Some((representation, part.clone())), ..Self::code(part.code()) }
    }

    /// Writes the answer to `request`; an acknowledgement carries it where one is due.
    ///
    /// # Errors
    /// [`WriteError::NoRoom`].
    pub(super) fn write(
        &self,
        request: &Message<'_>,
        own_id: MessageId,
        out: &mut [u8],
    ) -> Result<usize, WriteError> {
        let (kind, id) = match request.kind {
            Kind::Confirmable => (Kind::Acknowledgement, request.id),
            _ => (Kind::NonConfirmable, own_id),
        };
        let mut writer = Writer::new(out, kind, self.code, id, request.token)?;
        if let Some((representation, part)) = &self.part {
            representation.write_options(&mut writer, part, request)?;
        }
        self.finish(writer)
    }

    /// Writes what answers an earlier request once more, and wants to be acknowledged.
    ///
    /// # Errors
    /// [`WriteError::NoRoom`].
    pub(super) fn call(&self, token: Token, id: MessageId, out: &mut [u8]) -> Result<usize, WriteError> {
        self.finish(Writer::new(out, Kind::Confirmable, self.code, id, token)?)
    }

    fn finish(&self, mut writer: Writer<'_>) -> Result<usize, WriteError> {
        if let Some(observe) = self.observe {
            writer.uint(OptionNumber::OBSERVE, observe)?;
        }
        if let Some(max_age_s) = self.max_age_s {
            writer.uint(OptionNumber::MAX_AGE, max_age_s)?;
        }
        if let Some((block, _)) = self.block2 {
            writer.uint(OptionNumber::BLOCK2, block.encode().ok_or(WriteError::NoRoom)?)?;
        }
        if let Some(block1) = &self.block1 {
            writer.option(OptionNumber::BLOCK1, block1)?;
        }
        if let Some((_, size_bytes)) = self.block2 {
            writer.uint(OptionNumber::SIZE2, size_bytes)?;
        }
        if let Some(echo) = &self.echo {
            writer.option(OptionNumber::ECHO, echo)?;
        }
        writer.finish(&self.payload)
    }
}
