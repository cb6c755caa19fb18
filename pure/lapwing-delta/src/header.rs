//! The header of an artifact: what it makes of which base, and the memory that takes.
//!
//! Touches: the first bytes of the artifact.
//! Never: trusts a number in it; the digests are only as good as the offer that names them.

use crate::limits::{
    DICTIONARY_BYTES_MIN, FREE_PROFILE_BYTES, LITERAL_BITS_MAX, RECORD_BYTES, RECORDS_MAX, RUN_BYTES,
    STACK_BYTES, TABLE_BYTES_MIN,
};
use crate::lzma::Properties;
use crate::plan::Plan;
use crate::ports::Artifact;
use crate::reference::Architecture;
use lapwing_core::Digest;

const MAGIC: [u8; 4] = *b"LWDA";
const VERSION: u8 = 1;
const CODEC_LZMA: u8 = 1;
const CODEC_MIXING: u8 = 2;

/// The fields of fixed length before and after the numbers.
const HEAD_BYTES: usize = 8;
const CHECKSUM_BYTES: usize = 4;
/// No header is longer: its length is told in a byte.
const HEADER_BYTES_MAX: usize = 255;

/// How much of a digest is in a header: enough to notice a mistake. Trust comes from the release.
const DIGEST_START_BYTES: usize = 8;
type DigestStart = [u8; DIGEST_START_BYTES];

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

/// What the body of an artifact is coded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Codec 1.
    Lzma { properties: Properties, dictionary_bytes: u32 },
    /// Codec 2: how many contexts, and what they may remember.
    Mixing { level: u8, table_bytes: u32 },
}

/// A header that keeps its own rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    pub(crate) profile: Profile,
    pub(crate) architecture: Architecture,
    pub(crate) coding: Coding,
    pub(crate) base_bytes: u32,
    pub(crate) target_bytes: u32,
    pub(crate) map_records: u32,
    pub(crate) map_encoded_bytes: u32,
    pub(crate) body_encoded_bytes: u32,
    pub(crate) base_digest: DigestStart,
    pub(crate) target_digest: DigestStart,
    /// Of the header itself.
    pub(crate) header_bytes: u8,
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
        let mut bytes = [0; HEADER_BYTES_MAX];
        let (head, rest) = bytes.split_first_chunk_mut::<HEAD_BYTES>().ok_or(HeaderError::Invalid)?;
        fill(artifact, head)?;
        let [magic @ .., version, codec, architecture_and_profile, header_bytes] = *head;
        if magic != MAGIC {
            return Err(HeaderError::Magic);
        }
        if version != VERSION {
            return Err(HeaderError::Version);
        }
        let rest_bytes = usize::from(header_bytes).checked_sub(HEAD_BYTES).ok_or(HeaderError::Invalid)?;
        let rest = rest.get_mut(..rest_bytes).ok_or(HeaderError::Invalid)?;
        fill(artifact, rest)?;
        let (fields, checksum) = rest.split_last_chunk::<CHECKSUM_BYTES>().ok_or(HeaderError::Invalid)?;
        if crc(head.iter().chain(fields)) != u32::from_le_bytes(*checksum) {
            return Err(HeaderError::Checksum);
        }
        let mut fields = Fields(fields);
        let parameter = fields.byte()?;
        let memory_bytes = fields.number()?;
        let coding = match codec {
            CODEC_LZMA => Coding::Lzma {
                properties: Properties::from_byte(parameter).ok_or(HeaderError::Invalid)?,
                dictionary_bytes: memory_bytes,
            },
            CODEC_MIXING => Coding::Mixing { level: parameter, table_bytes: memory_bytes },
            _ => return Err(HeaderError::Codec),
        };
        let header = Self {
            profile: Profile::from_id(architecture_and_profile & 15).ok_or(HeaderError::Invalid)?,
            architecture: Architecture::from_id(architecture_and_profile >> 4)
                .ok_or(HeaderError::Architecture)?,
            coding,
            target_bytes: fields.number()?,
            base_bytes: fields.number()?,
            map_records: fields.number()?,
            map_encoded_bytes: fields.number()?,
            body_encoded_bytes: fields.number()?,
            target_digest: fields.digest()?,
            base_digest: fields.digest()?,
            header_bytes,
        };
        if fields.0.is_empty() && header.is_valid() { Ok(header) } else { Err(HeaderError::Invalid) }
    }

    /// The class of memory this artifact was made for.
    #[must_use]
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// The number of the codec: 1 for LZMA, 2 for context mixing.
    #[must_use]
    pub const fn codec(&self) -> u8 {
        match self.coding {
            Coding::Lzma { .. } => CODEC_LZMA,
            Coding::Mixing { .. } => CODEC_MIXING,
        }
    }

    /// Whether it is to be applied to the image with this digest. Said of a full image it is always so.
    ///
    /// Only the beginning of the digest is compared. A wrong base is noticed, at the latest, by the digest
    /// that [`crate::apply`] returns.
    #[must_use]
    pub fn names_base(&self, digest: &Digest) -> bool {
        self.is_full() || self.base_digest == short(digest)
    }

    /// Length of the image it has to be applied to; 0 for a full image.
    #[must_use]
    pub const fn base_bytes(&self) -> u32 {
        self.base_bytes
    }

    /// The beginning of the base's digest, for people; `None` of a full image.
    #[must_use]
    pub fn base_digest_start(&self) -> Option<[u8; DIGEST_START_BYTES]> {
        (!self.is_full()).then_some(self.base_digest)
    }

    /// The beginning of the digest of the image that it makes, for people.
    #[must_use]
    pub const fn target_digest_start(&self) -> [u8; DIGEST_START_BYTES] {
        self.target_digest
    }

    /// Whether it makes the image with this digest. Only the beginning of the digest is compared.
    #[must_use]
    pub fn names_target(&self, digest: &Digest) -> bool {
        self.target_digest == short(digest)
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
        streams.saturating_add(self.header_bytes.into())
    }

    /// Length of the decoded map: the scratch area `apply` needs, unless the memory it is given
    /// exceeds `required_memory_bytes` by as much.
    #[must_use]
    pub fn scratch_bytes(&self) -> u64 {
        let runs = self.map_runs();
        let copies = match self.architecture {
            Architecture::None => 1u64,
            _ if runs <= 1 => 2,
            _ => 3,
        };
        u64::from(self.map_records).saturating_mul(RECORD_BYTES as u64).saturating_mul(copies)
    }

    /// The least memory that `apply` works in.
    #[must_use]
    pub fn required_memory_bytes(&self) -> usize {
        self.plan().required_bytes()
    }

    /// What the memory is divided into.
    pub(crate) const fn plan(&self) -> Plan {
        Plan::of(self.profile, self.coding, self.target_bytes)
    }

    /// In how many pieces the map has to be sorted.
    fn map_runs(&self) -> u32 {
        let run_records = self.plan().codec_bytes().checked_div(RECORD_BYTES).unwrap_or(0);
        self.map_records.div_ceil(u32::try_from(run_records).unwrap_or(u32::MAX).max(1))
    }

    /// The bytes of the header.
    #[cfg(feature = "make")]
    pub(crate) fn to_bytes(self) -> std::vec::Vec<u8> {
        let architecture_and_profile = (self.architecture as u8) << 4 | self.profile as u8;
        let (parameter, memory_bytes) = match self.coding {
            Coding::Lzma { properties, dictionary_bytes } => (properties.to_byte(), dictionary_bytes),
            Coding::Mixing { level, table_bytes } => (level, table_bytes),
        };
        let mut bytes = std::vec::Vec::from(MAGIC);
        bytes.extend([VERSION, self.codec(), architecture_and_profile, 0, parameter]);
        let streams = [self.map_records, self.map_encoded_bytes, self.body_encoded_bytes];
        for number in [memory_bytes, self.target_bytes, self.base_bytes].into_iter().chain(streams) {
            let mut left = number;
            while left > 0x7F {
                bytes.push(left as u8 | 0x80);
                left >>= 7;
            }
            bytes.push(left as u8);
        }
        bytes.extend(self.target_digest);
        bytes.extend(self.base_digest);
        let header_bytes = bytes.len().saturating_add(CHECKSUM_BYTES) as u8;
        if let Some(length) = bytes.get_mut(HEAD_BYTES.saturating_sub(1)) {
            *length = header_bytes;
        }
        bytes.extend(crc(&bytes).to_le_bytes());
        bytes
    }

    fn is_valid(&self) -> bool {
        let coding = match self.coding {
            Coding::Lzma { properties, dictionary_bytes } => {
                let Properties { literal_context_bits, literal_position_bits, .. } = properties;
                literal_context_bits.saturating_add(literal_position_bits) <= LITERAL_BITS_MAX
                    && dictionary_bytes >= DICTIONARY_BYTES_MIN
            }
            Coding::Mixing { level, table_bytes } => {
                level <= 1 && table_bytes >= TABLE_BYTES_MIN && table_bytes % 64 == 0 && !self.is_full()
            }
        };
        let full_rules = self.map_encoded_bytes == 0
            && self.base_bytes == 0
            && self.architecture == Architecture::None
            && self.base_digest == [0; DIGEST_START_BYTES];
        let heads_bytes = u64::from(self.map_runs()).saturating_mul(RUN_BYTES as u64);
        coding
            && self.required_memory_bytes().saturating_add(STACK_BYTES) <= self.profile.memory_bytes()
            && self.map_records <= self.target_bytes.min(RECORDS_MAX)
            && heads_bytes <= self.plan().codec_bytes() as u64
            && (full_rules || !self.is_full())
    }
}

