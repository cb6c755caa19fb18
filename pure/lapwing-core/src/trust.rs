//! Whom a device believes: root documents, roles with thresholds, delegations of online keys.
//!
//! Touches: `crate::{cbor, envelope}`. A [`crate::TrustAnchor`] is only made from a provisioned root
//! or from the one before it, so the chain cannot be skipped.
//! Never: looks at a clock; the caller compares times that a signed answer stated.

use crate::cbor::{DecodeError, NoRoom, Out, Wire, read_array, read_bytes, read_list, read_map, write_list};
use crate::digest::Digest;
use crate::id::{FleetId, KeyId};
use crate::limits::{
    DELEGATION_DAYS_MAX, ONLINE_KEYS_MAX, REVOKED_KEYS_MAX, ROLE_KEYS_MAX, ROOT_KEYS_MAX, TLS_ANCHORS_MAX,
};
use crate::time::UnixSeconds;
use minicbor::Decoder;

const FORMAT: u64 = 1;
const SECONDS_PER_DAY: u64 = 86_400;

/// A fully specified signature algorithm, by its COSE number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// Ed25519, COSE -19.
    Ed25519,
    /// ECDSA with P-256 and SHA-256, COSE -9, for hardware that has no Ed25519.
    Esp256,
}

impl Algorithm {
    /// Its spelling in JSON.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::Esp256 => "esp256",
        }
    }

    const fn cose(self) -> i8 {
        match self {
            Self::Ed25519 => -19,
            Self::Esp256 => -9,
        }
    }

    const fn key_len(self) -> usize {
        match self {
            Self::Ed25519 => 32,
            Self::Esp256 => 33,
        }
    }
}

impl Wire<'_> for Algorithm {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        out.i8(self.cose())?;
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        match input.i8()? {
            -19 => Ok(Self::Ed25519),
            -9 => Ok(Self::Esp256),
            _ => Err(DecodeError::BadValue),
        }
    }
}

/// A public key and how it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// The algorithm, the only one this key is good for.
    pub algorithm: Algorithm,
    bytes: heapless::Vec<u8, 33>,
}

impl PublicKey {
    /// An Ed25519 key.
    #[must_use]
    pub fn ed25519(bytes: &[u8; 32]) -> Self {
        let bytes = heapless::Vec::from_slice(bytes).unwrap_or_default();
        Self { algorithm: Algorithm::Ed25519, bytes }
    }

    /// A P-256 key, a compressed point.
    #[must_use]
    pub fn esp256(bytes: &[u8; 33]) -> Self {
        let bytes = heapless::Vec::from_slice(bytes).unwrap_or_default();
        Self { algorithm: Algorithm::Esp256, bytes }
    }

    /// The raw key: 32 bytes for Ed25519, a compressed point of 33 for P-256.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its short name.
    #[must_use]
    pub fn id(&self) -> KeyId {
        KeyId::of(&self.bytes)
    }
}

impl Wire<'_> for PublicKey {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        self.algorithm.write(out.array(2)?)?;
        out.bytes(&self.bytes)?;
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        read_array(input, 2)?;
        let algorithm = Algorithm::read(input)?;
        let bytes = heapless::Vec::from_slice(input.bytes()?).map_err(|_| DecodeError::OverLimit)?;
        (bytes.len() == algorithm.key_len()).then_some(Self { algorithm, bytes }).ok_or(DecodeError::BadValue)
    }
}

/// What a key of the root document may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RoleName {
    /// The next root document.
    Root,
    /// Releases.
    Release,
    /// Delegations.
    Delegator,
}

/// A set of keys, and how many of them must agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// How many different keys must have signed.
    pub threshold: u8,
    /// Positions in the root document's list of keys.
    pub keys: heapless::Vec<u8, ROLE_KEYS_MAX>,
}

impl Wire<'_> for Role {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        out.array(2)?.u8(self.threshold)?.array(self.keys.len() as u64)?;
        self.keys.iter().try_for_each(|key| out.u8(*key).map(drop)).map_err(NoRoom::from)
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        read_array(input, 2)?;
        let role = Self { threshold: input.u8()?, keys: read_list(input, |input| Ok(input.u8()?))? };
        let rising = role.keys.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
        let reachable = role.threshold > 0 && usize::from(role.threshold) <= role.keys.len();
        (rising && reachable).then_some(role).ok_or(DecodeError::BadValue)
    }
}

/// Bounds that no release or delegation may exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest delegation window, days, at most [`DELEGATION_DAYS_MAX`].
    pub delegation_days_max: u32,
    /// Highest security floor that devices will take over.
    pub security_ceiling: u32,
    /// This document was made in an emergency: the overlap of old and new keys was waived.
    pub emergency: bool,
}

impl Wire<'_> for Limits {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        out.array(3)?.u32(self.delegation_days_max)?.u32(self.security_ceiling)?.bool(self.emergency)?;
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        read_array(input, 3)?;
        let limits = Self {
            delegation_days_max: input.u32()?,
            security_ceiling: input.u32()?,
            emergency: input.bool()?,
        };
        (limits.delegation_days_max <= DELEGATION_DAYS_MAX).then_some(limits).ok_or(DecodeError::OverLimit)
    }
}

