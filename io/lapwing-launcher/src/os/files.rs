//! Files, paths, and the two output streams.
//!
//! Touches: `libc`. Entered from: `os`.
//! Never: dies of a failing write: the signals of a closed pipe and of a file-size limit are ignored meanwhile.

use super::{Errno, checked};
use crate::outcome::Outcome;
use core::ffi::{CStr, c_int};
use core::mem::MaybeUninit;

/// What a file is opened for.
#[derive(Clone, Copy)]
pub(crate) enum Access {
    Read,
    ReadWrite,
}

/// An open file, closed on drop and by `execve`.
pub(crate) struct File(c_int);

impl File {
    pub(crate) fn open(path: &CStr, access: Access) -> Result<Self, Errno> {
        let mode = match access {
            Access::Read => libc::O_RDONLY,
            Access::ReadWrite => libc::O_RDWR,
        };
        // SAFETY: `path` is NUL-terminated.
        let file = Self(checked(unsafe { libc::open(path.as_ptr(), mode | libc::O_CLOEXEC) })?);
        if file.0 > libc::STDERR_FILENO {
            return Ok(file);
        }
        // Started without standard streams: error lines must not end up in the slot table.
        // SAFETY: the descriptor is open.
        let moved = unsafe { libc::fcntl(file.0, libc::F_DUPFD_CLOEXEC, libc::STDERR_FILENO + 1) };
        Ok(Self(checked(moved)?))
    }

    /// Bytes read, fewer only at the end of the file.
    pub(crate) fn read_at(&self, bytes: &mut [u8], offset: u64) -> Result<usize, Errno> {
        let offset = libc::off_t::try_from(offset).unwrap_or(libc::off_t::MAX);
        // SAFETY: the kernel writes at most `bytes.len()` bytes.
        let length = unsafe { libc::pread(self.0, bytes.as_mut_ptr().cast(), bytes.len(), offset) };
        usize::try_from(length).map_err(|_| Errno::last())
    }

    pub(crate) fn write_at(&self, bytes: &[u8], offset: u64) -> Result<(), Errno> {
        let _ignored = WriteSignals::ignored();
        let offset = libc::off_t::try_from(offset).unwrap_or(libc::off_t::MAX);
        // SAFETY: the kernel reads at most `bytes.len()` bytes.
        let length = unsafe { libc::pwrite(self.0, bytes.as_ptr().cast(), bytes.len(), offset) };
        match usize::try_from(length) {
            Ok(length) if length == bytes.len() => Ok(()),
            Ok(_) => Err(Errno(libc::ENOSPC)),
            Err(_) => Err(Errno::last()),
        }
    }

    /// Until this returns well, nothing that was written may be relied on.
    pub(crate) fn sync(&self) -> Result<(), Errno> {
        // SAFETY: the descriptor is open.
        checked(unsafe { libc::fdatasync(self.0) }).map(drop)
    }

    /// Whether nobody else holds the lock; it is ours then.
    pub(crate) fn try_lock(&self) -> bool {
        // SAFETY: the descriptor is open.
        unsafe { libc::flock(self.0, libc::LOCK_EX | libc::LOCK_NB) == 0 }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: nobody else closes this descriptor.
        unsafe { libc::close(self.0) };
    }
}

/// When the file or its attributes last changed; `None` if it is not there.
pub(crate) fn changed_at(path: &CStr) -> Option<(i64, i64)> {
    let mut status = MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: `path` is NUL-terminated, and a stat of all zeros is valid before the call and after.
    let status = unsafe {
        checked(libc::stat(path.as_ptr(), status.as_mut_ptr())).ok()?;
        status.assume_init()
    };
    Some((status.st_ctime, status.st_ctime_nsec))
}

/// Longest path that the kernel takes, its NUL included, bytes.
const PATH_BYTES_MAX: usize = libc::PATH_MAX as usize;
/// What is joined to a root at most.
const JOINED_BYTES_MAX: usize = 32;

/// A path in place, always followed by at least one NUL.
#[derive(Clone, Copy)]
pub(crate) struct Path {
    bytes: [u8; PATH_BYTES_MAX + JOINED_BYTES_MAX],
    length: usize,
}

impl Path {
    /// Without links and dots, so that the image may change its working directory.
    pub(crate) fn absolute(path: &CStr) -> Result<Self, Errno> {
        let mut bytes = [0_u8; PATH_BYTES_MAX + JOINED_BYTES_MAX];
        // SAFETY: realpath writes at most PATH_MAX bytes, NUL included.
        if unsafe { libc::realpath(path.as_ptr(), bytes.as_mut_ptr().cast()) }.is_null() {
            return Err(Errno::last());
        }
        let length = bytes.iter().position(|byte| *byte == 0).unwrap_or(0);
        Ok(Self { bytes, length })
    }

    /// The path with `pieces` behind it.
    pub(crate) fn join(&self, pieces: &[&str]) -> Self {
        let mut joined = *self;
        for byte in pieces.iter().flat_map(|piece| piece.bytes()) {
            if joined.length < joined.bytes.len() - 1 {
                joined.bytes[joined.length] = byte;
                joined.length += 1;
            }
        }
        joined
    }

    pub(crate) fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or(c"")
    }
}

/// Prints to stdout.
pub(crate) fn print(text: &str) -> Outcome {
    write(libc::STDOUT_FILENO, text.as_bytes());
    Outcome::Done
}

pub(crate) fn write_stderr(line: &[u8]) {
    write(libc::STDERR_FILENO, line);
}

/// Nobody is left to tell when this fails.
fn write(stream: c_int, bytes: &[u8]) {
    let _ignored = WriteSignals::ignored();
    // SAFETY: the kernel reads at most `bytes.len()` bytes.
    let _ = unsafe { libc::write(stream, bytes.as_ptr().cast(), bytes.len()) };
}

/// While this lives a failing write returns an error instead of ending the process. After `execve`
/// signals are either ignored or as by default, so the old disposition is all there is to keep.
struct WriteSignals([(c_int, libc::sighandler_t); 2]);

impl WriteSignals {
    fn ignored() -> Self {
        // SAFETY: both are valid signals, and ignoring runs no handler.
        Self(
            [libc::SIGPIPE, libc::SIGXFSZ]
                .map(|signal| (signal, unsafe { libc::signal(signal, libc::SIG_IGN) })),
        )
    }
}

impl Drop for WriteSignals {
    fn drop(&mut self) {
        for (signal, before) in self.0 {
            // SAFETY: `before` is what the system gave for this signal.
            unsafe { libc::signal(signal, before) };
        }
    }
}
