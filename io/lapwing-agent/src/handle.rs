//! A way to reach a running agent from other threads and from signal handlers.
//!
//! Touches: two flags and a pair of sockets. Never: blocks or allocates once it is made.

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
    sender: UnixStream,
    receiver: UnixStream,
}

impl Handle {
    pub(crate) fn new() -> io::Result<Self> {
        let (sender, receiver) = UnixStream::pair()?;
        sender.set_nonblocking(true)?;
        receiver.set_nonblocking(true)?;
        let (cancelled, triggered) = (AtomicBool::new(false), AtomicBool::new(false));
        Ok(Self(Arc::new(Shared { cancelled, triggered, sender, receiver })))
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

    /// Whether somebody cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::SeqCst)
    }

    /// Whether somebody asked for an update, once.
    pub(crate) fn take_trigger(&self) -> bool {
        self.0.triggered.swap(false, Ordering::SeqCst)
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
