//! The header of an artifact: what it makes of which base, and the memory that takes.
//!
//! Touches: the first bytes of the artifact.
//! Never: trusts a number in it; the digests are only as good as the offer that names them.

use crate::limits::{
    DICTIONARY_BYTES_MIN, FREE_PROFILE_BYTES, HEADER_BYTES_MAX, INPUT_BYTES, LITERAL_BITS_MAX, OUTPUT_BYTES,
    RECORD_BYTES, WINDOW_RECORDS,
};
use crate::lzma::Properties;
use crate::ports::Artifact;
use lapwing_core::Digest;

const MAGIC: [u8; 4] = *b"LWDA";
const VERSION: u8 = 1;
const CODEC_LZMA: u8 = 1;
const ARCHITECTURE_NONE: u8 = 0;

/// The header without segment tables, which architecture 0 does not have.
pub(crate) const HEADER_BYTES: usize = 108;

/// The whole working set of `apply`, as a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Profile {
    /// 64 KiB.
    Kib64 = 1,
    /// 256 KiB.
    Kib256 = 2,
    /// 1 MiB.
    Mib1 = 3,
    /// What the image is worth, up to 32 MiB.
    Free = 4,
}

impl Profile {
    /// The most that `apply` may need.
    #[must_use]
    pub const fn memory_bytes(self) -> usize {
        match self {
            Self::Kib64 => 64 * 1024,
            Self::Kib256 => 256 * 1024,
            Self::Mib1 => 1024 * 1024,
            Self::Free => FREE_PROFILE_BYTES,
        }
    }

    const fn from_id(id: u8) -> Option<Self> {
        match id {
            1 => Some(Self::Kib64),
            2 => Some(Self::Kib256),
            3 => Some(Self::Mib1),
            4 => Some(Self::Free),
            _ => None,
        }
    }
}

/// A header that keeps its own rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    pub(crate) profile: Profile,
    pub(crate) properties: Properties,
    pub(crate) dictionary_bytes: u32,
    pub(crate) base_bytes: u32,
    pub(crate) target_bytes: u32,
    pub(crate) map_records: u32,
    pub(crate) map_encoded_bytes: u32,
    pub(crate) body_encoded_bytes: u32,
    pub(crate) base_digest: Digest,
    pub(crate) target_digest: Digest,
}

/// Why a header was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// The port failed.
    #[error("the artifact could not be read")]
    Artifact,
    /// The artifact ends within its header.
    #[error("the artifact ends within its header")]
    Truncated,
    /// It does not begin as an artifact does.
    #[error("this is no delta and no full image")]
    Magic,
    /// A version of the format that is not known here.
    #[error("the version of the format is not known")]
    Version,
    /// A codec that is not known here.
    #[error("the codec is not known")]
    Codec,
    /// An architecture that is not known here.
    #[error("the architecture is not known")]
    Architecture,
    /// The bytes are not those that were written.
    #[error("the checksum of the header is wrong")]
    Checksum,
    /// The fields contradict each other or the limits of the format.
    #[error("the header breaks the rules of the format")]
    Invalid,
}

impl Header {
    /// Reads the header and leaves `artifact` behind it.
    /// # Errors
    /// Everything but a header that this version of the format and this build can apply.
    pub fn read(artifact: &mut dyn Artifact) -> Result<Self, HeaderError> {
        let mut fields = Fields { artifact, crc: Crc::new() };
        let [magic @ .., version, codec, architecture, profile] = fields.take::<8>()?;
        if magic != MAGIC {
            return Err(HeaderError::Magic);
        }
        if version != VERSION {
            return Err(HeaderError::Version);
        }
        let header_bytes = usize::from(u16::from_le_bytes(fields.take()?));
        let [base_segments, target_segments] = fields.take()?;
        let [literal_and_position_bits, reserved @ ..] = fields.take::<4>()?;
        let dictionary_bytes = fields.number()?;
        let [base_bytes, target_bytes] = [fields.number()?, fields.number()?];
        let [map_records, map_encoded_bytes, body_encoded_bytes] =
            [fields.number()?, fields.number()?, fields.number()?];
        let [base_digest, target_digest] = [fields.take()?, fields.take()?].map(Digest::from_bytes);
        if header_bytes > HEADER_BYTES_MAX {
            return Err(HeaderError::Invalid);
        }
        let table_bytes = header_bytes.checked_sub(HEADER_BYTES).ok_or(HeaderError::Invalid)?;
        for _ in 0..table_bytes {
            fields.take::<1>()?;
        }
        let computed = fields.crc.finish();
        if fields.number()? != computed {
            return Err(HeaderError::Checksum);
        }
        if codec != CODEC_LZMA {
            return Err(HeaderError::Codec);
        }
        if architecture != ARCHITECTURE_NONE {
            return Err(HeaderError::Architecture);
        }
        let header = Self {
            profile: Profile::from_id(profile).ok_or(HeaderError::Invalid)?,
            properties: Properties::from_byte(literal_and_position_bits).ok_or(HeaderError::Invalid)?,
            dictionary_bytes,
            base_bytes,
            target_bytes,
            map_records,
            map_encoded_bytes,
            body_encoded_bytes,
            base_digest,
            target_digest,
        };
        let no_tables = table_bytes == 0 && [base_segments, target_segments] == [0, 0];
        if no_tables && reserved == [0; 3] && header.is_valid() {
            Ok(header)
        } else {
            Err(HeaderError::Invalid)
        }
    }

