//! Bytes that are not the one spelling of anything, well signed: only the decoder stands in their way.
//!
//! Touches: `lapwing_core::cbor`. Source: RFC 8949 sections 4.2.1 and 5.

use super::case::{Attack, attack};
use crate::fleet::{at_large, sign, sign1, small_release, spell};
use lapwing_core::DecodeError;
use lapwing_core::DecodeError::{Malformed, NotDeterministic, TrailingBytes};
use lapwing_core::envelope::{Form, Kind};

pub(super) fn attacks() -> Vec<Attack> {
    [payloads(), keys(), envelopes()].into_iter().flatten().collect()
}

/// The pairs of a map, as bytes.
pub(super) fn pairs(map: &[u8]) -> Vec<[Vec<u8>; 2]> {
    let mut input = minicbor::Decoder::new(map);
    let count = input.map().unwrap().unwrap();
    let mut next = || {
        let start = input.position();
        input.skip().unwrap();
        map[start..input.position()].to_vec()
    };
    (0..count).map(|_| [next(), next()]).collect()
}

/// The map of these pairs, in this order.
pub(super) fn map(pairs: &[[Vec<u8>; 2]]) -> Vec<u8> {
    assert!(pairs.len() < 24);
    [vec![0xa0 | pairs.len() as u8], pairs.concat().concat()].concat()
}

/// The pairs of the small release.
pub(super) fn release_pairs() -> Vec<[Vec<u8>; 2]> {
    pairs(&spell(&small_release()))
}

/// The small release with the value under a key replaced; keys below 24 are their own spelling.
pub(super) fn release_with(key: u8, value: &[u8]) -> Vec<u8> {
    let mut pairs = release_pairs();
    match pairs.iter().position(|[known, _]| known[..] >= [key][..]) {
        Some(at) if pairs[at][0] == [key] => pairs[at][1] = value.to_vec(),
        Some(at) => pairs.insert(at, [vec![key], value.to_vec()]),
        None => pairs.push([vec![key], value.to_vec()]),
    }
    map(&pairs)
}

/// A release with this payload, well signed.
pub(super) fn signed(payload: &[u8]) -> Vec<u8> {
    sign(&at_large(Kind::Release), Form::Single, payload, &["release-a"])
}

fn refused(name: &'static str, story: &'static str, payload: &[u8], error: DecodeError) -> Attack {
    attack(name, story, "release", signed(payload), error)
}

const SEQ: u8 = 3;
const IMAGE: u8 = 12;

fn payloads() -> Vec<Attack> {
    let spelled = spell(&small_release());
    let mut indefinite = spelled.clone();
    indefinite[0] = 0xbf;
    indefinite.push(0xff);
    let in_pieces = release_with(IMAGE, &[&[0x5f, 0x58, 32][..], &[7; 32], &[0xff]].concat());
    vec![
        refused("map-of-indefinite-length", "The length comes at the end.", &indefinite, NotDeterministic),
        refused("bytes-in-pieces", "A byte string of indefinite length.", &in_pieces, NotDeterministic),
        refused(
            "list-of-indefinite-length",
            "A list of hardware without end.",
            &release_with(2, &[0x9f, 0xff]),
            NotDeterministic,
        ),
        refused(
            "integer-too-long",
            "42 in two bytes more than it needs.",
            &release_with(SEQ, &[0x19, 0, 42]),
            NotDeterministic,
        ),
        refused(
            "length-too-long",
            "A text's length in a byte of its own.",
            &release_with(4, b"\x78\x051.4.2"),
            NotDeterministic,
        ),
        refused("tagged-value", "A tag on the seq.", &release_with(SEQ, &[0xc1, 0x18, 42]), NotDeterministic),
        refused("float", "The seq as 42.0.", &release_with(SEQ, &[0xf9, 0x51, 0x40]), NotDeterministic),
        refused("undefined", "The seq is undefined.", &release_with(SEQ, &[0xf7]), NotDeterministic),
        refused(
            "simple-value",
            "The seq is a simple value without meaning.",
            &release_with(SEQ, &[0xf8, 0xff]),
            NotDeterministic,
        ),
        refused("reserved-head", "A head that RFC 8949 reserves.", &release_with(SEQ, &[0x1c]), Malformed),
        refused(
            "text-not-utf8",
            "A version label that is not text.",
            &release_with(4, &[0x61, 0xff]),
            Malformed,
        ),
        refused("negative-seq", "The seq is -1.", &release_with(SEQ, &[0x20]), Malformed),
        refused("null-seq", "The seq is null.", &release_with(SEQ, &[0xf6]), Malformed),
        refused("text-for-bytes", "The image's digest as text.", &release_with(IMAGE, b"\x61x"), Malformed),
        refused("payload-empty", "Nothing was signed.", &[], Malformed),
        refused("payload-truncated", "The last byte is missing.", &spelled[..spelled.len() - 1], Malformed),
        refused(
            "payload-trailing-bytes",
            "A byte after the release.",
            &[&spelled[..], &[0]].concat(),
            TrailingBytes,
        ),
        refused("payload-not-a-map", "A list instead of a map.", &[0x80], Malformed),
    ]
}

