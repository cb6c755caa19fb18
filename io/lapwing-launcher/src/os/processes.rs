//! Becoming an image, children, signals, and waiting.
//!
//! Touches: `libc`. Entered from: `os`.
//! Never: installs a signal handler: signals are held back and taken one by one.

use super::{Errno, checked};
use core::ffi::{CStr, c_char, c_int};
use core::mem::MaybeUninit;
use core::ptr;

/// The words of the command line that are left, in the process's own NULL-terminated list.
pub(crate) struct Args {
    at: *mut *mut c_char,
    taken: usize,
}

impl Args {
    /// # Safety
    /// `words` is the list that the C runtime gave to `main`.
    pub(crate) const unsafe fn new(words: *mut *mut c_char) -> Self {
        Self { at: words, taken: 0 }
    }

    pub(crate) fn next(&mut self) -> Option<&'static CStr> {
        // SAFETY: `at` never moves past the NULL at the end of the list, whose words live as long as the process.
        unsafe {
            let word = *self.at;
            if word.is_null() {
                return None;
            }
            self.at = self.at.add(1);
            self.taken += 1;
            Some(CStr::from_ptr(word))
        }
    }

    /// Executes `image` with the words that are left. Comes back only if that fails.
    pub(crate) fn become_image(&self, image: &CStr) -> Errno {
        if self.taken == 0 {
            return Errno(libc::EINVAL);
        }
        // SAFETY: a word was taken, so the list holds one before `at`. Its place is reused for the name of
        // the image; the word itself stays. The list is NULL-terminated, `image` NUL-terminated.
        unsafe {
            let words = self.at.sub(1);
            *words = image.as_ptr().cast_mut();
            libc::execv(image.as_ptr(), words.cast_const().cast());
        }
        Errno::last()
    }
}

/// Sets a variable for the image.
pub(crate) fn set_variable(name: &CStr, value: &CStr) -> Result<(), Errno> {
    // SAFETY: both are NUL-terminated, and the process has one thread.
    checked(unsafe { libc::setenv(name.as_ptr(), value.as_ptr(), 1) }).map(drop)
}

/// A child that was not reaped yet.
#[derive(Clone, Copy)]
pub(crate) struct Child(libc::pid_t);

impl Child {
    /// Hands a signal on, unless the terminal already sent it to the group that both are in.
    pub(crate) fn signal(self, number: c_int, origin: Origin) {
        // SAFETY: the child was not reaped, so the number is still its.
        unsafe {
            if origin == Origin::Process || libc::getpgid(self.0) != libc::getpgrp() {
                libc::kill(self.0, number);
            }
        }
    }
}

/// The two sides of a fork.
pub(crate) enum Fork {
    Parent(Child),
    Child,
    Failed(Errno),
}

/// Who sent a signal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Terminal,
    Process,
}

/// Why a wait ended.
pub(crate) enum Wake {
    ChildEnded,
    Signal { number: c_int, origin: Origin },
    Nothing,
}

/// The signals that a supervisor takes one by one.
pub(crate) struct Signals {
    held: libc::sigset_t,
    before: libc::sigset_t,
}

impl Signals {
    /// Holds them back from here on.
    pub(crate) fn held() -> Self {
        const TAKEN: [c_int; 6] =
            [libc::SIGCHLD, libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGUSR1, libc::SIGUSR2];
        // SAFETY: a set of all zeros is valid; the default disposition lets children be waited for.
        unsafe {
            let (mut held, mut before) = (core::mem::zeroed(), core::mem::zeroed());
            libc::sigemptyset(&raw mut held);
            for signal in TAKEN {
                libc::sigaddset(&raw mut held, signal);
            }
            libc::signal(libc::SIGCHLD, libc::SIG_DFL);
            libc::sigprocmask(libc::SIG_BLOCK, &raw const held, &raw mut before);
            Self { held, before }
        }
    }

