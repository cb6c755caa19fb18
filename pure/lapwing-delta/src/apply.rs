//! Base and artifact into target, in one forward pass and in the memory given.
//!
//! Touches: the ports, and one piece of memory that it divides.
//! Never: judges whether the image may run; it only says whose digest it has.

use crate::header::Header;
use crate::limits::{INPUT_BYTES, OUTPUT_BYTES, RECORD_BYTES, WINDOW_RECORDS};
use crate::lzma::{LEARNING_SHIFT, Lzma};
use crate::map::{Map, Record};
use crate::ports::{Base, Ports, Scratch};
use crate::range::{Input, Probability, Range};
use core::ops::ControlFlow;
use lapwing_core::{Digest, Hasher};

/// Why there is no new image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// The base has another length than the header says. Nothing was written.
    #[error("the base has another length")]
    BaseLength,
    /// Less memory than `Header::required_memory_bytes`. Nothing was written.
    #[error("the memory is too small")]
    Memory,
    /// Less scratch area than `Header::scratch_bytes`, and no memory to spare. Nothing was written.
    #[error("the scratch area is too small")]
    ScratchSize,
    /// The output counter is beyond the end of the image. Nothing was written.
    #[error("the output counter is beyond the end of the image")]
    ResumePoint,
    /// The artifact ends early.
    #[error("the artifact ends early")]
    Truncated,
    /// The artifact is not what any `make` wrote.
    #[error("the artifact is corrupt")]
    Corrupt,
    /// All was decoded, and the image is not the one that the header names.
    #[error("the image has another digest")]
    TargetDigest,
    /// The caller's progress function said so.
    #[error("the caller stopped it")]
    Stopped,
    /// The port failed.
    #[error("the base could not be read")]
    Base,
    /// The port failed.
    #[error("the artifact could not be read")]
    Artifact,
    /// The port failed.
    #[error("the scratch area could not be used")]
    Scratch,
    /// The port failed.
    #[error("the target could not be written")]
    Target,
}

/// Applies the artifact behind `header` and writes the target image, in order, in one pass.
///
/// The target is called for the bytes from `resume_from` on: after a power cut, the same call with
/// the output counter that was kept goes on where the last one ended. `progress` learns after each
/// piece how many bytes of the image are done, written or not, and may break off.
///
/// What the header names is for the caller to compare, before: base with the image that is there,
/// target with the release, its length included. A base with the right length and wrong content is
/// only noticed by the digest of the target.
///
/// Memory: `memory`, under 2 KiB of stack, no heap.
/// # Errors
/// With any error the target is incomplete or wrong and must not be switched to.
/// Source: formats/delta.md.
pub fn apply(
    header: &Header,
    ports: Ports<'_>,
    memory: &mut [u8],
    resume_from: u64,
    progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<Digest, ApplyError> {
    let Ports { base, artifact, scratch, target } = ports;
    if base.length_bytes() != u64::from(header.base_bytes) {
        return Err(ApplyError::BaseLength);
    }
    if resume_from > u64::from(header.target_bytes) {
        return Err(ApplyError::ResumePoint);
    }
    let Workplace { probabilities, input, base_piece, piece, window, dictionary, mut spare } =
        Workplace::divide(header, memory)?;
    let scratch: &mut dyn Scratch =
        if spare.capacity_bytes() >= header.scratch_bytes() { &mut spare } else { scratch };
    if scratch.capacity_bytes() < header.scratch_bytes() {
        return Err(ApplyError::ScratchSize);
    }

    let mut input = Input::new(artifact, input);
    let map = Map::decode(header, &mut input, probabilities, scratch, window)?;
    let mut range = Range::start(&mut input, header.body_encoded_bytes, LEARNING_SHIFT)?;
    let mut body = Lzma::new(header.properties, probabilities, dictionary);
    let mut matches = Matches::new(map, base, base_piece)?;
    let mut hasher = Hasher::new();
    let mut done = 0;
    while done < header.target_bytes {
        let left = header.target_bytes.saturating_sub(done) as usize;
        let piece = piece.get_mut(..left.min(OUTPUT_BYTES)).ok_or(ApplyError::Memory)?;
        for byte in piece.iter_mut() {
            *byte = body.byte(&mut range)?;
        }
        matches.add_to(piece, done)?;
        hasher.update(piece);
        let skipped = usize::try_from(resume_from.saturating_sub(done.into())).unwrap_or(usize::MAX);
        if let Some(fresh @ [_, ..]) = piece.get(skipped..) {
            target.write(fresh).map_err(|_| ApplyError::Target)?;
        }
        done = done.saturating_add(piece.len() as u32);
        if progress(done.into()).is_break() {
            return Err(ApplyError::Stopped);
        }
    }
    if !body.is_whole() {
        return Err(ApplyError::Corrupt);
    }
    range.finish()?;
    let digest = hasher.finish();
    if digest == header.target_digest { Ok(digest) } else { Err(ApplyError::TargetDigest) }
}

/// What the memory is divided into.
struct Workplace<'m> {
    probabilities: &'m mut [Probability],
    input: &'m mut [u8],
    base_piece: &'m mut [u8],
    piece: &'m mut [u8],
    window: &'m mut [[u8; RECORD_BYTES]],
    dictionary: &'m mut [u8],
    /// Whatever is more than required.
    spare: &'m mut [u8],
}

