//! The real agent on a real device, traced through a good update and two that come back, cut everywhere.
//!
//! Touches: strace, a server on loopback, `lapwing-launcher`, `lapwing-agent`, temporary folders.
//! Never: asks the agent what it wrote; the log of its system calls says so.

use crate::counts::{both_models, nothing_traced};
use anyhow::{Context, Result};
use lapwing_core::{Digest, Phase};
use lapwing_e2e::{Binaries, Device, Findings, Fleet, LapwingJudge, Recording, Tracing, wait_until};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const STATES_PER_CUT: usize = 4000;
const PATIENCE: Duration = Duration::from_secs(120);
const ID: &str = "beacon-1";
const IMAGE_BYTES: usize = 96 * 1024;

/// Images are scripts that become the agent, so that they are small; what follows is never read.
struct Versions {
    folder: PathBuf,
    agent: PathBuf,
}

const VERSIONS: [(&str, &str); 4] =
    [("1.0.0", "exec"), ("1.1.0", "exec"), ("1.2.0", "exit 1 ;"), ("1.3.0", "exec")];
/// Found by the health check in the image that runs.
const UNHEALTHY: &str = "1.3.0";

impl Versions {
    fn make(folder: &Path, binaries: &Binaries) -> Result<Self> {
        let versions = Self { folder: folder.to_owned(), agent: binaries.program("lapwing-agent") };
        fs::create_dir_all(folder)?;
        for (number, (version, verb)) in VERSIONS.iter().enumerate() {
            let agent = versions.agent.display();
            let mut image =
                format!("#!/bin/sh\n# {version}\n{verb} {agent} run --config \"$LAPWING_ROOT/agent.toml\"\n");
            // Half of the ballast differs from version to version.
            let mut state = 1_u64;
            while image.len() < IMAGE_BYTES {
                let own = if image.len() % 8192 < 4096 { number as u64 } else { 0 };
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                image.push_str(&format!(
                    "{:08x}\n",
                    (state >> 32) ^ own.wrapping_mul(state >> 17 & 0xffff_ffff)
                ));
            }
            fs::write(versions.path(version), image)?;
        }
        Ok(versions)
    }

    fn path(&self, version: &str) -> PathBuf {
        self.folder.join(version)
    }

    fn digest(&self, version: &str) -> Digest {
        Digest::of(&fs::read(self.path(version)).unwrap())
    }

    fn push(&self, fleet: &Fleet, version: &str) -> Result<()> {
        fleet.push_image(&self.path(version), version).map(drop)
    }

    fn provision(&self, fleet: &Fleet) -> Result<Device> {
        let device = fleet.provision_image(ID, &self.path("1.0.0"))?;
        let out = device.dir();
        // The agent's own health check looks for the version that is made to fail it.
        let config = fs::read_to_string(out.join("agent.toml"))?;
        let look = format!("! grep -q '^# {UNHEALTHY}' \\\"$LAPWING_ROOT/slots/$LAPWING_SLOT/image\\\"");
        let measuring = format!("[measuring]\nhealth_command = [\"sh\", \"-c\", \"{look}\"]");
        fs::write(out.join("agent.toml"), config.replace("[measuring]", &measuring))?;
        Ok(device)
    }
}

/// What the agent did, and which image is which version's.
struct Traced {
    recording: Recording,
    images: [(&'static str, Digest); 4],
}

impl Traced {
    fn updates() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let binaries = Binaries::find().unwrap();
        let fleet = Fleet::start(&binaries, folder.path()).unwrap();
        let versions = Versions::make(&folder.path().join("images"), &binaries).unwrap();
        versions.push(&fleet, "1.0.0").unwrap();
        let device = versions.provision(&fleet).unwrap();
        let mut command = Command::new(binaries.program("lapwing-launcher"));
        command.args(["supervise", "--restart-delay-ms", "10", "--root"]).arg(device.dir());
        let tracing = Tracing::start(device.dir(), &command).unwrap();
        for (version, ending) in ENDINGS {
            let seen = last_event(&fleet).unwrap();
            versions.push(&fleet, version).unwrap();
            let ended = wait_until(PATIENCE, || {
                let settled = device.slot_table()?.phase == Phase::Settled;
                Ok((settled && outcome(&fleet, seen)?.as_deref() == Some(ending)).then_some(()))
            });
            ended.with_context(|| format!("{version}: {}", tracing.output())).unwrap();
        }
        tracing.ask_to_end();
        let images = VERSIONS.map(|(version, _)| (version, versions.digest(version)));
        Self { recording: tracing.finish().unwrap(), images }
    }

    fn findings(&self, name: &str, recording: &Recording) -> [Findings; 2] {
        let end = recording.operations.len();
        let judge = LapwingJudge::new(recording, &self.images).reported(end, "1.1.0");
        let mut promises = recording.spoken();
        promises.push(end);
        both_models(name, recording, &promises, STATES_PER_CUT, &|crash| judge.judge(crash))
    }
}

/// What each release after the first comes to.
const ENDINGS: [(&str, &str); 3] = [
    ("1.1.0", "update.confirmed"),
    ("1.2.0", "update.rollback.completed"),
    ("1.3.0", "update.rollback.completed"),
];

#[test]
fn the_agents_updates_have_no_bad_state_and_need_each_of_their_flushes() {
    if nothing_traced("the agent's updates") {
        return;
    }
    let traced = Traced::updates();
    for findings in traced.findings("the agent's updates", &traced.recording) {
        assert_eq!(findings.bad, 0, "{findings}");
        for (version, _) in VERSIONS {
            assert!(findings.good.contains_key(version), "{version} never starts: {findings}");
        }
    }
    // The judge would see it if the agent or the launcher forgot one: nothing passes by its blindness.
    for path in ["slot-table", "record.new", "", "secret.new", "slots/b/image", "slots/b", "slots/a/image"] {
        let (recording, forgotten) = traced.recording.without_flushes(path);
        assert!(forgotten > 0, "nothing flushes {path}");
        let name = format!("the agent's updates without {forgotten} flushes of /{path}");
        let [_, posix] = traced.findings(&name, &recording);
        assert!(posix.bad > 0, "{path}: {posix}");
    }
}

fn last_event(fleet: &Fleet) -> Result<u64> {
    let events = fleet.events(0)?;
    Ok(events.last().and_then(|event| event.get("id")).and_then(Value::as_u64).unwrap_or(0))
}

/// The name of the device's last outcome after this event.
fn outcome(fleet: &Fleet, after: u64) -> Result<Option<String>> {
    let name = |event: &Value| event.get("name").and_then(Value::as_str).map(str::to_owned);
    let ends = ["update.confirmed", "update.rollback.completed", "update.failed"];
    let names = fleet.events(after)?.iter().filter_map(name).collect::<Vec<_>>();
    Ok(names.into_iter().rfind(|name| ends.contains(&name.as_str())))
}
