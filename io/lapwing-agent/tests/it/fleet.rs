//! The signing side of a made-up fleet: one key for each role.
//!
//! Touches: `lapwing_core`'s formats. Never: used outside tests.

use ed25519_dalek::{Signer as _, SigningKey};
use lapwing_core::cbor::{self, Wire};
use lapwing_core::envelope::{Context, Envelope, Form, Kind, add_signature};
use lapwing_core::trust::{Delegation, Limits, OnlineKey, Powers, PublicKey, Role, Root};
use lapwing_core::{
    Compatibility, DeviceId, Digest, FleetId, HardwareClass, Nonce, Release, ReleaseFlags, UnixSeconds,
};

const FLEET: FleetId = FleetId(*b"the agent's test");
const START: UnixSeconds = UnixSeconds(1_795_219_200);
/// What the server states.
pub(crate) const NOW: UnixSeconds = START.after(10 * 86_400);
/// As `agent.toml` spells it.
pub(crate) const HARDWARE: HardwareClass = HardwareClass { vendor: [0xaa; 16], class: [0xbb; 16] };

struct Key {
    signing: SigningKey,
    public: PublicKey,
}

fn key(name: &str) -> Key {
    let signing = SigningKey::from_bytes(Digest::of(name.as_bytes()).as_bytes());
    let public = PublicKey::ed25519(signing.verifying_key().as_bytes());
    Key { signing, public }
}

fn spell<'b>(value: &impl Wire<'b>) -> Vec<u8> {
    cbor::encode(value, &mut [0; 8192]).unwrap().to_vec()
}

fn sign<'b>(context: &Context<'_>, value: &impl Wire<'b>, signer: &str) -> Vec<u8> {
    let payload = spell(value);
    let mut envelope = Envelope { form: Form::Single, payload: &payload, signatures: heapless::Vec::new() };
    let signer = key(signer);
    let mut sign = |message: &[u8]| Some(signer.signing.sign(message).to_bytes());
    add_signature(&mut envelope, context, &signer.public, &mut sign).unwrap();
    spell(&envelope)
}

fn at_large(kind: Kind) -> Context<'static> {
    Context { kind, fleet: FLEET, session: None }
}

/// An answer of the online key to this device and nonce.
pub(crate) fn answer<'b>(kind: Kind, device: &DeviceId, nonce: Nonce, value: &impl Wire<'b>) -> Vec<u8> {
    sign(&Context { kind, fleet: FLEET, session: Some((device, nonce)) }, value, "online")
}

/// The root document of this version.
pub(crate) fn root(version: u32) -> Vec<u8> {
    let role = |at| Role { threshold: 1, keys: heapless::Vec::from_iter([at]) };
    let root = Root {
        fleet: FLEET,
        version,
        issued: START,
        not_after: START.after(365 * 86_400),
        keys: ["root", "release", "delegator"].into_iter().map(|name| key(name).public).collect(),
        root: role(0),
        release: role(1),
        delegator: role(2),
        limits: Limits { delegation_days_max: 100, security_ceiling: 1_000, emergency: false },
        revoked: heapless::Vec::new(),
        tls_anchors: heapless::Vec::new(),
    };
    sign(&at_large(Kind::Root), &root, "root")
}

/// The delegation of this version.
pub(crate) fn delegation(version: u32) -> Vec<u8> {
    let online = OnlineKey { key: key("online").public, powers: Powers::STATUS.with(Powers::OFFER) };
    let delegation = Delegation {
        fleet: FLEET,
        version,
        not_before: START,
        not_after: START.after(100 * 86_400),
        keys: heapless::Vec::from_iter([online]),
    };
    sign(&at_large(Kind::Delegation), &delegation, "delegator")
}

/// A signed release of this image.
pub(crate) fn release(seq: u64, version: &str, image: &[u8]) -> Vec<u8> {
    let release = Release {
        component: "app".parse().unwrap(),
        hardware: heapless::Vec::from_iter([HARDWARE]),
        seq,
        version: version.parse().unwrap(),
        security_version: 0,
        raise_to: 0,
        bootloader_min: 0,
        installable_from: heapless::Vec::new(),
        downgrade_from: heapless::Vec::new(),
        compatibility: Compatibility::Patch,
        data_version: 0,
        image: Digest::of(image),
        image_size_bytes: image.len() as u64,
        issued: START,
        not_after: None,
        build: None,
        variant: None,
        requires: heapless::Vec::new(),
        sbom: None,
        notes: None,
        flags: ReleaseFlags::default(),
        trial_s_max: None,
        encryption: None,
    };
    sign(&at_large(Kind::Release), &release, "release")
}
