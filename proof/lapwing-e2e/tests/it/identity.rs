//! A healthy update changes the image and nothing else: process id, parent, session, terminal, cgroup and
//! inherited descriptors stay, whoever started the program.

use crate::counts::say;
use lapwing_e2e::{Binaries, Device, Fleet, wait_until};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

/// What must stay.
#[derive(Debug, PartialEq)]
struct Standing {
    pid: u32,
    /// Parent, process group, session and terminal, as `/proc/PID/stat` numbers them.
    belongs_to: Vec<String>,
    /// Process ids in all namespaces, innermost last.
    in_namespaces: String,
    cgroup: String,
    /// What descriptor 9, inherited from whoever started it, is open on.
    inherited: String,
}

fn standing(pid: u32) -> Option<Standing> {
    let proc = |name: &str| fs::read_to_string(format!("/proc/{pid}/{name}")).ok();
    let stat = proc("stat")?;
    let after_name = stat.rsplit_once(')')?.1;
    let belongs_to = after_name.split_whitespace().skip(1).take(4).map(str::to_owned).collect();
    let status = proc("status")?;
    Some(Standing {
        pid,
        belongs_to,
        in_namespaces: status.lines().find(|line| line.starts_with("NSpid"))?.to_owned(),
        cgroup: proc("cgroup")?,
        inherited: fs::read_link(format!("/proc/{pid}/fd/9")).ok()?.display().to_string(),
    })
}

/// Starts a device by `command`, updates it, and compares what it is before and after.
fn stays_itself(command: impl FnOnce(&Device, &Path) -> Command) -> Standing {
    let dir = tempfile::tempdir().unwrap();
    let binaries = Binaries::find().unwrap();
    let fleet = Fleet::start(&binaries, dir.path()).unwrap();
    fleet.push("1.0.0").unwrap();
    let mut device = fleet.provision("self", "1.0.0").unwrap();
    fs::write(dir.path().join("inherited"), "").unwrap();
    let command = command(&device, dir.path());
    device.start_by(command).unwrap();
    let before = wait_until(PATIENCE, || Ok(device.program_pid().and_then(standing))).unwrap();
    fleet.push("1.1.0").unwrap();
    wait_until(PATIENCE, || {
        // Unknown until its claim has arrived.
        let Ok(shown) = fleet.get("/api/v1/devices/self") else { return Ok(None) };
        let attempts = shown["attempts"].as_array().cloned().unwrap_or_default();
        Ok(attempts.iter().any(|attempt| attempt["state"] == "confirmed").then_some(()))
    })
    .unwrap_or_else(|error| panic!("{error}: {}", device.log()));
    let after = device.program_pid().and_then(standing).expect("it runs");
    assert!(device.log().contains("beacon 1.1.0 starts"), "the new image runs");
    assert_eq!(before, after);
    after
}

fn shell_words(device: &Device, dir: &Path) -> String {
    let run = device.launcher_run().join(" ");
    format!("exec 9<{}; exec {run}", dir.join("inherited").display())
}

#[test]
fn under_a_shell_with_a_terminal_it_stays_itself() {
    let standing = stays_itself(|device, dir| {
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command", &shell_words(device, dir), "/dev/null"]);
        command
    });
    assert_ne!(standing.belongs_to[3], "0", "it has a terminal");
}

#[test]
fn as_first_process_of_a_container_it_stays_itself() {
    let possible = Command::new("unshare").args(["-pf", "true"]).status();
    if !possible.is_ok_and(|status| status.success()) {
        say("!!! SKIPPED: this machine allows no PID namespaces");
        return;
    }
    let standing = stays_itself(|device, dir| {
        let mut command = Command::new("unshare");
        command.args(["-pf", "--kill-child", "sh", "-c", &shell_words(device, dir)]);
        command
    });
    assert!(standing.in_namespaces.ends_with("\t1"), "{}", standing.in_namespaces);
}

#[test]
fn under_a_service_manager_it_stays_itself() {
    let runsv =
        ["runsv", "/usr/bin/runsv"].into_iter().find(|program| Command::new(program).output().is_ok());
    let Some(runsv) = runsv else {
        say("!!! SKIPPED: no service manager here; `runsv` of the package runit would be one");
        return;
    };
    stays_itself(|device, dir| {
        let service = dir.join("service");
        fs::create_dir(&service).unwrap();
        let run = service.join("run");
        fs::write(&run, format!("#!/bin/sh\n{}\n", shell_words(device, dir))).unwrap();
        fs::set_permissions(&run, fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new(runsv);
        command.arg(&service);
        command
    });
}
