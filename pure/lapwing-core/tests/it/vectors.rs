//! The golden vectors: every object small, ordinary and largest, byte for byte.
//!
//! Touches: `formats/vectors`. `golden.rs` compares, decodes and opens what is listed here.
//! Never: lists anything that must be refused; that is in `hostile/`.

use crate::fleet::{
    DAY_S, START, answered, at_large, device, key, production_root, public_keys, role, sign, sign_n, sign1,
    small_delegation, small_offer, small_release, small_root, small_status, spell,
};
use crate::hostile::small_order_key;
use crate::largest;
use lapwing_core::envelope::{Form, Kind};
use lapwing_core::limits::PAYLOAD_BYTES_MAX;
use lapwing_core::trust::{OnlineKey, Powers, Revoked, Root, TlsAnchor};
use lapwing_core::wire::answer::{Answer, Ask, SwitchWindow, WaitReason};
use lapwing_core::{Digest, Release, ReleaseFlags, Semver, VersionRange};

/// Bytes that must never change, and what they show.
pub(crate) struct Vector {
    /// Folder and name below `formats/vectors`, without ending.
    pub(crate) name: String,
    pub(crate) story: &'static str,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn vector(name: impl Into<String>, story: &'static str, bytes: Vec<u8>) -> Vector {
    Vector { name: name.into(), story, bytes }
}

/// Every golden vector.
pub(crate) fn all() -> Vec<Vector> {
    let talk = crate::talk::vectors();
    let esp256 = crate::esp256::vectors();
    [roots(), delegations(), releases(), answers(), envelopes(), esp256, talk].into_iter().flatten().collect()
}

