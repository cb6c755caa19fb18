//! An update in the order of the design, done by hand; one step can be left out.
//!
//! Touches: a device's folder, the launcher, one datagram to the loopback for each word to the server.
//! Never: an agent. It decides nothing, and shows that the judge finds what a wrong agent would do.

use lapwing_core::{
    Booted, Digest, OldSlot, Return, SLOT_RECORD_LEN, SLOT_RECORD_OFFSETS, Slot, SlotTable, StartLimits,
};
use lapwing_device::{Installed, Record};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::net::UdpSocket;
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const PIECE_BYTES: usize = 2048;

/// `hand-made-update ROOT LAUNCHER IMAGE OMIT install|prove|come-back`
fn main() -> io::Result<()> {
    let mut words = std::env::args().skip(1);
    let mut next = || words.next().ok_or_else(|| io::Error::other("a word is missing"));
    let root = PathBuf::from(next()?);
    let (launcher, image) = (next()?, next()?);
    let update = Update { root, launcher, image, omit: next()? };
    match next()?.as_str() {
        "install" => update.install(),
        "prove" => update.prove(),
        _ => update.come_back(),
    }
}

struct Update {
    root: PathBuf,
    launcher: String,
    image: String,
    /// The step that is left out or done wrongly.
    omit: String,
}

impl Update {
    /// In the old image: claim, fetch, write, stage, switch, and start what the table says.
    fn install(&self) -> io::Result<()> {
        self.write_new("secret", &[7; 32], 0o600)?;
        speak()?;
        fs::remove_file(self.root.join("claim-token"))?;
        self.save(1)?;
        let artifact = self.fetch()?;
        let image = Digest::of(&artifact);
        self.change(|table| table.begin_write(Booted(Slot::A)).map_err(io::Error::other))?;
        let staged = |table: SlotTable| {
            let writing = table.begin_write(Booted(Slot::A)).map_err(io::Error::other)?;
            writing.staged(Slot::B, image, artifact.len() as u64).map_err(io::Error::other)
        };
        if self.omit == "staged-late" {
            self.change(staged)?;
        }
        self.write_image(&artifact)?;
        if self.omit != "staged-late" {
            self.change(staged)?;
        }
        if self.omit == "mode" {
            fs::set_permissions(self.root.join("slots/b/image"), Permissions::from_mode(0o755))?;
        }
        self.save(2)?;
        speak()?;
        self.change(|table| table.switch(Slot::B, StartLimits::APP).map_err(io::Error::other))?;
        self.show(Slot::B)?;
        fs::remove_file(self.root.join("artifact/part"))?;
        self.launch("prove")
    }

    /// In the new image, as the launcher started it.
    fn prove(&self) -> io::Result<()> {
        let booted = Booted(Slot::B);
        self.change(|table| table.sign_of_life(booted).map_err(io::Error::other))?;
        if self.omit == "roll-back" {
            self.save(3)?;
            let bad = OldSlot::MarkBad;
            self.change(|table| table.roll_back(Return::AgentAsked, bad).map_err(io::Error::other))?;
            self.show(Slot::A)?;
            return self.launch("come-back");
        }
        speak()?;
        self.save(3)?;
        self.change(|table| table.confirm(booted).map_err(io::Error::other))?;
        self.save(4)?;
        speak()?;
        self.change(|table| table.settle(OldSlot::Keep).map_err(io::Error::other))?;
        self.save(5)?;
        speak()
    }

    /// In the old image again.
    fn come_back(&self) -> io::Result<()> {
        self.save(4)?;
        speak()
    }

    fn launch(&self, verb: &str) -> io::Result<()> {
        let mut launcher = Command::new(&self.launcher);
        launcher.arg("run").arg("--root").arg(&self.root).args(["--check-digest", "--"]);
        Err(launcher.args([&self.launcher, &self.image, &self.omit, verb]).exec())
    }

