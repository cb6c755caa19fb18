//! Reports that the database could not take: kept in a file until it can, in the order in which they came.
//!
//! Touches: one file in the data directory. A report is flushed before it is acknowledged; a tail that a power
//! cut left torn was acknowledged to nobody. Never: grows beyond its limit, or forgets what is not delivered.

use crate::limits::JOURNAL_BYTES_MAX;
use lapwing_core::{DeviceId, Digest, UnixSeconds};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A report as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) device: DeviceId,
    pub(crate) came: UnixSeconds,
    pub(crate) body: Vec<u8>,
}

/// The file. Each report is its length, the start of its digest, and itself.
#[derive(Clone)]
pub(crate) struct Journal(Arc<Mutex<Written>>);

struct Written {
    file: File,
    length_bytes: u64,
}

const HEAD_BYTES: usize = 4 + CHECK_BYTES;
const CHECK_BYTES: usize = 8;

impl Journal {
    /// Opens the journal, with whatever was not delivered yet.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        crate::durable::flush_dir(path.parent().ok_or(io::ErrorKind::InvalidInput)?)?;
        let mut bytes = Vec::new();
        (&mut file).take(JOURNAL_BYTES_MAX).read_to_end(&mut bytes)?;
        let (_, length) = whole(&bytes);
        file.set_len(length as u64)?;
        Ok(Self(Arc::new(Mutex::new(Written { file, length_bytes: length as u64 }))))
    }

    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.written().length_bytes == 0
    }

    /// Keeps a report; it is on the disk when this returns. False if there is no room for it.
    pub(crate) fn keep(&self, kept: &Kept) -> io::Result<bool> {
        let record = record(kept);
        let mut written = self.written();
        let length_bytes = written.length_bytes.saturating_add(record.len() as u64);
        if length_bytes > JOURNAL_BYTES_MAX {
            return Ok(false);
        }
        let end = written.length_bytes;
        written.file.seek(SeekFrom::Start(end))?;
        written.file.write_all(&record)?;
        written.file.sync_data()?;
        written.length_bytes = length_bytes;
        Ok(true)
    }

    /// All that waits, the oldest first, and how far that is.
    pub(crate) fn waiting(&self) -> io::Result<(Vec<Kept>, u64)> {
        let mut written = self.written();
        let mut bytes = vec![0; usize::try_from(written.length_bytes).unwrap_or(usize::MAX)];
        written.file.seek(SeekFrom::Start(0))?;
        written.file.read_exact(&mut bytes)?;
        Ok((whole(&bytes).0, written.length_bytes))
    }

    /// Lets go what was delivered, if nothing came meanwhile; says whether it did.
    pub(crate) fn delivered(&self, as_far_as: u64) -> io::Result<bool> {
        let mut written = self.written();
        if written.length_bytes != as_far_as {
            return Ok(false);
        }
        written.file.set_len(0)?;
        written.file.sync_data()?;
        written.length_bytes = 0;
        Ok(true)
    }

    fn written(&self) -> std::sync::MutexGuard<'_, Written> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn record(kept: &Kept) -> Vec<u8> {
    let name = kept.device.as_str().as_bytes();
    let mut report = kept.came.0.to_be_bytes().to_vec();
    report.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
    report.extend(name);
    report.extend(&kept.body);
    let length = u32::try_from(report.len()).unwrap_or(u32::MAX);
    let mut record = length.to_be_bytes().to_vec();
    record.extend(Digest::of(&report).as_bytes().iter().take(CHECK_BYTES));
    record.extend(report);
    record
}

/// The reports that are whole, and where they end.
fn whole(bytes: &[u8]) -> (Vec<Kept>, usize) {
    let (mut reports, mut rest) = (Vec::new(), bytes);
    while let Some((kept, behind)) = first(rest) {
        reports.push(kept);
        rest = behind;
    }
    (reports, bytes.len().saturating_sub(rest.len()))
}

fn first(bytes: &[u8]) -> Option<(Kept, &[u8])> {
    let (head, rest) = bytes.split_at_checked(HEAD_BYTES)?;
    let (length, check) = head.split_first_chunk()?;
    let (report, behind) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    if !Digest::of(report).as_bytes().starts_with(check) {
        return None;
    }
    let (came, named) = report.split_first_chunk()?;
    let (name_bytes, named) = named.split_first()?;
    let (name, body) = named.split_at_checked(usize::from(*name_bytes))?;
    let device = std::str::from_utf8(name).ok()?.parse().ok()?;
    Some((Kept { device, came: UnixSeconds(u64::from_be_bytes(*came)), body: body.to_vec() }, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(number: u8) -> Kept {
        let body = vec![number; usize::from(number)];
        Kept { device: format!("d{number}").parse().unwrap(), came: UnixSeconds(number.into()), body }
    }

    #[test]
    fn what_was_kept_is_there_in_order_until_it_is_delivered_and_a_torn_tail_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("reports.journal");
        let journal = Journal::open(&path).unwrap();
        assert!(journal.is_empty());
        assert!((1..4).all(|number| journal.keep(&kept(number)).unwrap()));
        let all: Vec<_> = (1..4).map(kept).collect();
        let (waiting, as_far_as) = journal.waiting().unwrap();
        assert_eq!(waiting, all);
        assert!(journal.keep(&kept(4)).unwrap());
        assert!(!journal.delivered(as_far_as).unwrap(), "one more came meanwhile");

        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let (found, _) = Journal::open(&path).unwrap().waiting().unwrap();
            assert!(found.len() < 4 && found.iter().zip(&all).all(|(found, kept)| found == kept), "{length}");
        }
        std::fs::write(&path, &whole).unwrap();
        let journal = Journal::open(&path).unwrap();
        let (waiting, as_far_as) = journal.waiting().unwrap();
        assert_eq!(waiting.len(), 4);
        assert!(journal.delivered(as_far_as).unwrap() && journal.is_empty());
        assert_eq!(Journal::open(&path).unwrap().waiting().unwrap().0, []);
    }
}
