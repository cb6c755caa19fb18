//! Finds a small artifact that `apply` turns into a given image.
//!
//! Touches: the two images in memory; `crate::apply`, to prove each artifact before it is given out.
//! Never: trusts its own encoder.

mod body;
mod map_encoder;
mod matcher;
mod suffixes;

use crate::apply::{ApplyError, apply};
use crate::header::{HEADER_BYTES, Header, Profile};
use crate::limits::RECORD_BYTES;
use crate::map::Record;
use crate::ports::{NoScratch, PortError, Ports, Target};
use body::Body;
use core::ops::ControlFlow;
use lapwing_core::Digest;
use std::vec;
use std::vec::Vec;

/// What the work is at, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The part of the work.
    pub stage: Stage,
    /// How much of it is done.
    pub done_bytes: u64,
    /// How much it is; later stages count anew.
    pub total_bytes: u64,
}

/// A part of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Sorting the suffixes of the base: cannot be stopped in between.
    Sort,
    /// Finding stretches of the target in the base.
    Match,
    /// Compressing a sample of what is left in several ways.
    Choose,
    /// Compressing what is left.
    Encode,
    /// Applying the result.
    Prove,
}

/// Why there is no artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MakeError {
    /// An image of 2 GiB or more.
    #[error("an image is too large")]
    TooLarge,
    /// The caller's progress function said so.
    #[error("the caller stopped it")]
    Stopped,
    /// A library failed.
    #[error("an encoder failed")]
    Encoder,
    /// The artifact does not make the image it was made for.
    #[error("the result did not prove right")]
    Unproven(#[source] ApplyError),
}

/// The caller's progress function.
type OnProgress<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

/// A delta above this share of its target is compared with the full image.
const FULL_IMAGE_SHARE: usize = 8;

/// Makes the artifact that turns `base` into `target`, or the full image if there is no base or a
/// delta would not be smaller: `Header::is_full` tells.
///
/// The result has been applied and compared. Memory: `make_memory_bytes` beside the two images.
/// # Errors
/// `MakeError::Stopped` as soon as `progress` breaks, except within the sorting of suffixes.
pub fn make(
    base: Option<&[u8]>,
    target: &[u8],
    profile: Profile,
    progress: OnProgress<'_>,
) -> Result<Vec<u8>, MakeError> {
    for image in [base.unwrap_or_default(), target] {
        i32::try_from(image.len()).map_err(|_| MakeError::TooLarge)?;
    }
    let base = base.unwrap_or_default();
    let records = matcher::find(base, target, progress)?;
    let mut best = encode(base, target, &records, profile, progress)?;
    if !records.is_empty() && best.len() > target.len() / FULL_IMAGE_SHARE {
        let full = encode(&[], target, &[], profile, progress)?;
        if full.len() <= best.len() {
            best = full;
        }
    }
    prove(base, target, &best, progress)?;
    Ok(best)
}

/// The most memory that `make` takes beside the two images, known before it starts.
#[must_use]
pub fn make_memory_bytes(base_bytes: u64, target_bytes: u64, profile: Profile) -> u64 {
    let target = usize::try_from(target_bytes).unwrap_or(usize::MAX);
    let sorting = base_bytes.saturating_mul(4).saturating_add(suffixes::BUCKETS_BYTES);
    // The streams of a delta and of a full image, and one of them put together.
    let streams = target_bytes.saturating_mul(3);
    let encoding = body::encoder_memory_bytes(body::dictionary_bytes(profile, target, 0));
    // Records are smaller than the stretches they stand for; a growing list may be half empty.
    let records = target_bytes.saturating_mul(2);
    sorting.max(encoding.saturating_add(streams)).saturating_add(records)
}

fn encode(
    base: &[u8],
    target: &[u8],
    records: &[Record],
    profile: Profile,
    progress: OnProgress<'_>,
) -> Result<Vec<u8>, MakeError> {
    let is_full = records.is_empty();
    let map = if is_full { Vec::new() } else { map_encoder::encode(records) };
    let dictionary_bytes = body::dictionary_bytes(profile, target.len(), records.len() * RECORD_BYTES);
    let (properties, stream) = Body { base, target, records }.encode(dictionary_bytes, progress)?;
    let header = Header {
        profile,
        properties,
        dictionary_bytes,
        base_bytes: if is_full { 0 } else { base.len() as u32 },
        target_bytes: target.len() as u32,
        map_records: records.len() as u32,
        map_encoded_bytes: map.len() as u32,
        body_encoded_bytes: u32::try_from(stream.len()).map_err(|_| MakeError::TooLarge)?,
        base_digest: if is_full { Digest::from_bytes([0; Digest::LEN]) } else { Digest::of(base) },
        target_digest: Digest::of(target),
    };
    let mut artifact = Vec::with_capacity(HEADER_BYTES + map.len() + stream.len());
    artifact.extend(header.to_bytes());
    artifact.extend(map);
    artifact.extend(stream);
    Ok(artifact)
}

/// Applies `artifact` in the least memory and compares the result.
fn prove(
    mut base: &[u8],
    target: &[u8],
    mut artifact: &[u8],
    progress: OnProgress<'_>,
) -> Result<(), MakeError> {
    let header = Header::read(&mut artifact).map_err(|_| MakeError::Unproven(ApplyError::Corrupt))?;
    if header.is_full() {
        base = &[];
    }
    let map_bytes = header.scratch_bytes() as usize;
    let mut memory = vec![0; header.required_memory_bytes() + map_bytes];
    let mut rest = Compared(target);
    let ports =
        Ports { base: &mut base, artifact: &mut artifact, scratch: &mut NoScratch, target: &mut rest };
    let total_bytes = target.len() as u64;
    let applied = apply(&header, ports, &mut memory, 0, &mut |done_bytes| {
        progress(Progress { stage: Stage::Prove, done_bytes, total_bytes })
    });
    match applied {
        Ok(_) if rest.0.is_empty() => Ok(()),
        Ok(_) => Err(MakeError::Unproven(ApplyError::TargetDigest)),
        Err(ApplyError::Stopped) => Err(MakeError::Stopped),
        Err(error) => Err(MakeError::Unproven(error)),
    }
}

/// Takes only the bytes that it already knows.
struct Compared<'a>(&'a [u8]);

impl Target for Compared<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.0 = self.0.strip_prefix(bytes).ok_or(PortError)?;
        Ok(())
    }
}
