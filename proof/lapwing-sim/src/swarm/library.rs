//! Images and artifacts of a whole swarm, each kept once.
//!
//! Touches: `lapwing_delta::apply`, which runs once for each pair of base and artifact.

use lapwing_core::Digest;
use lapwing_delta::{Header, NoBase, NoScratch, PortError, Ports, Target, apply};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes with their digest.
#[derive(Debug)]
pub(super) struct Bytes {
    pub(super) digest: Digest,
    pub(super) bytes: Vec<u8>,
}

/// What bytes there are.
#[derive(Debug, Default)]
pub(super) struct Library {
    known: Mutex<HashMap<Digest, Arc<Bytes>>>,
    /// Images by base and artifact.
    applied: Mutex<HashMap<(Digest, Digest), Arc<Bytes>>>,
}

/// An image as it grows.
struct Image(Vec<u8>);

impl Target for Image {
    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

impl Library {
    /// The one copy of these bytes.
    pub(super) fn keep(&self, bytes: Vec<u8>) -> Arc<Bytes> {
        let digest = Digest::of(&bytes);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(digest).or_insert_with(|| Arc::new(Bytes { digest, bytes })))
    }

    /// The image that `artifact` makes of `base`, if it does.
    pub(super) fn apply(&self, base: &Bytes, artifact: &Bytes) -> Option<Arc<Bytes>> {
        let key = (base.digest, artifact.digest);
        let mut applied = self.applied.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(image) = applied.get(&key) {
            return Some(Arc::clone(image));
        }
        let image = self.keep(made(&base.bytes, &artifact.bytes)?);
        applied.insert(key, Arc::clone(&image));
        Some(image)
    }
}

fn made(mut base: &[u8], mut artifact: &[u8]) -> Option<Vec<u8>> {
    let header = Header::read(&mut artifact).ok()?;
    let map_bytes = usize::try_from(header.scratch_bytes()).ok()?;
    let mut memory = vec![0; header.required_memory_bytes() + map_bytes];
    let mut image = Image(Vec::new());
    let ports = Ports {
        base: if header.is_full() { &mut NoBase } else { &mut base },
        artifact: &mut artifact,
        scratch: &mut NoScratch,
        target: &mut image,
    };
    apply(&header, ports, &mut memory, 0, &mut |_| ControlFlow::Continue(())).ok()?;
    Some(image.0)
}
