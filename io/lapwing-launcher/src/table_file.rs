//! `DIR/slot-table` under its lock: read, and written durably.
//!
//! Touches: `os`, `lapwing_core::SlotTable`. Entered from: `run`.
//! Never: creates, grows or truncates the file; takes an unreadable table for an empty one.

use crate::os::{Access, Errno, File, pause_ms};
use core::ffi::CStr;
use lapwing_core::{SLOT_RECORD_LEN, SLOT_RECORD_OFFSETS, SlotTable};

/// The agent holds the lock for one write. Whoever holds it longer hangs, and must not keep a slot
/// from starting; the table is then read without it and not written.
const LOCK_TRIES_MAX: u32 = 500;
const LOCK_PAUSE_MS: u32 = 10;

/// The open table. Its lock goes with it: on drop, and when an image takes over the process.
pub(crate) struct TableFile {
    file: File,
    writable: bool,
}

impl TableFile {
    /// Opens for reading alone where writing is not possible, and takes the lock.
    pub(crate) fn open(path: &CStr) -> Result<Self, Errno> {
        let (file, writable) = match File::open(path, Access::ReadWrite) {
            Ok(file) => (file, true),
            Err(Errno::READ_ONLY | Errno::NO_ACCESS | Errno::NOT_PERMITTED) => {
                (File::open(path, Access::Read)?, false)
            }
            Err(why) => return Err(why),
        };
        let locked = (0..LOCK_TRIES_MAX).any(|turn| {
            if turn > 0 {
                pause_ms(LOCK_PAUSE_MS);
            }
            file.try_lock()
        });
        Ok(Self { file, writable: writable && locked })
    }

    /// What the two records say; `None` if neither counts.
    pub(crate) fn read(&self) -> Option<SlotTable> {
        let records = SLOT_RECORD_OFFSETS.map(|offset| {
            let mut record = [0; SLOT_RECORD_LEN];
            // A record that cannot be read in full does not count: its sum is wrong.
            let _ = self.file.read_at(&mut record, offset);
            record
        });
        SlotTable::decode(&records).ok()
    }

    /// The table as it now stands on disk.
    pub(crate) fn store(&self, table: SlotTable) -> Result<SlotTable, Errno> {
        if !self.writable {
            return Err(Errno::READ_ONLY);
        }
        table.store(|offset, record| {
            self.file.write_at(record, offset)?;
            self.file.sync()
        })
    }
}