fn keys() -> Vec<Attack> {
    let changed = |change: fn(&mut Vec<[Vec<u8>; 2]>)| {
        let mut pairs = release_pairs();
        change(&mut pairs);
        map(&pairs)
    };
    let unsorted = changed(|pairs| pairs.swap(3, 4));
    let twice = changed(|pairs| pairs.insert(4, pairs[3].clone()));
    let text = changed(|pairs| pairs.push([b"\x61x".to_vec(), vec![0]]));
    let negative = changed(|pairs| pairs.push([vec![0x20], vec![0]]));
    let highest_critical = changed(|pairs| pairs.push([vec![0x18, 63], vec![0]]));
    let unknown = DecodeError::UnknownCriticalKey;
    vec![
        refused("keys-unsorted", "Keys 4 and 3 in falling order.", &unsorted, NotDeterministic),
        refused("key-twice", "Two values for the seq.", &twice, NotDeterministic),
        refused("key-is-text", "A key that is a text.", &text, Malformed),
        refused("key-is-negative", "A key below zero.", &negative, Malformed),
        refused(
            "unknown-critical-key",
            "Key 63 must be understood and is not.",
            &highest_critical,
            unknown(63),
        ),
        refused(
            "unknown-format",
            "A format of the future.",
            &release_with(0, &[2]),
            DecodeError::UnknownVersion(2),
        ),
    ]
}

/// Head of a COSE_Sign1 with the protected header of the key that signs releases.
fn envelopes() -> Vec<Attack> {
    let good = sign1(&at_large(Kind::Release), &small_release(), "release-a");
    // 84 | 49 a2 01 32 04 44 .. .. .. .. | a0 | 58 payload | 58 40 signature
    assert_eq!(good[..7], [0x84, 0x49, 0xa2, 0x01, 0x32, 0x04, 0x44]);
    assert_eq!(good[11], 0xa0);
    let spliced = |at: std::ops::Range<usize>, new: &[u8]| [&good[..at.start], new, &good[at.end..]].concat();
    let envelope = |name, story, bytes, error: DecodeError| attack(name, story, "release", bytes, error);
    let extra = spliced(1..11, &[&[0x4b, 0xa3], &good[3..11], &[0x05, 0x40]].concat());
    vec![
        envelope(
            "envelope-truncated",
            "The last byte is missing.",
            good[..good.len() - 1].to_vec(),
            Malformed,
        ),
        envelope("envelope-trailing-bytes", "A byte after it.", [&good[..], &[0]].concat(), TrailingBytes),
        envelope(
            "envelope-tagged",
            "COSE's tag 18 in front.",
            [&[0xd2], &good[..]].concat(),
            NotDeterministic,
        ),
        envelope(
            "envelope-of-indefinite-length",
            "An array without a length.",
            [&[0x9f], &good[1..], &[0xff]].concat(),
            NotDeterministic,
        ),
        envelope(
            "envelope-with-five-parts",
            "One part too many.",
            [&[0x85], &good[1..], &[0]].concat(),
            Malformed,
        ),
        envelope(
            "envelope-with-open-header",
            "A header outside the signature.",
            spliced(11..12, &[0xa1, 0x04, 0x41, 0]),
            Malformed,
        ),
        envelope("envelope-with-extra-header", "A header that nobody knows, protected.", extra, Malformed),
        envelope(
            "envelope-with-old-algorithm",
            "EdDSA as -8, which says too little.",
            spliced(4..5, &[0x27]),
            DecodeError::BadValue,
        ),
        envelope(
            "envelope-with-long-header-integer",
            "The algorithm in a byte too many.",
            spliced(1..5, &[0x4a, 0xa2, 0x01, 0x38, 0x12]),
            NotDeterministic,
        ),
        envelope(
            "envelope-without-payload",
            "The payload is elsewhere, it says.",
            [&good[..12], &[0xf6], &good[good.len() - 66..]].concat(),
            Malformed,
        ),
        envelope("envelope-is-a-number", "Not an envelope at all.", vec![0], Malformed),
    ]
}
