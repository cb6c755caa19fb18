//! An artifact becomes an image: the ports of `lapwing-delta` over files, within the device's memory.
//!
//! Touches: base, artifact and target files. Entered from: `adapters::slots_app`. From time to time it
//! flushes the target and then counts what is in it, so that the next apply can go on from there.
//! Never: judges the slot; it says what came out, and keeps the reason when a file failed.

use crate::adapters::artifact_file::ArtifactFile;
use crate::durable;
use crate::limits::APPLY_CHECKPOINTS_MAX;
use lapwing_core::Digest;
use lapwing_delta::{
    ApplyError, Artifact, Base, Header, HeaderError, NoBase, PortError, Ports, Profile, Scratch, Target,
};
use lapwing_device::{Applied, Install, Trouble};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Where everything lies.
pub(crate) struct Workshop<'a> {
    /// The image that runs.
    pub(crate) base: &'a File,
    pub(crate) base_digest: Digest,
    /// The stored artifact.
    pub(crate) artifact: &'a ArtifactFile,
    /// The spare slot's image: as much of it as an earlier apply made, and nothing more.
    pub(crate) target: &'a File,
    /// How much that is.
    pub(crate) resume_from: u64,
    /// Least number of bytes between two flushes.
    pub(crate) checkpoint_bytes: u64,
    /// A file to be made if the map does not fit into memory.
    pub(crate) scratch: &'a Path,
    /// Most memory that may be taken.
    pub(crate) profile: Profile,
}

/// Why there is no image, as far as it is not the storage's fault.
type Refused = Applied;

/// Makes the image. `Ok(Err(_))` says what is wrong with the artifact.
pub(crate) fn apply(install: &Install, shop: &Workshop<'_>) -> Result<Result<(), Refused>, Trouble> {
    let mut artifact = ArtifactPort { file: shop.artifact.data(), offset: 0, failure: None };
    let header = match Header::read(&mut artifact) {
        Ok(header) => header,
        Err(HeaderError::Artifact) => return Err(trouble(artifact.failure)),
        Err(error) => {
            log::warn!("failed to read the artifact's header: {error}");
            return Ok(Err(Applied::Undecodable));
        }
    };
    let same_image =
        header.names_target(&install.image) && u64::from(header.target_bytes()) == install.image_size_bytes;
    if !same_image {
        return Ok(Err(Applied::WrongImage));
    }
    if header.profile() > shop.profile {
        return Ok(Err(Applied::TooLarge));
    }
    if !header.names_base(&shop.base_digest) {
        return Ok(Err(Applied::Undecodable));
    }
    let mut base = BasePort { file: shop.base, length_bytes: header.base_bytes().into(), failure: None };
    let mut target = TargetPort { file: shop.target, failure: None };
    let mut scratch = ScratchPort::new(shop.scratch, header.scratch_bytes());
    let mut memory = vec![0; memory_bytes(&header)];
    let ports = Ports {
        base: if header.is_full() { &mut NoBase } else { &mut base },
        artifact: &mut artifact,
        scratch: &mut scratch,
        target: &mut target,
    };
    let mut checkpoints = Checkpoints::new(shop, install.image_size_bytes);
    let applied = lapwing_delta::apply(&header, ports, &mut memory, shop.resume_from, &mut |done_bytes| {
        checkpoints.passed(done_bytes)
    });
    drop(memory);
    let scratch_failure = scratch.remove();
    match applied {
        Ok(digest) if digest == install.image => Ok(Ok(())),
        Ok(_) | Err(ApplyError::TargetDigest) => Ok(Err(Applied::WrongImage)),
        Err(ApplyError::Memory | ApplyError::ScratchSize) => Ok(Err(Applied::TooLarge)),
        Err(ApplyError::Base) => Err(trouble(base.failure)),
        Err(ApplyError::Artifact) => Err(trouble(artifact.failure)),
        Err(ApplyError::Target) => Err(trouble(target.failure)),
        Err(ApplyError::Stopped) => Err(trouble(checkpoints.failure)),
        Err(ApplyError::Scratch) => Err(trouble(scratch_failure)),
        Err(error) => {
            log::warn!("failed to apply the artifact: {error}");
            Ok(Err(Applied::Undecodable))
        }
    }
}

