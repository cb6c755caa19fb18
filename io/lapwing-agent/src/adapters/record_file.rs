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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use tempfile::TempDir;

    #[test]
    fn a_record_comes_back_as_it_was_saved_and_damage_is_noticed() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("record");
        assert_eq!(load(&path), Loaded::Missing);
        save(&path, b"first").unwrap();
        save(&path, b"second").unwrap();
        assert_eq!(load(&path), Loaded::Record(b"second".to_vec()));
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(load(&path), Loaded::Unreadable, "{length} bytes");
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            fs::write(&path, damaged).unwrap();
            assert_eq!(load(&path), Loaded::Unreadable, "byte {at}");
        }
        fs::write(&path, vec![0; 100_000]).unwrap();
        assert_eq!(load(&path), Loaded::Unreadable);
    }

    #[test]
    fn a_save_that_fails_leaves_the_record_before_it() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("record");
        save(&path, b"first").unwrap();
        // What a power cut left half written beside it is no hindrance, a directory is.
        fs::write(dir.path().join("record.new"), b"hal").unwrap();
        save(&path, b"second").unwrap();
        fs::create_dir(dir.path().join("record.new")).unwrap();
        assert!(save(&path, b"third").is_err());
        assert_eq!(load(&path), Loaded::Record(b"second".to_vec()));
    }

    #[test]
    fn a_missing_record_is_fresh_only_before_the_device_has_talked() {
        assert!(matches!(Loaded::Missing.as_stored(false), StoredRecord::Fresh));
        assert!(matches!(Loaded::Missing.as_stored(true), StoredRecord::Unreadable));
    }
}
