//! Signatures that are missing, wrong, of the wrong key, for something else, or for somebody else.
//!
//! Touches: `lapwing_core::envelope`. Never: a sound object that breaks a rule of trust; see `trust.rs`.

use super::case::{Attack, attack};
use crate::fleet::{
    answered, at_large, device, key, sign, sign_n, sign1, small_delegation, small_offer, small_release,
    small_root, small_status, spell,
};
use lapwing_core::envelope::{Context, Envelope, Form, Kind, SignatureEntry, to_be_signed};
use lapwing_core::trust::Algorithm;
use lapwing_core::{DecodeError, OpenError};

pub(super) const fn too_few(valid: u8, needed: u8) -> OpenError {
    OpenError::Threshold { valid, needed }
}

pub(super) const NONE: OpenError = too_few(0, 1);

pub(super) fn attacks() -> Vec<Attack> {
    [missing_or_wrong(), counted(), of_the_wrong_key(), tampered()].into_iter().flatten().collect()
}

pub(super) fn release(signer: &str) -> Vec<u8> {
    sign1(&at_large(Kind::Release), &small_release(), signer)
}

pub(super) fn offer(context: &Context<'_>, signer: &str) -> Vec<u8> {
    sign1(context, &small_offer(&release("release-a")), signer)
}

/// The same envelope with its signatures changed.
fn with_entries(bytes: &[u8], change: impl FnMut(&mut SignatureEntry)) -> Vec<u8> {
    let mut envelope = Envelope::parse(bytes).unwrap();
    envelope.signatures.iter_mut().for_each(change);
    spell(&envelope)
}

fn missing_or_wrong() -> Vec<Attack> {
    let payload = spell(&small_release());
    let unsigned = sign(&at_large(Kind::Release), Form::Several, &payload, &[]);
    let flipped = with_entries(&release("release-a"), |entry| entry.signature[40] ^= 1);
    let zero = with_entries(&release("release-a"), |entry| entry.signature = [0; 64]);
    let mut short = release("release-a");
    short.pop();
    let length = short.len() - 64;
    short[length] = 63;
    let stolen = with_entries(&release("stranger"), |entry| entry.key = key("release-a").public.id());
    let algorithm = with_entries(&release("release-a"), |entry| {
        let signer = key("release-a");
        entry.algorithm = Algorithm::Esp256;
        let of = (entry.algorithm, entry.key);
        let context = at_large(Kind::Release);
        let message = to_be_signed(&context, Form::Single, of, &payload, &mut [0; 4096]).unwrap().to_vec();
        entry.signature = signer.sign(&message);
    });
    vec![
        attack("signature-missing", "A release that nobody signed.", "release", unsigned, NONE),
        attack("signature-wrong", "One bit of the signature is another.", "release", flipped, NONE),
        attack("signature-zero", "The signature is all zeros.", "release", zero, NONE),
        attack("signature-short", "A signature of 63 bytes.", "release", short, DecodeError::BadValue),
        attack("key-id-borrowed", "A stranger's signature under a known key's id.", "release", stolen, NONE),
        attack(
            "algorithm-mismatch",
            "A good signature, under a header that names an algorithm the key is not for.",
            "release",
            algorithm,
            NONE,
        ),
    ]
}

fn counted() -> Vec<Attack> {
    let several = |signers: &[&str]| sign_n(&at_large(Kind::Release), &small_release(), signers);
    let root = "root/production-1";
    let twice = several(&["release-a", "release-a"]);
    let roles = several(&["release-a", "root-a", "delegator-a", "stranger"]);
    let one = too_few(1, 2);
    vec![
        attack(
            "threshold-not-reached",
            "One of the two keys signed.",
            "release",
            several(&["release-b"]),
            one,
        )
        .under(root),
        attack("one-key-counted-twice", "One key signed twice.", "release", twice, one).under(root),
        attack("keys-of-other-roles-counted", "Others signed beside one key.", "release", roles, one)
            .under(root),
    ]
}

