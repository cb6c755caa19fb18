//! COSE as another library reads and writes it: `coset` opens ours, ours opens what `coset` made.
//!
//! Touches: `coset`, `ciborium`. The authenticated data is spelled here by hand, as others would.
//! Never: uses our own code for what it proves.

use crate::fleet::{
    FLEET, NONCE, Signer, answered, at_large, device, key, production_root, sign_n, sign1, small_anchor,
    small_offer, small_release, small_status, spell,
};
use coset::cbor::Value;
use coset::{
    CborSerializable as _, CoseSign, CoseSign1, CoseSign1Builder, CoseSignBuilder, CoseSignatureBuilder,
    Header, HeaderBuilder, iana,
};
use ed25519_dalek::{Signature, VerifyingKey};
use lapwing_core::envelope::Kind;
use lapwing_core::{Digest, TrustAnchor};

/// `["lapwing1", type, fleet]`, and for answers also device and nonce.
fn authenticated(kind: &str, is_answer: bool) -> Vec<u8> {
    let mut parts = vec![Value::from("lapwing1"), Value::from(kind), Value::from(&FLEET.0[..])];
    if is_answer {
        parts.extend([Value::from(device().as_str()), Value::from(&NONCE.0[..])]);
    }
    let mut bytes = Vec::new();
    coset::cbor::ser::into_writer(&Value::Array(parts), &mut bytes).unwrap();
    bytes
}

fn verify(signer: &Signer, signature: &[u8], message: &[u8]) -> Result<(), ed25519_dalek::SignatureError> {
    let public = VerifyingKey::from_bytes(signer.public.as_bytes().try_into().unwrap()).unwrap();
    public.verify_strict(message, &Signature::from_slice(signature)?)
}

fn header(signer: &Signer) -> Header {
    let id = Digest::of(signer.public.as_bytes()).as_bytes()[..4].to_vec();
    HeaderBuilder::new().algorithm(iana::Algorithm::Ed25519).key_id(id).build()
}

#[test]
fn coset_verifies_what_we_signed_once() {
    let device = device();
    let release = sign1(&at_large(Kind::Release), &small_release(), "release-a");
    let cases = [
        ("root", false, "root-a", crate::kept::read("root/small.cbor")),
        ("delegation", false, "delegator-a", crate::kept::read("delegation/small.cbor")),
        ("release", false, "release-a", release.clone()),
        ("status", true, "online-a", sign1(&answered(Kind::Status, &device), &small_status(), "online-a")),
        (
            "offer",
            true,
            "online-a",
            sign1(&answered(Kind::Offer, &device), &small_offer(&release), "online-a"),
        ),
    ];
    for (kind, is_answer, signer, bytes) in cases {
        let signer = key(signer);
        let envelope = CoseSign1::from_slice(&bytes).unwrap();
        assert_eq!(envelope.protected.header, header(&signer), "{kind}");
        assert!(envelope.unprotected.is_empty());
        let check =
            |aad: &[u8]| envelope.verify_signature(aad, |signature, tbs| verify(&signer, signature, tbs));
        assert!(check(&authenticated(kind, is_answer)).is_ok(), "{kind}");
        assert!(check(&authenticated("other", is_answer)).is_err(), "{kind}");
        assert_eq!(envelope.to_vec().unwrap(), bytes, "{kind}");
    }
}

#[test]
fn coset_verifies_what_several_signed() {
    let signers = ["release-a", "release-c"];
    let bytes = sign_n(&at_large(Kind::Release), &small_release(), &signers);
    let envelope = CoseSign::from_slice(&bytes).unwrap();
    let aad = authenticated("release", false);
    for (at, signer) in signers.map(key).iter().enumerate() {
        assert_eq!(envelope.signatures[at].protected.header, header(signer));
        assert!(envelope.verify_signature(at, &aad, |signature, tbs| verify(signer, signature, tbs)).is_ok());
    }
    assert_eq!(envelope.to_vec().unwrap(), bytes);
}

#[test]
fn what_coset_signed_opens() {
    let (release, status) = (key("release-a"), key("online-a"));
    let made = |signer: &Signer, payload, aad: &[u8]| {
        let draft = CoseSign1Builder::new().protected(header(signer)).payload(payload);
        draft.create_signature(aad, |tbs| signer.sign(tbs).to_vec()).build().to_vec().unwrap()
    };
    let release = made(&release, spell(&small_release()), &authenticated("release", false));
    assert_eq!(*small_anchor().open_release(&release).unwrap(), small_release());
    let status = made(&status, spell(&small_status()), &authenticated("status", true));
    assert!(small_anchor().open_status(&status, &device(), NONCE).is_ok());
}

#[test]
fn what_several_signed_with_coset_opens() {
    let root = sign_n(&at_large(Kind::Root), &production_root(), &["root-a", "root-b"]);
    let aad = authenticated("release", false);
    let add = |draft: CoseSignBuilder, name: &str| {
        let signer = key(name);
        let entry = CoseSignatureBuilder::new().protected(header(&signer)).build();
        draft.add_created_signature(entry, &aad, |tbs| signer.sign(tbs).to_vec())
    };
    let draft = CoseSignBuilder::new().payload(spell(&small_release()));
    let envelope = add(add(draft, "release-b"), "release-c").build().to_vec().unwrap();
    assert!(TrustAnchor::provisioned(&root).unwrap().open_release(&envelope).is_ok());
}
