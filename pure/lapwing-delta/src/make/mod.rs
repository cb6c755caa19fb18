//! Finds a small artifact that `apply` turns into a given image.
//!
//! Touches: the two images, by their ports; `crate::apply`, to prove each artifact before it is given out.
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
use crate::limits::{RECORD_BYTES, RECORDS_MAX};
use crate::map::Record;
use crate::ports::{Base, NoBase, NoScratch, PortError, Ports, Target};
use crate::reference::Architecture;
use body::Job;
use core::ops::ControlFlow;
use index::Lists;
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
    /// Compressing what is left, quickly and in several ways.
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
    /// The port of an image failed.
    #[error("an image cannot be read")]
    Image,
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
const SMALL_BYTES: u64 = 4 << 20;
/// A delta above this share of its target is compared with the full image.
const FULL_IMAGE_SHARE: usize = 8;

/// Makes the artifact that turns `base` into `target`, or the full image if `base` is empty or a delta
/// would not be smaller: `Header::is_full` tells.
///
/// The result has been applied and compared. Both images are read whole several times, so that neither is
/// in memory longer than it has to be. Memory: `make_memory_bytes` and a few KiB.
/// # Errors
/// `MakeError::Stopped` soon after `progress` breaks; indexing, a fraction of a second, is not interrupted.
pub fn make(
    base: &mut dyn Base,
    target: &mut dyn Base,
    profile: Profile,
    progress: OnProgress<'_>,
) -> Result<Vec<u8>, MakeError> {
    let found = Found::between(base, target, progress)?;
    let image = whole(target)?;
    let mut best = None;
    if !found.records.is_empty() {
        let mut pair = Pair::delta(base, &image, &found);
        pair.improve(&mut best, profile, true, progress)?;
        // Given more memory than this, contexts remember more than a dictionary holds.
        if profile != Profile::Free {
            pair.improve(&mut best, profile, false, progress)?;
        }
    }
    if best.as_ref().is_none_or(|best| best.len() > image.len() / FULL_IMAGE_SHARE) {
        Pair::full(&mut NoBase, &image).improve(&mut best, profile, false, progress)?;
    }
    let best = best.ok_or(MakeError::Encoder)?;
    prove(base, &image, &best, progress)?;
    Ok(best)
}

/// A delta by one codec even where the other would be smaller, for golden artifacts of each. Not proven.
///
/// # Errors
/// As `make`.
#[doc(hidden)]
pub fn make_by_codec(
    is_mixed: bool,
    base: &mut dyn Base,
    target: &mut dyn Base,
    profile: Profile,
) -> Result<Vec<u8>, MakeError> {
    let progress = &mut |_| ControlFlow::Continue(());
    let found = Found::between(base, target, progress)?;
    let (image, mut made) = (whole(target)?, None);
    Pair::delta(base, &image, &found).improve(&mut made, profile, is_mixed, progress)?;
    made.ok_or(MakeError::Encoder)
}

/// The most memory that `make` takes, the images included, known before it starts.
#[must_use]
pub fn make_memory_bytes(base_bytes: u64, target_bytes: u64, profile: Profile) -> u64 {
    let images = base_bytes.saturating_add(target_bytes);
    let matching = index::memory_bytes(base_bytes).saturating_add(images);
    // The target, what codec 1 compresses, the streams of a delta and of a full image, and one of them put together.
    let streams = target_bytes.saturating_mul(5);
    let encoding = body::coding_memory_bytes(profile, target_bytes);
    // Records are smaller than the stretches they stand for, and not without number; a growing list may be half empty.
    let records = target_bytes.saturating_mul(2).min(RECORDS_MEMORY_BYTES);
    matching.max(encoding.saturating_add(streams)).saturating_add(records)
}

/// Most records, those of the last matching beside those of the next, or the map put in order.
const RECORDS_MEMORY_BYTES: u64 = RECORDS_MAX as u64 * RECORD_BYTES as u64 * 4;

/// What is known of two images before anything is compressed.
struct Found {
    programs: Option<[Program; 2]>,
    records: Vec<Record>,
    base_digest: [u8; 8],
}

impl Found {
    fn between(
        base: &mut dyn Base,
        target: &mut dyn Base,
        progress: OnProgress<'_>,
    ) -> Result<Self, MakeError> {
        let mut images = [whole(base)?, whole(target)?];
        let [old, new] = &images;
        let programs = loader::pair(old, new);
        let base_digest = short(&Digest::of(old));
        let mut lists = Lists::default();
        let records = matcher::find(old, new, &mut lists, progress)?;
        let mut found = Self { programs, records, base_digest };
        for _ in 0..if target.length_bytes() <= SMALL_BYTES { 2 } else { 1 } {
            found.match_again([base, target], &mut images, &mut lists, progress)?;
        }
        Ok(found)
    }

