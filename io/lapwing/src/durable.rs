//! Files that are whole or not there, whatever happens to the power.
//!
//! Touches: files. Write, flush, rename, flush the directory.

use crate::exit::{Code, Refusal};
use anyhow::{Context, Result};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// For files that everybody may read.
pub(crate) const PUBLIC: u32 = 0o644;
/// For files that only their owner may read.
pub(crate) const PRIVATE: u32 = 0o600;
/// For programs.
pub(crate) const PROGRAM: u32 = 0o755;

/// Puts `bytes` at `path`, in place of what may be there.
pub(crate) fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<()> {
    write_from(path, &mut &*bytes, mode)
}

/// Puts everything that `source` gives at `path`, in place of what may be there.
pub(crate) fn write_from(path: &Path, source: &mut dyn Read, mode: u32) -> Result<()> {
    write_with(path, mode, |file| std::io::copy(source, file)).map(drop)
}

/// Puts what `fill` writes at `path`, in place of what may be there, unless it fails.
pub(crate) fn write_with<T>(
    path: &Path,
    mode: u32,
    fill: impl FnOnce(&mut File) -> std::io::Result<T>,
) -> Result<T> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    let attempt = || -> std::io::Result<T> {
        let _ = fs::remove_file(&fresh);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&fresh)?;
        let filled = fill(&mut file).inspect_err(|_| drop(fs::remove_file(&fresh)))?;
        file.flush()?;
        // The umask must not decide who may read a key or run an image.
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode))?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        sync_parent(path)?;
        Ok(filled)
    };
    attempt()
        .inspect_err(|_| drop(fs::remove_file(&fresh)))
        .with_context(|| format!("write {}", path.display()))
}

/// Waits until no other process changes `path`, and keeps it so until the lock is dropped.
pub(crate) fn lock(path: &Path) -> Result<File> {
    let attempt = || -> std::io::Result<File> {
        let file = lock_file(path)?;
        file.lock()?;
        Ok(file)
    };
    attempt().with_context(|| format!("lock {}", path.display()))
}

/// Keeps other processes from changing `path` until the lock is dropped, if none does so now.
pub(crate) fn try_lock(path: &Path) -> Result<File> {
    let file = lock_file(path).with_context(|| format!("lock {}", path.display()))?;
    let taken = |_| {
        Refusal::new(Code::Conflict, format!("lock {}: another process holds it", path.display())).advice(
            "end the other `lapwing release watch` first, or give this one a signing directory of its own",
        )
    };
    file.try_lock().map_err(taken)?;
    Ok(file)
}

fn lock_file(path: &Path) -> std::io::Result<File> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    OpenOptions::new().write(true).create(true).truncate(false).open(path.with_file_name(name))
}

/// Makes a directory and the ones above it where they are missing, with this mode.
pub(crate) fn make_dir(path: &Path, mode: u32) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let missing: Vec<&Path> = path.ancestors().take_while(|above| !above.exists()).collect();
    let attempt = || -> std::io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(mode).create(path)?;
        missing.iter().filter(|made| !made.as_os_str().is_empty()).try_for_each(|made| sync_parent(made))
    };
    attempt().with_context(|| format!("make the directory {}", path.display()))
}

/// Makes what was renamed or made in `path`'s directory last.
pub(crate) fn sync_parent(path: &Path) -> std::io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

/// Reads a file of at most `limit` bytes.
pub(crate) fn read_at_most(path: &Path, limit: usize) -> Result<Vec<u8>> {
    let attempt = || -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(limit as u64 + 1).read_to_end(&mut bytes)?;
        let too_large = || std::io::Error::other(format!("larger than the {limit} bytes allowed"));
        (bytes.len() <= limit).then_some(bytes).ok_or_else(too_large)
    };
    attempt().with_context(|| format!("read {}", path.display()))
}
