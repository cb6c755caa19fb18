//! Every golden vector: kept byte for byte, decoded, spelled again, opened, and cut at every byte.
//!
//! Touches: `vectors.rs`. Sizes are part of the contract: what fits one datagram must go on fitting.

use crate::fleet::{FLEET, NONCE, answered, device, key, sign1, spell};
use crate::kept::{keep, keep_only, read};
use crate::largest;
use crate::notation::{hex, notation};
use crate::vectors::{Vector, all};
use lapwing_core::cbor::{DecodeError, Wire, decode};
use lapwing_core::envelope::{Context, Envelope, Kind};
use lapwing_core::limits::ENVELOPE_BYTES_MAX;
use lapwing_core::trust::{Delegation, Root};
use lapwing_core::wire::answer::{Answer, Offer, Status};
use lapwing_core::wire::check_in::CheckIn;
use lapwing_core::wire::claim::Claim;
use lapwing_core::wire::report::Report;
use lapwing_core::{Digest, Release, TrustAnchor, UnixSeconds};
use std::collections::BTreeMap;

const FOLDERS: [&str; 10] =
    ["answer", "check-in", "claim", "delegation", "envelope", "offer", "release", "report", "root", "status"];
/// Vectors with keys that this code reads over and therefore does not write again.
const READ_OVER: [&str; 1] = ["release/with-ignorable-key"];

fn folder(vector: &Vector) -> &str {
    vector.name.split('/').next().unwrap()
}

fn text(vector: &Vector) -> String {
    let Vector { name, story, bytes } = vector;
    let parts = match Envelope::parse(bytes) {
        Ok(envelope) => {
            let (payload, signatures) = (envelope.payload.len(), envelope.signatures.len());
            format!(" (payload {payload}, signatures {signatures})")
        }
        Err(_) => String::new(),
    };
    format!("{name}: {} bytes{parts}\n{story}\n\n{}\n", bytes.len(), notation(bytes))
}

#[test]
fn vectors_are_spelled_as_they_always_were() {
    let vectors = all();
    let mut files: BTreeMap<_, Vec<_>> = FOLDERS.map(|folder| (folder, Vec::new())).into();
    for vector in &vectors {
        keep(&format!("{}.cbor", vector.name), &vector.bytes);
        keep(&format!("{}.txt", vector.name), text(vector).as_bytes());
        let file = vector.name.split('/').nth(1).unwrap();
        files.get_mut(folder(vector)).unwrap().extend([format!("{file}.cbor"), format!("{file}.txt")]);
    }
    for (folder, files) in files {
        keep_only(folder, files);
    }
    let sizes: String =
        vectors.iter().map(|vector| format!("{:5} {}\n", vector.bytes.len(), vector.name)).collect();
    keep("sizes.txt", sizes.as_bytes());
}

#[test]
fn keys_are_made_as_the_readme_says() {
    let names = "root-a root-b root-c root-d root-e root-f release-a release-b release-c release-d \
                 delegator-a delegator-b online-a online-time stranger";
    let line = |name: &str| {
        let seed = Digest::of(format!("lapwing vector key {name}").as_bytes());
        let public = key(name).public;
        format!("{name} seed={seed} public={} id={}\n", hex(public.as_bytes()), public.id())
    };
    let table: String = names.split_whitespace().map(line).collect();
    keep("keys.txt", format!("# Ed25519 keys of the vectors. Fleet {FLEET}.\n{table}").as_bytes());
}

/// Decodes bytes of this folder and spells them again, payload included.
fn spell_again(folder: &str, bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    fn again<'b, T: Wire<'b>>(bytes: &'b [u8]) -> Result<Vec<u8>, DecodeError> {
        decode::<T>(bytes).map(|value| spell(&value))
    }
    fn envelope<'b, T: Wire<'b>>(bytes: &'b [u8]) -> Result<Vec<u8>, DecodeError> {
        let Envelope { form, payload, signatures } = Envelope::parse(bytes)?;
        let payload = again::<T>(payload)?;
        Ok(spell(&Envelope { form, payload: &payload, signatures }))
    }
    match folder {
        "answer" => again::<Answer<'_>>(bytes),
        "check-in" => again::<CheckIn<'_>>(bytes),
        "claim" => again::<Claim<'_>>(bytes),
        "report" => again::<Report>(bytes),
        "envelope" => again::<Envelope<'_>>(bytes),
        "root" => envelope::<Root>(bytes),
        "delegation" => envelope::<Delegation>(bytes),
        "release" => envelope::<Release>(bytes),
        "status" => envelope::<Status>(bytes),
        "offer" => envelope::<Offer>(bytes),
        other => panic!("no decoder for {other}"),
    }
}

#[test]
fn vectors_decode_and_are_spelled_again_the_same() {
    for vector in all() {
        let again = spell_again(folder(&vector), &vector.bytes);
        let again = again.unwrap_or_else(|error| panic!("{}: {error}", vector.name));
        if READ_OVER.contains(&vector.name.as_str()) {
            assert!(again.len() < vector.bytes.len(), "{}", vector.name);
        } else {
            assert_eq!(again, vector.bytes, "{}", vector.name);
        }
    }
}

