//! Deterministic CBOR: one spelling for every value, refused when it is any other.
//!
//! Touches: `minicbor`. Every decoder of this crate goes through [`decode`], so the
//! rules of RFC 8949 section 4.2.1 hold for all of them and are written once.
//! Never: allocates; borrows from the input instead.

use crate::limits::{NESTING_MAX, PAYLOAD_BYTES_MAX};
use minicbor::Decoder;
use minicbor::data::Type;
use minicbor::encode::write::Cursor;

/// Writes into a buffer of the caller.
pub type Out<'b> = minicbor::Encoder<Cursor<&'b mut [u8]>>;

/// The buffer was too small for the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the buffer is too small")]
pub struct NoRoom;

impl<E> From<minicbor::encode::Error<E>> for NoRoom {
    fn from(_: minicbor::encode::Error<E>) -> Self {
        Self
    }
}

/// Why bytes are not the value they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not CBOR, of another shape than expected, or cut short.
    #[error("malformed or truncated")]
    Malformed,
    /// Valid CBOR in a spelling that the deterministic rules forbid.
    #[error("not deterministic encoding")]
    NotDeterministic,
    /// Bytes after the value.
    #[error("trailing bytes")]
    TrailingBytes,
    /// A map key below 64 that this version does not know.
    #[error("unknown critical key {0}")]
    UnknownCriticalKey(u64),
    /// A key that must be there is not.
    #[error("key {0} is missing")]
    MissingKey(u64),
    /// A format or protocol version that this code does not speak.
    #[error("unknown version {0}")]
    UnknownVersion(u64),
    /// A list, text or number beyond its limit.
    #[error("over a limit")]
    OverLimit,
    /// A value that its type does not allow.
    #[error("value not allowed here")]
    BadValue,
}

impl From<minicbor::decode::Error> for DecodeError {
    fn from(_: minicbor::decode::Error) -> Self {
        Self::Malformed
    }
}

/// A value with exactly one byte string.
pub trait Wire<'b>: Sized {
    /// Longest spelling that [`decode`] looks at.
    const BYTES_MAX: usize = PAYLOAD_BYTES_MAX;

    /// Writes the one spelling of this value.
    ///
    /// # Errors
    /// [`NoRoom`]; the buffer then holds a useless beginning.
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom>;

    /// Reads the value at the decoder's position. The input is already known to be deterministic.
    ///
    /// # Errors
    /// See [`DecodeError`].
    fn read(input: &mut Decoder<'b>) -> Result<Self, DecodeError>;
}

/// Spells `value` into `buffer` and returns the part that was used.
///
/// # Errors
/// [`NoRoom`] if it does not fit.
pub fn encode<'a, 'b>(value: &impl Wire<'b>, buffer: &'a mut [u8]) -> Result<&'a [u8], NoRoom> {
    let mut out = Out::new(Cursor::new(&mut *buffer));
    value.write(&mut out)?;
    let used = out.writer().position();
    buffer.get(..used).ok_or(NoRoom)
}

/// Reads one value from exactly these bytes.
///
/// # Errors
/// [`DecodeError::OverLimit`] before anything is looked at if there are more than [`Wire::BYTES_MAX`]
/// bytes, else see [`DecodeError`]. Indefinite lengths, long spellings, unsorted or duplicate keys, tags, floats
/// and trailing bytes are all refused before the value is looked at.
pub fn decode<'b, T: Wire<'b>>(bytes: &'b [u8]) -> Result<T, DecodeError> {
    if bytes.len() > T::BYTES_MAX {
        return Err(DecodeError::OverLimit);
    }
    check_deterministic(bytes)?;
    let mut input = Decoder::new(bytes);
    let value = T::read(&mut input)?;
    (input.position() == bytes.len()).then_some(value).ok_or(DecodeError::TrailingBytes)
}

/// Reads a map with integer keys: `known` consumes the value of a key it knows and says so.
pub(crate) fn read_map<'b>(
    input: &mut Decoder<'b>,
    mut known: impl FnMut(u64, &mut Decoder<'b>) -> Result<bool, DecodeError>,
) -> Result<(), DecodeError> {
    let pairs = input.map()?.ok_or(DecodeError::NotDeterministic)?;
    for _ in 0..pairs {
        let key = input.u64()?;
        if known(key, input)? {
            continue;
        }
        if key < FIRST_IGNORABLE_KEY {
            return Err(DecodeError::UnknownCriticalKey(key));
        }
        input.skip()?;
    }
    Ok(())
}

