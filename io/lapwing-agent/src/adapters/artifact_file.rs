//! The artifact on its way: its bytes, which blocks of it are safely on disk, how much was made of it.
//!
//! `artifact/data` holds the bytes at their offsets, `artifact/blocks` the digest, the size, one bit a
//! block, and the output counter. What they speak of is flushed before they are written: they never lie.
//! Touches: two files. Entered from: every transport. Never: counts a block that is not whole.

#[cfg(test)]
mod tests;

use crate::durable;
use crate::limits::{ARTIFACT_BYTES_MAX, BLOCK_BYTES, PIECE_BYTES};
use lapwing_core::{Digest, Hasher, ShortDigest};
use lapwing_device::Transfer;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"LWPART02";
const HEAD_BYTES: usize = 48;
/// The output counter, and a sum that tells a torn one.
const COUNTER_BYTES: usize = 8 + ShortDigest::LEN;

/// A transfer being stored.
#[derive(Debug)]
pub(crate) struct ArtifactFile {
    data: File,
    blocks: File,
    transfer: Transfer,
    /// What is on disk, as far as `blocks` may say it.
    bitmap: Vec<u8>,
    /// Bytes written and not flushed: all of these blocks may be marked with the next checkpoint.
    fresh: Range<u64>,
    checkpoint_bytes: u64,
}

impl ArtifactFile {
    /// Goes on with what is stored of this transfer; anything else is deleted first.
    pub(crate) fn open(dir: &Path, transfer: Transfer, checkpoint_bytes: u64) -> io::Result<Self> {
        if transfer.artifact_size_bytes > ARTIFACT_BYTES_MAX {
            return Err(ErrorKind::FileTooLarge.into());
        }
        match Self::resume(dir, transfer, checkpoint_bytes) {
            Ok(Some(file)) => Ok(file),
            Ok(None) => Self::begin(dir, transfer, checkpoint_bytes),
            Err(error) => {
                log::warn!("failed to go on with the stored artifact, beginning anew: {error}");
                Self::begin(dir, transfer, checkpoint_bytes)
            }
        }
    }

    fn begin(dir: &Path, transfer: Transfer, checkpoint_bytes: u64) -> io::Result<Self> {
        discard(dir)?;
        fs::create_dir_all(dir)?;
        let file = |name| OpenOptions::new().read(true).write(true).create_new(true).open(dir.join(name));
        let (data, blocks) = (file("data")?, file("blocks")?);
        let bitmap = vec![0; bitmap_bytes(transfer)];
        blocks.write_all_at(&head(transfer), 0)?;
        blocks.write_all_at(&bitmap, HEAD_BYTES as u64)?;
        blocks.write_all_at(&[0; COUNTER_BYTES], counter_offset(transfer))?;
        blocks.sync_all()?;
        durable::sync_dir_of(&dir.join("data"))?;
        durable::sync_dir_of(dir)?;
        Ok(Self { data, blocks, transfer, bitmap, fresh: 0..0, checkpoint_bytes })
    }

    fn resume(dir: &Path, transfer: Transfer, checkpoint_bytes: u64) -> io::Result<Option<Self>> {
        let file = |name| OpenOptions::new().read(true).write(true).open(dir.join(name));
        let (data, mut blocks) = match (file("data"), file("blocks")) {
            (Ok(data), Ok(blocks)) => (data, blocks),
            _ => return Ok(None),
        };
        let mut found = [0; HEAD_BYTES];
        let mut bitmap = vec![0; bitmap_bytes(transfer)];
        let whole = blocks.read_exact(&mut found).and_then(|()| blocks.read_exact(&mut bitmap));
        if whole.is_err() || found != head(transfer) {
            return Ok(None);
        }
        Ok(Some(Self { data, blocks, transfer, bitmap, fresh: 0..0, checkpoint_bytes }))
    }