    /// The class of memory this artifact was made for.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// The image it has to be applied to; none for a full image.
    #[must_use]
    pub fn base_digest(&self) -> Option<Digest> {
        (!self.is_full()).then_some(self.base_digest)
    }

    /// Length of the image it has to be applied to; 0 for a full image.
    #[must_use]
    pub const fn base_bytes(&self) -> u32 {
        self.base_bytes
    }

    /// The image it makes.
    #[must_use]
    pub const fn target_digest(&self) -> Digest {
        self.target_digest
    }

    /// Length of the image it makes.
    #[must_use]
    pub const fn target_bytes(&self) -> u32 {
        self.target_bytes
    }

    /// Whether it needs no base.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.map_records == 0
    }

    /// Length of the whole artifact, header included.
    #[must_use]
    pub fn artifact_bytes(&self) -> u64 {
        let streams = u64::from(self.map_encoded_bytes).saturating_add(self.body_encoded_bytes.into());
        streams.saturating_add(HEADER_BYTES as u64)
    }

    /// Length of the decoded map: the scratch area `apply` needs, unless the memory it is given
    /// exceeds `required_memory_bytes` by as much.
    #[must_use]
    pub fn scratch_bytes(&self) -> u64 {
        u64::from(self.map_records).saturating_mul(RECORD_BYTES as u64)
    }

    /// The least memory that `apply` works in.
    #[must_use]
    pub fn required_memory_bytes(&self) -> usize {
        let probabilities = self.properties.probabilities() as usize;
        let window_bytes = WINDOW_RECORDS.saturating_mul(RECORD_BYTES);
        let buffers = INPUT_BYTES.saturating_add(OUTPUT_BYTES.saturating_mul(2)).saturating_add(window_bytes);
        probabilities
            .saturating_mul(2)
            .saturating_add(buffers)
            .saturating_add(usize::try_from(self.dictionary_bytes).unwrap_or(usize::MAX))
    }

    /// The bytes of the header.
    #[cfg(feature = "make")]
    pub(crate) fn to_bytes(self) -> std::vec::Vec<u8> {
        let mut bytes = std::vec::Vec::with_capacity(HEADER_BYTES);
        bytes.extend(MAGIC);
        bytes.extend([VERSION, CODEC_LZMA, ARCHITECTURE_NONE, self.profile as u8]);
        bytes.extend([HEADER_BYTES as u8, 0, 0, 0, self.properties.to_byte(), 0, 0, 0]);
        let streams = [self.map_records, self.map_encoded_bytes, self.body_encoded_bytes];
        for number in [self.dictionary_bytes, self.base_bytes, self.target_bytes].into_iter().chain(streams) {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend(self.base_digest.as_bytes());
        bytes.extend(self.target_digest.as_bytes());
        let mut crc = Crc::new();
        crc.update(&bytes);
        bytes.extend(crc.finish().to_le_bytes());
        bytes
    }

    fn is_valid(&self) -> bool {
        let Properties { literal_context_bits, literal_position_bits, .. } = self.properties;
        let full_rules = self.map_encoded_bytes == 0
            && self.base_bytes == 0
            && self.base_digest == Digest::from_bytes([0; Digest::LEN]);
        literal_context_bits.saturating_add(literal_position_bits) <= LITERAL_BITS_MAX
            && self.dictionary_bytes >= DICTIONARY_BYTES_MIN
            && self.required_memory_bytes() <= self.profile.memory_bytes()
            && self.map_records <= self.target_bytes
            && (full_rules || !self.is_full())
    }
}

/// The fields of a header in their order, and the checksum over them.
struct Fields<'a> {
    artifact: &'a mut dyn Artifact,
    crc: Crc,
}

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], HeaderError> {
        let mut field = [0; N];
        let mut rest = field.as_mut_slice();
        while !rest.is_empty() {
            let read = self.artifact.read(rest).map_err(|_| HeaderError::Artifact)?;
            if read == 0 {
                return Err(HeaderError::Truncated);
            }
            rest = rest.get_mut(read..).ok_or(HeaderError::Artifact)?;
        }
        self.crc.update(&field);
        Ok(field)
    }

    fn number(&mut self) -> Result<u32, HeaderError> {
        self.take().map(u32::from_le_bytes)
    }
}

/// CRC-32 as zlib has it, without a table: a header is short.
struct Crc(u32);

impl Crc {
    const fn new() -> Self {
        Self(u32::MAX)
    }

    fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 ^= u32::from(*byte);
            for _ in 0..8 {
                let low_bit = self.0 & 1;
                self.0 = self.0 >> 1 ^ 0xEDB8_8320u32.wrapping_mul(low_bit);
            }
        }
    }

    const fn finish(&self) -> u32 {
        !self.0
    }
}