/// Keys from here on may be ignored by a reader that does not know them.
const FIRST_IGNORABLE_KEY: u64 = 64;

/// Reads the head of an array that must have this many items.
///
/// # Errors
/// [`DecodeError::Malformed`] if it has another number of items, or is none.
pub fn read_array(input: &mut Decoder<'_>, items: u64) -> Result<(), DecodeError> {
    (input.array()? == Some(items)).then_some(()).ok_or(DecodeError::Malformed)
}

/// Reads a list of at most `N` items.
///
/// # Errors
/// [`DecodeError::OverLimit`] if it is longer, else those of `item`.
pub fn read_list<'b, T, const N: usize>(
    input: &mut Decoder<'b>,
    mut item: impl FnMut(&mut Decoder<'b>) -> Result<T, DecodeError>,
) -> Result<heapless::Vec<T, N>, DecodeError> {
    let items = input.array()?.ok_or(DecodeError::NotDeterministic)?;
    let mut list = heapless::Vec::new();
    for _ in 0..items {
        list.push(item(input)?).map_err(|_| DecodeError::OverLimit)?;
    }
    Ok(list)
}

/// Reads a list of at most `N` items that would have been left out had it been empty.
pub(crate) fn read_filled_list<'b, T, const N: usize>(
    input: &mut Decoder<'b>,
    item: impl FnMut(&mut Decoder<'b>) -> Result<T, DecodeError>,
) -> Result<heapless::Vec<T, N>, DecodeError> {
    let list = read_list(input, item)?;
    (!list.is_empty()).then_some(list).ok_or(DecodeError::BadValue)
}

/// Reads a byte string of exactly `N` bytes.
pub(crate) fn read_bytes<const N: usize>(input: &mut Decoder<'_>) -> Result<[u8; N], DecodeError> {
    input.bytes()?.try_into().map_err(|_| DecodeError::BadValue)
}

/// The bytes of the next item, whatever it is.
pub(crate) fn read_raw<'b>(input: &mut Decoder<'b>) -> Result<&'b [u8], DecodeError> {
    let start = input.position();
    input.skip()?;
    input.input().get(start..input.position()).ok_or(DecodeError::Malformed)
}

/// Writes a value, or `null` for none.
///
/// # Errors
/// [`NoRoom`].
pub fn write_optional<'b, T: Wire<'b>>(out: &mut Out<'_>, value: Option<&T>) -> Result<(), NoRoom> {
    match value {
        Some(value) => value.write(out),
        None => Ok(out.null().map(drop)?),
    }
}

/// Writes a list.
///
/// # Errors
/// [`NoRoom`].
pub fn write_list<'b, T: Wire<'b>>(out: &mut Out<'_>, list: &[T]) -> Result<(), NoRoom> {
    out.array(list.len() as u64)?;
    list.iter().try_for_each(|item| item.write(out))
}

/// Reads `null` as nothing, and anything else by `item`.
///
/// # Errors
/// Those of `item`.
pub fn read_optional<'b, T>(
    input: &mut Decoder<'b>,
    item: impl FnOnce(&mut Decoder<'b>) -> Result<T, DecodeError>,
) -> Result<Option<T>, DecodeError> {
    if input.datatype()? == Type::Null {
        input.null()?;
        return Ok(None);
    }
    item(input).map(Some)
}

/// Checks a whole byte string against the deterministic rules, without knowing what it means.
fn check_deterministic(bytes: &[u8]) -> Result<(), DecodeError> {
    let rest = check_item(bytes, 0)?;
    rest.is_empty().then_some(()).ok_or(DecodeError::TrailingBytes)
}

/// Checks one item and returns what follows it.
fn check_item(bytes: &[u8], depth: u8) -> Result<&[u8], DecodeError> {
    if depth > NESTING_MAX {
        return Err(DecodeError::OverLimit);
    }
    let (head, rest) = read_head(bytes)?;
    let inner = depth.saturating_add(1);
    match head.major {
        0 | 1 => Ok(rest),
        2 => split(rest, head.argument).map(|(_, rest)| rest),
        3 => {
            let (text, rest) = split(rest, head.argument)?;
            core::str::from_utf8(text).map_err(|_| DecodeError::Malformed)?;
            Ok(rest)
        }
        4 => {
            let mut rest = rest;
            for _ in 0..head.argument {
                rest = check_item(rest, inner)?;
            }
            Ok(rest)
        }
        5 => check_pairs(rest, head.argument, inner),
        7 if matches!(head.argument, FALSE..=NULL) => Ok(rest),
        _ => Err(DecodeError::NotDeterministic),
    }
}

