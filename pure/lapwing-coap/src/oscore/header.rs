//! The value of the OSCORE option: sequence number, id context, id of who sealed the message.
//!
//! Touches: nothing. Never: trusts it; all of it is checked by opening. Source: RFC 8613 section 6.1.

use crate::limits::{ID_CONTEXT_BYTES_MAX, KID_BYTES_MAX};
use heapless::Vec;

/// Flag bits: id context there, id there, bytes of sequence number.
const HAS_ID_CONTEXT: u8 = 0x10;
const HAS_KID: u8 = 0x08;
const PIV_LEN: u8 = 0x07;

/// Bytes of a sequence number at most.
const PIV_BYTES_MAX: usize = 5;

/// Longest value: flags, sequence number, id context with its length, id.
pub(super) const HEADER_BYTES_MAX: usize = 2 + PIV_BYTES_MAX + ID_CONTEXT_BYTES_MAX + KID_BYTES_MAX;

/// What the option says; a server finds the context by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// Sequence number in as few bytes as it needs; none in most answers.
    pub piv: Option<&'a [u8]>,
    /// Id context.
    pub id_context: Option<&'a [u8]>,
    /// Id of who sealed it; none in answers.
    pub kid: Option<&'a [u8]>,
}

/// The option's value breaks the rules: a request gets 4.02.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("malformed OSCORE option")]
pub struct HeaderError;

impl<'a> Header<'a> {
    /// Reads the value of the option.
    ///
    /// # Errors
    /// [`HeaderError`], also for a sequence number with leading zeros: it has one spelling.
    pub fn parse(value: &'a [u8]) -> Result<Self, HeaderError> {
        let Some((&flags, rest)) = value.split_first() else {
            return Ok(Self { piv: None, id_context: None, kid: None });
        };
        let piv_len = usize::from(flags & PIV_LEN);
        if flags == 0 || flags & !(HAS_ID_CONTEXT | HAS_KID | PIV_LEN) != 0 || piv_len > PIV_BYTES_MAX {
            return Err(HeaderError);
        }
        let (piv, mut rest) = rest.split_at_checked(piv_len).ok_or(HeaderError)?;
        if piv.len() > 1 && piv.first() == Some(&0) {
            return Err(HeaderError);
        }
        let mut id_context = None;
        if flags & HAS_ID_CONTEXT != 0 {
            let (&len, after) = rest.split_first().ok_or(HeaderError)?;
            let (bytes, after) = after.split_at_checked(usize::from(len)).ok_or(HeaderError)?;
            (id_context, rest) = (Some(bytes), after);
        }
        let kid = (flags & HAS_KID != 0).then_some(rest);
        if kid.map_or(!rest.is_empty(), |kid| kid.len() > KID_BYTES_MAX) {
            return Err(HeaderError);
        }
        Ok(Self { piv: (!piv.is_empty()).then_some(piv), id_context, kid })
    }

    /// The sequence number that it names.
    #[must_use]
    pub fn sequence(&self) -> Option<u64> {
        Some(self.piv?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    /// Its spelling; none if a part is longer than its limit.
    #[must_use]
    pub(super) fn encode(&self) -> Option<Vec<u8, HEADER_BYTES_MAX>> {
        let piv = self.piv.unwrap_or(&[]);
        let flag = |there: bool, flag: u8| if there { flag } else { 0 };
        let flags = u8::try_from(piv.len()).ok()?
            | flag(self.id_context.is_some(), HAS_ID_CONTEXT)
            | flag(self.kid.is_some(), HAS_KID);
        let mut value = Vec::new();
        if flags == 0 {
            return Some(value);
        }
        value.push(flags).ok()?;
        value.extend_from_slice(piv).ok()?;
        if let Some(id_context) = self.id_context {
            value.push(u8::try_from(id_context.len()).ok()?).ok()?;
            value.extend_from_slice(id_context).ok()?;
        }
        value.extend_from_slice(self.kid.unwrap_or(&[])).ok()?;
        Some(value)
    }
}
