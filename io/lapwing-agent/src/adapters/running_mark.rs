//! That an agent runs here, that it is the only one, and whether the last one was cut off.
//!
//! The mark is a locked file with the name of the machine's own boot in it, so that a power cut is
//! not taken for a crash. A run that ends by its own will says so in it.
//! Never: flushes; after a power cut the mark may say anything, but not the name of a later boot.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

/// Held while the agent runs.
#[derive(Debug)]
pub(crate) struct RunningMark(File);

/// What the mark says of the run before this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Before {
    pub(crate) machine: Machine,
    pub(crate) end: End,
}

/// Whether the machine was started since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Machine {
    SameBoot,
    LaterBoot,
}

/// How the run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Intended,
    CutOff,
}

/// A run that nobody ended in a machine that went on.
pub(crate) const CRASHED: Before = Before { machine: Machine::SameBoot, end: End::CutOff };

/// Behind the name of the boot, once what happens is intended.
const INTENDED: &str = " ended";

/// Why the mark could not be set.
#[derive(Debug)]
pub(crate) enum MarkError {
    /// Another agent holds it.
    Held,
    Io(io::Error),
}

impl RunningMark {
    /// Sets the mark, and says what it said before.
    pub(crate) fn set(path: &Path) -> Result<(Self, Before), MarkError> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = file.map_err(MarkError::Io)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => MarkError::Held,
            TryLockError::Error(error) => MarkError::Io(error),
        })?;
        let (boot, mut left) = (machine_boot(), String::new());
        let _ = file.read_to_string(&mut left);
        let (named, end) = match left.strip_suffix(INTENDED) {
            Some(named) => (named, End::Intended),
            None => (left.as_str(), End::CutOff),
        };
        let machine = if named == boot { Machine::SameBoot } else { Machine::LaterBoot };
        let mark = Self(file);
        mark.write(&boot);
        Ok((mark, Before { machine, end }))
    }

    /// What happens now is intended.
    pub(crate) fn end(&self) {
        self.write(&(machine_boot() + INTENDED));
    }

    /// Sets it again: what was intended did not happen.
    pub(crate) fn renew(&self) {
        self.write(&machine_boot());
    }

    /// If it fails, a crash is counted that was none, or the other way round.
    fn write(&self, text: &str) {
        let mut file = &self.0;
        let written =
            file.rewind().and_then(|()| file.set_len(0)).and_then(|()| file.write_all(text.as_bytes()));
        if let Err(error) = written {
            log::warn!("failed to mark the run: {error}");
        }
    }
}

impl Drop for RunningMark {
    /// Closing is not enough while a program that is just being started still has the descriptor.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

fn machine_boot() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    id.map_or_else(|_| "unknown".to_owned(), |id| id.trim().to_owned())
}
