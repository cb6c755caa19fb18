//! Well spelled, well signed, and still nonsense: values that their types do not allow.
//!
//! Touches: every decoder. Never: only too large; see `limits.rs`.

use super::case::{Attack, attack};
use super::spelling::{map, release_pairs, release_with, signed};
use crate::fleet::{answered, at_large, device, sign, sign1, small_offer, small_release, spell};
use crate::talk::idle;
use lapwing_core::DecodeError::{BadValue, Malformed, MissingKey, UnknownCriticalKey, UnknownVersion};
use lapwing_core::envelope::{Form, Kind};
use lapwing_core::wire::answer::{Answer, Ask, Offer, SwitchWindow};
use lapwing_core::{AttemptId, DecodeError, Release};

pub(super) fn attacks() -> Vec<Attack> {
    [releases(), missing(), offers(), answers(), messages()].into_iter().flatten().collect()
}

fn refused(name: &'static str, story: &'static str, payload: &[u8], error: DecodeError) -> Attack {
    attack(name, story, "release", signed(payload), error)
}

fn releases() -> Vec<Attack> {
    let raised = spell(&Release { raise_to: 4, security_version: 3, ..small_release() });
    let name = |text: &[u8]| release_with(1, &[&[0x60 | text.len() as u8], text].concat());
    let short_digest = release_with(12, &[&[0x58, 31][..], &[7; 31]].concat());
    let backwards = [0x81, 0x82, 0x83, 1, 4, 2, 0x83, 1, 2, 0];
    let empty_range = [0x81, 0x82, 0x83, 1, 4, 2, 0x83, 1, 4, 2];
    vec![
        refused("raise-to-above-security-version", "It would lock itself out.", &raised, BadValue),
        refused("component-is-a-path", "../../etc/x", &name(b"../../etc/x"), BadValue),
        refused("component-empty", "No name.", &name(b""), BadValue),
        refused("component-not-plain", "A name with a line break.", &name(b"app\nx"), BadValue),
        refused("digest-too-short", "An image's digest of 31 bytes.", &short_digest, BadValue),
        refused("compatibility-unknown", "A mark of the future.", &release_with(10, &[3]), BadValue),
        refused(
            "range-backwards",
            "Versions from 1.4.2 below 1.2.0.",
            &release_with(8, &backwards),
            BadValue,
        ),
        refused("range-empty", "Versions from 1.4.2 below 1.4.2.", &release_with(8, &empty_range), BadValue),
        refused("empty-list-spelled", "No ranges, spelled out.", &release_with(8, &[0x80]), BadValue),
        refused("zero-spelled", "Raise to zero, spelled out.", &release_with(6, &[0]), BadValue),
        refused(
            "number-too-large-for-its-type",
            "A security version of 2^32.",
            &release_with(5, &[0x1b, 0, 0, 0, 1, 0, 0, 0, 0]),
            Malformed,
        ),
    ]
}

/// The small release without each key that it must have.
fn missing() -> Vec<Attack> {
    let names = [
        (0, "format-missing"),
        (1, "component-missing"),
        (2, "hardware-missing"),
        (3, "seq-missing"),
        (4, "version-missing"),
        (5, "security-version-missing"),
        (10, "compatibility-missing"),
        (12, "image-missing"),
        (13, "image-size-missing"),
        (14, "issued-missing"),
    ];
    let without = |(key, name)| {
        let mut pairs = release_pairs();
        pairs.retain(|[known, _]| known[..] != [key]);
        refused(name, "A release that does not say it.", &map(&pairs), MissingKey(key.into()))
    };
    names.into_iter().map(without).collect()
}