    /// Compares the images with their references undone.
    fn match_again(
        &mut self,
        [base, target]: [&mut dyn Base; 2],
        [old, new]: &mut [Vec<u8>; 2],
        lists: &mut Lists,
        progress: OnProgress<'_>,
    ) -> Result<(), MakeError> {
        let Some(programs) = self.programs.as_ref().filter(|_| !self.records.is_empty()) else {
            return Ok(());
        };
        base.read_at(0, old).and_then(|()| target.read_at(0, new)).map_err(|_| MakeError::Image)?;
        let pair = Pair::delta(base, new, self);
        let header = pair.header(Profile::Mib1, body::mixing(Profile::Mib1, new.len() as u32, 0));
        body::with_map(&header, &pair.map, |map| likeness::of_base(old, programs, map))?;
        likeness::of_target(new, &programs[1]).map_err(MakeError::Unproven)?;
        self.records = matcher::find(old, new, lists, progress)?;
        Ok(())
    }
}

/// An image, in memory.
fn whole(image: &mut dyn Base) -> Result<Vec<u8>, MakeError> {
    let length = i32::try_from(image.length_bytes()).map_err(|_| MakeError::TooLarge)?;
    let mut bytes = vec![0; length as usize];
    image.read_at(0, &mut bytes).map_err(|_| MakeError::Image)?;
    Ok(bytes)
}

/// The images and what was found out about them.
struct Pair<'a> {
    base: &'a mut dyn Base,
    target: &'a [u8],
    architecture: Architecture,
    map_records: usize,
    map: Vec<u8>,
    base_digest: [u8; 8],
    target_digest: [u8; 8],
}

impl<'a> Pair<'a> {
    fn delta(base: &'a mut dyn Base, target: &'a [u8], found: &Found) -> Self {
        let Found { programs, records, base_digest } = found;
        Self {
            base,
            target,
            architecture: programs.as_ref().map_or(Architecture::None, |[base, _]| base.architecture),
            map_records: records.len(),
            map: map_encoder::encode(programs.as_ref(), records),
            base_digest: *base_digest,
            target_digest: short(&Digest::of(target)),
        }
    }

    fn full(base: &'a mut NoBase, target: &'a [u8]) -> Self {
        Self {
            base,
            target,
            architecture: Architecture::None,
            map_records: 0,
            map: Vec::new(),
            base_digest: [0; 8],
            target_digest: short(&Digest::of(target)),
        }
    }

    fn header(&self, profile: Profile, coding: Coding) -> Header {
        Header {
            profile,
            architecture: self.architecture,
            coding,
            base_bytes: self.base.length_bytes() as u32,
            target_bytes: self.target.len() as u32,
            map_records: self.map_records as u32,
            map_encoded_bytes: self.map.len() as u32,
            body_encoded_bytes: 0,
            base_digest: self.base_digest,
            target_digest: self.target_digest,
            header_bytes: 0,
        }
    }

    /// Puts an artifact by one of the codecs in the place of `best` if it is smaller.
    fn improve(
        &mut self,
        best: &mut Option<Vec<u8>>,
        profile: Profile,
        is_mixed: bool,
        progress: OnProgress<'_>,
    ) -> Result<(), MakeError> {
        let most_bytes = best.as_ref().map_or(usize::MAX, Vec::len);
        let map_bytes = self.map_records * RECORD_BYTES * 2;
        let target_bytes = self.target.len() as u32;
        let coding = if is_mixed {
            body::mixing(profile, target_bytes, map_bytes)
        } else {
            body::lzma(profile, body::WIDEST, target_bytes, map_bytes)
        };
        let mut header = self.header(profile, coding);
        let mut job = Job { base: self.base, target: self.target, map: &self.map };
        let stream = match coding {
            Coding::Mixing { .. } => job.mixing(&header, progress)?,
            Coding::Lzma { dictionary_bytes, .. } => {
                let most_bytes = most_bytes.saturating_sub(self.map.len());
                let made = job.lzma(&header, dictionary_bytes, most_bytes, progress)?;
                let Some((properties, stream)) = made else { return Ok(()) };
                header.coding = Coding::Lzma { properties, dictionary_bytes };
                stream
            }
        };
        header.body_encoded_bytes = u32::try_from(stream.len()).map_err(|_| MakeError::TooLarge)?;
        let mut artifact = header.to_bytes();
        artifact.extend_from_slice(&self.map);
        artifact.extend(stream);
        if artifact.len() < most_bytes {
            *best = Some(artifact);
        }
        Ok(())
    }
}

/// Applies `artifact` in the least memory and compares the result.
fn prove(
    base: &mut dyn Base,
    target: &[u8],
    mut artifact: &[u8],
    progress: OnProgress<'_>,
) -> Result<(), MakeError> {
    let header = Header::read(&mut artifact).map_err(|_| MakeError::Unproven(ApplyError::Corrupt))?;
    let base = if header.is_full() { &mut NoBase } else { base };
    let map_bytes = header.scratch_bytes() as usize;
    let mut memory = vec![0; header.required_memory_bytes() + map_bytes];
    let mut rest = Compared(target);
    let ports = Ports { base, artifact: &mut artifact, scratch: &mut NoScratch, target: &mut rest };
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