    /// Writes bytes at their offset. They survive a power cut from the next checkpoint on.
    pub(crate) fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if self.fresh.end != offset {
            self.checkpoint()?;
            self.fresh = offset..offset;
        }
        self.data.write_all_at(bytes, offset)?;
        self.fresh.end += bytes.len() as u64;
        if self.fresh.end - self.fresh.start >= self.checkpoint_bytes {
            self.checkpoint()?;
        }
        Ok(())
    }

    /// Makes everything written so far durable and says so in the bitmap. The last block counts
    /// only when it is whole, or ends the artifact.
    pub(crate) fn checkpoint(&mut self) -> io::Result<()> {
        let size_bytes = self.transfer.artifact_size_bytes;
        let first = self.fresh.start.div_ceil(BLOCK_BYTES);
        let end = match self.fresh.end >= size_bytes {
            true => size_bytes.div_ceil(BLOCK_BYTES),
            false => self.fresh.end / BLOCK_BYTES,
        };
        if first >= end {
            return Ok(());
        }
        self.data.sync_data()?;
        for block in first..end {
            if let Some(byte) = usize::try_from(block / 8).ok().and_then(|at| self.bitmap.get_mut(at)) {
                *byte |= 1 << (block % 8);
            }
        }
        let touched = place(first / 8)..place(end.div_ceil(8)).min(self.bitmap.len());
        let bytes = self.bitmap.get(touched.clone()).unwrap_or_default();
        self.blocks.write_all_at(bytes, (HEAD_BYTES + touched.start) as u64)?;
        self.blocks.sync_data()?;
        self.fresh.start = (end * BLOCK_BYTES).min(size_bytes);
        Ok(())
    }

    /// The first stretch that is missing, bytes; `None` when nothing is.
    pub(crate) fn missing(&self) -> Option<Range<u64>> {
        let blocks = self.transfer.artifact_size_bytes.div_ceil(BLOCK_BYTES);
        let first = (0..blocks).find(|block| !self.has(*block))?;
        let end = (first..blocks).find(|block| self.has(*block)).unwrap_or(blocks);
        Some(first * BLOCK_BYTES..(end * BLOCK_BYTES).min(self.transfer.artifact_size_bytes))
    }

    /// Bytes of whole blocks stored.
    pub(crate) fn have_bytes(&self) -> u64 {
        let size_bytes = self.transfer.artifact_size_bytes;
        let blocks = size_bytes.div_ceil(BLOCK_BYTES);
        let have = (0..blocks).filter(|block| self.has(*block)).count() as u64;
        let all = have == blocks;
        if all { size_bytes } else { have * BLOCK_BYTES }
    }

    /// Bytes stored, those that are not flushed yet included.
    pub(crate) fn arrived_bytes(&self) -> u64 {
        self.have_bytes() + (self.fresh.end - self.fresh.start)
    }

    /// One bit for each block that is stored, lowest first.
    pub(crate) fn bitmap(&self) -> &[u8] {
        &self.bitmap
    }

    pub(crate) fn transfer(&self) -> Transfer {
        self.transfer
    }

    /// How much may be written between two flushes.
    pub(crate) fn checkpoint_bytes(&self) -> u64 {
        self.checkpoint_bytes
    }

    /// The digest of all bytes as they are on disk.
    pub(crate) fn digest(&self) -> io::Result<Digest> {
        digest_of(&self.data, self.transfer.artifact_size_bytes)
    }

    /// The bytes, from the first on.
    pub(crate) fn data(&self) -> &File {
        &self.data
    }

    /// The output counter: bytes of the image that were made of this artifact and are on disk.
    pub(crate) fn applied_bytes(&self) -> u64 {
        let mut found = [0; COUNTER_BYTES];
        let read = self.blocks.read_exact_at(&mut found, counter_offset(self.transfer));
        let [a, b, c, d, e, f, g, h, ..] = found;
        let applied_bytes = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
        match read {
            Ok(()) if found == counter(self.transfer, applied_bytes) => applied_bytes,
            _ => 0,
        }
    }

    /// Sets the output counter, durably. What it counts must be on disk.
    pub(crate) fn set_applied_bytes(&self, applied_bytes: u64) -> io::Result<()> {
        let counter = counter(self.transfer, applied_bytes);
        self.blocks.write_all_at(&counter, counter_offset(self.transfer))?;
        self.blocks.sync_data()
    }

    fn has(&self, block: u64) -> bool {
        self.bitmap.get(place(block / 8)).is_some_and(|byte| byte & 1 << (block % 8) != 0)
    }
}

/// Deletes the stored artifact, if there is one.
pub(crate) fn discard(dir: &Path) -> io::Result<()> {
    // Without its blocks the data means nothing, so the blocks go first.
    for name in ["blocks", "data", "scratch"] {
        durable::remove(&dir.join(name))?;
    }
    Ok(())
}

/// Room that the stored artifact takes, bytes.
pub(crate) fn stored_bytes(dir: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(dir.join("data")).map_or(0, |data| data.blocks().saturating_mul(512))
}

/// Where the map of a delta goes when memory is short.
pub(crate) fn scratch(dir: &Path) -> PathBuf {
    dir.join("scratch")
}

/// The digest of the first `size_bytes` bytes of a file; an error if it is shorter.
pub(crate) fn digest_of(file: &File, size_bytes: u64) -> io::Result<Digest> {
    let (mut hasher, mut piece, mut offset) = (Hasher::new(), vec![0; PIECE_BYTES], 0);
    while offset < size_bytes {
        let wanted = usize::try_from(size_bytes - offset).unwrap_or(usize::MAX).min(PIECE_BYTES);
        let piece = piece.get_mut(..wanted).unwrap_or_default();
        file.read_exact_at(piece, offset)?;
        hasher.update(piece);
        offset += wanted as u64;
    }
    Ok(hasher.finish())
}

fn head(transfer: Transfer) -> [u8; HEAD_BYTES] {
    let mut head = [0; HEAD_BYTES];
    head[..8].copy_from_slice(MAGIC);
    head[8..40].copy_from_slice(transfer.artifact.as_bytes());
    head[40..].copy_from_slice(&transfer.artifact_size_bytes.to_be_bytes());
    head
}

/// The counter as it is stored: nothing but this very write gives the same bytes.
fn counter(transfer: Transfer, applied_bytes: u64) -> [u8; COUNTER_BYTES] {
    let (mut counter, number) = ([0; COUNTER_BYTES], applied_bytes.to_be_bytes());
    let sum = Digest::of(&[&number, transfer.artifact.as_bytes().as_slice()].concat()).short();
    counter[..8].copy_from_slice(&number);
    counter[8..].copy_from_slice(&sum.0);
    counter
}

fn counter_offset(transfer: Transfer) -> u64 {
    (HEAD_BYTES + bitmap_bytes(transfer)) as u64
}

fn bitmap_bytes(transfer: Transfer) -> usize {
    place(transfer.artifact_size_bytes.div_ceil(BLOCK_BYTES).div_ceil(8))
}

fn place(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}
