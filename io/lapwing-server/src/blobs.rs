//! Blobs: bytes named by their SHA-256, one file each, whole or not there.
//!
//! Touches: `<data>/blobs`. A draft is written aside, flushed, renamed, and the directory flushed.
//! Never: overwrites a blob; bytes of the same name are the same bytes.

use crate::durable::flush_dir;
use lapwing_core::{Digest, Hasher};
use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Where blobs are before they are whole.
const DRAFTS: &str = "drafts";
const REREAD_BYTES: usize = 64 << 10;

/// The directory of blobs.
#[derive(Debug, Clone)]
pub(crate) struct Blobs {
    dir: PathBuf,
    drafts: Arc<AtomicU64>,
}

/// A blob being written. Dropped before it is kept, it leaves nothing.
pub(crate) struct Draft {
    path: PathBuf,
    file: File,
    hasher: Hasher,
    size_bytes: u64,
}

impl Blobs {
    /// Opens the directory and sweeps drafts that a power cut left.
    pub(crate) fn open(dir: PathBuf) -> io::Result<Self> {
        let drafts = dir.join(DRAFTS);
        std::fs::create_dir_all(&drafts)?;
        for draft in std::fs::read_dir(&drafts)? {
            std::fs::remove_file(draft?.path())?;
        }
        flush_dir(&dir)?;
        Ok(Self { dir, drafts: Arc::default() })
    }

    /// Where a blob is, or would be.
    pub(crate) fn path(&self, digest: Digest) -> PathBuf {
        let name = digest.to_string();
        let shelf = name.get(..2).unwrap_or("00");
        self.dir.join(shelf).join(&name)
    }

    /// Begins a blob.
    pub(crate) fn draft(&self) -> io::Result<Draft> {
        let number = self.drafts.fetch_add(1, Ordering::Relaxed);
        let path = self.dir.join(DRAFTS).join(number.to_string());
        let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        Ok(Draft { path, file, hasher: Hasher::new(), size_bytes: 0 })
    }

    /// Makes a draft a blob, durably, and returns its name and size.
    pub(crate) fn keep(&self, mut draft: Draft) -> io::Result<(Digest, u64)> {
        draft.file.sync_all()?;
        let digest = std::mem::take(&mut draft.hasher).finish();
        let path = self.path(digest);
        let shelf = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        if !shelf.exists() {
            std::fs::create_dir_all(shelf)?;
            flush_dir(&self.dir)?;
        }
        std::fs::rename(&draft.path, &path)?;
        flush_dir(shelf)?;
        Ok((digest, draft.size_bytes))
    }

    /// Removes a blob that no row knows any more.
    pub(crate) fn remove(&self, digest: Digest) -> io::Result<()> {
        std::fs::remove_file(self.path(digest))
    }

    /// Keeps bytes that are in memory.
    #[cfg(test)]
    pub(crate) fn keep_bytes(&self, bytes: &[u8]) -> io::Result<(Digest, u64)> {
        let mut draft = self.draft()?;
        draft.write(bytes)?;
        self.keep(draft)
    }

    /// Removes every blob but these.
    pub(crate) fn keep_only(&self, known: &HashSet<Digest>) -> io::Result<()> {
        for shelf in std::fs::read_dir(&self.dir)? {
            let shelf = shelf?;
            if shelf.file_name() == DRAFTS || !shelf.file_type()?.is_dir() {
                continue;
            }
            for blob in std::fs::read_dir(shelf.path())? {
                let blob = blob?;
                let name = blob.file_name().to_str().and_then(|name| name.parse().ok());
                if !name.is_some_and(|name| known.contains(&name)) {
                    std::fs::remove_file(blob.path())?;
                }
            }
        }
        Ok(())
    }
}

impl Draft {
    /// Where it is while it is not whole; another process may write it.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes what another process wrote for what is in it.
    pub(crate) fn reread(&mut self) -> io::Result<()> {
        let mut written = File::open(&self.path)?;
        (self.hasher, self.size_bytes) = (Hasher::new(), 0);
        let mut chunk = vec![0; REREAD_BYTES];
        loop {
            let length = written.read(&mut chunk)?;
            let Some(bytes) = chunk.get(..length).filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
            self.hasher.update(bytes);
            self.size_bytes = self.size_bytes.saturating_add(length as u64);
        }
    }

    /// Takes the next piece.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hasher.update(bytes);
        self.size_bytes = self.size_bytes.saturating_add(bytes.len() as u64);
        Ok(())
    }

    /// What it would be named now.
    pub(crate) fn digest(&self) -> Digest {
        self.hasher.clone().finish()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Gone already when it was kept.
        drop(std::fs::remove_file(&self.path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_is_whole_under_its_name_and_a_dropped_draft_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path().join("blobs")).unwrap();
        let (digest, size) = blobs.keep_bytes(b"lapwing").unwrap();
        assert_eq!((digest, size), (Digest::of(b"lapwing"), 7));
        assert_eq!(std::fs::read(blobs.path(digest)).unwrap(), b"lapwing");
        let mut draft = blobs.draft().unwrap();
        draft.write(b"half").unwrap();
        drop(draft);
        assert_eq!(std::fs::read_dir(dir.path().join("blobs/drafts")).unwrap().count(), 0);
    }

    #[test]
    fn only_known_blobs_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path().join("blobs")).unwrap();
        let (known, _) = blobs.keep_bytes(b"known").unwrap();
        let (orphan, _) = blobs.keep_bytes(b"orphan").unwrap();
        blobs.keep_only(&HashSet::from([known])).unwrap();
        assert!(blobs.path(known).exists() && !blobs.path(orphan).exists());
    }

    #[test]
    fn drafts_of_a_cut_are_swept_at_start() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Blobs::open(dir.path().join("blobs")).unwrap();
        std::mem::forget(blobs.draft().unwrap());
        let blobs = Blobs::open(dir.path().join("blobs")).unwrap();
        assert!(blobs.draft().is_ok());
        assert_eq!(std::fs::read_dir(dir.path().join("blobs/drafts")).unwrap().count(), 0);
    }
}
