//! For all inputs: what is spelled is read back, nothing from outside panics, no changed bit is believed.
//!
//! Touches: `made_up.rs`. Runs are seeded, so that a failure comes back; `cargo xtask fuzz` looks further.

use crate::fleet::{
    NONCE, answered, at_large, device, sign1, small_anchor, small_offer, small_release, small_status,
};
use crate::fleet::{small_delegation, small_root, spell};
use crate::made_up;
use crate::vectors;
use lapwing_core::TrustAnchor;
use lapwing_core::cbor::{Wire, decode, encode};
use lapwing_core::envelope::{Envelope, Form, Kind};
use lapwing_core::limits::ENVELOPE_BYTES_MAX;
use lapwing_core::trust::{Delegation, Root};
use lapwing_core::wire::answer::{Answer, Offer, Status};
use lapwing_core::wire::check_in::CheckIn;
use lapwing_core::wire::claim::{Claim, ClaimToken, DeviceSecret};
use lapwing_core::wire::report::Report;
use lapwing_core::{Release, SlotTable};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::sample::Index;
use proptest::test_runner::{Config, TestCaseResult, TestRng, TestRunner};
use proptest::{prop_assert, prop_assert_eq};

/// Tries a property on so many inputs, always the same ones.
fn for_all<S: Strategy>(cases: u32, strategy: &S, property: impl Fn(S::Value) -> TestCaseResult) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let seeded = TestRng::deterministic_rng(config.rng_algorithm);
    let result = TestRunner::new_with_rng(config, seeded).run(strategy, property);
    assert!(result.is_ok(), "{}", result.unwrap_err());
}

fn comes_back<'b, T: Wire<'b> + PartialEq + std::fmt::Debug>(
    value: &T,
    buffer: &'b mut [u8],
) -> TestCaseResult {
    let len = encode(value, buffer).map_or(0, <[u8]>::len);
    let buffer: &'b [u8] = buffer;
    let back = decode::<T>(&buffer[..len]);
    prop_assert_eq!(back.as_ref(), Ok(value));
    prop_assert!(encode(value, &mut vec![0; len - 1]).is_err(), "a buffer one byte too small must not do");
    Ok(())
}

const BUFFER_LEN: usize = 4096;

#[test]
fn everything_that_is_spelled_is_read_back() {
    let cases = 400;
    for_all(cases, &made_up::release(), |value| comes_back(&value, &mut [0; BUFFER_LEN]));
    for_all(cases, &made_up::root(), |value| comes_back(&value, &mut [0; BUFFER_LEN]));
    for_all(cases, &made_up::delegation(), |value| comes_back(&value, &mut [0; BUFFER_LEN]));
    for_all(cases, &made_up::status(), |value| comes_back(&value, &mut [0; BUFFER_LEN]));
    for_all(cases, &made_up::offer(), |value| comes_back(&value, &mut [0; BUFFER_LEN]));
    for_all(cases, &made_up::report(), |value| comes_back(&value, &mut [0; BUFFER_LEN]));
    for_all(cases, &made_up::check_in(), |value| comes_back(&value, &mut [0; BUFFER_LEN]));
}

#[test]
fn facts_are_read_back_wherever_they_stand() {
    for_all(200, &(made_up::check_in(), made_up::named_facts()), |(check_in, named)| {
        let mut buffer = [0; BUFFER_LEN];
        let facts = made_up::facts(&named, &mut buffer);
        prop_assert!(
            facts.named.iter().eq(named.iter().map(|(name, value)| (name.as_str(), value.as_str())))
        );
        let claim =
            Claim { device: device(), token: ClaimToken([1; 16]), secret: DeviceSecret([2; 32]), facts };
        comes_back(&CheckIn { facts: Some(facts), ..check_in }, &mut [0; BUFFER_LEN])?;
        comes_back(&claim, &mut [0; BUFFER_LEN])
    });
}

