//! The device record: replaced as a whole, and known to be what was written.
//!
//! The file is the first eight bytes of the record's SHA-256, then the record.
//! Touches: `durable`. Never: interprets the record; an unreadable one is the brain's affair.

use crate::durable::{self, Readers};
use lapwing_core::{Digest, ShortDigest};
use lapwing_device::StoredRecord;
use lapwing_device::limits::RECORD_BYTES_MAX;
use std::io;
use std::path::Path;

/// Stores the record durably.
pub(crate) fn save(path: &Path, record: &[u8]) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(ShortDigest::LEN + record.len());
    bytes.extend(Digest::of(record).short().0);
    bytes.extend(record);
    durable::write(path, &bytes, Readers::Everybody)
}

/// What lies where the record should be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Loaded {
    Missing,
    Record(Vec<u8>),
    Unreadable,
}

impl Loaded {
    /// As the brain takes it. A device that has talked before has a record; then a missing one is lost.
    pub(crate) fn as_stored(&self, has_talked: bool) -> StoredRecord<'_> {
        match self {
            Self::Missing if !has_talked => StoredRecord::Fresh,
            Self::Record(bytes) => StoredRecord::Bytes(bytes),
            Self::Missing | Self::Unreadable => StoredRecord::Unreadable,
        }
    }
}

/// Reads what [`save`] wrote.
pub(crate) fn load(path: &Path) -> Loaded {
    match durable::read(path, (ShortDigest::LEN + RECORD_BYTES_MAX) as u64) {
        Ok(None) => Loaded::Missing,
        Ok(Some(bytes)) => match bytes.split_at_checked(ShortDigest::LEN) {
            Some((sum, record)) if Digest::of(record).short().0 == *sum => Loaded::Record(record.to_vec()),
            _ => Loaded::Unreadable,
        },
        Err(error) => {
            log::error!("failed to read the record: {error}");
            Loaded::Unreadable
        }
    }
}
