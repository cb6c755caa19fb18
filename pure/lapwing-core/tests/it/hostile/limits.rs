//! One more than there may be, of everything, and heads that promise more than there is.
//!
//! Touches: `lapwing_core::limits`. A limit is refused as such, before anything is stored.

use super::case::{Attack, attack};
use super::spelling::{map, release_pairs, release_with, signed};
use crate::fleet::{at_large, key, sign, spell};
use crate::talk::idle;
use lapwing_core::DecodeError;
use lapwing_core::DecodeError::{Malformed, OverLimit};
use lapwing_core::envelope::{Form, Kind};
use lapwing_core::limits::{
    ANSWER_BYTES_MAX, BUILD_ID_BYTES_MAX, CHECK_IN_BYTES_MAX, COMPONENT_NAME_BYTES_MAX, COMPONENTS_MAX,
    ENCRYPTION_INFO_BYTES_MAX, ENVELOPE_BYTES_MAX, FACT_NAME_BYTES_MAX, FACT_VALUE_BYTES_MAX, FACTS_MAX,
    GATES_MAX, HARDWARE_CLASSES_MAX, HEALTH_ROWS_MAX, NESTING_MAX, ONLINE_KEYS_MAX, PAYLOAD_BYTES_MAX,
    REPORT_BYTES_MAX, REPORT_EVENTS_MAX, REQUIRES_MAX, REVOKED_KEYS_MAX, ROLE_KEYS_MAX, ROOT_KEYS_MAX,
    SIGNATURES_MAX, TLS_ANCHORS_MAX, VERSION_BYTES_MAX, VERSION_RANGES_MAX,
};

pub(super) fn attacks() -> Vec<Attack> {
    [releases(), trust(), messages(), sizes(), promises()].into_iter().flatten().collect()
}

/// CBOR of a list, a byte string or a text.
fn head(major: u8, argument: usize) -> Vec<u8> {
    let major = major << 5;
    match argument {
        0..=23 => vec![major | argument as u8],
        24..=255 => vec![major | 24, argument as u8],
        _ => vec![major | 25, (argument >> 8) as u8, argument as u8],
    }
}

fn list(items: usize, item: &[u8]) -> Vec<u8> {
    [head(4, items), item.repeat(items)].concat()
}

fn bytes(len: usize) -> Vec<u8> {
    [head(2, len), vec![7; len]].concat()
}

fn text(len: usize) -> Vec<u8> {
    [head(3, len), vec![b'n'; len]].concat()
}

fn release(name: &'static str, story: &'static str, key: u8, value: &[u8]) -> Attack {
    attack(name, story, "release", signed(&release_with(key, value)), OverLimit)
}

fn releases() -> Vec<Attack> {
    let class = [&[0x82][..], &bytes(16), &bytes(16)].concat();
    let range = [0x82, 0x83, 1, 2, 3, 0x83, 1, 2, 4];
    let requirement = [&[0x82][..], &text(3), &[1]].concat();
    vec![
        release("too-many-hardware-classes", "Nine.", 2, &list(HARDWARE_CLASSES_MAX + 1, &class)),
        release("too-many-version-ranges", "Five.", 8, &list(VERSION_RANGES_MAX + 1, &range)),
        release("too-many-requirements", "Five.", 18, &list(REQUIRES_MAX + 1, &requirement)),
        release("component-too-long", "17 bytes.", 1, &text(COMPONENT_NAME_BYTES_MAX + 1)),
        release("version-too-long", "33 bytes.", 4, &text(VERSION_BYTES_MAX + 1)),
        release("build-too-long", "41 bytes.", 16, &text(BUILD_ID_BYTES_MAX + 1)),
        release("encryption-info-too-long", "129 bytes.", 23, &bytes(ENCRYPTION_INFO_BYTES_MAX + 1)),
    ]
}

/// A root or delegation with the value under a key replaced, well signed.
fn replaced(vector: &str, kind: Kind, key: u8, value: Vec<u8>, signer: &str) -> Vec<u8> {
    let envelope = crate::kept::read(vector);
    let envelope = lapwing_core::envelope::Envelope::parse(&envelope).unwrap();
    let mut pairs = super::spelling::pairs(envelope.payload);
    pairs.iter_mut().find(|[known, _]| known[..] == [key]).unwrap()[1] = value;
    sign(&at_large(kind), Form::Single, &map(&pairs), &[signer])
}

fn trust() -> Vec<Attack> {
    let public = spell(&key("release-a").public);
    let root = |key, value| replaced("root/small.cbor", Kind::Root, key, value, "root-a");
    let role = [&[0x82, 1][..], &list(ROLE_KEYS_MAX + 1, &[1])].concat();
    let revoked = [&[0x82][..], &bytes(4), &[1]].concat();
    let anchor = [&[0x82, 0][..], &bytes(32)].concat();
    let online = [&[0x82][..], &public, &[3]].concat();
    let delegation = replaced(
        "delegation/small.cbor",
        Kind::Delegation,
        5,
        list(ONLINE_KEYS_MAX + 1, &online),
        "delegator-a",
    );
    let refused = |name, story, bytes| attack(name, story, "provisioned root", bytes, OverLimit);
    vec![
        refused("too-many-root-keys", "17.", root(5, list(ROOT_KEYS_MAX + 1, &public))),
        refused("too-many-role-keys", "Nine.", root(7, role)),
        refused("too-many-revoked-keys", "Nine.", root(10, list(REVOKED_KEYS_MAX + 1, &revoked))),
        refused("too-many-tls-anchors", "Nine.", root(11, list(TLS_ANCHORS_MAX + 1, &anchor))),
        refused(
            "root-key-too-long",
            "A key of 34 bytes.",
            root(5, list(1, &[&[0x82, 0x32][..], &bytes(34)].concat())),
        ),
        attack(
            "root-key-of-wrong-length",
            "An Ed25519 key of 33 bytes.",
            "provisioned root",
            root(
                5,
                [&[0x83][..], &spell(&key("root-a").public), &[0x82, 0x32], &bytes(33), &public].concat(),
            ),
            DecodeError::BadValue,
        ),
        attack("too-many-online-keys", "Five.", "delegation", delegation, OverLimit),
    ]
}

