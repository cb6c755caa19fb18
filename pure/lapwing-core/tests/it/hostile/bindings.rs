//! Good signatures in the wrong place: for another type, form, fleet, device or nonce.
//!
//! Touches: the external authenticated data of `lapwing_core::envelope`.

use super::case::{Attack, attack};
use super::signatures::{NONE, offer, release};
use crate::fleet::{
    FLEET, NONCE, answered, at_large, device, sign, sign_n, sign1, small_delegation, small_release,
    small_status, spell,
};
use lapwing_core::envelope::{Context, Envelope, Form, Kind};
use lapwing_core::{DeviceId, FleetId, Nonce, OpenError};

pub(super) fn attacks() -> Vec<Attack> {
    [for_something_else(), forms(), for_somebody_else()].into_iter().flatten().collect()
}

fn for_something_else() -> Vec<Attack> {
    let device = device();
    let sign_as = |kind: Kind, payload: &[u8]| sign(&at_large(kind), Form::Single, payload, &["root-a"]);
    let root = "root/one-key";
    let delegation = sign_as(Kind::Release, &spell(&small_delegation()));
    let release_as_delegation = sign_as(Kind::Delegation, &spell(&small_release()));
    let root_as_release = sign_as(Kind::Root, &spell(&small_release()));
    let status = sign1(&answered(Kind::Offer, &device), &small_status(), "online-a");
    let offer_as_status = offer(&answered(Kind::Status, &device), "online-a");
    let at_large_offer = offer(&at_large(Kind::Offer), "online-a");
    let not_delegated = OpenError::NotDelegated;
    vec![
        attack(
            "delegation-signed-as-release",
            "A signature for a release, on a delegation.",
            "delegation",
            delegation,
            NONE,
        )
        .under(root),
        attack(
            "release-signed-as-delegation",
            "A signature for a delegation, on a release.",
            "release",
            release_as_delegation,
            NONE,
        )
        .under(root),
        attack(
            "release-signed-as-root",
            "A signature for a root, on a release.",
            "release",
            root_as_release,
            NONE,
        )
        .under(root),
        attack(
            "status-signed-as-offer",
            "A signature for an offer, on a status.",
            "status",
            status,
            not_delegated,
        ),
        attack(
            "offer-signed-as-status",
            "A signature for a status, on an offer.",
            "offer",
            offer_as_status,
            not_delegated,
        ),
        attack(
            "offer-signed-for-nobody",
            "An offer bound to no device and nonce.",
            "offer",
            at_large_offer,
            not_delegated,
        ),
    ]
}

fn forms() -> Vec<Attack> {
    let several = sign_n(&at_large(Kind::Release), &small_release(), &["release-a"]);
    let as_several = change_form(&release("release-a"), Form::Several);
    let as_single = change_form(&several, Form::Single);
    let story = "COSE_Sign1 turned into COSE_Sign.";
    let back = "COSE_Sign turned into COSE_Sign1.";
    vec![
        attack("single-signature-as-one-of-several", story, "release", as_several, NONE),
        attack("one-of-several-as-single-signature", back, "release", as_single, NONE),
    ]
}

fn change_form(bytes: &[u8], form: Form) -> Vec<u8> {
    spell(&Envelope { form, ..Envelope::parse(bytes).unwrap() })
}

fn for_somebody_else() -> Vec<Attack> {
    let (device, other): (DeviceId, DeviceId) = (device(), "sensor-0002".parse().unwrap());
    let session = |kind, device, nonce| Context { kind, fleet: FLEET, session: Some((device, nonce)) };
    let fleet = FleetId([0xee; 16]);
    let stale = Nonce(*b"nonce-00");
    let status = |context: Context<'_>| sign1(&context, &small_status(), "online-a");
    let offer = |context: Context<'_>| offer(&context, "online-a");
    let of_fleet = |kind| Context { kind, fleet, session: Some((&device, NONCE)) };
    let release =
        sign1(&Context { kind: Kind::Release, fleet, session: None }, &small_release(), "release-a");
    let refused = OpenError::NotDelegated;
    vec![
        attack("release-for-other-fleet", "The same keys, another fleet.", "release", release, NONE),
        attack(
            "offer-for-other-fleet",
            "The same keys, another fleet.",
            "offer",
            offer(of_fleet(Kind::Offer)),
            refused,
        ),
        attack(
            "status-for-other-fleet",
            "The same keys, another fleet.",
            "status",
            status(of_fleet(Kind::Status)),
            refused,
        ),
        attack(
            "offer-for-other-device",
            "Another device's offer.",
            "offer",
            offer(session(Kind::Offer, &other, NONCE)),
            refused,
        ),
        attack(
            "offer-for-other-nonce",
            "An old offer, replayed.",
            "offer",
            offer(session(Kind::Offer, &device, stale)),
            refused,
        ),
        attack(
            "status-for-other-device",
            "Another device's status.",
            "status",
            status(session(Kind::Status, &other, NONCE)),
            refused,
        ),
        attack(
            "status-for-other-nonce",
            "An old status, replayed.",
            "status",
            status(session(Kind::Status, &device, stale)),
            refused,
        ),
    ]
}
