//! What a release says: what to run, on which hardware, from which versions, under which counters.
//!
//! A release is one component's signed statement. Whether one may be trusted is `envelope.rs`'s
//! business; whether it fits a device is the device brain's.
//! Never: says how the image travels; that is the offer.

use crate::cbor::{DecodeError, NoRoom, Out, Wire, read_array, read_filled_list, read_map};
use crate::digest::Digest;
use crate::id::{BuildId, ComponentName, HardwareClass, Variant, Version};
use crate::limits::{ENCRYPTION_INFO_BYTES_MAX, HARDWARE_CLASSES_MAX, REQUIRES_MAX, VERSION_RANGES_MAX};
use crate::time::UnixSeconds;
use crate::version::VersionRange;
use minicbor::Decoder;

/// The version of the release format that this code writes and reads.
const FORMAT: u64 = 1;

/// How a release relates to the one before it, as its maker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Compatibility {
    /// Mends, adds nothing.
    Patch,
    /// Adds, breaks nothing.
    Compatible,
    /// May break what depends on it.
    Breaking,
}

/// What the maker asks devices and operators to bear in mind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReleaseFlags(u32);

impl ReleaseFlags {
    /// Mends security and adds no feature.
    pub const SECURITY_ONLY: Self = Self(1);
    /// Overrides opt-out; never windows, battery or room.
    pub const FORCED: Self = Self(1 << 1);
    /// Stored data must be migrated.
    pub const DATA_MIGRATION: Self = Self(1 << 2);

    /// Both sets of flags.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all flags of `other` are set.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Another component that must be there at least at this seq.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Which component.
    pub component: ComponentName,
    /// Its lowest seq.
    pub seq_min: u64,
}

/// The statement itself. Source: `formats/release.cddl`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// Which part of a device this updates.
    pub component: ComponentName,
    /// Where it runs: a device must match one of these exactly.
    pub hardware: heapless::Vec<HardwareClass, HARDWARE_CLASSES_MAX>,
    /// Strictly rising within the component, re-releases of old images included.
    pub seq: u64,
    /// For people and for version rules.
    pub version: Version,
    /// Counter of the image: a device refuses one below its floor.
    pub security_version: u32,
    /// The floor a device takes over once this release has proven itself. Zero raises nothing.
    pub raise_to: u32,
    /// Lowest bootloader version that can start the image.
    pub bootloader_min: u32,
    /// Versions this may be installed from; empty means all.
    pub installable_from: heapless::Vec<VersionRange, VERSION_RANGES_MAX>,
    /// Versions this may replace although it is lower; empty means within the patch level only.
    pub downgrade_from: heapless::Vec<VersionRange, VERSION_RANGES_MAX>,
    /// How it relates to the release before it.
    pub compatibility: Compatibility,
    /// Which layout of stored data it reads and writes.
    pub data_version: u32,
    /// The image, byte for byte.
    pub image: Digest,
    /// Its size, and therefore the bound of everything that is decoded into it.
    pub image_size_bytes: u64,
    /// When it was signed.
    pub issued: UnixSeconds,
    /// When it stops being installable, if ever.
    pub not_after: Option<UnixSeconds>,
    /// Which build made it.
    pub build: Option<BuildId>,
    /// Which flavour it is, if not the plain one.
    pub variant: Option<Variant>,
    /// What else must be there.
    pub requires: heapless::Vec<Requirement, REQUIRES_MAX>,
    /// The bill of materials.
    pub sbom: Option<Digest>,
    /// The notes for people.
    pub notes: Option<Digest>,
    /// What to bear in mind.
    pub flags: ReleaseFlags,
    /// Longest trial the maker allows, seconds.
    pub trial_s_max: Option<u32>,
    /// How the artifact is encrypted, if it is. Opaque here.
    pub encryption: Option<heapless::Vec<u8, ENCRYPTION_INFO_BYTES_MAX>>,
}

/// The integer keys of the map.
mod key {
    pub(super) const FORMAT: u64 = 0;
    pub(super) const COMPONENT: u64 = 1;
    pub(super) const HARDWARE: u64 = 2;
    pub(super) const SEQ: u64 = 3;
    pub(super) const VERSION: u64 = 4;
    pub(super) const SECURITY_VERSION: u64 = 5;
    pub(super) const RAISE_TO: u64 = 6;
    pub(super) const BOOTLOADER_MIN: u64 = 7;
    pub(super) const INSTALLABLE_FROM: u64 = 8;
    pub(super) const DOWNGRADE_FROM: u64 = 9;
    pub(super) const COMPATIBILITY: u64 = 10;
    pub(super) const DATA_VERSION: u64 = 11;
    pub(super) const IMAGE: u64 = 12;
    pub(super) const IMAGE_SIZE: u64 = 13;
    pub(super) const ISSUED: u64 = 14;
    pub(super) const NOT_AFTER: u64 = 15;
    pub(super) const BUILD: u64 = 16;
    pub(super) const VARIANT: u64 = 17;
    pub(super) const REQUIRES: u64 = 18;
    pub(super) const SBOM: u64 = 19;
    pub(super) const NOTES: u64 = 20;
    pub(super) const FLAGS: u64 = 21;
    pub(super) const TRIAL_S_MAX: u64 = 22;
    pub(super) const ENCRYPTION: u64 = 23;
}

