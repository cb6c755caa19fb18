//! The second algorithm: a root whose release key is P-256, believed where ESP256 is built in.
//!
//! Touches: `p256`, to sign as RFC 6979 says, so that the bytes are always the same.

use crate::fleet::{at_large, key, sign1, small_release, small_root, spell};
use crate::kept::read;
use crate::vectors::{Vector, vector};
use lapwing_core::envelope::{Form, Kind, seal};
use lapwing_core::trust::{PublicKey, Root};
use lapwing_core::{Digest, OpenError, TrustAnchor};
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::{Signature, SigningKey};

/// The P-256 key of a name: the seed of Ed25519 keys, as a number.
fn signing_key(name: &str) -> SigningKey {
    SigningKey::from_slice(Digest::of(format!("lapwing vector key {name}").as_bytes()).as_bytes()).unwrap()
}

fn public_key(name: &str) -> PublicKey {
    let point = signing_key(name).verifying_key().to_sec1_point(true);
    PublicKey::esp256(point.as_bytes().try_into().unwrap())
}

fn release() -> Vec<u8> {
    let (signing, payload) = (signing_key("esp-a"), spell(&small_release()));
    let mut sign = |message: &[u8]| {
        let signature: Signature = signing.sign(message);
        Some(signature.to_bytes().into())
    };
    let mut buffer = [0; 512];
    let context = at_large(Kind::Release);
    seal(&context, Form::Single, &payload, &public_key("esp-a"), &mut sign, &mut buffer).unwrap().to_vec()
}

pub(crate) fn vectors() -> Vec<Vector> {
    let keys = [key("root-a").public, public_key("esp-a"), key("delegator-a").public];
    let root = Root { keys: keys.into_iter().collect(), ..small_root() };
    let root = sign1(&at_large(Kind::Root), &root, "root-a");
    vec![
        vector("root/esp256", "As small, with a P-256 key for releases.", root),
        vector("release/esp256", "The small release, signed with ESP256.", release()),
    ]
}

#[test]
fn esp256_is_believed_where_it_is_built_in_and_nowhere_else() {
    let anchor = TrustAnchor::provisioned(&read("root/esp256.cbor")).unwrap();
    let good = read("release/esp256.cbor");
    let refused = Err(OpenError::Threshold { valid: 0, needed: 1 });
    let expected = if cfg!(feature = "esp256") { Ok(()) } else { refused };
    assert_eq!(anchor.open_release(&good).map(drop), expected);
    for at in [good.len() - 64, good.len() - 1, good.len() - 70] {
        let mut wrong = good.clone();
        wrong[at] ^= 1;
        assert!(anchor.open_release(&wrong).is_err());
    }
}
