//! System calls as safe functions: the only room with unsafe code.
//!
//! Touches: `libc`. Entered from: everywhere.
//! Never: decides anything, or allocates.

#![expect(unsafe_code, reason = "without std the system is reached through libc alone")]

mod files;
mod processes;

pub(crate) use files::{Access, File, Path, changed_at, print, write_stderr};
pub(crate) use processes::{
    Args, Child, Fork, Signals, Wake, asks_to_stop, monotonic_ms, pause_ms, reap, reap_orphans, set_variable,
};

#[cfg(panic = "abort")]
pub(crate) use processes::abort;

use core::ffi::{CStr, c_int};

// Everywhere else the crate libc, or std, asks for the C library.
#[cfg(all(target_env = "musl", panic = "abort"))]
#[link(name = "c")]
unsafe extern "C" {}

/// Why a system call failed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Errno(c_int);

impl Errno {
    pub(crate) const READ_ONLY: Self = Self(libc::EROFS);
    pub(crate) const NO_ACCESS: Self = Self(libc::EACCES);
    pub(crate) const NOT_PERMITTED: Self = Self(libc::EPERM);

    fn last() -> Self {
        // SAFETY: the address of this thread's errno is always valid.
        Self(unsafe { *libc::__errno_location() })
    }

    /// Whether `execve` failed for a reason that says nothing about the image.
    pub(crate) const fn is_of_the_machine(self) -> bool {
        matches!(
            self.0,
            libc::ENOMEM | libc::EAGAIN | libc::E2BIG | libc::ENFILE | libc::EMFILE | libc::ETXTBSY
        )
    }

    pub(crate) fn text(self) -> &'static CStr {
        // SAFETY: strerror gives a NUL-terminated string that stays until the next call; nobody else calls.
        unsafe { CStr::from_ptr(libc::strerror(self.0)) }
    }
}

/// The result of a call that returns a negative number on failure.
fn checked(result: c_int) -> Result<c_int, Errno> {
    if result < 0 { Err(Errno::last()) } else { Ok(result) }
}
