//! Bytes that nobody made end in an error: never a panic, never another image than the one named.
//!
//! Touches: `crate::support`.
//! Never: expects a particular error where several are right.

use crate::support::{Seed, applied, made};
use lapwing_delta::{ApplyError, Header, HeaderError, Profile, fuzz_apply};

fn small_pair() -> (Vec<u8>, Vec<u8>) {
    let base = Seed(10).image(1500);
    let target = Seed(11).edited(&base, 8);
    (base, target)
}

/// CRC-32, for headers that lie.
fn crc(bytes: &[u8]) -> [u8; 4] {
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ ((crc & 1) * 0xEDB8_8320))
    });
    (!crc).to_le_bytes()
}

fn checksummed(mut artifact: Vec<u8>) -> Vec<u8> {
    let end = usize::from(artifact[7]);
    if (12..=artifact.len()).contains(&end) {
        let crc = crc(&artifact[..end - 4]);
        artifact[end - 4..end].copy_from_slice(&crc);
    }
    artifact
}

#[test]
fn an_artifact_cut_anywhere_is_refused() {
    let (base, target) = small_pair();
    for artifact in [made(Some(&base), &target, Profile::Kib64), made(None, &target, Profile::Kib64)] {
        for length in 0..artifact.len() {
            assert!(applied(&base, &artifact[..length], 0).is_err(), "cut at {length}");
        }
    }
}

#[test]
fn a_flipped_bit_anywhere_is_refused() {
    let (base, target) = small_pair();
    for artifact in [made(Some(&base), &target, Profile::Kib64), made(None, &target, Profile::Kib64)] {
        for bit in 0..artifact.len() * 8 {
            let mut artifact = artifact.clone();
            artifact[bit / 8] ^= 1 << (bit % 8);
            assert!(applied(&base, &artifact, 0).is_err(), "bit {bit}");
        }
    }
}

#[test]
fn header_fields_that_lie_under_a_right_checksum_are_refused_or_harmless() {
    let (base, target) = small_pair();
    let artifact = made(Some(&base), &target, Profile::Kib64);
    let (mut refused, mut all) = (0, 0);
    for at in 0..usize::from(artifact[7]) - 4 {
        for value in [0x00, 0x01, 0x7F, 0x80, 0xFF, artifact[at] ^ 1, artifact[at].wrapping_add(16)] {
            let mut lying = artifact.clone();
            lying[at] = value;
            let outcome = applied(&base, &checksummed(lying), 0);
            // The digest of the base is for the caller to compare, and a dictionary or a profile
            // may be larger than need be.
            assert!(outcome.is_err() || outcome.as_deref() == Ok(&target), "byte {at} = {value}");
            refused += usize::from(outcome.is_err());
            all += 1;
        }
    }
    assert!(refused > all * 2 / 3, "{refused} of {all}");
}

#[test]
fn what_a_later_version_may_bring_is_refused_by_name() {
    let (base, target) = small_pair();
    let artifact = made(Some(&base), &target, Profile::Kib64);
    let check = |at: usize, value: u8, expected| {
        let mut later = artifact.clone();
        later[at] = value;
        let later = checksummed(later);
        assert_eq!(Header::read(&mut later.as_slice()).err(), Some(expected));
    };
    check(0, b'X', HeaderError::Magic);
    check(4, 2, HeaderError::Version);
    check(5, 3, HeaderError::Codec);
    check(6, 0xF1, HeaderError::Architecture);
    check(6, 0x05, HeaderError::Invalid);
    let mut broken = artifact.clone();
    broken[20] ^= 1;
    assert_eq!(Header::read(&mut broken.as_slice()).err(), Some(HeaderError::Checksum));
}

#[test]
fn another_base_is_refused() {
    let (base, target) = small_pair();
    let artifact = made(Some(&base), &target, Profile::Kib64);
    let mut other = base.clone();
    other[700] ^= 1;
    // Codec 2 foretells from the base, and may get lost before the digest tells.
    let refused = applied(&other, &artifact, 0);
    assert!(matches!(refused, Err(ApplyError::TargetDigest | ApplyError::Corrupt)), "{:?}", refused.err());
    assert_eq!(applied(&base[1..], &artifact, 0), Err(ApplyError::BaseLength));
}

#[test]
fn seeded_mutations_never_panic_nor_lie() {
    let (base, target) = small_pair();
    let artifact = made(Some(&base), &target, Profile::Kib64);
    let full = made(None, &target, Profile::Kib64);
    for number in 0..5_000 {
        let mut seed = Seed(number);
        let mut bytes = if seed.below(4) == 0 { full.clone() } else { artifact.clone() };
        for _ in 0..=seed.below(6) {
            let at = seed.below(bytes.len());
            match seed.below(4) {
                0 => bytes[at] = seed.next() as u8,
                1 => bytes[at] ^= 1 << seed.below(8),
                2 => bytes.truncate(at.max(50)),
                _ => bytes.splice(at..at, seed.next().to_le_bytes()).for_each(drop),
            }
        }
        fuzz_apply(&base, &bytes);
        fuzz_apply(&base, &checksummed(bytes));
    }
}

#[test]
fn noise_behind_a_right_header_never_panics_nor_lies() {
    let (base, target) = small_pair();
    let artifact = made(Some(&base), &target, Profile::Kib64);
    for number in 0..2_000 {
        let mut seed = Seed(number);
        let mut noise = artifact.clone();
        let start = usize::from(artifact[7]) + seed.below(30);
        noise[start..].fill_with(|| seed.next() as u8);
        fuzz_apply(&base, &noise);
    }
}
