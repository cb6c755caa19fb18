//! Proves an artifact before it is published: applied as a device would, it makes the image.
//!
//! Touches: files; at most the memory of the profile. Never: trusts whoever made the artifact.

use lapwing_core::Digest;
use lapwing_delta::{
    ApplyError, Artifact, Base, Header, HeaderError, NoBase, PortError, Ports, Profile, Target, apply,
};
use std::fs::File;
use std::io::{BufReader, Read};
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Why an artifact is not published.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProveError {
    #[error("a file cannot be read: {0}")]
    Io(#[from] std::io::Error),
    #[error("its header is not readable: {0}")]
    Header(#[from] HeaderError),
    #[error("it needs more memory than it may")]
    Memory,
    #[error("it cannot be applied: {0}")]
    Apply(#[from] ApplyError),
    #[error("it is made for another image")]
    OtherImage,
}

/// Applies the artifact and returns its header.
pub(super) fn prove(
    artifact: &Path,
    base: Option<(Digest, &Path)>,
    target: Digest,
    (profile, scratch_bytes_max): (Profile, u64),
) -> Result<Header, ProveError> {
    let mut artifact = Bytes(BufReader::new(File::open(artifact)?));
    let header = Header::read(&mut artifact)?;
    if !header.names_target(&target) {
        return Err(ProveError::OtherImage);
    }
    let (memory_bytes, scratch_bytes) = (header.required_memory_bytes(), header.scratch_bytes());
    if memory_bytes > profile.memory_bytes() || scratch_bytes > scratch_bytes_max {
        return Err(ProveError::Memory);
    }
    let mut scratch = vec![0; usize::try_from(scratch_bytes).map_err(|_| ProveError::Memory)?];
    let mut base: Box<dyn Base> = match base.filter(|_| !header.is_full()) {
        Some((digest, path)) if header.names_base(&digest) => Box::new(Image(File::open(path)?)),
        Some(_) => return Err(ProveError::OtherImage),
        None => Box::new(NoBase),
    };
    let mut memory = vec![0; memory_bytes];
    let ports = Ports {
        base: &mut *base,
        artifact: &mut artifact,
        scratch: &mut scratch.as_mut_slice(),
        target: &mut Nowhere,
    };
    let made = apply(&header, ports, &mut memory, 0, &mut |_| ControlFlow::Continue(()))?;
    if made == target { Ok(header) } else { Err(ProveError::OtherImage) }
}

struct Bytes(BufReader<File>);

impl Artifact for Bytes {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, PortError> {
        self.0.read(out).map_err(|_| PortError)
    }
}

/// An image as a file.
pub(super) struct Image(pub(super) File);

impl Base for Image {
    fn length_bytes(&self) -> u64 {
        self.0.metadata().map_or(0, |metadata| metadata.len())
    }

    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> Result<(), PortError> {
        self.0.read_exact_at(out, offset).map_err(|_| PortError)
    }
}

/// Only the digest of the image counts.
struct Nowhere;

impl Target for Nowhere {
    fn write(&mut self, _bytes: &[u8]) -> Result<(), PortError> {
        Ok(())
    }
}
