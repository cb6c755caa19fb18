//! How the launcher ends when it does not become an image: exit codes and one line on stderr.
//!
//! Touches: `os`. Entered from: everywhere.
//! Never: formats; a line is a few pieces of bytes, written at once.

use crate::os::{self, Errno};
use core::ffi::{CStr, c_int};

/// An exit code. Programs use the low ones, shells those from 126.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Help or version was asked for.
    Done,
    /// The flags make no sense.
    Usage,
    /// The root directory is not there.
    NoRoot,
    /// No slot holds an image that can be executed.
    NothingToStart,
    /// The machine is short of something; no image is to blame.
    Short,
    /// What the program under supervision ended with, after a signal asked it to.
    Child(c_int),
}

impl Outcome {
    pub(crate) const fn code(self) -> c_int {
        match self {
            Self::Done => 0,
            Self::Usage => 120,
            Self::NoRoot => 121,
            Self::NothingToStart => 122,
            Self::Short => 123,
            Self::Child(code) => code,
        }
    }
}

/// Says that `what` failed with `piece`, and why.
pub(crate) fn complain(what: &str, piece: &CStr, why: Errno) {
    say(&[b"failed to ", what.as_bytes(), b" ", piece.to_bytes(), b": ", why.text().to_bytes()]);
}

/// One line on stderr. What does not fit is cut off.
pub(crate) fn say(pieces: &[&[u8]]) {
    const LINE_BYTES_MAX: usize = 512;
    let mut line = [0; LINE_BYTES_MAX];
    let mut length = 0;
    for byte in [b"lapwing-launcher: ".as_slice()].iter().chain(pieces).copied().flatten() {
        if length < LINE_BYTES_MAX - 1 {
            line[length] = if byte.is_ascii_control() { b'?' } else { *byte };
            length += 1;
        }
    }
    line[length] = b'\n';
    os::write_stderr(&line[..=length]);
}
