//! A disk that is really full: the agent's binary on a file system of a few MiB, in a mount namespace.
//!
//! Touches: `unshare`, a tmpfs that ends with the test, a server on loopback.
//! Never: mounts anything where others could see it.

use crate::agent_image::push;
use crate::counts::say;
use anyhow::{Context, Result};
use lapwing_e2e::{Binaries, Fleet, Process, wait_until};
use serde_json::Value;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);
const ID: &str = "beacon-1";
/// Two images, an artifact, and room to spare.
const DISK: &str = "2m";
const IMAGE_BYTES: usize = 400 * 1024;
/// What is left when there is no room for an update: enough for the device's own notes.
const LEFT_BYTES: u64 = 100 * 1024;
/// A transfer takes four seconds: time to fill the disk in the middle of it.
const SLOWLY: &str = "transfer_bytes_per_s_max = 100000\n";

/// The device's directory on its small disk, as it looks from outside of the namespace.
struct Disk {
    root: PathBuf,
    _device: Process,
}

impl Disk {
    fn start(fleet: &Fleet, binaries: &Binaries, folder: &Path, image: &Path) -> Result<Self> {
        let device = fleet.provision_image(ID, image)?;
        let config = device.dir().join("agent.toml");
        fs::write(&config, format!("{SLOWLY}{}", fs::read_to_string(&config)?))?;
        let disk = folder.join("disk");
        fs::create_dir(&disk)?;
        let script = "mount -t tmpfs -o size=\"$1\" tmpfs \"$2\" && cp -a \"$3/.\" \"$2\" && \
                      exec \"$4\" supervise --root \"$2\"";
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--mount", "sh", "-c", script, "sh", DISK]);
        command.arg(&disk).arg(device.dir()).arg(binaries.program("lapwing-launcher"));
        let device = Process::start(command, &folder.join("device.log"))?;
        let disk = disk.strip_prefix("/").context("a full path")?;
        Ok(Self { root: Path::new(&format!("/proc/{}/root", device.pid())).join(disk), _device: device })
    }

    /// Fills the disk, save for so many bytes.
    fn fill(&self, left_bytes: u64) -> Result<()> {
        let mut ballast = File::create(self.root.join("ballast"))?;
        let full = loop {
            if let Err(error) = ballast.write_all(&[1; 4096]) {
                break error;
            }
        };
        assert_eq!(full.kind(), ErrorKind::StorageFull);
        let size_bytes = ballast.metadata()?.len();
        Ok(ballast.set_len(size_bytes - left_bytes)?)
    }

    fn make_room(&self) -> Result<()> {
        Ok(fs::remove_file(self.root.join("ballast"))?)
    }

    fn artifact_bytes(&self) -> Option<u64> {
        fs::metadata(self.root.join("artifact/data")).ok().map(|data| data.len())
    }
}

fn is_named(event: &Value, name: &str) -> bool {
    event.get("name").and_then(Value::as_str) == Some(name)
}

/// Waits for an event of this name after another one, and gives it.
pub(crate) fn wait_for(fleet: &Fleet, after: u64, name: &str) -> Result<Value> {
    let found = || Ok(fleet.events(after)?.into_iter().find(|event| is_named(event, name)));
    wait_until(PATIENCE, found).with_context(|| name.to_owned())
}

pub(crate) fn last_event(fleet: &Fleet) -> Result<u64> {
    let events = fleet.events(0)?;
    Ok(events.last().and_then(|event| event.get("id")).and_then(Value::as_u64).unwrap_or(0))
}

fn last_seen(fleet: &Fleet) -> Result<u64> {
    let device = fleet.get(&format!("/api/v1/devices/{ID}"))?;
    device.get("last_seen").and_then(Value::as_u64).context("a time")
}

fn mounts_are_possible() -> bool {
    let mount = "mount -t tmpfs tmpfs /mnt";
    let tried = Command::new("unshare").args(["--map-root-user", "--mount", "sh", "-c", mount]).output();
    tried.is_ok_and(|output| output.status.success())
}

#[test]
fn a_full_disk_has_its_own_cause_and_no_loop_and_is_got_over() {
    if !mounts_are_possible() {
        return say("!!!\n!!! a full disk SKIPPED: this machine lets nobody mount a tmpfs\n!!!");
    }
    let (folder, binaries) = (TempDir::new().unwrap(), Binaries::find().unwrap());
    let fleet = Fleet::start(&binaries, &folder.path().join("fleet")).unwrap();
    let push = |version| push(&fleet, &binaries, folder.path(), (version, IMAGE_BYTES)).unwrap();
    let disk = Disk::start(&fleet, &binaries, folder.path(), &push("1.0.0")).unwrap();
    wait_until(PATIENCE, || Ok(last_seen(&fleet).ok())).unwrap();

    // No room: a gate holds the update back before a byte is spent, and lets it pass by itself later.
    disk.fill(LEFT_BYTES).unwrap();
    let seen = last_event(&fleet).unwrap();
    push("1.1.0");
    let deferred = wait_for(&fleet, seen, "update.deferred").unwrap();
    assert_eq!(deferred.get("detail").and_then(Value::as_str), Some("gate room"), "{deferred}");
    assert_eq!(disk.artifact_bytes(), None);
    disk.make_room().unwrap();
    wait_for(&fleet, seen, "update.confirmed").unwrap();

    // Full in the middle of the transfer: the attempt ends with a cause that blames nobody.
    let seen = last_event(&fleet).unwrap();
    push("1.2.0");
    let some = || Ok(disk.artifact_bytes().filter(|bytes| *bytes > 0));
    wait_until(PATIENCE, some).unwrap();
    disk.fill(0).unwrap();
    let failed = wait_for(&fleet, seen, "update.failed").unwrap();
    let text = |name| failed.get(name).and_then(Value::as_str);
    assert_eq!((text("cause"), text("blame")), (Some("disk-full"), Some("none")), "{failed}");
    // The device goes on talking and does not try again.
    let since = last_seen(&fleet).unwrap();
    wait_until(PATIENCE, || Ok((last_seen(&fleet)? >= since + 3).then_some(()))).unwrap();
    let events = fleet.events(seen).unwrap();
    let starts = events.iter().filter(|event| is_named(event, "update.download.started")).count();
    assert_eq!(starts, 1, "{events:?}");

    // Room again: as soon as somebody lets it, the device gets over it.
    disk.make_room().unwrap();
    let seen = last_event(&fleet).unwrap();
    fleet.lapwing(&[&["device", "retry", ID], &*fleet.management()].concat()).unwrap();
    wait_for(&fleet, seen, "update.confirmed").unwrap();
}
