//! A way to reach a running agent from other threads and from signal handlers.
//!
//! Touches: three flags and a pair of sockets. Never: blocks or allocates once it is made.

use crate::pace::Transfers;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Reaches one agent. Cheap to clone; may outlive it.
#[derive(Debug, Clone)]
pub struct Handle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    cancelled: AtomicBool,
    triggered: AtomicBool,
    paused: AtomicBool,
    sender: UnixStream,
    receiver: UnixStream,
}

impl Handle {
    pub(crate) fn new() -> io::Result<Self> {
        let (sender, receiver) = UnixStream::pair()?;
        sender.set_nonblocking(true)?;
        receiver.set_nonblocking(true)?;
        let [cancelled, triggered, paused] = [false; 3].map(AtomicBool::new);
        Ok(Self(Arc::new(Shared { cancelled, triggered, paused, sender, receiver })))
    }

    /// Makes `run` return soon. May be called from a signal handler.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Checks in at once, and lets one offer pass the device's own version policy.
    pub fn trigger(&self) {
        self.0.triggered.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Holds transfers back: what has come of an artifact is kept, the connection is closed, the rest of it is
    /// not asked for. Check-ins and reports go on. Forgotten when the process ends.
    pub fn pause(&self) {
        self.0.paused.store(true, Ordering::SeqCst);
        self.wake();
    }

    /// Lets transfers go on after [`pause`](Self::pause).
    pub fn resume(&self) {
        self.0.paused.store(false, Ordering::SeqCst);
        self.wake();
    }

    /// Whether somebody cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::SeqCst)
    }

    /// Whether somebody asked for an update, once.
    pub(crate) fn take_trigger(&self) -> bool {
        self.0.triggered.swap(false, Ordering::SeqCst)
    }

    /// What [`pause`](Self::pause) and [`resume`](Self::resume) last said.
    pub(crate) fn transfers(&self) -> Transfers {
        if self.0.paused.load(Ordering::SeqCst) { Transfers::Paused } else { Transfers::Allowed }
    }

    /// Can be read when there is something new.
    pub(crate) fn news(&self) -> BorrowedFd<'_> {
        self.0.receiver.as_fd()
    }

    /// Forgets that there was something new.
    pub(crate) fn drain(&self) {
        while (&self.0.receiver).read(&mut [0; 64]).is_ok_and(|length| length > 0) {}
    }

    fn wake(&self) {
        // If the buffer is full the other end wakes anyway.
        let _ = (&self.0.sender).write(&[0]);
    }
}
