//! The edges of Ed25519: signatures that a lax verifier accepts.
//!
//! Source: RFC 8032 section 8.4 (S below the group order), and "Taming the many EdDSAs" (small order).

use super::case::{Attack, attack};
use super::signatures::{release_message, too_few};
use crate::fleet::{at_large, key, sign1, small_release, spell};
use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
use lapwing_core::envelope::{Envelope, Form, Kind, SignatureEntry};
use lapwing_core::trust::{Algorithm, PublicKey};

/// The order of the group, least significant byte first.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];
/// The neutral element, as a key: every message has a signature that a lax verifier accepts.
const NEUTRAL: [u8; 32] = {
    let mut point = [0; 32];
    point[0] = 1;
    point
};

pub(crate) fn small_order_key() -> PublicKey {
    PublicKey::ed25519(&NEUTRAL)
}

/// R neutral and S zero: S·B = R + k·A holds for every message if A is neutral.
fn signature_for_anything() -> [u8; 64] {
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&NEUTRAL);
    signature
}

/// The same signature with the group order added to S.
fn with_order_added(mut signature: [u8; 64]) -> [u8; 64] {
    let mut carry = 0;
    for (digit, order) in signature[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*digit) + u16::from(order) + carry;
        *digit = sum as u8;
        carry = sum >> 8;
    }
    signature
}

pub(super) fn attacks() -> Vec<Attack> {
    let payload = spell(&small_release());
    let forged = |key: &PublicKey, signature| {
        let entry = SignatureEntry { algorithm: Algorithm::Ed25519, key: key.id(), signature };
        spell(&Envelope { form: Form::Single, payload: &payload, signatures: [entry].into_iter().collect() })
    };
    let signer = key("release-a");
    let good = signer.sign(&release_message(Form::Single, &payload, "release-a"));
    assert_eq!(forged(&signer.public, good), sign1(&at_large(Kind::Release), &small_release(), "release-a"));
    let small = forged(&small_order_key(), signature_for_anything());
    let malleable = forged(&signer.public, with_order_added(good));
    let small_r = {
        let mut signature = good;
        signature[..32].copy_from_slice(&NEUTRAL);
        forged(&signer.public, signature)
    };
    vec![
        attack(
            "small-order-key",
            "A key of small order, for which one signature fits all.",
            "release",
            small,
            too_few(0, 1),
        )
        .under("root/small-order-key"),
        attack("small-order-r", "R of small order.", "release", small_r, too_few(0, 1)),
        attack(
            "malleable-signature",
            "S and the group order: a second spelling.",
            "release",
            malleable,
            too_few(0, 1),
        ),
    ]
}

#[test]
fn a_lax_verifier_would_believe_the_key_of_small_order() {
    let message = release_message(Form::Single, &spell(&small_release()), "release-a");
    let lax = VerifyingKey::from_bytes(&NEUTRAL).unwrap();
    let signature = Signature::from_bytes(&signature_for_anything());
    assert!(lax.verify(&message, &signature).is_ok());
    assert!(lax.verify_strict(&message, &signature).is_err());
}
