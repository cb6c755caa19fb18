//! A root directory with two slots and a table, and ways to launch from it.
//!
//! Touches: a temporary directory. Entered from: every test.
//! Never: writes the table but through `SlotTable::store`, unless a test damages it.

use lapwing_core::{Booted, Digest, SLOT_RECORD_OFFSETS, SLOT_TABLE_LEN, Slot, SlotTable, StartLimits};
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;

/// An image says its version, its slot and its arguments.
pub(crate) const OLD: &[u8] = b"#!/bin/sh\necho old $LAPWING_SLOT $*\n";
pub(crate) const NEW: &[u8] = b"#!/bin/sh\necho new $LAPWING_SLOT $*\n";

pub(crate) struct Device {
    dir: TempDir,
}

impl Device {
    /// The old image confirmed in slot a, the new one staged in b and switched to.
    pub(crate) fn on_trial(new: &[u8]) -> Self {
        let device = Self { dir: TempDir::new().unwrap() };
        for (slot, image) in [(Slot::A, OLD), (Slot::B, new)] {
            fs::create_dir_all(device.image(slot).parent().unwrap()).unwrap();
            device.put_image(slot, image);
        }
        File::create(device.table_path()).unwrap().set_len(SLOT_TABLE_LEN).unwrap();
        let table = SlotTable::first(Slot::A, Digest::of(OLD), OLD.len() as u64)
            .begin_write(Booted(Slot::A))
            .and_then(|table| table.staged(Slot::B, Digest::of(new), new.len() as u64))
            .and_then(|table| table.switch(Slot::B, StartLimits::APP));
        device.store(device.store(table.unwrap()));
        device
    }

    pub(crate) fn watched(new: &[u8]) -> Self {
        let device = Self::on_trial(new);
        device.store(device.table().confirm(Booted(Slot::B)).unwrap());
        device
    }

    pub(crate) fn root(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn image(&self, slot: Slot) -> PathBuf {
        self.root().join("slots").join(slot.name()).join("image")
    }

    pub(crate) fn table_path(&self) -> PathBuf {
        self.root().join("slot-table")
    }

    pub(crate) fn put_image(&self, slot: Slot, bytes: &[u8]) {
        let _guard = nobody_forks();
        fs::write(self.image(slot), bytes).unwrap();
        fs::set_permissions(self.image(slot), Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn table(&self) -> SlotTable {
        let file = File::open(self.table_path()).unwrap();
        let records = SLOT_RECORD_OFFSETS.map(|offset| {
            let mut record = [0; lapwing_core::SLOT_RECORD_LEN];
            file.read_exact_at(&mut record, offset).unwrap();
            record
        });
        SlotTable::decode(&records).unwrap()
    }

    pub(crate) fn store(&self, table: SlotTable) -> SlotTable {
        let file = File::options().write(true).open(self.table_path()).unwrap();
        table.store(|offset, record| file.write_all_at(record, offset)).unwrap()
    }

    /// `lapwing-launcher VERB --root ROOT WORDS...`
    pub(crate) fn command(&self, verb: &str, words: &[&str]) -> Command {
        let mut command = Command::new(launcher());
        command.arg(verb).arg("--root").arg(self.root()).args(words).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Output {
        output(&mut self.command("run", words))
    }

    /// What the next starts print, one after another.
    pub(crate) fn starts(&self, count: usize) -> Vec<String> {
        (0..count).map(|_| said(&self.run(&[]))).collect()
    }
}

pub(crate) fn launcher() -> PathBuf {
    std::env::var_os("LAPWING_LAUNCHER")
        .map_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_lapwing-launcher")), PathBuf::from)
}

pub(crate) fn spawn(command: &mut Command) -> Child {
    let _guard = nobody_forks();
    command.spawn().unwrap()
}

pub(crate) fn output(command: &mut Command) -> Output {
    spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped())).wait_with_output().unwrap()
}

/// Standard output, without the last line end.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

pub(crate) fn complained(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// One line that the test harness does not hide.
pub(crate) fn tell(line: &str) {
    std::io::stderr().write_all(format!("{line}\n").as_bytes()).unwrap();
}

/// A child between fork and exec holds every open file of this process. An image that is being
/// written by one test would be busy for another, so writing and forking take turns.
fn nobody_forks() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}