    /// Splits in two. The child dies with its parent, or two of it could run after a restart, and takes
    /// signals as the parent once did.
    pub(crate) fn fork(&self) -> Fork {
        // SAFETY: the process has one thread, so everything may be done in the child.
        unsafe {
            let parent = libc::getpid();
            match checked(libc::fork()) {
                Err(why) => Fork::Failed(why),
                Ok(0) => {
                    libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
                    if libc::getppid() != parent {
                        libc::_exit(128 + libc::SIGKILL);
                    }
                    libc::sigprocmask(libc::SIG_SETMASK, &raw const self.before, ptr::null_mut());
                    Fork::Child
                }
                Ok(child) => Fork::Parent(Child(child)),
            }
        }
    }

    /// Waits for the next signal, for at most `patience_ms`.
    pub(crate) fn wait(&self, patience_ms: Option<u64>) -> Wake {
        let patience = patience_ms.map(timespec);
        let limit = patience.as_ref().map_or(ptr::null(), ptr::from_ref);
        let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
        // SAFETY: the set is valid, `info` is filled when a signal was taken, `limit` is null or a time.
        let number = unsafe { libc::sigtimedwait(&raw const self.held, info.as_mut_ptr(), limit) };
        if number < 0 {
            return Wake::Nothing;
        }
        if number == libc::SIGCHLD {
            return Wake::ChildEnded;
        }
        // SAFETY: a siginfo_t of all zeros is valid, and this one was filled.
        let from_kernel = unsafe { info.assume_init() }.si_code == libc::SI_KERNEL;
        Wake::Signal { number, origin: if from_kernel { Origin::Terminal } else { Origin::Process } }
    }
}

/// Whether a signal asks the supervisor itself to end.
pub(crate) const fn asks_to_stop(number: c_int) -> bool {
    matches!(number, libc::SIGTERM | libc::SIGINT)
}

/// Reaps whatever has ended; the exit code of `child` if it is among them.
pub(crate) fn reap(child: Child) -> Option<c_int> {
    let mut code = None;
    while let Some((ended, status)) = reap_one() {
        if ended == child.0 {
            code = Some(if libc::WIFSIGNALED(status) {
                128 + libc::WTERMSIG(status)
            } else {
                libc::WEXITSTATUS(status)
            });
        }
    }
    code
}

/// Reaps what was left to process 1.
pub(crate) fn reap_orphans() {
    while reap_one().is_some() {}
}

fn reap_one() -> Option<(libc::pid_t, c_int)> {
    let mut status = 0;
    // SAFETY: `status` may be written.
    let ended = unsafe { libc::waitpid(-1, &raw mut status, libc::WNOHANG) };
    (ended > 0).then_some((ended, status))
}

/// Milliseconds since some moment in the past.
pub(crate) fn monotonic_ms() -> u64 {
    let mut now = timespec(0);
    // SAFETY: `now` may be written.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    let whole = u64::try_from(now.tv_sec).unwrap_or(0).saturating_mul(1000);
    whole.saturating_add(u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000_000)
}

/// Does nothing for a while.
pub(crate) fn pause_ms(length_ms: u32) {
    let length = timespec(u64::from(length_ms));
    // SAFETY: `length` is a time, and what is left of it is not asked for.
    unsafe { libc::nanosleep(&raw const length, ptr::null_mut()) };
}

/// Ends the process after a broken invariant.
#[cfg(panic = "abort")]
pub(crate) fn abort() -> ! {
    // SAFETY: always allowed.
    unsafe { libc::abort() }
}

fn timespec(length_ms: u64) -> libc::timespec {
    // SAFETY: a timespec of all zeros is valid.
    let mut length: libc::timespec = unsafe { core::mem::zeroed() };
    length.tv_sec = i32::try_from(length_ms / 1000).unwrap_or(i32::MAX).into();
    length.tv_nsec = (length_ms % 1000 * 1_000_000) as _;
    length
}
