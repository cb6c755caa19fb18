//! Every named event, said by the real agent and found in the server's log.
//!
//! Touches: a server on loopback, `lapwing-launcher`, `lapwing-agent`, one artifact that is falsified on the server's disk.

use crate::agent_image::push;
use crate::full_disk::{last_event, wait_for};
use lapwing_e2e::{Binaries, Device, Fleet, wait_until};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);
const IMAGE_BYTES: usize = 200 * 1024;
/// A transfer takes seconds: time to say how far it came.
const SLOWLY: &str = "transfer_bytes_per_s_max = 100000\n";
/// The version whose health check fails.
const UNHEALTHY: &str = "1.2.0";

/// What makes a device say it.
const EVENTS: [(&str, &str); 19] = [
    ("update.check.started", "any update"),
    ("update.check.completed", "any update"),
    ("update.offered", "any update"),
    ("update.deferred", "a window that is closed"),
    ("update.download.started", "any update"),
    ("update.download.progress", "a slow transfer"),
    ("update.download.completed", "any update"),
    ("update.download.failed", "bytes that are not those of the offer"),
    ("update.verify.failed", "a release below the device's security version"),
    ("update.install.started", "any update"),
    ("update.install.completed", "any update"),
    ("update.reboot.started", "any update"),
    ("update.reboot.completed", "any update"),
    ("update.health.ok", "a good update"),
    ("update.health.failed", "an unhealthy update"),
    ("update.confirmed", "a good update"),
    ("update.rollback.triggered", "an unhealthy update"),
    ("update.rollback.completed", "an unhealthy update"),
    ("update.failed", "an update that never came to its switch"),
];

/// The blobs of the server.
fn blobs(fleet_dir: &Path) -> BTreeSet<PathBuf> {
    let folders = fs::read_dir(fleet_dir.join("server/blobs")).into_iter().flatten().flatten();
    let files = folders.flat_map(|folder| fs::read_dir(folder.path()).into_iter().flatten().flatten());
    files.map(|file| file.path()).filter(|path| !path.to_string_lossy().contains("drafts")).collect()
}

/// A device that is told of the world by a file and asks its image whether it is well.
fn provision(fleet: &Fleet, id: &str, image: &Path, world: &Path) -> Device {
    let device = fleet.provision_image(id, image).unwrap();
    let path = device.dir().join("agent.toml");
    let look = format!("! grep -aq '^# {UNHEALTHY}' \\\"$LAPWING_ROOT/slots/$LAPWING_SLOT/image\\\"");
    let measuring = format!(
        "[measuring]\nconditions_command = [\"cat\", {world:?}]\nhealth_command = [\"sh\", \"-c\", \"{look}\"]"
    );
    let config = fs::read_to_string(&path).unwrap().replace("[measuring]", &measuring);
    fs::write(&path, format!("{SLOWLY}{config}")).unwrap();
    device
}

fn names(fleet: &Fleet) -> BTreeSet<String> {
    let (mut names, mut after) = (BTreeSet::new(), 0);
    loop {
        let page = fleet.events(after).unwrap();
        let Some(last) = page.last().and_then(|event| event["id"].as_u64()) else { return names };
        names.extend(page.iter().filter_map(|event| event["name"].as_str()).map(str::to_owned));
        after = last;
    }
}

#[test]
fn every_named_event_of_the_real_agent_is_in_the_servers_log() {
    let (folder, binaries) = (TempDir::new().unwrap(), Binaries::find().unwrap());
    let dir = folder.path().join("fleet");
    let fleet = Fleet::start(&binaries, &dir).unwrap();
    let push = |version| push(&fleet, &binaries, folder.path(), (version, IMAGE_BYTES)).unwrap();
    let world = folder.path().join("world");
    let window = |closed: bool| {
        let fresh = folder.path().join("world.new");
        fs::write(&fresh, format!("window_closed={closed}\n")).unwrap();
        fs::rename(fresh, &world).unwrap();
    };
    let wait = |after, name: &str| -> Value { wait_for(&fleet, after, name).unwrap() };

    window(true);
    let first = push("1.0.0");
    let mut device = provision(&fleet, "talker", &first, &world);
    device.start().unwrap();
    wait_until(PATIENCE, || Ok(fleet.get("/api/v1/devices/talker").ok())).unwrap();
    let settled = || {
        let rests = || Ok((device.slot_table()?.phase == lapwing_core::Phase::Settled).then_some(()));
        wait_until(PATIENCE, rests).unwrap();
        last_event(&fleet).unwrap()
    };

    let seen = settled();
    push("1.1.0");
    wait(seen, "update.deferred");
    window(false);
    wait(seen, "update.confirmed");

    let seen = settled();
    push(UNHEALTHY);
    let back = wait(seen, "update.rollback.completed");
    assert_eq!((&back["cause"], &back["blame"]), (&"health-failed".into(), &"image".into()), "{back}");

    window(true);
    let (seen, known) = (settled(), blobs(&dir));
    let image = lapwing_core::Digest::of(&fs::read(push("1.3.0")).unwrap()).to_string();
    wait(seen, "update.deferred");
    for artifact in blobs(&dir).difference(&known).filter(|path| !path.ends_with(&image)) {
        let mut bytes = fs::read(artifact).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(artifact, bytes).unwrap();
    }
    window(false);
    wait(seen, "update.download.failed");
    wait(seen, "update.failed");

    let mut doubter = provision(&fleet, "doubter", &first, &world);
    let path = doubter.dir().join("agent.toml");
    let config = fs::read_to_string(&path).unwrap();
    let (before, after) = config.split_once("security_version = ").unwrap();
    fs::write(&path, format!("{before}security_version = 9{after}")).unwrap();
    let seen = last_event(&fleet).unwrap();
    doubter.start().unwrap();
    wait(seen, "update.verify.failed");

    let said = names(&fleet);
    let missing: Vec<_> = EVENTS.iter().filter(|(name, _)| !said.contains(*name)).collect();
    assert!(missing.is_empty(), "nobody said {missing:?}\n{}", device.log());
    let others = said.iter().filter(|name| name.starts_with("update."));
    let unknown: Vec<_> = others.filter(|name| EVENTS.iter().all(|(known, _)| known != name)).collect();
    assert!(unknown.is_empty(), "{unknown:?} stand in no table");
}
