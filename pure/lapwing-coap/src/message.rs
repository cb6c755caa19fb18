//! One CoAP message, read where it lies and written into a caller's buffer.
//!
//! Touches: `crate::options`. Never: copies what it reads, or judges what options mean.
//! Source: RFC 7252 section 3.

use crate::code::{Code, Kind, OptionNumber};
use crate::limits::TOKEN_BYTES_MAX;
use crate::options::{Malformed, Options, PAYLOAD_MARKER, write_option};

/// Ties an acknowledgement to a message, and finds repeated ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageId(pub u16);

/// Ties an answer to a request; chosen by who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Token {
    bytes: [u8; TOKEN_BYTES_MAX],
    len: u8,
}

impl Token {
    /// None of no bytes: good while one request at a time is open to a peer.
    pub const EMPTY: Self = Self { bytes: [0; TOKEN_BYTES_MAX], len: 0 };

    /// The token of these bytes, if they are at most eight.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut token = Self { len: u8::try_from(bytes.len()).ok()?, ..Self::EMPTY };
        token.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(token)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&[])
    }
}

/// A message as it lies in its datagram.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// How the message layer treats it.
    pub kind: Kind,
    /// Method or outcome.
    pub code: Code,
    /// Its number.
    pub id: MessageId,
    /// Whose question or answer.
    pub token: Token,
    /// In rising order.
    pub options: Options<'a>,
    /// The rest; empty if there is none.
    pub payload: &'a [u8],
}

/// Why a datagram is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Too short for a header, or of another version: say nothing.
    #[error("not a CoAP message")]
    NotCoap,
    /// A header, and nonsense behind it: reset it if it is confirmable ([`reset_for`]).
    #[error("malformed CoAP message")]
    Malformed,
}

impl From<Malformed> for ParseError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl<'a> Message<'a> {
    /// The message in `datagram`; every option in it is well formed.
    ///
    /// # Errors
    /// [`ParseError`] says whether silence or a reset is due.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, ParseError> {
        let (&[first, code, high, low], rest) = datagram.split_first_chunk().ok_or(ParseError::NotCoap)?;
        if first >> 6 != 1 {
            return Err(ParseError::NotCoap);
        }
        let (code, id) = (Code(code), MessageId(u16::from_be_bytes([high, low])));
        let (token, rest) = rest.split_at_checked(usize::from(first & 0x0f)).ok_or(ParseError::Malformed)?;
        let token = Token::new(token).ok_or(ParseError::Malformed)?;
        if code == Code::EMPTY && (token != Token::EMPTY || !rest.is_empty()) {
            return Err(ParseError::Malformed);
        }
        let (options, payload) = Options::split(rest)?;
        Ok(Self { kind: kind_of(first), code, id, token, options, payload })
    }
}

const fn kind_of(first: u8) -> Kind {
    match first >> 4 & 3 {
        0 => Kind::Confirmable,
        1 => Kind::NonConfirmable,
        2 => Kind::Acknowledgement,
        _ => Kind::Reset,
    }
}

/// The reset that a malformed confirmable message is due (RFC 7252 section 4.2); others get silence.
#[must_use]
pub fn reset_for(datagram: &[u8]) -> Option<[u8; 4]> {
    let &[first, _, high, low] = datagram.first_chunk()?;
    (first >> 6 == 1 && kind_of(first) == Kind::Confirmable).then_some([0x70, 0, high, low])
}

/// An empty message: an acknowledgement without an answer, or a reset.
#[must_use]
pub const fn empty(kind: Kind, id: MessageId) -> [u8; 4] {
    let [high, low] = id.0.to_be_bytes();
    [0x40 | (kind as u8) << 4, 0, high, low]
}

/// Why a message could not be written; the buffer then holds a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The buffer is too small.
    #[error("a larger buffer is needed")]
    NoRoom,
    /// Options were not in rising order.
    #[error("options must be written in rising order")]
    OutOfOrder,
}

/// Writes one message from front to back.
#[derive(Debug)]
pub struct Writer<'b> {
    out: &'b mut [u8],
    len: usize,
    last: OptionNumber,
}

impl<'b> Writer<'b> {
    /// Begins a message.
    ///
    /// # Errors
    /// [`WriteError::NoRoom`].
    pub fn new(
        out: &'b mut [u8],
        kind: Kind,
        code: Code,
        id: MessageId,
        token: Token,
    ) -> Result<Self, WriteError> {
        let mut writer = Self { out, len: 0, last: OptionNumber(0) };
        let [high, low] = id.0.to_be_bytes();
        writer.put(&[0x40 | (kind as u8) << 4 | token.len, code.0, high, low])?;
        writer.put(token.as_bytes())?;
        Ok(writer)
    }

    /// Begins what is encrypted: a code, and no header (RFC 8613 section 5.3).
    pub(crate) fn inner(out: &'b mut [u8], code: Code) -> Result<Self, WriteError> {
        let mut writer = Self { out, len: 0, last: OptionNumber(0) };
        writer.put(&[code.0])?;
        Ok(writer)
    }

    /// Adds an option; equal numbers may follow one another.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn option(&mut self, number: OptionNumber, value: &[u8]) -> Result<&mut Self, WriteError> {
        let delta = number.0.checked_sub(self.last.0).ok_or(WriteError::OutOfOrder)?;
        let room = self.out.get_mut(self.len..).ok_or(WriteError::NoRoom)?;
        let written = write_option(room, delta, value).ok_or(WriteError::NoRoom)?;
        self.len = self.len.saturating_add(written);
        self.last = number;
        Ok(self)
    }

    /// Adds an option whose value is a number, in as few bytes as it needs.
    ///
    /// # Errors
    /// [`WriteError`].
    pub fn uint(&mut self, number: OptionNumber, value: u32) -> Result<&mut Self, WriteError> {
        let bytes = value.to_be_bytes();
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        self.option(number, bytes.get(zeros..).unwrap_or(&[]))
    }

    /// Ends the message with its payload and returns how many bytes it has.
    ///
    /// # Errors
    /// [`WriteError::NoRoom`].
    pub fn finish(mut self, payload: &[u8]) -> Result<usize, WriteError> {
        if !payload.is_empty() {
            self.put(&[PAYLOAD_MARKER])?;
            self.put(payload)?;
        }
        Ok(self.len)
    }

    /// Ends the options and hands out the room behind a payload marker, with where it begins.
    pub(crate) fn payload_room(mut self) -> Result<(usize, &'b mut [u8]), WriteError> {
        self.put(&[PAYLOAD_MARKER])?;
        let room = self.out.get_mut(self.len..).ok_or(WriteError::NoRoom)?;
        Ok((self.len, room))
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        let end = self.len.checked_add(bytes.len()).ok_or(WriteError::NoRoom)?;
        self.out.get_mut(self.len..end).ok_or(WriteError::NoRoom)?.copy_from_slice(bytes);
        self.len = end;
        Ok(())
    }
}
