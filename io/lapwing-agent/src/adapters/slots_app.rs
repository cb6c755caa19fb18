//! Slots for one program: two images and a slot table in the device directory.
//!
//! The table is shared with the launcher under `flock`; every change reads it afresh, writes one
//! record in place and flushes it. Source: formats/slot-table.md.
//! Never: writes to the slot that runs, or to the spare one before the table says that it is being written.

#[cfg(test)]
mod tests;

use super::artifact_file::{self, ArtifactFile, digest_of};
use crate::apply::{Workshop, apply};
use crate::device_dir::DeviceDir;
use crate::durable;
use lapwing_core::{
    Booted, Digest, OldSlot, Return, SLOT_RECORD_LEN, SLOT_RECORD_OFFSETS, SLOT_TABLE_LEN, Slot, SlotState,
    SlotTable, SlotTableError, SlotTableUnreadable, StartLimits,
};
use lapwing_delta::Profile;
use lapwing_device::{Applied, Install, Trouble};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::Path;

/// The slots of one program.
#[derive(Debug)]
pub(crate) struct AppSlots {
    dir: DeviceDir,
    booted: Booted,
    running: Digest,
}

/// Why the slots cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SlotsError {
    /// The running image could not be read.
    #[error("the image in the running slot cannot be read")]
    Image(#[source] io::Error),
    /// The table could not be read, or not be made anew.
    #[error("the slot table cannot be used")]
    Table(#[source] io::Error),
    /// There is no table and nobody says which slot runs.
    #[error("there is no slot table; the directory was not provisioned")]
    NotProvisioned,
}

impl AppSlots {
    /// Finds out which slot runs and what it holds. `told` is what the launcher said, if it did.
    ///
    /// A table that is destroyed is made anew around the image that runs.
    pub(crate) fn open(dir: DeviceDir, told: Option<Slot>) -> Result<(Self, SlotTable), SlotsError> {
        let stored = match read_table(&dir) {
            Ok(table) => Some(table),
            Err(TableError::Unreadable(_)) => None,
            Err(TableError::Io(error)) if error.kind() == io::ErrorKind::NotFound && told.is_some() => None,
            Err(TableError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                return Err(SlotsError::NotProvisioned);
            }
            Err(error) => return Err(SlotsError::Table(error.into())),
        };
        let slot = told.or(stored.map(|table| table.active)).unwrap_or(Slot::A);
        let image = File::open(dir.image(slot)).map_err(SlotsError::Image)?;
        let size_bytes = image.metadata().map_err(SlotsError::Image)?.len();
        let running = digest_of(&image, size_bytes).map_err(SlotsError::Image)?;
        let table = match stored {
            Some(table) => table,
            None => {
                log::error!("the slot table is destroyed; making it anew around slot {}", slot.name());
                make_table(&dir, slot, running, size_bytes).map_err(SlotsError::Table)?
            }
        };
        Ok((Self { dir, booted: Booted(slot), running }, table))
    }

    pub(crate) fn booted(&self) -> Slot {
        self.booted.0
    }

    pub(crate) fn running(&self) -> Digest {
        self.running
    }

    /// Bytes that the spare slot takes and would give back.
    pub(crate) fn spare_bytes(&self) -> u64 {
        fs::metadata(self.dir.image(self.booted.spare()))
            .map_or(0, |image| image.blocks().saturating_mul(512))
    }

    /// Points `current` to the slot that runs, for people.
    pub(crate) fn show_current(&self) {
        let (link, target) = (self.dir.current(), format!("slots/{}", self.booted.0.name()));
        if fs::read_link(&link).is_ok_and(|old| old.as_os_str() == target.as_str()) {
            return;
        }
        let beside = link.with_extension("new");
        let _ = fs::remove_file(&beside);
        if let Err(error) = symlink(target, &beside).and_then(|()| fs::rename(&beside, &link)) {
            log::warn!("failed to show the running slot: {error}");
        }
    }

    /// Makes the image of `install` in the spare slot from the stored artifact, and stages it. Goes on
    /// where a power cut ended an earlier try.
    pub(crate) fn apply(
        &self,
        install: &Install,
        artifact: &ArtifactFile,
        profile: Profile,
    ) -> Result<Applied, Trouble> {
        let spare = self.booted.spare();
        self.change(|table| table.begin_write(self.booted))?;
        if let Err(refused) = self.write_image(install, artifact, profile)? {
            return Ok(refused);
        }
        let staged = self.change(|table| table.staged(spare, install.image, install.image_size_bytes))?;
        Ok(Applied::Staged(staged))
    }

    fn write_image(
        &self,
        install: &Install,
        artifact: &ArtifactFile,
        profile: Profile,
    ) -> Result<Result<(), Applied>, Trouble> {
        let path = self.dir.image(self.booted.spare());
        let (target, resume_from) = begin_image(&path, artifact).map_err(failed)?;
        let base = File::open(self.dir.image(self.booted.0)).map_err(failed)?;
        let scratch = artifact_file::scratch(&self.dir.artifact());
        let shop = Workshop {
            base: &base,
            base_digest: self.running,
            artifact,
            target: &target,
            resume_from,
            checkpoint_bytes: artifact.checkpoint_bytes(),
            scratch: &scratch,
            profile,
        };
        let applied = apply(install, &shop)?;
        if applied.is_err() {
            return Ok(applied);
        }
        target.sync_all().map_err(failed)?;
        // Only what was written now has passed through the digest.
        if resume_from > 0 && digest_of(&target, install.image_size_bytes).ok() != Some(install.image) {
            log::warn!("the image does not go on where it ended; beginning anew");
            artifact.set_applied_bytes(0).map_err(failed)?;
            return self.write_image(install, artifact, profile);
        }
        let executable = Permissions::from_mode(0o755);
        target.set_permissions(executable).and_then(|()| target.sync_all()).map_err(failed)?;
        Ok(applied)
    }

    /// Notes that the loop runs.
    pub(crate) fn sign_of_life(&self) -> Result<SlotTable, Trouble> {
        self.change(|table| table.sign_of_life(self.booted))
    }

    /// Checks the staged image once more and opens its trial.
    pub(crate) fn switch(&self, image: &Digest, limits: StartLimits) -> Result<SlotTable, Trouble> {
        let spare = self.booted.spare();
        let entry = *self.read()?.slot(spare);
        let staged = entry.state == SlotState::Staged && entry.image == *image;
        let held = File::open(self.dir.image(spare)).and_then(|file| {
            let size_bytes = file.metadata()?.len();
            Ok((size_bytes, digest_of(&file, size_bytes)?))
        });
        match held {
            Ok(found) if staged && found == (entry.image_size_bytes, *image) => {}
            other => {
                log::error!("the spare slot does not hold what was staged: {other:?}");
                if staged && let Err(trouble) = self.change(|table| table.mark_bad(spare)) {
                    log::error!("failed to mark the spare slot bad: {trouble:?}");
                }
                return Err(Trouble::Tampered);
            }
        }
        self.change(|table| table.switch(spare, limits))
    }

    /// Declares the trial good.
    pub(crate) fn confirm(&self) -> Result<SlotTable, Trouble> {
        self.change(|table| table.confirm(self.booted))
    }

    /// Closes the way back.
    pub(crate) fn settle(&self, old: OldSlot) -> Result<SlotTable, Trouble> {
        self.change(|table| table.settle(old))
    }

    /// Leaves the slot on trial or under watch.
    pub(crate) fn roll_back(&self, old: OldSlot) -> Result<SlotTable, Trouble> {
        self.change(|table| table.roll_back(Return::AgentAsked, old))
    }

    fn read(&self) -> Result<SlotTable, Trouble> {
        read_table(&self.dir).map_err(|error| error.trouble())
    }

    /// Reads, changes and stores the table while nobody else does.
    fn change(
        &self,
        change: impl FnOnce(SlotTable) -> Result<SlotTable, SlotTableError>,
    ) -> Result<SlotTable, Trouble> {
        change_table(&self.dir, change).map_err(|error| error.trouble())
    }
}

#[derive(Debug, thiserror::Error)]
enum TableError {
    #[error(transparent)]
    Unreadable(#[from] SlotTableUnreadable),
    #[error(transparent)]
    Refused(#[from] SlotTableError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl TableError {
    fn trouble(&self) -> Trouble {
        log::error!("failed to change the slot table: {self}");
        match self {
            Self::Unreadable(_) => Trouble::Storage,
            Self::Refused(_) => Trouble::SlotTable,
            Self::Io(error) => durable::trouble(error),
        }
    }
}

impl From<TableError> for io::Error {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Io(error) => error,
            other => Self::other(other),
        }
    }
}

fn failed(error: io::Error) -> Trouble {
    log::error!("failed to write the spare slot: {error}");
    durable::trouble(&error)
}

/// A launcher that finds no slot table starts what can be executed, and that must be whole.
const UNFINISHED_MODE: u32 = 0o644;

/// The image to go on with, and how much of it is there: what the artifact counted, if it is all there.
fn begin_image(path: &Path, artifact: &ArtifactFile) -> io::Result<(File, u64)> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    let applied_bytes = artifact.applied_bytes();
    if applied_bytes > 0
        && let Ok(mut image) = options.open(path)
        && image.metadata()?.len() >= applied_bytes
    {
        image.set_permissions(Permissions::from_mode(UNFINISHED_MODE))?;
        image.set_len(applied_bytes)?;
        image.seek(SeekFrom::End(0))?;
        log::info!("the image goes on at byte {applied_bytes}");
        return Ok((image, applied_bytes));
    }
    if applied_bytes > 0 {
        artifact.set_applied_bytes(0)?;
    }
    // A new file: whoever still runs the old one keeps it.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let image = options.create_new(true).mode(UNFINISHED_MODE).open(path)?;
    // Its name lasts before anything counts what is in it.
    durable::sync_dir_of(path)?;
    Ok((image, 0))
}