fn of_the_wrong_key() -> Vec<Attack> {
    let device = device();
    let (status, offered) = (answered(Kind::Status, &device), answered(Kind::Offer, &device));
    let delegation = |signer| sign1(&at_large(Kind::Delegation), &small_delegation(), signer);
    let root = |signer| {
        let mut root = small_root();
        root.version = 2;
        sign1(&at_large(Kind::Root), &root, signer)
    };
    let apart = "delegation/time-apart";
    let status = |signer| sign1(&status, &small_status(), signer);
    let not_delegated = OpenError::NotDelegated;
    vec![
        attack("release-by-unknown-key", "A stranger signed it.", "release", release("stranger"), NONE),
        attack("release-by-online-key", "The server signed a release.", "release", release("online-a"), NONE),
        attack(
            "release-by-delegator",
            "A delegator signed a release.",
            "release",
            release("delegator-a"),
            NONE,
        ),
        attack(
            "delegation-by-online-key",
            "The server delegates to itself.",
            "delegation",
            delegation("online-a"),
            NONE,
        ),
        attack(
            "delegation-by-release-key",
            "A release key delegates.",
            "delegation",
            delegation("release-a"),
            NONE,
        ),
        attack("root-by-release-key", "A release key signed a root.", "next root", root("release-a"), NONE),
        attack(
            "offer-by-unknown-key",
            "A stranger signed it.",
            "offer",
            offer(&offered, "stranger"),
            not_delegated,
        ),
        attack(
            "offer-by-release-key",
            "A release key signed it.",
            "offer",
            offer(&offered, "release-a"),
            not_delegated,
        ),
        attack("status-by-unknown-key", "A stranger signed it.", "status", status("stranger"), not_delegated),
        attack(
            "offer-without-power",
            "A key for the time signed an offer.",
            "offer",
            offer(&offered, "online-time"),
            not_delegated,
        )
        .with(apart),
        attack(
            "status-without-power",
            "A key for offers signed a status.",
            "status",
            status("online-a"),
            not_delegated,
        )
        .with(apart),
    ]
}

/// The same envelope and signatures around a changed payload.
fn swap_payload(bytes: &[u8], payload: &[u8]) -> Vec<u8> {
    spell(&Envelope { payload, ..Envelope::parse(bytes).unwrap() })
}

fn tampered() -> Vec<Attack> {
    let device = device();
    let release_bytes = release("release-a");
    let tampered_release = {
        let mut release = small_release();
        release.seq += 1;
        swap_payload(&release_bytes, &spell(&release))
    };
    let offer_bytes = offer(&answered(Kind::Offer, &device), "online-a");
    let tampered_offer = {
        let mut offer = small_offer(&release_bytes);
        offer.travel.artifact_size_bytes += 1;
        swap_payload(&offer_bytes, &spell(&offer))
    };
    let status = sign1(&answered(Kind::Status, &device), &small_status(), "online-a");
    let tampered_status = {
        let mut status = small_status();
        status.now.0 += 1;
        spell(&status)
    };
    let delegation = sign1(&at_large(Kind::Delegation), &small_delegation(), "delegator-a");
    let tampered_delegation = {
        let mut delegation = small_delegation();
        delegation.keys[0].key = key("stranger").public;
        spell(&delegation)
    };
    let root = sign1(&at_large(Kind::Root), &small_root(), "root-a");
    let tampered_root = {
        let mut root = small_root();
        root.keys[1] = key("stranger").public;
        spell(&root)
    };
    let refused = OpenError::NotDelegated;
    vec![
        attack("release-tampered", "A higher seq than was signed.", "release", tampered_release, NONE),
        attack("offer-tampered", "Another artifact size than was signed.", "offer", tampered_offer, refused),
        attack(
            "status-tampered",
            "Another time than was signed.",
            "status",
            swap_payload(&status, &tampered_status),
            refused,
        ),
        attack(
            "delegation-tampered",
            "A stranger's key put in.",
            "delegation",
            swap_payload(&delegation, &tampered_delegation),
            NONE,
        ),
        attack(
            "root-tampered",
            "A stranger's release key put in.",
            "provisioned root",
            swap_payload(&root, &tampered_root),
            NONE,
        ),
    ]
}

/// What an Ed25519 key of the fleet has to sign for the small release.
pub(super) fn release_message(form: Form, payload: &[u8], signer: &str) -> Vec<u8> {
    let public = key(signer).public;
    let signer = (public.algorithm, public.id());
    to_be_signed(&at_large(Kind::Release), form, signer, payload, &mut [0; 4096]).unwrap().to_vec()
}
