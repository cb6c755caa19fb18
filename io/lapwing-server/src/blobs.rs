//! Blobs: bytes named by their SHA-256, one file each, whole or not there.
//!
//! Touches: a directory, which several servers may share. A draft is written aside, flushed, renamed, and the
//! directory flushed. Never: overwrites a blob with other bytes, or sweeps away what another server works on.

use crate::durable::flush_dir;
use lapwing_core::{Digest, Hasher};
use std::collections::HashSet;
use std::fs::{DirEntry, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

/// Where blobs are before they are whole.
const DRAFTS: &str = "drafts";
const REREAD_BYTES: usize = 64 << 10;

/// The directory of blobs.
#[derive(Debug, Clone)]
pub(crate) struct Blobs {
    dir: PathBuf,
    /// Files younger than this may be somebody else's work.
    spared: Duration,
    /// Which run of which server this is.
    run: u64,
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
    /// Opens the directory and sweeps drafts that a power cut left, but those younger than `spared`.
    pub(crate) fn open(dir: PathBuf, spared: Duration) -> io::Result<Self> {
        let drafts = dir.join(DRAFTS);
        std::fs::create_dir_all(&drafts)?;
        let run = getrandom::u64().map_err(io::Error::other)?;
        let blobs = Self { dir, spared, run, drafts: Arc::default() };
        let now = blobs.now()?;
        for draft in std::fs::read_dir(&drafts)? {
            blobs.sweep(&draft?, now)?;
        }
        flush_dir(&blobs.dir)?;
        Ok(blobs)
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
        let path = self.dir.join(DRAFTS).join(format!("{:016x}-{number}", self.run));
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

    /// Removes every blob but these, and those that are too young to be known.
    pub(crate) fn keep_only(&self, known: &HashSet<Digest>) -> io::Result<()> {
        let now = self.now()?;
        for shelf in std::fs::read_dir(&self.dir)? {
            let shelf = shelf?;
            if shelf.file_name() == DRAFTS || !shelf.file_type()?.is_dir() {
                continue;
            }
            for blob in std::fs::read_dir(shelf.path())? {
                let blob = blob?;
                let name = blob.file_name().to_str().and_then(|name| name.parse().ok());
                if !name.is_some_and(|name| known.contains(&name)) {
                    self.sweep(&blob, now)?;
                }
            }
        }
        Ok(())
    }

    /// The time of whoever keeps the files, which dates them.
    fn now(&self) -> io::Result<SystemTime> {
        self.draft()?.file.metadata()?.modified()
    }

    fn sweep(&self, file: &DirEntry, now: SystemTime) -> io::Result<()> {
        // Another server may just have swept it, or made a blob of it.
        let gone = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        };
        let Ok(about) = file.metadata() else { return Ok(()) };
        let age = now.duration_since(about.modified()?).unwrap_or_default();
        if age < self.spared { Ok(()) } else { std::fs::remove_file(file.path()).or_else(gone) }
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

    fn alone(dir: &Path) -> Blobs {
        Blobs::open(dir.join("blobs"), Duration::ZERO).unwrap()
    }

    #[test]
    fn a_blob_is_whole_under_its_name_and_a_dropped_draft_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = alone(dir.path());
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
        let blobs = alone(dir.path());
        let (known, _) = blobs.keep_bytes(b"known").unwrap();
        let (orphan, _) = blobs.keep_bytes(b"orphan").unwrap();
        blobs.keep_only(&HashSet::from([known])).unwrap();
        assert!(blobs.path(known).exists() && !blobs.path(orphan).exists());
    }

    #[test]
    fn drafts_of_a_cut_are_swept_at_start() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = alone(dir.path());
        std::mem::forget(blobs.draft().unwrap());
        let blobs = alone(dir.path());
        assert!(blobs.draft().is_ok());
        assert_eq!(std::fs::read_dir(dir.path().join("blobs/drafts")).unwrap().count(), 0);
    }

    #[test]
    fn what_another_server_works_on_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let shared = || Blobs::open(dir.path().join("blobs"), Duration::from_secs(3_600)).unwrap();
        let theirs = shared();
        let (blob, _) = theirs.keep_bytes(b"its row comes next").unwrap();
        let mut draft = theirs.draft().unwrap();
        draft.write(b"half").unwrap();
        let ours = shared();
        let mut other = ours.draft().unwrap();
        other.write(b"half").unwrap();
        ours.keep_only(&HashSet::new()).unwrap();
        assert!(ours.path(blob).exists());
        assert!(theirs.keep(draft).is_ok() && ours.keep(other).is_ok(), "both wrote the same");
    }
}
