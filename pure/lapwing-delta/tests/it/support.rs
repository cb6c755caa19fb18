//! Ports in memory, and images that look like programs.
//!
//! Touches: memory only; every image comes from a seed.
//! Never: asserts; that is for the tests.

use core::ops::ControlFlow;
use lapwing_core::Digest;
use lapwing_delta::{
    ApplyError, Header, NoScratch, PortError, Ports, Profile, Progress, Target, apply, make,
};

/// Collects the target.
#[derive(Default)]
pub(crate) struct Written(pub(crate) Vec<u8>);

impl Target for Written {
    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Numbers from a seed (SplitMix64).
pub(crate) struct Seed(pub(crate) u64);

impl Seed {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// Bytes with some order in them, as code has.
    pub(crate) fn image(&mut self, length_bytes: usize) -> Vec<u8> {
        let words: Vec<u64> = (0..64).map(|_| self.next()).collect();
        let mut image = Vec::new();
        while image.len() < length_bytes {
            let word = if self.below(4) == 0 { self.next() } else { words[self.below(64)] };
            image.extend(&word.to_le_bytes()[..1 + self.below(8)]);
        }
        image.truncate(length_bytes);
        image
    }

    /// The image after a few edits: bytes changed, put in, taken out, moved.
    pub(crate) fn edited(&mut self, image: &[u8], edits: usize) -> Vec<u8> {
        let mut image = image.to_vec();
        for _ in 0..edits {
            let at = self.below(image.len() + 1);
            let length = self.below(40);
            let end = image.len().min(at + length);
            match self.below(4) {
                0 => image[at..end].iter_mut().step_by(3).for_each(|byte| *byte = byte.wrapping_add(4)),
                1 => drop(image.splice(at..at, self.image(length))),
                2 => drop(image.drain(at..end)),
                _ => image.rotate_left(at.min(length * 50)),
            }
        }
        image
    }
}

pub(crate) fn quiet(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[expect(clippy::unwrap_used, reason = "a test that cannot make its artifact has failed")]
pub(crate) fn made(base: Option<&[u8]>, target: &[u8], profile: Profile) -> Vec<u8> {
    make(base, target, profile, &mut quiet).unwrap()
}

/// Memory for an artifact, its map included.
pub(crate) fn memory_bytes(header: &Header) -> usize {
    header.required_memory_bytes() + header.scratch_bytes() as usize
}

/// Applies in memory, with no scratch area.
pub(crate) fn applied(base: &[u8], artifact: &[u8], resume_from: u64) -> Result<Vec<u8>, ApplyError> {
    let mut rest = artifact;
    let header = Header::read(&mut rest).map_err(|_| ApplyError::Corrupt)?;
    let mut memory = vec![0xEE; memory_bytes(&header)];
    let mut base = if header.is_full() { &[] } else { base };
    let mut written = Written::default();
    let ports = Ports { base: &mut base, artifact: &mut rest, scratch: &mut NoScratch, target: &mut written };
    let digest = apply(&header, ports, &mut memory, resume_from, &mut |_| ControlFlow::Continue(()))?;
    assert!(resume_from > 0 || digest == Digest::of(&written.0));
    Ok(written.0)
}
