//! The signing side: keys from fixed seeds, images with a behaviour, releases, artifacts, root documents.
//!
//! The key NAME is the Ed25519 key of the seed SHA-256("lapwing vector key NAME"), as in `formats/vectors`.
//! Touches: `lapwing_core::envelope`. Never: used outside proofs.

use crate::program::Program;
use ed25519_dalek::{Signer as _, SigningKey};
use lapwing_core::cbor::{self, Wire};
use lapwing_core::envelope::{Context, Form, Kind, seal};
use lapwing_core::trust::{Delegation, Limits, OnlineKey, Powers, PublicKey, Role, Root};
use lapwing_core::wire::answer::Travel;
use lapwing_core::{
    Compatibility, ComponentName, DeviceId, Digest, FleetId, HardwareClass, Nonce, Release, ReleaseFlags,
    ShortDigest, UnixSeconds, Version,
};

/// The fleet of the simulation.
pub(crate) const FLEET: FleetId = FleetId(*b"lapwing-fleet-01");
/// The hardware of its devices.
pub(crate) const HARDWARE: HardwareClass = HardwareClass { vendor: [0xaa; 16], class: [0xbb; 16] };
/// When the first root document was signed: 2026-11-21 00:00:00 UTC.
pub(crate) const START: UnixSeconds = UnixSeconds(1_795_219_200);
/// One day, seconds.
pub(crate) const DAY_S: u64 = 86_400;
/// Size of every image, bytes.
pub(crate) const IMAGE_BYTES: usize = 6_000;

/// A private key.
pub(crate) struct Key {
    signing: SigningKey,
    public: PublicKey,
}

impl Key {
    /// The key of this name.
    #[must_use]
    pub(crate) fn named(name: &str) -> Self {
        let seed = Digest::of(format!("lapwing vector key {name}").as_bytes());
        let signing = SigningKey::from_bytes(seed.as_bytes());
        let public = PublicKey::ed25519(signing.verifying_key().as_bytes());
        Self { signing, public }
    }

    /// What others know it by.
    #[must_use]
    pub(crate) const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// An envelope around `value`.
    #[must_use]
    pub(crate) fn sign<'b>(
        &self,
        kind: Kind,
        session: Option<(&DeviceId, Nonce)>,
        value: &impl Wire<'b>,
    ) -> Vec<u8> {
        let context = Context { kind, fleet: FLEET, session };
        let mut sign = |message: &[u8]| Some(self.signing.sign(message).to_bytes());
        let mut buffer = [0; 4096];
        seal(&context, Form::Single, &spell(value), &self.public, &mut sign, &mut buffer)
            .map(<[u8]>::to_vec)
            .unwrap_or_default()
    }
}

/// The bytes of a message.
#[must_use]
pub(crate) fn spell<'b>(value: &impl Wire<'b>) -> Vec<u8> {
    cbor::encode(value, &mut [0; 8192]).map(<[u8]>::to_vec).unwrap_or_default()
}

/// A name that is known to be one.
#[must_use]
pub fn name<const N: usize>(text: &str) -> lapwing_core::Name<N> {
    match text.parse() {
        Ok(name) => name,
        Err(error) => unreachable!("{text}: {error}"),
    }
}

/// A program as bytes.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its version.
    pub version: Version,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// How it behaves when it is started.
    pub program: Program,
}

impl Image {
    /// The image of this version; only a part of its bytes differs from other versions'.
    #[must_use]
    pub fn new(version: &str, program: Program) -> Self {
        let mut bytes = vec![0x90; IMAGE_BYTES];
        let mut rng = crate::rng::Rng::new(7);
        bytes.iter_mut().for_each(|byte| *byte = rng.number().to_le_bytes()[0]);
        let mark = Digest::of(version.as_bytes());
        for (at, byte) in mark.as_bytes().iter().enumerate() {
            bytes[at * 150] = *byte;
        }
        Self { version: name(version), bytes, program }
    }

    /// Its digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }
}

/// The release of `image`, as a maker would write it.
#[must_use]
pub fn release(image: &Image, seq: u64) -> Release {
    Release {
        component: component(),
        hardware: heapless::Vec::from_iter([HARDWARE]),
        seq,
        version: image.version.clone(),
        security_version: 1,
        raise_to: 0,
        bootloader_min: 0,
        installable_from: heapless::Vec::new(),
        downgrade_from: heapless::Vec::new(),
        compatibility: Compatibility::Compatible,
        data_version: 0,
        image: image.digest(),
        image_size_bytes: image.bytes.len() as u64,
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
    }
}