#[test]
fn a_vector_cut_anywhere_or_made_longer_is_refused() {
    for vector in all() {
        for end in 0..vector.bytes.len() {
            let cut = spell_again(folder(&vector), &vector.bytes[..end]);
            assert_eq!(cut, Err(DecodeError::Malformed), "{} cut at {end}", vector.name);
        }
        let longer = [&vector.bytes[..], &[0]].concat();
        assert_eq!(spell_again(folder(&vector), &longer), Err(DecodeError::TrailingBytes), "{}", vector.name);
    }
}

fn open_release(anchor: &TrustAnchor, name: &str) -> Release {
    anchor.open_release(&read(name)).unwrap_or_else(|error| panic!("{name}: {error}")).into_inner()
}

#[test]
fn small_vectors_open_from_their_files() {
    let anchor = TrustAnchor::provisioned(&read("root/small.cbor")).unwrap();
    for name in ["release/small.cbor", "release/ordinary.cbor", "release/with-ignorable-key.cbor"] {
        assert_eq!(open_release(&anchor, name).seq, 42);
    }
    let anchor = anchor.delegate(&read("delegation/small.cbor")).unwrap();
    assert_eq!(
        anchor.open_status(&read("status/small.cbor"), &device(), NONCE).unwrap().0.next_check_in_s,
        3600
    );
    for name in ["offer/small.cbor", "offer/full-image.cbor"] {
        let (offer, _) = anchor.open_offer(&read(name), &device(), NONCE).unwrap();
        assert_eq!(offer.release, Digest::of(&read("release/small.cbor")));
    }
    let anchor = anchor.delegate(&read("delegation/time-apart.cbor"));
    assert!(anchor.is_err(), "another delegation of the same version");
    let anchor = TrustAnchor::provisioned(&read("root/small.cbor")).unwrap();
    let anchor = anchor.delegate(&read("delegation/time-apart.cbor")).unwrap();
    assert!(anchor.open_offer(&read("offer/small.cbor"), &device(), NONCE).is_ok());
}

#[test]
fn a_device_that_slept_walks_from_the_first_root_to_the_third() {
    let first = TrustAnchor::provisioned(&read("root/production-1.cbor")).unwrap();
    open_release(&first, "release/production.cbor");
    let second = first.advance(&read("root/production-2.cbor")).unwrap();
    open_release(&second, "release/production.cbor");
    let third = second.advance(&read("root/production-3.cbor")).unwrap();
    assert!(third.open_release(&read("release/production.cbor")).is_err(), "release-a is revoked");
    assert_eq!((third.root().version, third.root().seq_base()), (3, 100));
    assert_eq!(TrustAnchor::provisioned(&read("root/production-3.cbor")), Ok(third));
}

#[test]
fn the_largest_vectors_open_too() {
    let anchor = TrustAnchor::provisioned(&read("root/largest.cbor")).unwrap();
    let anchor = anchor.delegate(&read("delegation/largest.cbor")).unwrap();
    assert_eq!(open_release(&anchor, "release/largest.cbor"), largest::release());
    let device = largest::device();
    assert!(anchor.open_status(&read("status/largest.cbor"), &device, NONCE).is_ok());
    assert!(anchor.open_offer(&read("offer/largest.cbor"), &device, NONCE).is_ok());

    let bytes = read("envelope/largest.cbor");
    let context = Context { kind: Kind::Offer, fleet: FLEET, session: Some((&device, NONCE)) };
    let envelope = Envelope::parse(&bytes).unwrap();
    for signer in largest::signers(0) {
        assert!(envelope.is_signed_by(&key(&signer).public, &context), "{signer}");
    }
    assert!(bytes.len() <= ENVELOPE_BYTES_MAX);
}

/// What CoAP and OSCORE put around an answer in one datagram.
const COAP_OSCORE_BYTES: usize = 18;

#[test]
fn sizes_keep_to_their_budgets() {
    let size = |name: &str| read(&format!("{name}.cbor")).len();
    assert_eq!(size("check-in/idle"), 19);
    assert_eq!(size("answer/nothing"), 5);
    // A2: a signed, fresh "nothing to do" in 110 bytes of UDP payload, until the year 2106.
    let until_2106 = Status { now: UnixSeconds(u32::MAX.into()), next_check_in_s: u32::MAX };
    let device = device();
    let longest = sign1(&answered(Kind::Status, &device), &until_2106, "online-a");
    assert_eq!((size("status/small"), longest.len()), (88, 90));
    assert!(spell(&Answer::Status(&longest)).len() + COAP_OSCORE_BYTES <= 110);
    // A3: offer and release in one datagram of 480 bytes of UDP payload.
    let [offer, small, ordinary] = ["offer/small", "release/small", "release/ordinary"].map(size);
    assert_eq!((offer, small, ordinary), (188, 186, 253));
    assert_eq!(size("answer/offer-with-release"), 2 + offer + small);
    assert!(2 + offer + ordinary + COAP_OSCORE_BYTES <= 480);
}
