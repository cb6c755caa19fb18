//! What Linux offers and std does not: time with sleep counted, waiting for several things at once,
//! free space, death of children, descriptors that survive an exec.
//!
//! Touches: libc; the only unsafe code of this crate.
//! Never: keeps state.
#![allow(unsafe_code, reason = "std has no door to these system calls")]

use std::ffi::CString;
use std::io::{Error, ErrorKind, Result};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Milliseconds since the machine started, time asleep included.
pub(crate) fn boot_time_ms() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is valid for the call; this clock exists on every Linux that runs Rust.
    unsafe { libc::clock_gettime(libc::CLOCK_BOOTTIME, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanoseconds = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds.saturating_mul(1_000).saturating_add(nanoseconds / 1_000_000)
}

/// Waits until one of these can be read, a signal came, or the time is over; says whether one can.
pub(crate) fn wait_readable(descriptors: &[BorrowedFd<'_>], timeout: Option<Duration>) -> bool {
    let mut polled: Vec<libc::pollfd> = descriptors
        .iter()
        .map(|descriptor| libc::pollfd { fd: descriptor.as_raw_fd(), events: libc::POLLIN, revents: 0 })
        .collect();
    // Rounded up, so that what is due is due when the wait is over.
    let millis = timeout
        .map_or(-1, |timeout| i32::try_from(timeout.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX));
    let count = libc::nfds_t::try_from(polled.len()).unwrap_or(0);
    // SAFETY: the pointer and the count are those of a vector that lives through the call.
    unsafe { libc::poll(polled.as_mut_ptr(), count, millis) > 0 }
}

/// Bytes that an ordinary user may still write to the file system of `path`.
pub(crate) fn free_bytes(path: &Path) -> Result<u64> {
    let path = CString::new(path.as_os_str().as_bytes()).map_err(|_| Error::from(ErrorKind::InvalidInput))?;
    // SAFETY: all fields of this struct are numbers, for which zero is a value.
    let mut found: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are valid for the call, the first one ends in zero.
    match unsafe { libc::statvfs(path.as_ptr(), &raw mut found) } {
        #[allow(clippy::useless_conversion, reason = "the widths differ between platforms")]
        0 => Ok(u64::from(found.f_bavail).saturating_mul(u64::from(found.f_frsize))),
        _ => Err(Error::last_os_error()),
    }
}

/// A descriptor that can be read when the process has ended.
pub(crate) fn process_end(pid: u32) -> Result<OwnedFd> {
    // SAFETY: a system call that takes numbers only and gives a descriptor of our own.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, i64::from(pid), 0_i64) };
    match RawFd::try_from(descriptor) {
        // SAFETY: the call just gave it to us, and to nobody else.
        Ok(descriptor) if descriptor >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(descriptor) }),
        _ => Err(Error::last_os_error()),
    }
}

/// Sends a signal to a process or, with `group`, to all of its group.
pub(crate) fn signal(pid: u32, group: Group, signal: Signal) {
    let Ok(pid) = i32::try_from(pid) else { return };
    let number = match signal {
        Signal::Terminate => libc::SIGTERM,
        Signal::Kill => libc::SIGKILL,
    };
    let target = match group {
        Group::Alone => pid,
        Group::Whole => -pid,
    };
    // SAFETY: takes numbers only; that the process may be gone is no harm.
    unsafe { libc::kill(target, number) };
}

/// Who gets a signal.
#[derive(Clone, Copy)]
pub(crate) enum Group {
    Alone,
    Whole,
}

/// Which signal.
#[derive(Clone, Copy)]
pub(crate) enum Signal {
    Terminate,
    Kill,
}

/// Makes the child die with the thread that starts it.
pub(crate) fn dies_with_us(command: &mut Command) -> &mut Command {
    let bind = || {
        // SAFETY: takes numbers only and may be called between fork and exec.
        match unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) } {
            0 => Ok(()),
            _ => Err(Error::last_os_error()),
        }
    };
    // SAFETY: the closure makes one system call and allocates nothing.
    unsafe { command.pre_exec(bind) }
}

/// The signal that this thread gets when the process that started it ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeathSignal(libc::c_int);

impl DeathSignal {
    /// That of the calling thread.
    pub(crate) fn of_this_thread() -> Self {
        let mut signal = 0;
        // SAFETY: the pointer is valid for the call.
        unsafe { libc::prctl(libc::PR_GET_PDEATHSIG, &raw mut signal) };
        Self(signal)
    }

    /// Gives it to the calling thread. An exec keeps only what the thread had that called it.
    pub(crate) fn take_over(self) {
        // SAFETY: takes numbers only.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, self.0) };
    }
}

/// Lets this descriptor stay open in the image that follows a restart in place. Rust closes all
/// others; the next image finds it under the same number.
///
/// # Errors
/// When it is not open.
pub fn keep_over_restart(descriptor: BorrowedFd<'_>) -> Result<()> {
    // SAFETY: the descriptor is borrowed and therefore open; the calls take numbers only.
    let flags = unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_GETFD) };
    if flags < 0 {
        return Err(Error::last_os_error());
    }
    // SAFETY: as above.
    match unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_SETFD, flags & !libc::FD_CLOEXEC) } {
        0 => Ok(()),
        _ => Err(Error::last_os_error()),
    }
}
