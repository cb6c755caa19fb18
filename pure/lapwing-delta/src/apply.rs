//! Base and artifact into target, in one forward pass and in the memory given.
//!
//! Touches: the ports, and one piece of memory that it divides.
//! Never: judges whether the image may run; it only says whose digest it has.

use crate::body::Body;
use crate::correction::Correction;
use crate::header::{Coding, Header};
use crate::lzma::{LEARNING_SHIFT, Lzma};
use crate::memory::Memory;
use crate::mixing::{Bits, Mixing};
use crate::ports::{Ports, Scratch};
use crate::range::{Input, Range};
use core::ops::ControlFlow;
use lapwing_core::Digest;

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
/// target with the release, its length included; and after, the digest returned with the release's.
/// A base with the right length and wrong content ends in an error, at the latest at the digest.
///
/// Memory: `memory`, 3 KiB of stack, no heap.
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
    let plan = header.plan();
    let (memory, mut spare) = memory.split_at_mut_checked(plan.required_bytes()).ok_or(ApplyError::Memory)?;
    let mut memory = Memory::new(memory);
    let scratch: &mut dyn Scratch =
        if spare.capacity_bytes() >= header.scratch_bytes() { &mut spare } else { scratch };
    if scratch.capacity_bytes() < header.scratch_bytes() {
        return Err(ApplyError::ScratchSize);
    }

    let mut input = Input::new(artifact, memory.bytes(plan.input_bytes)?);
    let mut layouts = Default::default();
    let mut body = Body::new(header, base, scratch, &mut input, &mut memory, &mut layouts)?;
    let mut done = 0u64;
    let mut give = |piece: &[u8]| {
        let skipped = usize::try_from(resume_from.saturating_sub(done)).unwrap_or(usize::MAX);
        if let Some(fresh @ [_, ..]) = piece.get(skipped..) {
            target.write(fresh).map_err(|_| ApplyError::Target)?;
        }
        done = done.saturating_add(piece.len() as u64);
        if progress(done).is_break() { Err(ApplyError::Stopped) } else { Ok(()) }
    };
    match header.coding {
        Coding::Lzma { properties, dictionary_bytes } => {
            let range = Range::start(&mut input, header.body_encoded_bytes, LEARNING_SHIFT)?;
            let probabilities = memory.items(properties.probabilities() as usize)?;
            let dictionary = memory.bytes(dictionary_bytes as usize)?;
            let mut codec = Correction(Lzma::new(properties, probabilities, dictionary, range));
            body.run(&mut codec, &[], &mut give)?;
            codec.0.finish()?;
        }
        Coding::Mixing { .. } => {
            let range = Range::start(&mut input, header.body_encoded_bytes, 0)?;
            let mut codec = Mixing::new(header, &mut memory, range)?;
            body.run(&mut codec, &[], &mut give)?;
            codec.into_bits().finish()?;
        }
    }
    let digest = body.into_history().digest();
    if header.names_target(&digest) { Ok(digest) } else { Err(ApplyError::TargetDigest) }
}

impl Bits for Range<'_, '_> {
    fn bit(&mut self, chance: u32, _known: u32) -> Result<u32, ApplyError> {
        self.likely_bit(chance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Layout;
    use crate::limits::STACK_BYTES;
    use crate::predict::Candidates;

    /// The frames of functions hold these, and little else.
    #[test]
    fn what_lies_on_the_stack_leaves_a_third_of_it_free() {
        let held = size_of::<[Layout; 2]>()
            + size_of::<Body<'_>>()
            + size_of::<Mixing<'_, Range<'_, '_>>>()
            + size_of::<Candidates>()
            + size_of::<Header>();
        assert!(held <= STACK_BYTES / 3 * 2, "{held} bytes");
    }
}