impl<'m> Workplace<'m> {
    fn divide(header: &Header, memory: &'m mut [u8]) -> Result<Self, ApplyError> {
        let mut rest = memory;
        let mut take = |length: usize| {
            let (part, after) = core::mem::take(&mut rest).split_at_mut_checked(length)?;
            rest = after;
            Some(part)
        };
        let probabilities = header.properties.probabilities() as usize;
        let mut parts = || {
            Some([
                take(probabilities.checked_mul(size_of::<Probability>())?)?,
                take(INPUT_BYTES)?,
                take(OUTPUT_BYTES)?,
                take(OUTPUT_BYTES)?,
                take(WINDOW_RECORDS.checked_mul(RECORD_BYTES)?)?,
                take(usize::try_from(header.dictionary_bytes).ok()?)?,
            ])
        };
        let [probabilities, input, base_piece, piece, window, dictionary] =
            parts().ok_or(ApplyError::Memory)?;
        Ok(Self {
            probabilities: probabilities.as_chunks_mut().0,
            input,
            base_piece,
            piece,
            window: window.as_chunks_mut().0,
            dictionary,
            spare: rest,
        })
    }
}

/// The map as it is walked through, and the base it points to.
struct Matches<'m> {
    map: Map<'m>,
    current: Option<Record>,
    base: &'m mut dyn Base,
    base_piece: &'m mut [u8],
}

impl<'m> Matches<'m> {
    fn new(mut map: Map<'m>, base: &'m mut dyn Base, base_piece: &'m mut [u8]) -> Result<Self, ApplyError> {
        let current = map.next()?;
        Ok(Self { map, current, base, base_piece })
    }

    /// Adds the base to `piece`, which is the target from `start` on, wherever the map says so.
    fn add_to(&mut self, piece: &mut [u8], start: u32) -> Result<(), ApplyError> {
        let end = start.saturating_add(piece.len() as u32);
        while let Some(record) = self.current
            && record.target_start < end
        {
            let from = record.target_start.max(start);
            let to = record.target_end().min(end);
            let part = from.saturating_sub(start) as usize..to.saturating_sub(start) as usize;
            let part = piece.get_mut(part).ok_or(ApplyError::Corrupt)?;
            let base = self.base_piece.get_mut(..part.len()).ok_or(ApplyError::Memory)?;
            let offset = from.saturating_sub(record.target_start).saturating_add(record.base_start);
            self.base.read_at(offset.into(), base).map_err(|_| ApplyError::Base)?;
            for (byte, base) in part.iter_mut().zip(base) {
                *byte = byte.wrapping_add(*base);
            }
            if to < record.target_end() {
                break;
            }
            self.current = self.map.next()?;
        }
        Ok(())
    }
}
