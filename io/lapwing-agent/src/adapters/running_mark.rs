//! That an agent runs here, that it is the only one, and whether the last one was cut off.
//!
//! The mark is a locked file with the name of the machine's own boot in it, so that a power cut is
//! not taken for a crash. It is emptied when a run ends by its own will.
//! Never: flushes; the mark means nothing after a power cut.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;

/// Held while the agent runs.
#[derive(Debug)]
pub(crate) struct RunningMark(File);

/// Why the mark could not be set.
#[derive(Debug)]
pub(crate) enum MarkError {
    /// Another agent holds it.
    Held,
    Io(io::Error),
}

impl RunningMark {
    /// Sets the mark, and says whether the run before this one was cut off in the same boot of the machine.
    pub(crate) fn set(path: &Path) -> Result<(Self, bool), MarkError> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = file.map_err(MarkError::Io)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => MarkError::Held,
            TryLockError::Error(error) => MarkError::Io(error),
        })?;
        let (boot, mut left) = (machine_boot(), String::new());
        let crashed = file.read_to_string(&mut left).is_ok() && left == boot;
        let mark = Self(file);
        mark.write(&boot);
        Ok((mark, crashed))
    }

    /// Empties the mark: what happens now is intended.
    pub(crate) fn clear(&self) {
        self.write("");
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
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_else(|_| "unknown".to_owned())
}
