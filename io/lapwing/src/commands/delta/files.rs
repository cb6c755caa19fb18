//! Base, artifact, scratch area and target as files, so that applying holds no image in memory.
//!
//! Touches: the files it was given. Never: more of them than `apply` asks for.

use anyhow::{Context, Result};
use lapwing_delta::{Artifact, Base, PortError, Scratch, Target};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

/// An image to start from.
pub(super) struct BaseFile {
    file: File,
    length_bytes: u64,
}

impl BaseFile {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let (file, length_bytes) = open(path)?;
        Ok(Self { file, length_bytes })
    }
}

impl Base for BaseFile {
    fn length_bytes(&self) -> u64 {
        self.length_bytes
    }

    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> Result<(), PortError> {
        self.file.read_exact_at(out, offset).map_err(|_| PortError)
    }
}

/// An artifact, read in order.
pub(super) struct ArtifactFile {
    file: File,
    /// Its length.
    pub(super) length_bytes: u64,
}

impl ArtifactFile {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let (file, length_bytes) = open(path)?;
        Ok(Self { file, length_bytes })
    }
}

impl Artifact for ArtifactFile {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, PortError> {
        self.file.read(out).map_err(|_| PortError)
    }
}

/// The decoded map: a file without a name, in the folder of what is made.
pub(super) struct ScratchFile(File);

impl ScratchFile {
    pub(super) fn beside(path: &Path) -> Result<Self> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".scratch");
        let scratch = path.with_file_name(name);
        let attempt = || -> std::io::Result<File> {
            let file = File::options().read(true).write(true).create(true).truncate(true).open(&scratch)?;
            std::fs::remove_file(&scratch)?;
            Ok(file)
        };
        attempt().map(Self).with_context(|| format!("write {}", scratch.display()))
    }
}

impl Scratch for ScratchFile {
    fn capacity_bytes(&self) -> u64 {
        u64::MAX
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), PortError> {
        self.0.write_all_at(bytes, offset).map_err(|_| PortError)
    }

    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> Result<(), PortError> {
        self.0.read_exact_at(out, offset).map_err(|_| PortError)
    }
}

/// The image that is made.
pub(super) struct TargetFile<'a>(pub(super) &'a mut File);

impl Target for TargetFile<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.0.write_all(bytes).map_err(|_| PortError)
    }
}

fn open(path: &Path) -> Result<(File, u64)> {
    let attempt = || -> std::io::Result<(File, u64)> {
        let file = File::open(path)?;
        let length_bytes = file.metadata()?.len();
        Ok((file, length_bytes))
    };
    attempt().with_context(|| format!("read {}", path.display()))
}
