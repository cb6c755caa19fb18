//! A disk that keeps only what was flushed, and a power line that is cut where it hurts.
//!
//! Touches: `crate::rng`. Every operation is a point where the power may go: before, inside or after.
//! What was not flushed is then lost, kept, reordered or torn. Source: the rules of POSIX, nothing kinder.

use crate::rng::Rng;
use std::collections::{BTreeMap, BTreeSet};

/// Why an operation was not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskError {
    /// The power went away.
    PowerLost,
    /// No space left.
    Full,
    /// No writes are taken.
    ReadOnly,
    /// Nothing of this name is there.
    Missing,
}

/// When within an operation the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before it begins.
    Before,
    /// When a part of it was done.
    Inside,
    /// After it returned.
    After,
}

/// What becomes of that which was written and not flushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// All of it is lost.
    All,
    /// All of it survives.
    Nothing,
    /// Any of it survives, in any order, torn anywhere.
    Some,
}

/// A planned power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// At this point, counted from one.
    pub point: u64,
    /// Where within it.
    pub moment: Moment,
    /// What it costs.
    pub loss: Loss,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct View {
    names: BTreeMap<String, u32>,
    data: BTreeMap<u32, Vec<u8>>,
}

#[derive(Debug, Clone)]
enum Change {
    Create { name: String, file: u32 },
    Write { file: u32, at: usize, bytes: Vec<u8> },
    Rename { from: String, to: String },
    Unlink { name: String },
}

/// The disk of one device.
#[derive(Debug, Clone, Default)]
pub struct Disk {
    durable: View,
    /// What programs see.
    seen: View,
    pending: Vec<Change>,
    next_file: u32,
    /// Points passed so far.
    pub points: u64,
    /// Where the power shall go.
    pub cut: Option<Cut>,
    /// Bytes that fit, if limited.
    pub room_bytes: Option<usize>,
    /// Writes fail.
    pub read_only: bool,
    /// Operations that failed.
    pub failures: u64,
    /// Bytes written in all.
    pub written_bytes: u64,
}

impl Disk {
    /// Makes an empty file of this name, in place of any other.
    ///
    /// # Errors
    /// See [`DiskError`].
    pub fn create(&mut self, name: &str) -> Result<(), DiskError> {
        self.next_file += 1;
        let change = Change::Create { name: name.to_owned(), file: self.next_file };
        self.change(change)
    }

    /// Writes into a file, beginning at `at`.
    ///
    /// # Errors
    /// See [`DiskError`].
    pub fn write(&mut self, name: &str, at: usize, bytes: &[u8]) -> Result<(), DiskError> {
        let file = *self.seen.names.get(name).ok_or(DiskError::Missing)?;
        let used: usize = self.seen.data.values().map(Vec::len).sum();
        let grows = (at + bytes.len()).saturating_sub(self.seen.data.get(&file).map_or(0, Vec::len));
        if grows > 0 && self.room_bytes.is_some_and(|room| used + grows > room) {
            self.failures += 1;
            return Err(DiskError::Full);
        }
        self.written_bytes += bytes.len() as u64;
        self.change(Change::Write { file, at, bytes: bytes.to_vec() })
    }

    /// Makes a file's bytes durable, but not its name.
    ///
    /// # Errors
    /// See [`DiskError`].
    pub fn flush(&mut self, name: &str) -> Result<(), DiskError> {
        let file = *self.seen.names.get(name).ok_or(DiskError::Missing)?;
        self.passes(|disk, _| {
            disk.settle(|change| matches!(change, Change::Write { file: written, .. } if *written == file));
        })
    }

    /// Makes names durable, but not bytes.
    ///
    /// # Errors
    /// See [`DiskError`].
    pub fn flush_names(&mut self) -> Result<(), DiskError> {
        self.passes(|disk, _| {
            disk.settle(|change| !matches!(change, Change::Write { .. }));
            disk.forget_nameless();
        })
    }

    /// Gives a file another name, in place of whatever had it.
    ///
    /// # Errors
    /// See [`DiskError`].
    pub fn rename(&mut self, from: &str, to: &str) -> Result<(), DiskError> {
        self.change(Change::Rename { from: from.to_owned(), to: to.to_owned() })
    }

    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// See [`DiskError`].
    pub fn unlink(&mut self, name: &str) -> Result<(), DiskError> {
        if !self.seen.names.contains_key(name) {
            return Ok(());
        }
        self.change(Change::Unlink { name: name.to_owned() })
    }