#[test]
fn any_payload_is_sealed_and_taken_apart_again() {
    let input = (vec(any::<u8>(), 0..=2048), 0..=8_usize);
    for_all(40, &input, |(payload, signers)| {
        let names: Vec<_> = (0..signers).map(|at| format!("full-{at}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let bytes = crate::fleet::sign(&at_large(Kind::Release), Form::Several, &payload, &names);
        prop_assert!(bytes.len() <= ENVELOPE_BYTES_MAX);
        let envelope = Envelope::parse(&bytes).unwrap();
        prop_assert_eq!((envelope.payload, envelope.signatures.len()), (&payload[..], signers));
        for name in &names {
            prop_assert!(envelope.is_signed_by(&crate::fleet::key(name).public, &at_large(Kind::Release)));
        }
        prop_assert_eq!(spell(&envelope), bytes);
        Ok(())
    });
}

/// Reads bytes as everything they could be. What is read is spelled no longer than it was, and settles.
fn read_as_everything(bytes: &[u8]) -> TestCaseResult {
    fn read<'b, T: Wire<'b>>(bytes: &'b [u8]) -> TestCaseResult {
        let Ok(value) = decode::<T>(bytes) else { return Ok(()) };
        let mut buffer = [0; BUFFER_LEN];
        let again = encode(&value, &mut buffer).unwrap();
        prop_assert!(again.len() <= bytes.len());
        Ok(())
    }
    read::<Root>(bytes)?;
    read::<Delegation>(bytes)?;
    read::<Release>(bytes)?;
    read::<Status>(bytes)?;
    read::<Offer>(bytes)?;
    read::<Answer<'_>>(bytes)?;
    read::<CheckIn<'_>>(bytes)?;
    read::<Report>(bytes)?;
    read::<Claim<'_>>(bytes)?;
    if let Ok(Envelope { payload, .. }) = Envelope::parse(bytes) {
        read::<Root>(payload)?;
        read::<Release>(payload)?;
        read::<Offer>(payload)?;
    }
    let _ = SlotTable::decode(&[0, 1].map(|half| {
        let mut record = [0; lapwing_core::SLOT_RECORD_LEN];
        record.iter_mut().zip(bytes.iter().skip(half * 128)).for_each(|(to, from)| *to = *from);
        record
    }));
    Ok(())
}

#[test]
fn random_bytes_never_panic() {
    for_all(4000, &vec(any::<u8>(), 0..300), |bytes| read_as_everything(&bytes));
}

#[test]
fn changed_vectors_never_panic() {
    let vectors = vectors::all();
    let change = (any::<Index>(), vec((any::<Index>(), any::<u8>(), 0..4_u8), 1..4));
    for_all(8000, &change, |(which, changes)| {
        let mut bytes = which.get(&vectors).bytes.clone();
        for (at, byte, how) in changes {
            let at = at.index(bytes.len());
            match how {
                0 => bytes.insert(at, byte),
                1 if bytes.len() > 1 => drop(bytes.remove(at)),
                2 => bytes[at] ^= 1 << (byte % 8),
                _ => bytes[at] = byte,
            }
        }
        read_as_everything(&bytes)
    });
}

#[test]
fn no_changed_bit_is_believed() {
    let (anchor, device) = (small_anchor(), device());
    let release = sign1(&at_large(Kind::Release), &small_release(), "release-a");
    let offer = sign1(&answered(Kind::Offer, &device), &small_offer(&release), "online-a");
    let status = sign1(&answered(Kind::Status, &device), &small_status(), "online-a");
    let delegation = sign1(&at_large(Kind::Delegation), &small_delegation(), "delegator-a");
    let root = sign1(&at_large(Kind::Root), &small_root(), "root-a");
    let is_believed = |kind: usize, bytes: &[u8]| match kind {
        0 => anchor.open_release(bytes).is_ok(),
        1 => anchor.open_offer(bytes, &device, NONCE).is_ok(),
        2 => anchor.open_status(bytes, &device, NONCE).is_ok(),
        3 => anchor.delegate(bytes).is_ok(),
        _ => TrustAnchor::provisioned(bytes).is_ok(),
    };
    for (kind, good) in [release, offer, status, delegation, root].iter().enumerate() {
        assert!(is_believed(kind, good));
        for bit in 0..8 * good.len() {
            let mut wrong = good.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_believed(kind, &wrong), "object {kind}, bit {bit}");
        }
    }
}