fn read_table(dir: &DeviceDir) -> Result<SlotTable, TableError> {
    let file = File::open(dir.slot_table())?;
    file.lock_shared()?;
    Ok(decode(&file)?)
}

fn change_table(
    dir: &DeviceDir,
    change: impl FnOnce(SlotTable) -> Result<SlotTable, SlotTableError>,
) -> Result<SlotTable, TableError> {
    let file = OpenOptions::new().read(true).write(true).open(dir.slot_table())?;
    file.lock()?;
    let before = decode(&file)?;
    let after = change(before)?;
    if after == before {
        return Ok(before);
    }
    Ok(store(&file, after)?)
}

fn decode(file: &File) -> Result<SlotTable, SlotTableUnreadable> {
    let records = SLOT_RECORD_OFFSETS.map(|offset| {
        let mut record = [0; SLOT_RECORD_LEN];
        // A record that cannot be read in full does not count: its sum is wrong.
        let _ = file.read_exact_at(&mut record, offset);
        record
    });
    SlotTable::decode(&records)
}

fn store(file: &File, table: SlotTable) -> io::Result<SlotTable> {
    table.store(|offset, record| {
        file.write_all_at(record, offset)?;
        file.sync_data()
    })
}

/// Writes the first table of this device, both records of it.
fn make_table(dir: &DeviceDir, slot: Slot, image: Digest, size_bytes: u64) -> io::Result<SlotTable> {
    let path = dir.slot_table();
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
    file.lock()?;
    // Zeros are written, not skipped, so that a full disk cannot block a later change.
    file.write_all_at(&vec![0; usize::try_from(SLOT_TABLE_LEN).unwrap_or(0)], 0)?;
    file.sync_all()?;
    let once = store(&file, SlotTable::first(slot, image, size_bytes))?;
    let twice = store(&file, once)?;
    durable::sync_dir_of(&path)?;
    Ok(twice)
}