    /// A file's bytes, if it is there.
    #[must_use]
    pub fn read(&self, name: &str) -> Option<&[u8]> {
        self.seen.names.get(name).map(|file| self.seen.data.get(file).map_or(&[][..], Vec::as_slice))
    }

    /// Whether the power goes at this moment, which is no disk operation.
    ///
    /// # Errors
    /// [`DiskError::PowerLost`] if it does.
    pub fn point(&mut self) -> Result<(), DiskError> {
        self.passes(|_, _| ())
    }

    /// Changes bytes behind everybody's back.
    pub fn tamper(&mut self, name: &str, change: impl Fn(&mut Vec<u8>)) {
        for view in [&mut self.durable, &mut self.seen] {
            if let Some(bytes) = view.names.get(name).and_then(|file| view.data.get_mut(file)) {
                change(bytes);
            }
        }
    }

    /// Everything is flushed.
    pub fn flush_all(&mut self) {
        self.settle(|_| true);
    }

    /// The power is gone: what was not flushed is lost as `loss` says.
    pub fn lose(&mut self, loss: Loss, rng: &mut Rng) {
        for mut change in core::mem::take(&mut self.pending) {
            let survives = match loss {
                Loss::All => false,
                Loss::Nothing => true,
                Loss::Some => rng.happens(500),
            };
            if !survives {
                continue;
            }
            if loss == Loss::Some && rng.happens(300) {
                tear(&mut change, rng);
            }
            self.durable.apply(&change);
        }
        self.seen = self.durable.clone();
        self.forget_nameless();
    }

    fn change(&mut self, change: Change) -> Result<(), DiskError> {
        if self.read_only {
            self.failures += 1;
            return Err(DiskError::ReadOnly);
        }
        self.passes(move |disk, moment| {
            let mut change = change;
            if moment == Moment::Inside
                && let Change::Write { bytes, .. } = &mut change
            {
                bytes.truncate(bytes.len() / 2);
            }
            disk.seen.apply(&change);
            disk.pending.push(change);
        })
    }

    /// One point: does the operation unless the power goes before, and fails if it goes at all.
    fn passes(&mut self, operation: impl FnOnce(&mut Self, Moment)) -> Result<(), DiskError> {
        self.points += 1;
        let moment = self.cut.filter(|cut| cut.point == self.points).map(|cut| cut.moment);
        if moment != Some(Moment::Before) {
            operation(self, moment.unwrap_or(Moment::After));
        }
        if moment.is_some() { Err(DiskError::PowerLost) } else { Ok(()) }
    }

    /// Files that no name leads to are gone, unless a name is on its way.
    fn forget_nameless(&mut self) {
        let named: BTreeSet<u32> =
            self.seen.names.values().chain(self.durable.names.values()).copied().collect();
        self.seen.data.retain(|file, _| named.contains(file));
        self.durable.data.retain(|file, _| named.contains(file));
    }

    fn settle(&mut self, which: impl Fn(&Change) -> bool) {
        let (settled, pending): (Vec<_>, Vec<_>) =
            core::mem::take(&mut self.pending).into_iter().partition(which);
        self.pending = pending;
        for change in settled {
            self.durable.apply(&change);
        }
    }
}

impl View {
    fn apply(&mut self, change: &Change) {
        match change {
            Change::Create { name, file } => {
                self.names.insert(name.clone(), *file);
                self.data.entry(*file).or_default();
            }
            Change::Write { file, at, bytes } => {
                let data = self.data.entry(*file).or_default();
                if data.len() < at + bytes.len() {
                    data.resize(at + bytes.len(), 0);
                }
                data[*at..at + bytes.len()].copy_from_slice(bytes);
            }
            Change::Rename { from, to } => {
                if let Some(file) = self.names.remove(from) {
                    self.names.insert(to.clone(), file);
                }
            }
            Change::Unlink { name } => {
                self.names.remove(name);
            }
        }
    }
}

/// Keeps a beginning, or an end, of what a write brought.
fn tear(change: &mut Change, rng: &mut Rng) {
    let Change::Write { at, bytes, .. } = change else { return };
    let middle = usize::try_from(rng.below(bytes.len() as u64 + 1)).unwrap_or(0);
    if rng.happens(500) {
        bytes.truncate(middle);
    } else {
        bytes.drain(..middle);
        *at += middle;
    }
}