fn offers() -> Vec<Attack> {
    let device = device();
    let release = sign1(&at_large(Kind::Release), &small_release(), "release-a");
    let offer = |change: fn(&mut Offer)| {
        let mut offer = small_offer(&release);
        change(&mut offer);
        sign1(&answered(Kind::Offer, &device), &offer, "online-a")
    };
    let signed_offer =
        |payload: &[u8]| sign(&answered(Kind::Offer, &device), Form::Single, payload, &["online-a"]);
    let mut too_urgent = spell(&small_offer(&release));
    *too_urgent.last_mut().unwrap() = 2;
    let closed = |offer: &mut Offer| {
        offer.switch_window = Some(SwitchWindow { opens_in_s: 2, closes_in_s: 1 });
    };
    vec![
        attack(
            "offer-of-no-attempt",
            "Attempt zero is no attempt.",
            "offer",
            offer(|it| it.attempt = AttemptId::NONE),
            BadValue,
        ),
        attack("offer-of-unknown-urgency", "More than now.", "offer", signed_offer(&too_urgent), BadValue),
        attack("offer-window-backwards", "It closes before it opens.", "offer", offer(closed), BadValue),
    ]
}

fn answers() -> Vec<Attack> {
    let answer =
        |name, story, bytes: &[u8], error: DecodeError| attack(name, story, "answer", bytes.to_vec(), error);
    let nothing_asked = spell(&Answer::Ask(Ask { nonce: false, facts: false }));
    vec![
        answer("answer-unknown", "A kind of the future.", &[0x82, 6, 0], Malformed),
        answer("answer-too-short", "A status without a status.", &[0x81, 2], Malformed),
        answer("answer-asks-for-nothing", "It asks for nothing.", &nothing_asked, BadValue),
        answer("answer-asks-for-more", "It asks for what nobody knows.", &[0x82, 1, 4], BadValue),
        answer("answer-waits-for-no-reason", "A reason of the future.", &[0x83, 5, 1, 3], BadValue),
    ]
}

fn messages() -> Vec<Attack> {
    let idle = spell(&idle());
    let with_options = |options: &[u8]| [&[0x85], &idle[1..], options].concat();
    let check_in = |name, story, options: &[u8], error: DecodeError| {
        attack(name, story, "check-in", with_options(options), error)
    };
    let mut future = idle.clone();
    future[1] = 2;
    let event =
        |kind: u8, detail: &[u8]| [&[0x82, 1, 0x81, 0x85, 1, 1, kind, 0x48], &[7; 8][..], detail].concat();
    let report = |name, story, bytes, error: DecodeError| attack(name, story, "report", bytes, error);
    let secret = {
        let claim = crate::kept::read("claim/small.cbor");
        let at = claim.windows(2).position(|pair| pair == [0x58, 32]).unwrap();
        [&claim[..at], &[0x58, 31], &claim[at + 3..]].concat()
    };
    vec![
        attack(
            "check-in-of-the-future",
            "A protocol version that is not known.",
            "check-in",
            future,
            UnknownVersion(2),
        ),
        check_in("check-in-without-options", "An empty map of options.", &[0xa0], BadValue),
        check_in("check-in-with-empty-health", "No rows, spelled out.", &[0xa1, 2, 0x80], BadValue),
        check_in("check-in-with-empty-gates", "No gates, spelled out.", &[0xa1, 3, 0x80], BadValue),
        check_in(
            "check-in-with-unknown-key",
            "An option that must be understood.",
            &[0xa1, 5, 0],
            UnknownCriticalKey(5),
        ),
        check_in(
            "check-in-with-short-nonce",
            "A nonce of four bytes.",
            &[0xa1, 0, 0x44, 1, 2, 3, 4],
            BadValue,
        ),
        report("report-of-event-zero", "No event has this number.", event(0, &[0xf6]), BadValue),
        report(
            "report-with-null-for-a-number",
            "A detail without one.",
            event(1, &[0x82, 3, 0xf6]),
            Malformed,
        ),
        report(
            "report-of-the-future",
            "A protocol version that is not known.",
            vec![0x82, 2, 0x80],
            UnknownVersion(2),
        ),
        attack("claim-with-short-secret", "A secret of 31 bytes.", "claim", secret, BadValue),
    ]
}