/// The beginning of a digest.
pub(crate) fn short(digest: &Digest) -> DigestStart {
    digest.as_bytes().first_chunk().copied().unwrap_or_default()
}

fn fill(artifact: &mut dyn Artifact, mut out: &mut [u8]) -> Result<(), HeaderError> {
    while !out.is_empty() {
        let read = artifact.read(out).map_err(|_| HeaderError::Artifact)?;
        if read == 0 {
            return Err(HeaderError::Truncated);
        }
        out = out.get_mut(read..).ok_or(HeaderError::Artifact)?;
    }
    Ok(())
}

/// The fields of a header that have not been read yet.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn byte(&mut self) -> Result<u8, HeaderError> {
        let (first, rest) = self.0.split_first().ok_or(HeaderError::Invalid)?;
        self.0 = rest;
        Ok(*first)
    }

    /// A number in groups of seven bits, the lowest first, in as few as possible.
    fn number(&mut self) -> Result<u32, HeaderError> {
        let mut number = 0u64;
        for shift in [0u32, 7, 14, 21, 28] {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                let is_shortest = byte > 0 || shift == 0;
                let number = u32::try_from(number).ok().filter(|_| is_shortest);
                return number.ok_or(HeaderError::Invalid);
            }
        }
        Err(HeaderError::Invalid)
    }

    fn digest(&mut self) -> Result<DigestStart, HeaderError> {
        let (digest, rest) = self.0.split_first_chunk().ok_or(HeaderError::Invalid)?;
        self.0 = rest;
        Ok(*digest)
    }
}

/// CRC-32 as zlib has it, without a table: a header is short.
fn crc<'b>(bytes: impl IntoIterator<Item = &'b u8>) -> u32 {
    let crc = bytes.into_iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ 0xEDB8_8320u32.wrapping_mul(crc & 1))
    });
    !crc
}