fn messages() -> Vec<Attack> {
    let idle = spell(&idle());
    let option = |key: u8, value: &[u8]| [&[0x85], &idle[1..], &[0xa1, key], value].concat();
    let short = bytes(8);
    let row = [&[0x86][..], &short, &[1, 1, 1, 1, 1]].concat();
    let component = [&[0x82][..], &text(3), &short].concat();
    let components = [&[0x84, 1, 1, 1][..], &list(COMPONENTS_MAX + 1, &component)].concat();
    let class = [&[0x82][..], &bytes(16), &bytes(16)].concat();
    let facts = |named: &[u8]| option(1, &[&[0x84][..], &class, &[1, 1], named].concat());
    let many: Vec<_> = (0..=FACTS_MAX as u8).flat_map(|at| [0x61, b'a' + at, 0x60]).collect();
    let many = facts(&[head(5, FACTS_MAX + 1), many].concat());
    let long_name = facts(&[head(5, 1), text(FACT_NAME_BYTES_MAX + 1), vec![0x60]].concat());
    let long_value = facts(&[head(5, 1), vec![0x61, b'a'], text(FACT_VALUE_BYTES_MAX + 1)].concat());
    let event = [&[0x85, 1, 1, 1][..], &short, &[0xf6]].concat();
    let events = [&[0x82, 1][..], &list(REPORT_EVENTS_MAX + 1, &event)].concat();
    let check_in = |name, story, bytes| attack(name, story, "check-in", bytes, OverLimit);
    vec![
        check_in("too-many-components", "Five.", components),
        check_in("too-many-health-rows", "Five.", option(2, &list(HEALTH_ROWS_MAX + 1, &row))),
        check_in("too-many-gates", "17.", option(3, &list(GATES_MAX + 1, &[1]))),
        check_in("too-many-facts", "17.", many),
        check_in("fact-name-too-long", "25 bytes.", long_name),
        check_in("fact-value-too-long", "49 bytes.", long_value),
        attack("too-many-events", "25.", "report", events, OverLimit),
    ]
}

fn sizes() -> Vec<Attack> {
    let over = |name, open, max: usize| {
        let message = [&[0x82][..], &bytes(max - 3)].concat();
        assert_eq!(message.len(), max + 1);
        attack(name, "One byte more than anybody looks at.", open, message, OverLimit)
    };
    let entry = [&[0x83, 0x49, 0xa2, 1, 0x32, 4][..], &bytes(4), &[0xa0], &bytes(64)].concat();
    let payload = [&[0x84, 0x40, 0xa0][..], &bytes(PAYLOAD_BYTES_MAX + 1), &[0x80]].concat();
    let signatures = [&[0x84, 0x40, 0xa0, 0x41, 0][..], &list(SIGNATURES_MAX + 1, &entry)].concat();
    vec![
        over("envelope-oversize", "release", ENVELOPE_BYTES_MAX),
        over("check-in-oversize", "check-in", CHECK_IN_BYTES_MAX),
        over("report-oversize", "report", REPORT_BYTES_MAX),
        over("answer-oversize", "answer", ANSWER_BYTES_MAX),
        over("claim-oversize", "claim", PAYLOAD_BYTES_MAX),
        attack("payload-oversize", "A payload over its limit.", "release", payload, OverLimit),
        attack("too-many-signatures", "Nine.", "release", signatures, OverLimit),
    ]
}

fn promises() -> Vec<Attack> {
    let nested = |depth: u8| {
        let mut pairs = release_pairs();
        pairs.push([vec![0x18, 64], [vec![0x81; depth.into()], vec![0]].concat()]);
        map(&pairs)
    };
    let endless = [&[0x9b][..], &[0xff; 8]].concat();
    let huge_text = [&[0x7b][..], &[0xff; 8]].concat();
    let deep = vec![0x81; CHECK_IN_BYTES_MAX];
    vec![
        attack(
            "nested-too-deep",
            "Seven lists in each other under a key that is read over.",
            "release",
            signed(&nested(NESTING_MAX)),
            OverLimit,
        ),
        attack("nested-without-end", "Nothing but lists in lists.", "check-in", deep, OverLimit),
        attack("list-longer-than-the-message", "A list of 2^64-1 items.", "check-in", endless, Malformed),
        attack("text-longer-than-the-message", "A text of 2^64-1 bytes.", "check-in", huge_text, Malformed),
    ]
}
