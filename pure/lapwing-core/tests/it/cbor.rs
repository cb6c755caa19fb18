//! The published examples of CBOR: which of them are our one spelling, and which are refused.
//!
//! Source: RFC 8949 appendix A (examples) and appendix F (not well-formed).

use lapwing_core::cbor::{DecodeError, NoRoom, Out, Wire, decode, encode};
use minicbor::Decoder;

/// Any one item, as it stands.
#[derive(Debug, PartialEq)]
struct Anything<'b>(&'b [u8]);

impl<'b> Wire<'b> for Anything<'b> {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        minicbor::encode::Write::write_all(out.writer_mut(), self.0).map_err(|_| NoRoom)
    }

    fn read(input: &mut Decoder<'b>) -> Result<Self, DecodeError> {
        input.skip()?;
        Ok(Self(input.input()))
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// Appendix A, but floats, tags, undefined, other simple values and indefinite lengths.
const ACCEPTED: &str = "00 01 0a 17 1818 1819 1864 1903e8 1a000f4240 1b000000e8d4a51000 1bffffffffffffffff \
    3bffffffffffffffff 20 29 3863 3903e7 f4 f5 f6 40 4401020304 60 6161 6449455446 62225c 62c3bc 63e6b0b4 \
    64f0908591 80 83010203 8301820203820405 \
    98190102030405060708090a0b0c0d0e0f101112131415161718181819 a0 a201020304 a26161016162820203 826161a161626163 \
    a56161614161626142616361436164614461656145";

/// The rest of appendix A.
const REFUSED: &str = "c249010000000000000000 c349010000000000000000 f90000 f98000 f93c00 fb3ff199999999999a f93e00 \
    f97bff fa47c35000 fa7f7fffff fb7e37e43c8800759c f90001 f90400 f9c400 fbc010666666666666 f97c00 f97e00 f9fc00 \
    fa7f800000 fa7fc00000 faff800000 fb7ff0000000000000 fb7ff8000000000000 fbfff0000000000000 f7 f0 f8ff \
    c074323031332d30332d32315432303a30343a30305a c11a514b67b0 c1fb41d452d9e20000 d74401020304 \
    d818456449455446 d82076687474703a2f2f7777772e6578616d706c652e636f6d 5f42010243030405ff 7f657374726561646d696e67ff \
    9fff 9f018202039f0405ffff 9f01820203820405ff 83018202039f0405ff 83019f0203ff820405 \
    9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff bf61610161629f0203ffff 826161bf61626163ff \
    bf6346756ef563416d7421ff";

/// Appendix F: ends too early, reserved, breaks in the wrong place, chunks of the wrong kind.
const NOT_WELL_FORMED: &str = "18 19 1a 1b 1901 1a0102 1b01020304050607 38 58 78 98 9a01ff00 b8 d8 f8 f900 fa0000 \
    fb000000 41 61 5affffffff00 5bffffffffffffffff010203 7affffffff00 7b7fffffffffffffff010203 81 8181818181 8200 a1 \
    a20102 a100 a2000000 c0 5f4100 7f6100 9f 9f0102 bf bf01020102 819f 9f8000 9f9f9f9f9fffffffff 9f819f819f9fffffff \
    1c 1d 1e 3c 3d 3e 5c 5d 5e 7c 7d 7e 9c 9d 9e bc bd be dc dd de fc fd fe f800 f801 f818 f81f 5f00ff 5f21ff \
    5f6100ff 5f80ff 5fa0ff 5fc000ff 5fe0ff 7f4100ff 5f5f4100ffff 7f7f6100ffff ff 81ff 8200ff a1ff a1ff00 a100ff \
    a20000ff 9f81ff 9f829f819f9fffffffff bf00ff bf000000ff 1f 3f df";

#[test]
fn examples_in_our_one_spelling_are_accepted_and_come_back() {
    for hex in ACCEPTED.split_whitespace() {
        let bytes = bytes(hex);
        let item: Anything<'_> = decode(&bytes).unwrap_or_else(|error| panic!("{hex}: {error}"));
        assert_eq!(encode(&item, &mut [0; 64]), Ok(&bytes[..]), "{hex}");
    }
}

#[test]
fn examples_in_other_spellings_are_refused_as_such() {
    for hex in REFUSED.split_whitespace() {
        assert_eq!(decode::<Anything<'_>>(&bytes(hex)), Err(DecodeError::NotDeterministic), "{hex}");
    }
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for hex in NOT_WELL_FORMED.split_whitespace() {
        let error = decode::<Anything<'_>>(&bytes(hex)).unwrap_err();
        assert!(matches!(error, DecodeError::Malformed | DecodeError::NotDeterministic), "{hex}: {error}");
    }
}

#[test]
fn every_longer_spelling_of_a_number_is_refused() {
    for (number, shortest) in [(0_u64, 1), (23, 1), (24, 2), (255, 2), (256, 3), (65_535, 3), (65_536, 5)] {
        let spellings = [vec![0x18, number as u8], [&[0x19], &number.to_be_bytes()[6..]].concat()];
        let more =
            [[&[0x1a], &number.to_be_bytes()[4..]].concat(), [&[0x1b], &number.to_be_bytes()[..]].concat()];
        for spelling in spellings.iter().chain(&more).filter(|spelling| spelling.len() > shortest) {
            assert_eq!(
                decode::<Anything<'_>>(spelling),
                Err(DecodeError::NotDeterministic),
                "{number} as {spelling:02x?}"
            );
        }
    }
}