impl Release {
    /// How many keys this release spells: values that mean "nothing special" are left out.
    fn keys(&self) -> u64 {
        let always = 9_u64;
        let optional = [
            !self.hardware.is_empty(),
            self.raise_to != 0,
            self.bootloader_min != 0,
            !self.installable_from.is_empty(),
            !self.downgrade_from.is_empty(),
            self.data_version != 0,
            self.not_after.is_some(),
            self.build.is_some(),
            self.variant.is_some(),
            !self.requires.is_empty(),
            self.sbom.is_some(),
            self.notes.is_some(),
            self.flags != ReleaseFlags::default(),
            self.trial_s_max.unwrap_or(0) != 0,
            self.encryption.is_some(),
        ];
        always.saturating_add(optional.iter().map(|present| u64::from(*present)).sum())
    }

    fn write_optional_tail(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        if let Some(not_after) = self.not_after {
            not_after.write(out.u64(key::NOT_AFTER)?)?;
        }
        if let Some(build) = &self.build {
            build.write(out.u64(key::BUILD)?)?;
        }
        if let Some(variant) = &self.variant {
            variant.write(out.u64(key::VARIANT)?)?;
        }
        write_filled_list(out, key::REQUIRES, &self.requires)?;
        if let Some(sbom) = &self.sbom {
            sbom.write(out.u64(key::SBOM)?)?;
        }
        if let Some(notes) = &self.notes {
            notes.write(out.u64(key::NOTES)?)?;
        }
        write_nonzero(out, key::FLAGS, self.flags.0)?;
        write_nonzero(out, key::TRIAL_S_MAX, self.trial_s_max.unwrap_or(0))?;
        if let Some(encryption) = &self.encryption {
            out.u64(key::ENCRYPTION)?.bytes(encryption)?;
        }
        Ok(())
    }
}

impl<'b> Wire<'b> for Release {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        out.map(self.keys())?;
        out.u64(key::FORMAT)?.u64(FORMAT)?;
        self.component.write(out.u64(key::COMPONENT)?)?;
        write_filled_list(out, key::HARDWARE, &self.hardware)?;
        out.u64(key::SEQ)?.u64(self.seq)?;
        self.version.write(out.u64(key::VERSION)?)?;
        out.u64(key::SECURITY_VERSION)?.u32(self.security_version)?;
        write_nonzero(out, key::RAISE_TO, self.raise_to)?;
        write_nonzero(out, key::BOOTLOADER_MIN, self.bootloader_min)?;
        write_filled_list(out, key::INSTALLABLE_FROM, &self.installable_from)?;
        write_filled_list(out, key::DOWNGRADE_FROM, &self.downgrade_from)?;
        out.u64(key::COMPATIBILITY)?.u8(self.compatibility as u8)?;
        write_nonzero(out, key::DATA_VERSION, self.data_version)?;
        self.image.write(out.u64(key::IMAGE)?)?;
        out.u64(key::IMAGE_SIZE)?.u64(self.image_size_bytes)?;
        self.issued.write(out.u64(key::ISSUED)?)?;
        self.write_optional_tail(out)
    }

    fn read(input: &mut Decoder<'b>) -> Result<Self, DecodeError> {
        let mut draft = Draft::default();
        read_map(input, |key, input| draft.take(key, input))?;
        draft.finish()
    }
}

/// A release while its map is being read.
#[derive(Default)]
struct Draft {
    format: Option<u64>,
    component: Option<ComponentName>,
    hardware: heapless::Vec<HardwareClass, HARDWARE_CLASSES_MAX>,
    seq: Option<u64>,
    version: Option<Version>,
    security_version: Option<u32>,
    raise_to: u32,
    bootloader_min: u32,
    installable_from: heapless::Vec<VersionRange, VERSION_RANGES_MAX>,
    downgrade_from: heapless::Vec<VersionRange, VERSION_RANGES_MAX>,
    compatibility: Option<Compatibility>,
    data_version: u32,
    image: Option<Digest>,
    image_size_bytes: Option<u64>,
    issued: Option<UnixSeconds>,
    not_after: Option<UnixSeconds>,
    build: Option<BuildId>,
    variant: Option<Variant>,
    requires: heapless::Vec<Requirement, REQUIRES_MAX>,
    sbom: Option<Digest>,
    notes: Option<Digest>,
    flags: ReleaseFlags,
    trial_s_max: Option<u32>,
    encryption: Option<heapless::Vec<u8, ENCRYPTION_INFO_BYTES_MAX>>,
}

