//! Finds a small artifact that `apply` turns into a given image.
//!
//! Touches: the two images in memory; `crate::apply`, to prove each artifact before it is given out.
//! Never: trusts its own encoder.

mod body;
mod index;
mod likeness;
mod loader;
mod map_encoder;
mod matcher;
mod range_encoder;

use crate::apply::{ApplyError, apply};
use crate::header::{Coding, Header, Profile, short};
use crate::limits::RECORD_BYTES;
use crate::map::Record;
use crate::ports::{NoScratch, PortError, Ports, Target};
use crate::reference::Architecture;
use body::Job;
use core::ops::ControlFlow;
use lapwing_core::Digest;
use loader::Program;
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
    /// Remembering the places of the base: cannot be stopped in between.
    Index,
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

/// Images up to this size are matched again twice, where that takes no time; longer ones once.
const SMALL_BYTES: usize = 4 << 20;
/// A delta above this share of its target is compared with the full image.
const FULL_IMAGE_SHARE: usize = 8;

/// Makes the artifact that turns `base` into `target`, or the full image if there is no base or a
/// delta would not be smaller: `Header::is_full` tells.
///
/// The result has been applied and compared. Memory: `make_memory_bytes` beside the two images.
/// # Errors
/// `MakeError::Stopped` as soon as `progress` breaks, except while the base is indexed.
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
    let programs = loader::pair(base, target);
    let mut records = matcher::find(base, target, progress)?;
    if let Some(programs) = &programs {
        for _ in 0..if target.len() <= SMALL_BYTES { 2 } else { 1 } {
            records = rematched(base, target, programs, records, progress)?;
        }
    }
    let mut best: Option<Vec<u8>> = None;
    let mut keep = |made: Vec<u8>| {
        if best.as_ref().is_none_or(|best| made.len() < best.len()) {
            best = Some(made);
        }
        best.as_ref().map_or(0, Vec::len)
    };
    let full = Pair::full(target);
    let mut try_full = true;
    if !records.is_empty() {
        let pair = Pair::delta(base, target, records, programs.as_ref());
        let mut least = keep(pair.artifact(profile, true, progress)?);
        // Given more memory than this, contexts remember more than a dictionary holds.
        if profile == Profile::Kib64 {
            least = keep(pair.artifact(profile, false, progress)?);
        }
        try_full = least > target.len() / FULL_IMAGE_SHARE && full.may_be_smaller(least, progress)?;
    }
    if try_full {
        keep(full.artifact(profile, false, progress)?);
    }
    let best = best.ok_or(MakeError::Encoder)?;
    prove(base, target, &best, progress)?;
    Ok(best)
}

/// The most memory that `make` takes beside the two images, known before it starts.
#[must_use]
pub fn make_memory_bytes(base_bytes: u64, target_bytes: u64, profile: Profile) -> u64 {
    // Likenesses of both images, and the index.
    let matching = index::memory_bytes(base_bytes).saturating_add(base_bytes).saturating_add(target_bytes);
    // What codec 1 compresses, the streams of a delta and of a full image, and one of them put together.
    let streams = target_bytes.saturating_mul(4);
    let encoding = body::encoder_memory_bytes(profile) + profile.memory_bytes() as u64;
    // Records are smaller than the stretches they stand for; a growing list may be half empty.
    let records = target_bytes.saturating_mul(2);
    matching.max(encoding.saturating_add(streams)).saturating_add(records)
}

/// The images and what was found out about them.
struct Pair<'a> {
    base: &'a [u8],
    target: &'a [u8],
    records: Vec<Record>,
    architecture: Architecture,
    map: Vec<u8>,
}

impl<'a> Pair<'a> {
    fn delta(
        base: &'a [u8],
        target: &'a [u8],
        records: Vec<Record>,
        programs: Option<&[Program; 2]>,
    ) -> Self {
        let architecture = programs.map_or(Architecture::None, |[base, _]| base.architecture);
        let map = map_encoder::encode(programs, &records);
        Self { base, target, records, architecture, map }
    }

    const fn full(target: &'a [u8]) -> Self {
        Self { base: &[], target, records: Vec::new(), architecture: Architecture::None, map: Vec::new() }
    }

    /// Whether a sample of the full image leaves hope for less than `bytes`.
    fn may_be_smaller(&self, bytes: usize, progress: OnProgress<'_>) -> Result<bool, MakeError> {
        let (sample, made) = body::sampled(self.target, progress)?;
        // A sample lacks context, and so does worse than the whole.
        Ok(made as u64 * self.target.len() as u64 * 3 / 4 < bytes as u64 * sample as u64)
    }

    fn header(&self, profile: Profile, coding: Coding) -> Header {
        let is_full = self.records.is_empty();
        Header {
            profile,
            architecture: self.architecture,
            coding,
            base_bytes: self.base.len() as u32,
            target_bytes: self.target.len() as u32,
            map_records: self.records.len() as u32,
            map_encoded_bytes: self.map.len() as u32,
            body_encoded_bytes: 0,
            base_digest: if is_full { [0; 8] } else { short(&Digest::of(self.base)) },
            target_digest: short(&Digest::of(self.target)),
            header_bytes: 0,
        }
    }

    fn artifact(
        &self,
        profile: Profile,
        is_mixed: bool,
        progress: OnProgress<'_>,
    ) -> Result<Vec<u8>, MakeError> {
        let job = Job { base: self.base, target: self.target, map: &self.map };
        let map_bytes = self.records.len() * RECORD_BYTES * 2;
        let target_bytes = self.target.len() as u32;
        let (mut header, stream);
        if is_mixed {
            header = self.header(profile, body::mixing(profile, target_bytes, map_bytes));
            stream = job.mixing(&header, progress)?;
        } else {
            header = self.header(profile, body::lzma(profile, body::WIDEST, target_bytes, map_bytes));
            let Coding::Lzma { dictionary_bytes, .. } = header.coding else { return Err(MakeError::Encoder) };
            let properties;
            (properties, stream) = job.lzma(&header, dictionary_bytes, progress)?;
            header.coding = Coding::Lzma { properties, dictionary_bytes };
        }
        header.body_encoded_bytes = u32::try_from(stream.len()).map_err(|_| MakeError::TooLarge)?;
        let mut artifact = header.to_bytes();
        artifact.extend_from_slice(&self.map);
        artifact.extend(stream);
        Ok(artifact)
    }
}

/// The records that come of comparing the images with their references undone.
fn rematched(
    base: &[u8],
    target: &[u8],
    programs: &[Program; 2],
    records: Vec<Record>,
    progress: OnProgress<'_>,
) -> Result<Vec<Record>, MakeError> {
    if records.is_empty() {
        return Ok(records);
    }
    let pair = Pair::delta(base, target, records, Some(programs));
    let header = pair.header(Profile::Mib1, body::mixing(Profile::Mib1, target.len() as u32, 0));
    let job = Job { base, target, map: &pair.map };
    let likenesses = job.with_map(&header, |map| {
        Ok([likeness::of_base(base, programs, map)?, likeness::of_target(target, &programs[1])?])
    })?;
    drop(pair);
    matcher::find(&likenesses[0], &likenesses[1], progress)
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