/// A release key that is no longer believed, and the seq below which nothing of it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revoked {
    /// The key.
    pub key: KeyId,
    /// Devices treat this as an already confirmed seq.
    pub seq_base: u64,
}

impl Wire<'_> for Revoked {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        self.key.write(out.array(2)?)?;
        out.u64(self.seq_base)?;
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        read_array(input, 2)?;
        Ok(Self { key: KeyId::read(input)?, seq_base: input.u64()? })
    }
}

/// A key that a server's TLS chain must contain, by the SHA-256 of its SubjectPublicKeyInfo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsAnchor {
    /// The server's own key.
    Server(Digest),
    /// The key of an authority that signed the server's certificate.
    Authority(Digest),
}

impl Wire<'_> for TlsAnchor {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        let (kind, digest) = match self {
            Self::Server(digest) => (0, digest),
            Self::Authority(digest) => (1, digest),
        };
        digest.write(out.array(2)?.u8(kind)?)
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        read_array(input, 2)?;
        let kind = input.u8()?;
        let digest = Digest::from_bytes(read_bytes(input)?);
        match kind {
            0 => Ok(Self::Server(digest)),
            1 => Ok(Self::Authority(digest)),
            _ => Err(DecodeError::BadValue),
        }
    }
}

/// A root document: the keys of a fleet, who may do what, and which servers to talk to.
/// Source: `formats/trust.cddl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// Whose root this is.
    pub fleet: FleetId,
    /// Counts up by exactly one.
    pub version: u32,
    /// When it was signed.
    pub issued: UnixSeconds,
    /// After this it blocks installing, never fetching the next one.
    pub not_after: UnixSeconds,
    /// All keys.
    pub keys: heapless::Vec<PublicKey, ROOT_KEYS_MAX>,
    /// Who signs the next root.
    pub root: Role,
    /// Who signs releases.
    pub release: Role,
    /// Who signs delegations.
    pub delegator: Role,
    /// Bounds.
    pub limits: Limits,
    /// Release keys no longer believed.
    pub revoked: heapless::Vec<Revoked, REVOKED_KEYS_MAX>,
    /// Servers' keys, previous ones included.
    pub tls_anchors: heapless::Vec<TlsAnchor, TLS_ANCHORS_MAX>,
}

impl Root {
    /// The role of this name.
    #[must_use]
    pub fn role(&self, name: RoleName) -> &Role {
        match name {
            RoleName::Root => &self.root,
            RoleName::Release => &self.release,
            RoleName::Delegator => &self.delegator,
        }
    }

    /// The keys that may act in a role.
    pub fn keys_of(&self, name: RoleName) -> impl Iterator<Item = &PublicKey> {
        self.role(name).keys.iter().filter_map(|index| self.keys.get(usize::from(*index)))
    }

    /// The seq that counts as confirmed because a key was revoked.
    #[must_use]
    pub fn seq_base(&self) -> u64 {
        self.revoked.iter().map(|revoked| revoked.seq_base).max().unwrap_or(0)
    }

    /// Whether a delegation that was believed under `previous` certainly is under this document too.
    pub(crate) fn still_believes(&self, previous: &Self, delegation: &Delegation) -> bool {
        let kept = |key: &PublicKey| self.keys_of(RoleName::Delegator).any(|kept| kept == key);
        self.delegator.threshold <= previous.delegator.threshold
            && previous.keys_of(RoleName::Delegator).all(kept)
            && delegation.within(&self.limits)
    }

    fn check(self) -> Result<Self, DecodeError> {
        let in_list = |role: &Role| role.keys.iter().all(|index| usize::from(*index) < self.keys.len());
        let roles = [&self.root, &self.release, &self.delegator].into_iter().all(in_list);
        let distinct = self.keys.iter().enumerate().all(|(at, key)| {
            let id = key.id();
            self.keys.iter().skip(at.saturating_add(1)).all(|other| other.id() != id)
        });
        let revoked_role = self
            .keys_of(RoleName::Release)
            .any(|key| self.revoked.iter().any(|revoked| revoked.key == key.id()));
        let sound = roles && distinct && !revoked_role && self.version > 0 && self.issued < self.not_after;
        sound.then_some(self).ok_or(DecodeError::BadValue)
    }
}