const FALSE: u64 = 20;
const NULL: u64 = 22;

fn check_pairs(bytes: &[u8], pairs: u64, depth: u8) -> Result<&[u8], DecodeError> {
    let mut rest = bytes;
    let mut previous: &[u8] = &[];
    for _ in 0..pairs {
        let key_and_more = rest;
        let after_key = check_item(key_and_more, depth)?;
        let key_len = key_and_more.len().saturating_sub(after_key.len());
        let key = key_and_more.get(..key_len).ok_or(DecodeError::Malformed)?;
        if key <= previous {
            return Err(DecodeError::NotDeterministic);
        }
        previous = key;
        rest = check_item(after_key, depth)?;
    }
    Ok(rest)
}

struct Head {
    major: u8,
    argument: u64,
}

fn read_head(bytes: &[u8]) -> Result<(Head, &[u8]), DecodeError> {
    let (&first, rest) = bytes.split_first().ok_or(DecodeError::Malformed)?;
    let major = first >> 5;
    let (len, smallest) = match first & 0x1f {
        short @ 0..=23 => return Ok((Head { major, argument: u64::from(short) }, rest)),
        24 => (1, 24),
        25 => (2, 0x100),
        26 => (4, 0x1_0000),
        27 => (8, 0x1_0000_0000),
        28..=30 => return Err(DecodeError::Malformed),
        _ => return Err(DecodeError::NotDeterministic),
    };
    let (digits, rest) = split(rest, len)?;
    let argument = digits.iter().fold(0_u64, |number, digit| number << 8 | u64::from(*digit));
    if argument < smallest {
        return Err(DecodeError::NotDeterministic);
    }
    Ok((Head { major, argument }, rest))
}

fn split(bytes: &[u8], at: u64) -> Result<(&[u8], &[u8]), DecodeError> {
    usize::try_from(at).ok().and_then(|at| bytes.split_at_checked(at)).ok_or(DecodeError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: Result<(), DecodeError>) {
        assert_eq!(check_deterministic(bytes), expected, "{bytes:02x?}");
    }

    #[test]
    fn one_spelling_is_accepted() {
        check(&[0x00], Ok(()));
        check(&[0x18, 0x18], Ok(()));
        check(&[0x1b, 0, 0, 0, 1, 0, 0, 0, 0], Ok(()));
        check(&[0x32], Ok(()));
        check(&[0x63, b'a', b'p', b'p'], Ok(()));
        check(&[0xa2, 0x01, 0xf6, 0x18, 0x40, 0xf5], Ok(()));
        check(&[0x82, 0x80, 0xa0], Ok(()));
    }

    #[test]
    fn every_other_spelling_is_refused() {
        use DecodeError::{Malformed, NotDeterministic, OverLimit, TrailingBytes};
        check(&[], Err(Malformed));
        check(&[0x18, 0x17], Err(NotDeterministic));
        check(&[0x19, 0x00, 0xff], Err(NotDeterministic));
        check(&[0x1a, 0x00, 0x00, 0xff, 0xff], Err(NotDeterministic));
        check(&[0x1b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], Err(NotDeterministic));
        check(&[0x9f, 0xff], Err(NotDeterministic));
        check(&[0x5f, 0xff], Err(NotDeterministic));
        check(&[0xa2, 0x02, 0x00, 0x01, 0x00], Err(NotDeterministic));
        check(&[0xa2, 0x01, 0x00, 0x01, 0x00], Err(NotDeterministic));
        check(&[0xf9, 0, 0], Err(NotDeterministic));
        check(&[0xf7], Err(NotDeterministic));
        check(&[0xc0, 0x00], Err(NotDeterministic));
        check(&[0x61, 0xff], Err(Malformed));
        check(&[0x82, 0x00], Err(Malformed));
        check(&[0x43, 0x00], Err(Malformed));
        check(&[0x00, 0x00], Err(TrailingBytes));
        check(&[0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x81, 0x00], Err(OverLimit));
        check(&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Err(Malformed));
    }
}