/// What is needed, and the map too if the profile has room for it.
fn memory_bytes(header: &Header) -> usize {
    let required = header.required_memory_bytes();
    let with_map = usize::try_from(header.scratch_bytes()).ok().and_then(|map| required.checked_add(map));
    with_map.filter(|bytes| *bytes <= header.profile().memory_bytes()).unwrap_or(required)
}

fn trouble(failure: Option<io::Error>) -> Trouble {
    match failure {
        Some(error) => {
            log::error!("failed to apply the artifact: {error}");
            durable::trouble(&error)
        }
        None => Trouble::Storage,
    }
}

/// Keeps the reason, which a port cannot hand on.
fn keep<T>(slot: &mut Option<io::Error>, result: io::Result<T>) -> Result<T, PortError> {
    result.map_err(|error| {
        *slot = Some(error);
        PortError
    })
}

/// Counts what is in the target and flushed, every so many bytes.
struct Checkpoints<'a> {
    shop: &'a Workshop<'a>,
    step_bytes: u64,
    next_bytes: u64,
    end_bytes: u64,
    failure: Option<io::Error>,
}

impl<'a> Checkpoints<'a> {
    fn new(shop: &'a Workshop<'a>, end_bytes: u64) -> Self {
        let step_bytes = shop.checkpoint_bytes.max(end_bytes / APPLY_CHECKPOINTS_MAX);
        let next_bytes = shop.resume_from.saturating_add(step_bytes);
        Self { shop, step_bytes, next_bytes, end_bytes, failure: None }
    }

    /// The image is done up to here. Its end needs no checkpoint: then it is flushed anyway.
    fn passed(&mut self, done_bytes: u64) -> ControlFlow<()> {
        if done_bytes < self.next_bytes || done_bytes >= self.end_bytes {
            return ControlFlow::Continue(());
        }
        self.next_bytes = done_bytes.saturating_add(self.step_bytes);
        let flushed = self.shop.target.sync_data();
        match flushed.and_then(|()| self.shop.artifact.set_applied_bytes(done_bytes)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failure = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

struct ArtifactPort<'a> {
    file: &'a File,
    offset: u64,
    failure: Option<io::Error>,
}

impl Artifact for ArtifactPort<'_> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, PortError> {
        let read = loop {
            match self.file.read_at(out, self.offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        let length = keep(&mut self.failure, read)?;
        self.offset = self.offset.saturating_add(length as u64);
        Ok(length)
    }
}

struct BasePort<'a> {
    file: &'a File,
    length_bytes: u64,
    failure: Option<io::Error>,
}

impl Base for BasePort<'_> {
    fn length_bytes(&self) -> u64 {
        self.length_bytes
    }

    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> Result<(), PortError> {
        keep(&mut self.failure, self.file.read_exact_at(out, offset))
    }
}

struct TargetPort<'a> {
    file: &'a File,
    failure: Option<io::Error>,
}

impl Target for TargetPort<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        let written = (&mut &*self.file).write_all(bytes);
        keep(&mut self.failure, written)
    }
}

/// A file that is made when the first byte comes.
struct ScratchPort<'a> {
    path: &'a Path,
    capacity_bytes: u64,
    file: Option<File>,
    failure: Option<io::Error>,
}

impl<'a> ScratchPort<'a> {
    fn new(path: &'a Path, capacity_bytes: u64) -> Self {
        Self { path, capacity_bytes, file: None, failure: None }
    }

    fn file(&mut self) -> Result<&File, PortError> {
        let made = match self.file.take() {
            Some(file) => Ok(file),
            None => OpenOptions::new().read(true).write(true).create(true).truncate(true).open(self.path),
        };
        let file = keep(&mut self.failure, made)?;
        Ok(self.file.insert(file))
    }

    fn remove(mut self) -> Option<io::Error> {
        if self.file.take().is_some() {
            // It is deleted again with the artifact.
            let _ = std::fs::remove_file(self.path);
        }
        self.failure
    }
}

impl Scratch for ScratchPort<'_> {
    fn capacity_bytes(&self) -> u64 {
        self.capacity_bytes
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), PortError> {
        let written = self.file()?.write_all_at(bytes, offset);
        keep(&mut self.failure, written)
    }

    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> Result<(), PortError> {
        let read = self.file()?.read_exact_at(out, offset);
        keep(&mut self.failure, read)
    }
}