impl Wire<'_> for Root {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        out.map(12)?;
        out.u8(0)?.u64(FORMAT)?;
        self.fleet.write(out.u8(1)?)?;
        out.u8(2)?.u32(self.version)?;
        self.issued.write(out.u8(3)?)?;
        self.not_after.write(out.u8(4)?)?;
        write_list(out.u8(5)?, &self.keys)?;
        self.root.write(out.u8(6)?)?;
        self.release.write(out.u8(7)?)?;
        self.delegator.write(out.u8(8)?)?;
        self.limits.write(out.u8(9)?)?;
        write_list(out.u8(10)?, &self.revoked)?;
        write_list(out.u8(11)?, &self.tls_anchors)
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut format = None;
        let (mut fleet, mut version, mut issued, mut not_after) = (None, None, None, None);
        let (mut keys, mut revoked, mut tls_anchors) = (None, None, None);
        let (mut root, mut release, mut delegator, mut limits) = (None, None, None, None);
        read_map(input, |key, input| {
            match key {
                0 => format = Some(input.u64()?),
                1 => fleet = Some(FleetId::read(input)?),
                2 => version = Some(input.u32()?),
                3 => issued = Some(UnixSeconds::read(input)?),
                4 => not_after = Some(UnixSeconds::read(input)?),
                5 => keys = Some(read_list(input, PublicKey::read)?),
                6 => root = Some(Role::read(input)?),
                7 => release = Some(Role::read(input)?),
                8 => delegator = Some(Role::read(input)?),
                9 => limits = Some(Limits::read(input)?),
                10 => revoked = Some(read_list(input, Revoked::read)?),
                11 => tls_anchors = Some(read_list(input, TlsAnchor::read)?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        check_format(format)?;
        let missing = DecodeError::MissingKey;
        Self {
            fleet: fleet.ok_or(missing(1))?,
            version: version.ok_or(missing(2))?,
            issued: issued.ok_or(missing(3))?,
            not_after: not_after.ok_or(missing(4))?,
            keys: keys.ok_or(missing(5))?,
            root: root.ok_or(missing(6))?,
            release: release.ok_or(missing(7))?,
            delegator: delegator.ok_or(missing(8))?,
            limits: limits.ok_or(missing(9))?,
            revoked: revoked.ok_or(missing(10))?,
            tls_anchors: tls_anchors.ok_or(missing(11))?,
        }
        .check()
    }
}

/// What an online key may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Powers(pub u8);

impl Powers {
    /// Time and "nothing to do".
    pub const STATUS: Self = Self(1);
    /// Offers.
    pub const OFFER: Self = Self(1 << 1);
    /// Choices among release-signed feature flags.
    pub const FLAGS: Self = Self(1 << 2);

    /// Both.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` are held.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// An online key and what it may sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnlineKey {
    /// The key.
    pub key: PublicKey,
    /// Its powers.
    pub powers: Powers,
}

impl Wire<'_> for OnlineKey {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        self.key.write(out.array(2)?)?;
        out.u8(self.powers.0)?;
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        read_array(input, 2)?;
        Ok(Self { key: PublicKey::read(input)?, powers: Powers(input.u8()?) })
    }
}

/// Which online keys may sign what, and when. Newest only; delegations are not chained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    /// Whose delegation this is.
    pub fleet: FleetId,
    /// Rises with each one.
    pub version: u32,
    /// First second of the window.
    pub not_before: UnixSeconds,
    /// Last second of the window.
    pub not_after: UnixSeconds,
    /// The keys.
    pub keys: heapless::Vec<OnlineKey, ONLINE_KEYS_MAX>,
}

impl Delegation {
    /// Whether `time` lies inside the window.
    #[must_use]
    pub fn covers(&self, time: UnixSeconds) -> bool {
        (self.not_before..=self.not_after).contains(&time)
    }

    /// Whether the window is no longer than the root document allows.
    #[must_use]
    pub fn within(&self, limits: &Limits) -> bool {
        let longest = u64::from(limits.delegation_days_max).saturating_mul(SECONDS_PER_DAY);
        self.not_after.since(self.not_before) <= longest
    }
}

impl Wire<'_> for Delegation {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        out.map(6)?.u8(0)?.u64(FORMAT)?;
        self.fleet.write(out.u8(1)?)?;
        out.u8(2)?.u32(self.version)?;
        self.not_before.write(out.u8(3)?)?;
        self.not_after.write(out.u8(4)?)?;
        write_list(out.u8(5)?, &self.keys)
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let (mut format, mut fleet, mut version) = (None, None, None);
        let (mut not_before, mut not_after, mut keys) = (None, None, None);
        read_map(input, |key, input| {
            match key {
                0 => format = Some(input.u64()?),
                1 => fleet = Some(FleetId::read(input)?),
                2 => version = Some(input.u32()?),
                3 => not_before = Some(UnixSeconds::read(input)?),
                4 => not_after = Some(UnixSeconds::read(input)?),
                5 => keys = Some(read_list(input, OnlineKey::read)?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        check_format(format)?;
        let missing = DecodeError::MissingKey;
        let delegation = Self {
            fleet: fleet.ok_or(missing(1))?,
            version: version.ok_or(missing(2))?,
            not_before: not_before.ok_or(missing(3))?,
            not_after: not_after.ok_or(missing(4))?,
            keys: keys.ok_or(missing(5))?,
        };
        let sound = delegation.version > 0 && delegation.not_before < delegation.not_after;
        sound.then_some(delegation).ok_or(DecodeError::BadValue)
    }
}

fn check_format(format: Option<u64>) -> Result<(), DecodeError> {
    match format {
        Some(FORMAT) => Ok(()),
        Some(other) => Err(DecodeError::UnknownVersion(other)),
        None => Err(DecodeError::MissingKey(0)),
    }
}
