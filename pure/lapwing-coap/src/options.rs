//! The options of a message: a run of deltas, lengths and values, checked once and then walked.
//!
//! Touches: nothing. Never: knows which options exist. Source: RFC 7252 section 3.1.

use crate::code::OptionNumber;

/// Stands between options and payload.
pub(crate) const PAYLOAD_MARKER: u8 = 0xff;

/// The bytes do not follow the rules of options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Options in rising order, each well formed.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a>(&'a [u8]);

impl<'a> Options<'a> {
    /// Options and payload of what follows a token.
    pub(crate) fn split(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Malformed> {
        let (mut rest, mut number) = (bytes, 0);
        while let Some(&first) = rest.first() {
            if first == PAYLOAD_MARKER {
                let payload = rest.get(1..).filter(|payload| !payload.is_empty()).ok_or(Malformed)?;
                let options = bytes.split_at_checked(bytes.len().saturating_sub(rest.len()));
                return Ok((Self(options.ok_or(Malformed)?.0), payload));
            }
            (number, _, rest) = read_option(rest, number).ok_or(Malformed)?;
        }
        Ok((Self(bytes), &[]))
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = (OptionNumber, &'a [u8])> + use<'a> {
        let mut state = (self.0, 0);
        core::iter::from_fn(move || {
            let (number, value, rest) = read_option(state.0, state.1)?;
            state = (rest, number);
            Some((OptionNumber(number), value))
        })
    }

    /// The values of one option, in order.
    pub fn all(&self, wanted: OptionNumber) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.iter().filter(move |(number, _)| *number == wanted).map(|(_, value)| value)
    }

    /// The first value of one option.
    #[must_use]
    pub fn first(&self, wanted: OptionNumber) -> Option<&'a [u8]> {
        self.all(wanted).next()
    }

    /// The first value of one option, as a number of at most four bytes.
    #[must_use]
    pub fn uint(&self, wanted: OptionNumber) -> Option<u32> {
        let value = self.first(wanted)?;
        (value.len() <= 4).then(|| value.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
    }

    /// The first critical option that `known` does not list: a request with one is answered 4.02, an answer
    /// with one is dropped.
    #[must_use]
    pub fn unknown_critical(&self, known: &[OptionNumber]) -> Option<OptionNumber> {
        let mut numbers = self.iter().map(|(number, _)| number);
        numbers.find(|number| number.is_critical() && !known.contains(number))
    }
}

/// Number, value and what follows.
fn read_option(bytes: &[u8], previous: u16) -> Option<(u16, &[u8], &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    let (delta, rest) = read_extended(first >> 4, rest)?;
    let (len, rest) = read_extended(first & 0x0f, rest)?;
    let (value, rest) = rest.split_at_checked(usize::from(len))?;
    Some((previous.checked_add(delta)?, value, rest))
}

/// A nibble and the bytes that extend it.
fn read_extended(nibble: u8, rest: &[u8]) -> Option<(u16, &[u8])> {
    match nibble {
        0..=12 => Some((u16::from(nibble), rest)),
        13 => rest.split_first().map(|(byte, rest)| (u16::from(*byte).saturating_add(13), rest)),
        14 => {
            let (bytes, rest) = rest.split_first_chunk()?;
            Some((u16::from_be_bytes(*bytes).checked_add(269)?, rest))
        }
        _ => None,
    }
}

/// Writes one option and returns its length, if it fits.
pub(crate) fn write_option(out: &mut [u8], delta: u16, value: &[u8]) -> Option<usize> {
    let (delta_nibble, delta_bytes) = extended(delta);
    let (len_nibble, len_bytes) = extended(u16::try_from(value.len()).ok()?);
    let first = [delta_nibble << 4 | len_nibble];
    let parts = [first.as_slice(), tail(&delta_bytes, delta_nibble), tail(&len_bytes, len_nibble), value];
    let mut at = 0_usize;
    for part in parts {
        let end = at.checked_add(part.len())?;
        out.get_mut(at..end)?.copy_from_slice(part);
        at = end;
    }
    Some(at)
}

/// The nibble of a number, and its extension right-aligned.
const fn extended(number: u16) -> (u8, [u8; 2]) {
    match number {
        0..=12 => (number.to_be_bytes()[1], [0; 2]),
        13..=268 => (13, number.saturating_sub(13).to_be_bytes()),
        _ => (14, number.saturating_sub(269).to_be_bytes()),
    }
}

fn tail(bytes: &[u8; 2], nibble: u8) -> &[u8] {
    let [_, low] = bytes;
    match nibble {
        13 => core::slice::from_ref(low),
        14 => bytes,
        _ => &[],
    }
}