impl Draft {
    fn take(&mut self, key: u64, input: &mut Decoder<'_>) -> Result<bool, DecodeError> {
        match key {
            key::FORMAT => self.format = Some(input.u64()?),
            key::COMPONENT => self.component = Some(ComponentName::read(input)?),
            key::HARDWARE => self.hardware = read_filled_list(input, Wire::read)?,
            key::SEQ => self.seq = Some(input.u64()?),
            key::VERSION => self.version = Some(Version::read(input)?),
            key::SECURITY_VERSION => self.security_version = Some(input.u32()?),
            key::RAISE_TO => self.raise_to = read_nonzero(input)?,
            key::BOOTLOADER_MIN => self.bootloader_min = read_nonzero(input)?,
            key::INSTALLABLE_FROM => self.installable_from = read_filled_list(input, Wire::read)?,
            key::DOWNGRADE_FROM => self.downgrade_from = read_filled_list(input, Wire::read)?,
            key::COMPATIBILITY => self.compatibility = Some(Compatibility::read(input)?),
            key::DATA_VERSION => self.data_version = read_nonzero(input)?,
            key::IMAGE => self.image = Some(Digest::read(input)?),
            key::IMAGE_SIZE => self.image_size_bytes = Some(input.u64()?),
            key::ISSUED => self.issued = Some(UnixSeconds::read(input)?),
            key::NOT_AFTER => self.not_after = Some(UnixSeconds::read(input)?),
            key::BUILD => self.build = Some(BuildId::read(input)?),
            key::VARIANT => self.variant = Some(Variant::read(input)?),
            key::REQUIRES => self.requires = read_filled_list(input, Wire::read)?,
            key::SBOM => self.sbom = Some(Digest::read(input)?),
            key::NOTES => self.notes = Some(Digest::read(input)?),
            key::FLAGS => self.flags = ReleaseFlags(read_nonzero(input)?),
            key::TRIAL_S_MAX => self.trial_s_max = Some(read_nonzero(input)?),
            key::ENCRYPTION => {
                let info = heapless::Vec::from_slice(input.bytes()?);
                self.encryption = Some(info.map_err(|_| DecodeError::OverLimit)?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn finish(self) -> Result<Release, DecodeError> {
        let missing = DecodeError::MissingKey;
        match self.format.ok_or(missing(key::FORMAT))? {
            FORMAT => {}
            other => return Err(DecodeError::UnknownVersion(other)),
        }
        if self.hardware.is_empty() {
            return Err(missing(key::HARDWARE));
        }
        let security_version = self.security_version.ok_or(missing(key::SECURITY_VERSION))?;
        if self.raise_to > security_version {
            return Err(DecodeError::BadValue);
        }
        Ok(Release {
            component: self.component.ok_or(missing(key::COMPONENT))?,
            hardware: self.hardware,
            seq: self.seq.ok_or(missing(key::SEQ))?,
            version: self.version.ok_or(missing(key::VERSION))?,
            security_version,
            raise_to: self.raise_to,
            bootloader_min: self.bootloader_min,
            installable_from: self.installable_from,
            downgrade_from: self.downgrade_from,
            compatibility: self.compatibility.ok_or(missing(key::COMPATIBILITY))?,
            data_version: self.data_version,
            image: self.image.ok_or(missing(key::IMAGE))?,
            image_size_bytes: self.image_size_bytes.ok_or(missing(key::IMAGE_SIZE))?,
            issued: self.issued.ok_or(missing(key::ISSUED))?,
            not_after: self.not_after,
            build: self.build,
            variant: self.variant,
            requires: self.requires,
            sbom: self.sbom,
            notes: self.notes,
            flags: self.flags,
            trial_s_max: self.trial_s_max,
            encryption: self.encryption,
        })
    }
}

impl Wire<'_> for Compatibility {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        out.u8(*self as u8)?;
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        match input.u8()? {
            0 => Ok(Self::Patch),
            1 => Ok(Self::Compatible),
            2 => Ok(Self::Breaking),
            _ => Err(DecodeError::BadValue),
        }
    }
}

impl Wire<'_> for Requirement {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        self.component.write(out.array(2)?)?;
        out.u64(self.seq_min)?;
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        read_array(input, 2)?;
        Ok(Self { component: ComponentName::read(input)?, seq_min: input.u64()? })
    }
}

/// Writes a list under `key`, or nothing when it is empty.
fn write_filled_list<'b, T: Wire<'b>>(out: &mut Out<'_>, key: u64, list: &[T]) -> Result<(), NoRoom> {
    if list.is_empty() {
        return Ok(());
    }
    crate::cbor::write_list(out.u64(key)?, list)
}

fn write_nonzero(out: &mut Out<'_>, key: u64, number: u32) -> Result<(), NoRoom> {
    if number != 0 {
        out.u64(key)?.u32(number)?;
    }
    Ok(())
}

/// Reads a number that would have been left out had it been zero.
fn read_nonzero(input: &mut Decoder<'_>) -> Result<u32, DecodeError> {
    match input.u32()? {
        0 => Err(DecodeError::BadValue),
        number => Ok(number),
    }
}
