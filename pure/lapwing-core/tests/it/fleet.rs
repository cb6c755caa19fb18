//! A made-up fleet: keys from fixed seeds, and signed objects for whoever needs one.
//!
//! The key NAME is the Ed25519 key of the seed SHA-256("lapwing vector key NAME"), so that every
//! language can make the same signatures. Never: used outside tests.

use ed25519_dalek::{Signer as _, SigningKey};
use lapwing_core::cbor::{self, Wire};
use lapwing_core::envelope::{Context, Envelope, Form, Kind, add_signature};
use lapwing_core::trust::{Delegation, Limits, OnlineKey, Powers, PublicKey, Role, Root};
use lapwing_core::wire::answer::{Offer, Status, Travel, Urgency};
use lapwing_core::{
    AttemptId, Compatibility, DeviceId, Digest, FleetId, HardwareClass, Nonce, Release, ReleaseFlags,
    TrustAnchor, UnixSeconds,
};

pub(crate) const FLEET: FleetId = FleetId(*b"lapwing-vectors!");
pub(crate) const NONCE: Nonce = Nonce(*b"nonce-01");
pub(crate) const DAY_S: u64 = 86_400;
/// When the root documents were signed: 2026-11-21 00:00:00 UTC.
pub(crate) const START: UnixSeconds = UnixSeconds(1_795_219_200);
/// What the server states: ten days later.
pub(crate) const NOW: UnixSeconds = START.after(10 * DAY_S);

pub(crate) fn device() -> DeviceId {
    "sensor-0001".parse().unwrap()
}

/// A private key of the made-up fleet.
pub(crate) struct Signer {
    signing: SigningKey,
    pub(crate) public: PublicKey,
}

/// The key of this name.
pub(crate) fn key(name: &str) -> Signer {
    let seed = Digest::of(format!("lapwing vector key {name}").as_bytes());
    let signing = SigningKey::from_bytes(seed.as_bytes());
    let public = PublicKey::ed25519(signing.verifying_key().as_bytes());
    Signer { signing, public }
}

impl Signer {
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.signing.sign(message).to_bytes()
    }
}

/// What signatures are bound to: an object of the fleet at large.
pub(crate) const fn at_large(kind: Kind) -> Context<'static> {
    Context { kind, fleet: FLEET, session: None }
}

/// What signatures are bound to: an answer to the device of this fleet.
pub(crate) fn answered(kind: Kind, device: &DeviceId) -> Context<'_> {
    Context { kind, fleet: FLEET, session: Some((device, NONCE)) }
}

pub(crate) fn spell<'b>(value: &impl Wire<'b>) -> Vec<u8> {
    cbor::encode(value, &mut [0; 8192]).unwrap().to_vec()
}

/// An envelope with the signatures of the keys of these names.
pub(crate) fn sign(context: &Context<'_>, form: Form, payload: &[u8], signers: &[&str]) -> Vec<u8> {
    let mut envelope = Envelope { form, payload, signatures: heapless::Vec::new() };
    for signer in signers {
        let signer = key(signer);
        let mut sign = |message: &[u8]| Some(signer.sign(message));
        add_signature(&mut envelope, context, &signer.public, &mut sign).unwrap();
    }
    spell(&envelope)
}

/// One signature for good.
pub(crate) fn sign1<'b>(context: &Context<'_>, value: &impl Wire<'b>, signer: &str) -> Vec<u8> {
    sign(context, Form::Single, &spell(value), &[signer])
}

/// As many signatures as there are names.
pub(crate) fn sign_n<'b>(context: &Context<'_>, value: &impl Wire<'b>, signers: &[&str]) -> Vec<u8> {
    sign(context, Form::Several, &spell(value), signers)
}

pub(crate) fn role(threshold: u8, keys: &[u8]) -> Role {
    Role { threshold, keys: heapless::Vec::from_slice(keys).unwrap() }
}

pub(crate) fn public_keys<const N: usize>(names: &[&str]) -> heapless::Vec<PublicKey, N> {
    names.iter().map(|name| key(name).public).collect()
}

/// The smallest root: one key for each role, as in the demo.
pub(crate) fn small_root() -> Root {
    Root {
        fleet: FLEET,
        version: 1,
        issued: START,
        not_after: START.after(365 * DAY_S),
        keys: public_keys(&["root-a", "release-a", "delegator-a"]),
        root: role(1, &[0]),
        release: role(1, &[1]),
        delegator: role(1, &[2]),
        limits: Limits { delegation_days_max: 100, security_ceiling: 1000, emergency: false },
        revoked: heapless::Vec::new(),
        tls_anchors: heapless::Vec::new(),
    }
}

/// The default of production: two of three keys for root and releases.
pub(crate) fn production_root() -> Root {
    let names = ["root-a", "root-b", "root-c", "release-a", "release-b", "release-c", "delegator-a"];
    Root {
        keys: public_keys(&names),
        root: role(2, &[0, 1, 2]),
        release: role(2, &[3, 4, 5]),
        delegator: role(1, &[6]),
        ..small_root()
    }
}

pub(crate) fn small_delegation() -> Delegation {
    let online = OnlineKey { key: key("online-a").public, powers: Powers::STATUS.with(Powers::OFFER) };
    Delegation {
        fleet: FLEET,
        version: 1,
        not_before: START,
        not_after: START.after(100 * DAY_S),
        keys: heapless::Vec::from_iter([online]),
    }
}

/// A release that says only what it must.
pub(crate) fn small_release() -> Release {
    Release {
        component: "app".parse().unwrap(),
        hardware: heapless::Vec::from_iter([HardwareClass { vendor: [0xaa; 16], class: [0xbb; 16] }]),
        seq: 42,
        version: "1.4.2".parse().unwrap(),
        security_version: 3,
        raise_to: 0,
        bootloader_min: 0,
        installable_from: heapless::Vec::new(),
        downgrade_from: heapless::Vec::new(),
        compatibility: Compatibility::Patch,
        data_version: 0,
        image: Digest::of(b"image"),
        image_size_bytes: 524_288,
        issued: START.after(DAY_S),
        not_after: None,
        build: None,
        variant: None,
        requires: heapless::Vec::new(),
        sbom: None,
        notes: None,
        flags: ReleaseFlags::default(),
        trial_s_max: None,
        encryption: None,
    }
}

/// An offer of this signed release, as a delta.
pub(crate) fn small_offer(release_envelope: &[u8]) -> Offer {
    let travel = Travel {
        codec: 1,
        profile: 1,
        from: Some(Digest::of(b"base").short()),
        artifact: Digest::of(b"artifact"),
        artifact_size_bytes: 26_214,
    };
    Offer {
        attempt: AttemptId(0x0102_0304_0506_0708),
        now: NOW,
        release: Digest::of(release_envelope),
        travel,
        ttl_s: 3600,
        deadline_s: 172_800,
        switch_window: None,
        urgency: Urgency::Routine,
    }
}

pub(crate) const fn small_status() -> Status {
    Status { now: NOW, next_check_in_s: 3600 }
}

/// The anchor of [`small_root`], with [`small_delegation`].
pub(crate) fn small_anchor() -> TrustAnchor {
    let root = sign1(&at_large(Kind::Root), &small_root(), "root-a");
    let delegation = sign1(&at_large(Kind::Delegation), &small_delegation(), "delegator-a");
    TrustAnchor::provisioned(&root).unwrap().delegate(&delegation).unwrap()
}