fn names(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

/// The second document of production: one root key changed, one release key added beside the old ones.
fn production_root_2() -> Root {
    let names =
        ["root-a", "root-b", "root-d", "release-a", "release-b", "release-c", "release-d", "delegator-a"];
    Root {
        version: 2,
        issued: START.after(100 * DAY_S),
        keys: public_keys(&names),
        release: role(2, &[3, 4, 5, 6]),
        delegator: role(1, &[7]),
        tls_anchors: [TlsAnchor::Server(Digest::of(b"server key"))].into_iter().collect(),
        ..production_root()
    }
}

/// The third: every root key changed, a release key revoked, another delegator, two TLS anchors.
fn production_root_3() -> Root {
    let names =
        ["root-d", "root-e", "root-f", "release-b", "release-c", "release-d", "delegator-a", "delegator-b"];
    let anchors =
        [TlsAnchor::Server(Digest::of(b"server key")), TlsAnchor::Authority(Digest::of(b"authority"))];
    Root {
        version: 3,
        issued: START.after(200 * DAY_S),
        not_after: START.after(600 * DAY_S),
        keys: public_keys(&names),
        delegator: role(1, &[7]),
        revoked: [Revoked { key: key("release-a").public.id(), seq_base: 100 }].into_iter().collect(),
        tls_anchors: anchors.into_iter().collect(),
        ..production_root()
    }
}

/// The second small document: the release key is another, the first is revoked.
fn small_root_2() -> Root {
    let revoked = Revoked { key: key("release-a").public.id(), seq_base: 100 };
    Root {
        version: 2,
        keys: public_keys(&["root-a", "release-b", "delegator-a"]),
        revoked: [revoked].into_iter().collect(),
        ..small_root()
    }
}

/// One key in all roles, so that only the type of an object tells its signatures apart.
fn one_key_root() -> Root {
    let only = || role(1, &[0]);
    Root { keys: public_keys(&["root-a"]), root: only(), release: only(), delegator: only(), ..small_root() }
}

fn roots() -> Vec<Vector> {
    let one = |root: &Root| sign1(&at_large(Kind::Root), root, "root-a");
    let several = |root: &Root, signers: &[&str]| sign_n(&at_large(Kind::Root), root, signers);
    let short_windows = {
        let mut root = small_root();
        root.limits.delegation_days_max = 30;
        root
    };
    vec![
        vector("root/small", "One key for each role, as in the demo.", one(&small_root())),
        vector(
            "root/small-2",
            "Follows small: another release key, the first revoked.",
            one(&small_root_2()),
        ),
        vector(
            "root/one-key",
            "One key in all roles, for attacks that only a type stops.",
            one(&one_key_root()),
        ),
        vector("root/short-windows", "As small, delegations of at most 30 days.", one(&short_windows)),
        vector(
            "root/small-order-key",
            "As small, by mistake with a release key of small order. What that signs is never believed.",
            one(&Root {
                keys: [key("root-a").public, small_order_key(), key("delegator-a").public]
                    .into_iter()
                    .collect(),
                ..small_root()
            }),
        ),
        vector(
            "root/production-1",
            "Two of three keys for root and releases.",
            several(&production_root(), &["root-a", "root-b"]),
        ),
        vector(
            "root/production-2",
            "Follows production-1: root-d for root-c, release-d beside the old release keys.",
            several(&production_root_2(), &["root-a", "root-b"]),
        ),
        vector(
            "root/production-3",
            "Follows production-2: no root key in common but root-d, so old and new keys sign.",
            several(&production_root_3(), &["root-a", "root-b", "root-e", "root-f"]),
        ),
        vector(
            "root/largest",
            "Every limit reached: all keys, revoked keys, TLS anchors and signatures.",
            several(&largest::root(), &names(&largest::signers(0))),
        ),
    ]
}

fn delegations() -> Vec<Vector> {
    let context = at_large(Kind::Delegation);
    let one = |delegation: &_| sign1(&context, delegation, "delegator-a");
    let small_2 = {
        let mut delegation = small_delegation();
        delegation.version = 2;
        delegation
    };
    let time_apart = {
        let mut delegation = small_delegation();
        let online = |name, powers| OnlineKey { key: key(name).public, powers };
        delegation.keys =
            [online("online-time", Powers::STATUS), online("online-a", Powers::OFFER)].into_iter().collect();
        delegation
    };
    let largest = sign_n(&context, &largest::delegation(), &names(&largest::signers(0)));
    vec![
        vector(
            "delegation/small",
            "One online key with the powers of status and offer.",
            one(&small_delegation()),
        ),
        vector("delegation/small-2", "As small, the next version.", one(&small_2)),
        vector("delegation/time-apart", "The time is stated by another key than offers.", one(&time_apart)),
        vector("delegation/largest", "Every limit reached.", largest),
    ]
}

/// A release as a build server makes it.
fn ordinary_release() -> Release {
    let at = |major, minor, patch| Semver { major, minor, patch };
    let range = VersionRange { from: at(1, 2, 0), below: at(1, 4, 2) };
    Release {
        raise_to: 2,
        bootloader_min: 4,
        installable_from: [range].into_iter().collect(),
        not_after: Some(START.after(366 * DAY_S)),
        build: Some("9f2c1d7".parse().unwrap()),
        sbom: Some(Digest::of(b"sbom")),
        flags: ReleaseFlags::SECURITY_ONLY,
        ..small_release()
    }
}

/// The payload of the small release with one more pair, under the first key that may be ignored.
fn release_with_ignorable_key() -> Vec<u8> {
    let mut payload = spell(&small_release());
    payload[0] += 1;
    payload.extend([0x18, 64, 0x82, 0x01, 0x61, b'x']);
    payload
}

fn releases() -> Vec<Vector> {
    let context = at_large(Kind::Release);
    let two = ["release-a", "release-c"];
    let largest = sign_n(&context, &largest::release(), &names(&largest::signers(8)));
    let ignorable = sign(&context, Form::Single, &release_with_ignorable_key(), &["release-a"]);
    vec![
        vector("release/small", "It says only what it must.", sign1(&context, &small_release(), "release-a")),
        vector(
            "release/ordinary",
            "As a build server makes it.",
            sign1(&context, &ordinary_release(), "release-a"),
        ),
        vector(
            "release/production",
            "The ordinary one, two signatures.",
            sign_n(&context, &ordinary_release(), &two),
        ),
        vector("release/with-ignorable-key", "Key 64 is not known today and is read over.", ignorable),
        vector("release/largest", "Every limit reached.", largest),
    ]
}

fn answers() -> Vec<Vector> {
    let (device, largest_device) = (device(), largest::device());
    let context = at_large(Kind::Release);
    let release = sign1(&context, &small_release(), "release-a");
    let largest_release = sign_n(&context, &largest::release(), &names(&largest::signers(8)));

    let status = sign1(&answered(Kind::Status, &device), &small_status(), "online-a");
    let largest_status = sign1(&answered(Kind::Status, &largest_device), &largest::status(), "online-full-0");
    let full_image = {
        let mut offer = small_offer(&release);
        offer.travel.from = None;
        offer.switch_window = Some(SwitchWindow { opens_in_s: 7200, closes_in_s: 21_600 });
        sign1(&answered(Kind::Offer, &device), &offer, "online-a")
    };
    let offer = sign1(&answered(Kind::Offer, &device), &small_offer(&release), "online-a");
    let largest_offer =
        sign1(&answered(Kind::Offer, &largest_device), &largest::offer(&largest_release), "online-full-0");
    let largest = Answer::Offer { offer: &largest_offer, release: Some(&largest_release) };
    let with_release = Answer::Offer { offer: &offer, release: Some(&release) };
    let wait = |reason| spell(&Answer::Wait { after_s: 900, reason });
    let ask = |nonce, facts| spell(&Answer::Ask(Ask { nonce, facts }));
    vec![
        vector("answer/nothing", "Nothing new.", spell(&Answer::Nothing { next_check_in_s: 3600 })),
        vector("answer/ask-nonce", "Ask again with a nonce.", ask(true, false)),
        vector("answer/ask-facts", "Ask again with facts.", ask(false, true)),
        vector("answer/ask-both", "Ask again with both.", ask(true, true)),
        vector("answer/status", "A signed status.", spell(&Answer::Status(&status))),
        vector("answer/offer", "An offer alone.", spell(&Answer::Offer { offer: &offer, release: None })),
        vector("answer/offer-with-release", "An offer and its release.", spell(&with_release)),
        vector(
            "answer/catch-up",
            "Newer trust documents exist.",
            spell(&Answer::CatchUp { root: 3, delegation: 7 }),
        ),
        vector("answer/wait-busy", "Not now: busy.", wait(WaitReason::Busy)),
        vector("answer/wait-preparing", "Not now: the artifact is being made.", wait(WaitReason::Preparing)),
        vector("answer/wait-quarantined", "Not now: in quarantine.", wait(WaitReason::Quarantined)),
        vector("answer/largest", "The largest offer with the largest release.", spell(&largest)),
        vector("status/small", "The time, and an hour until the next check-in.", status),
        vector("status/largest", "Every number at its largest.", largest_status),
        vector("offer/small", "A delta, for the small release.", offer),
        vector("offer/full-image", "A full image, to be switched to in a window.", full_image),
        vector("offer/largest", "Every number at its largest.", largest_offer),
    ]
}

fn envelopes() -> Vec<Vector> {
    let context = at_large(Kind::Release);
    let draft = sign(&context, Form::Several, &spell(&small_release()), &[]);
    let opaque: Vec<u8> = (0..PAYLOAD_BYTES_MAX).map(|at| at as u8).collect();
    let largest = sign(
        &answered(Kind::Offer, &largest::device()),
        Form::Several,
        &opaque,
        &names(&largest::signers(0)),
    );
    vec![
        vector("envelope/draft", "A release that nobody has signed yet. It is never believed.", draft),
        vector("envelope/largest", "The largest payload and eight signatures; not an object.", largest),
    ]
}