/// The one component of these devices.
#[must_use]
pub(crate) fn component() -> ComponentName {
    name("app")
}

/// Artifacts of the simulation: one byte says which kind, then the image, or the base and the bytes that change.
pub mod artifact {
    use super::{Digest, ShortDigest, Travel};

    const FULL: u8 = b'F';
    const DELTA: u8 = b'D';
    const EDIT_LEN: usize = 5;

    /// The image, whole.
    #[must_use]
    pub fn full(image: &[u8]) -> Vec<u8> {
        [&[FULL][..], image].concat()
    }

    /// What makes `to` of `from`, which is as long.
    #[must_use]
    pub fn delta(from: &[u8], to: &[u8]) -> Vec<u8> {
        let mut bytes = [&[DELTA][..], &Digest::of(from).short().0].concat();
        for (at, (old, new)) in (0_u32..).zip(from.iter().zip(to)) {
            if old != new {
                bytes.extend(at.to_le_bytes());
                bytes.push(*new);
            }
        }
        bytes
    }

    /// The image that an artifact makes of `base`, unless it does not decode.
    #[must_use]
    pub fn apply(artifact: &[u8], base: &[u8]) -> Option<Vec<u8>> {
        match artifact.split_first()? {
            (&FULL, image) => Some(image.to_vec()),
            (&DELTA, rest) => {
                let (from, edits) = rest.split_at_checked(ShortDigest::LEN)?;
                (from == Digest::of(base).short().0).then_some(())?;
                let mut image = base.to_vec();
                for edit in edits.chunks(EDIT_LEN) {
                    let (at, byte) = (edit.get(..4)?, edit.get(4)?);
                    let at = u32::from_le_bytes(at.try_into().ok()?);
                    *image.get_mut(usize::try_from(at).ok()?)? = *byte;
                }
                Some(image)
            }
            _ => None,
        }
    }

    /// How these bytes travel.
    #[must_use]
    pub fn travel(artifact: &[u8], from: Option<ShortDigest>) -> Travel {
        Travel {
            codec: 1,
            profile: 1,
            from,
            artifact: Digest::of(artifact),
            artifact_size_bytes: artifact.len() as u64,
        }
    }
}

/// Root documents and delegations.
pub mod trust {
    use super::{DAY_S, Delegation, FLEET, Key, Kind, Limits, OnlineKey, Powers, Role, Root, START};

    /// The first root document.
    #[must_use]
    pub fn root() -> Root {
        let keys = ["root-a", "release-a", "delegator-a"].map(|name| Key::named(name).public().clone());
        Root {
            fleet: FLEET,
            version: 1,
            issued: START,
            not_after: START.after(4000 * DAY_S),
            keys: heapless::Vec::from_iter(keys),
            root: role(0),
            release: role(1),
            delegator: role(2),
            limits: Limits { delegation_days_max: 100, security_ceiling: 1000, emergency: false },
            revoked: heapless::Vec::new(),
            tls_anchors: heapless::Vec::new(),
        }
    }

    /// A root document as it is sent around, signed by these keys.
    #[must_use]
    pub fn signed_root(root: &Root, signers: &[&str]) -> Vec<u8> {
        let context = super::Context { kind: Kind::Root, fleet: FLEET, session: None };
        let payload = super::spell(root);
        let mut envelope = lapwing_core::envelope::Envelope {
            form: super::Form::Several,
            payload: &payload,
            signatures: heapless::Vec::new(),
        };
        for signer in signers.iter().map(|name| Key::named(name)) {
            let mut sign = |message: &[u8]| {
                use ed25519_dalek::Signer as _;
                Some(signer.signing.sign(message).to_bytes())
            };
            let added =
                lapwing_core::envelope::add_signature(&mut envelope, &context, signer.public(), &mut sign);
            debug_assert!(added.is_ok());
        }
        super::spell(&envelope)
    }

    /// The delegation of `online` for a hundred days from `day` on.
    #[must_use]
    pub fn delegation(version: u32, day: u64, online: &str, delegator: &str) -> Vec<u8> {
        let key = Key::named(online).public().clone();
        let online = OnlineKey { key, powers: Powers::STATUS.with(Powers::OFFER) };
        let not_before = START.after(day * DAY_S);
        let delegation = Delegation {
            fleet: FLEET,
            version,
            not_before,
            not_after: not_before.after(100 * DAY_S),
            keys: heapless::Vec::from_iter([online]),
        };
        Key::named(delegator).sign(Kind::Delegation, None, &delegation)
    }

    fn role(key: u8) -> Role {
        Role { threshold: 1, keys: heapless::Vec::from_iter([key]) }
    }
}
