//! Signed releases and catalogues for the tests of this crate.
//!
//! Touches: `lapwing_core` to sign, because a verified release is made no other way.

use crate::{Catalogue, Component, DeviceFacts, Entry, RetryPolicy, Shelf, Standing};
use ed25519_dalek::{Signer, SigningKey};
use lapwing_core::cbor::{Wire, encode};
use lapwing_core::envelope::{Context, Form, Kind, seal};
use lapwing_core::trust::{Limits, PublicKey, Role, Root};
use lapwing_core::{
    Compatibility, Digest, FleetId, HardwareClass, Release, ReleaseFlags, ShortDigest, TrustAnchor,
    UnixSeconds,
};

pub(crate) const CLASS: HardwareClass = HardwareClass { vendor: [1; 16], class: [1; 16] };
pub(crate) const NOW: UnixSeconds = UnixSeconds(1_000_000);
const FLEET: FleetId = FleetId([1; 16]);

/// An open release `1.<seq>.0` of component `app`, whose image is named after it.
pub(crate) fn release(seq: u64) -> Release {
    Release {
        component: "app".parse().unwrap(),
        hardware: [CLASS].into_iter().collect(),
        seq,
        version: format!("1.{seq}.0").parse().unwrap(),
        security_version: 1,
        raise_to: 0,
        bootloader_min: 0,
        installable_from: Default::default(),
        downgrade_from: Default::default(),
        compatibility: Compatibility::Compatible,
        data_version: 0,
        image: image(seq),
        image_size_bytes: 1,
        issued: UnixSeconds(1),
        not_after: None,
        build: None,
        variant: None,
        requires: Default::default(),
        sbom: None,
        notes: None,
        flags: ReleaseFlags::default(),
        trial_s_max: None,
        encryption: None,
    }
}

pub(crate) fn image(seq: u64) -> Digest {
    Digest::of(&seq.to_be_bytes())
}

pub(crate) fn runs(seq: u64) -> ShortDigest {
    image(seq).short()
}

pub(crate) fn app(running: ShortDigest) -> Component {
    Component { name: "app".parse().unwrap(), running }
}

/// Signs releases and puts them on their shelves.
pub(crate) fn catalogue(releases: Vec<(Release, Shelf)>) -> Catalogue {
    let key = SigningKey::from_bytes(&[3; 32]);
    let public = PublicKey::ed25519(key.verifying_key().as_bytes());
    let role = || Role { threshold: 1, keys: [0].into_iter().collect() };
    let root = Root {
        fleet: FLEET,
        version: 1,
        issued: UnixSeconds(1),
        not_after: UnixSeconds(u64::MAX),
        keys: [public.clone()].into_iter().collect(),
        root: role(),
        release: role(),
        delegator: role(),
        limits: Limits { delegation_days_max: 100, security_ceiling: 9, emergency: false },
        revoked: Default::default(),
        tls_anchors: Default::default(),
    };
    let anchor = TrustAnchor::provisioned(&sign(Kind::Root, &key, &public, &root)).unwrap();
    let entry = |(release, shelf)| {
        let envelope = sign(Kind::Release, &key, &public, &release);
        let release = anchor.open_release(&envelope).unwrap();
        Entry { release, envelope: envelope.into(), shelf }
    };
    let retry = RetryPolicy { first_s: 100, longest_s: 1_000 };
    Catalogue::new(releases.into_iter().map(entry).collect(), (1, 1), retry)
}

/// Open releases of these seqs.
pub(crate) fn open(seqs: &[u64]) -> Catalogue {
    catalogue(seqs.iter().map(|seq| (release(*seq), Shelf::Open)).collect())
}

fn sign<'b>(kind: Kind, key: &SigningKey, public: &PublicKey, value: &impl Wire<'b>) -> Vec<u8> {
    let (mut payload, mut buffer) = ([0; 2048], [0; 3072]);
    let payload = encode(value, &mut payload).unwrap();
    let context = Context { kind, fleet: FLEET, session: None };
    let mut sign = |message: &[u8]| Some(key.sign(message).to_bytes());
    seal(&context, Form::Single, payload, public, &mut sign, &mut buffer).unwrap().to_vec()
}

/// A device that runs `components` and has nothing else to say.
pub(crate) fn device<'a>(components: &'a [Component], standing: &'a Standing) -> DeviceFacts<'a> {
    static ID: std::sync::OnceLock<lapwing_core::DeviceId> = std::sync::OnceLock::new();
    let id = &ID;
    DeviceFacts {
        id: id.get_or_init(|| "dev-1".parse().unwrap()),
        named: &[],
        downloads_nearby: 0,
        hardware: Some(CLASS),
        bootloader: 0,
        components,
        root_version: 1,
        delegation_version: 1,
        gates: &[],
        standing,
        attempts: &[],
    }
}