    /// Pieces that arrive one by one, with a bitmap beside them, and are flushed now and then.
    fn fetch(&self) -> io::Result<Vec<u8>> {
        fs::create_dir_all(self.root.join("artifact"))?;
        let part = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.root.join("artifact/part"))?;
        let image = fs::read(&self.image)?;
        part.set_len(image.len() as u64)?;
        for (index, piece) in image.chunks(PIECE_BYTES).enumerate() {
            part.write_all_at(piece, (index * PIECE_BYTES) as u64)?;
        }
        part.sync_data()?;
        let mut artifact = Vec::new();
        (&part).read_to_end(&mut artifact)?;
        Ok(artifact)
    }

    fn write_image(&self, image: &[u8]) -> io::Result<()> {
        let path = self.root.join("slots/b/image");
        let mode = if self.omit == "mode" { 0o644 } else { 0o755 };
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&path)?;
        for piece in image.chunks(PIECE_BYTES) {
            file.write_all(piece)?;
        }
        if self.omit != "image-flush" {
            file.sync_all()?;
        }
        if self.omit != "image-folder-flush" { self.flush_folder("slots/b") } else { Ok(()) }
    }

    /// A record that differs each time, as the agent's does.
    fn save(&self, seq: u64) -> io::Result<()> {
        let version = "1.0.0".parse().map_err(io::Error::other)?;
        let mut record = Record::new(Installed { version, seq: 1, security_version: 0 });
        record.seq_blamed = seq;
        let mut buffer = [0; lapwing_device::limits::RECORD_BYTES_MAX];
        let record = record.encode(&mut buffer).map_err(|_| io::Error::other("no room"))?;
        let bytes = [&Digest::of(record).short().0, record].concat();
        if self.omit == "record-rename" {
            let mut file = File::create(self.root.join("record"))?;
            file.write_all(&bytes)?;
            return file.sync_all();
        }
        self.write_new("record", &bytes, 0o644)
    }

    /// Write, flush, rename, flush the folder.
    fn write_new(&self, name: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
        let fresh = self.root.join(format!("{name}.new"));
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(mode).open(&fresh)?;
        file.write_all(bytes)?;
        if self.omit != format!("{name}-flush") {
            file.sync_all()?;
        }
        fs::rename(&fresh, self.root.join(name))?;
        if self.omit != format!("{name}-folder-flush") { self.flush_folder(".") } else { Ok(()) }
    }

    fn change(&self, change: impl FnOnce(SlotTable) -> io::Result<SlotTable>) -> io::Result<()> {
        let file = OpenOptions::new().read(true).write(true).open(self.root.join("slot-table"))?;
        let mut records = [[0; SLOT_RECORD_LEN]; 2];
        for (record, offset) in records.iter_mut().zip(SLOT_RECORD_OFFSETS) {
            file.read_exact_at(record, offset)?;
        }
        let table = SlotTable::decode(&records).map_err(io::Error::other)?;
        change(table)?.store(|offset, record| {
            if self.omit == "table-place" {
                // Over the record that counts, too.
                for place in SLOT_RECORD_OFFSETS {
                    file.write_all_at(&[0; SLOT_RECORD_LEN], place)?;
                }
            }
            file.write_all_at(record, offset)?;
            if self.omit == "table-flush" { Ok(()) } else { file.sync_data() }
        })?;
        Ok(())
    }

    fn show(&self, slot: Slot) -> io::Result<()> {
        let fresh = self.root.join("current.new");
        symlink(Path::new("slots").join(slot.name()), &fresh)?;
        fs::rename(&fresh, self.root.join("current"))?;
        self.flush_folder(".")
    }

    fn flush_folder(&self, name: &str) -> io::Result<()> {
        File::open(self.root.join(name))?.sync_all()
    }
}

/// Somebody outside may act on what was done so far. Nobody need listen.
fn speak() -> io::Result<()> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.send_to(b"word", socket.local_addr()?).map(drop)
}
