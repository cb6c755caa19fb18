//! The tool and the server, each a process of its own, from enrolment to withdrawal.
//!
//! Touches: desks, a server on loopback ports of the system's choosing, ended by its process id.

use crate::desk::{Desk, code};
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A server that is killed when a test ends before its time.
struct Server {
    child: Child,
    said: Value,
}

/// What every server here is told.
const SERVE: [&str; 10] = [
    "--json",
    "serve",
    "--data",
    "data",
    "--listen",
    "127.0.0.1:0",
    "--log",
    "error",
    "--management",
    "127.0.0.1:0",
];

impl Server {
    fn start(desk: &Desk) -> Self {
        let mut command = desk.command();
        command.args(SERVE);
        Self::announced(command)
    }

    /// One whose data lies on a disk of its own, of 4 MiB, that nobody else sees but by [`Server::disk`].
    fn on_a_small_disk(desk: &Desk) -> Self {
        let script = "mkdir data && mount -t tmpfs -o size=4m none data && exec \"$0\" \"$@\"";
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-c", script, env!("CARGO_BIN_EXE_lapwing")]).args(SERVE);
        command.current_dir(desk.path());
        Self::announced(command)
    }

    /// The directory of data as the server sees it.
    fn disk(&self, desk: &Desk) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.child.id()));
        root.join(desk.path().strip_prefix("/").unwrap()).join("data")
    }

    fn announced(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, said: serde_json::from_str(&line).unwrap() }
    }

    fn address(&self) -> &str {
        self.said["management"].as_str().unwrap()
    }

    fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn ready() -> (Desk, Server) {
    let mut desk = Desk::empty();
    let server = Server::start(&desk);
    desk.talk_to(server.address(), "data/admin-token");
    desk.json("key enroll");
    (desk, server)
}

#[test]
fn a_release_goes_from_a_file_to_the_shelf_and_off_it() {
    let (desk, server) = ready();
    desk.put("image", "program");
    desk.json("release create --sign --image image --hardware a.example/b --release-version 1.0.0 --out r");
    let pushed = desk.json("release push r --image image --hold");
    assert_eq!(pushed["version"], "1.0.0");
    let shown = String::from_utf8(desk.run("release list").stdout).unwrap();
    assert!(shown.contains("a.example/b") && shown.contains(" s ago)"), "{shown}");
    let state = || desk.json("release list")["version_sets"][0]["state"].as_str().unwrap().to_owned();
    let held = state();
    desk.json("release unhold 1.0.0");
    let open = state();
    desk.json("release withdraw 1.0.0");
    assert!(held != open && open != state(), "{held} {open}");
    desk.refused("release unhold 1.0.1", code::NOT_FOUND);
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn the_server_refuses_what_devices_would_refuse() {
    let (desk, _server) = ready();
    desk.put("image", "program");
    desk.json("release create --sign --image image --hardware a.example/b --release-version 1.0.0 --out r");
    desk.refused("release push r", code::POLICY);
    desk.json("release push r --image image");
    desk.put("image", "program 2");
    desk.json("key init --dir other");
    desk.json("key root create --dir other");
    let elsewhere = "--hardware a.example/b --release-version 1.1.0 --out s --dir other --seq 2";
    desk.json(&format!("release create --sign --image image {elsewhere}"));
    desk.refused("release push s --image image --dir other", code::VERIFICATION);
}

#[test]
fn a_dropped_file_reaches_the_real_shelf() {
    let (desk, _server) = ready();
    desk.put("drop/app/a.example~b/app-2.0.0", "program");
    desk.json("release watch drop --once");
    desk.json("release watch drop --once");
    let listed = desk.json("release list");
    assert_eq!(listed["version_sets"][0]["version"], "2.0.0");
    desk.json("release watch drop --once");
    assert_eq!(desk.json("release list")["version_sets"].as_array().unwrap().len(), 1);
}

#[test]
fn a_provisioned_device_is_not_there_before_it_claims() {
    let (desk, server) = ready();
    desk.put("image", "program");
    desk.json("device provision --out dev --id pump-7 --hardware a.example/b --image image");
    let config = String::from_utf8(desk.bytes("dev/agent.toml")).unwrap();
    assert!(config.contains(server.said["device_url"].as_str().unwrap()), "{config}");
    assert_eq!(desk.json("device list")["devices"].as_array().unwrap().len(), 0);
    let listed = desk.json("device token list");
    let token = &listed["claim_tokens"][0];
    assert_eq!((&token["remaining"], &token["good"]), (&1.into(), &true.into()));
    desk.json(&format!("device token revoke {}", token["name"].as_str().unwrap()));
    assert_eq!(desk.json("device token list")["claim_tokens"].as_array().unwrap().len(), 0);
    assert_eq!(desk.json("device token make --count 5 --days 2")["count"], 5);
    assert_eq!(desk.json("release retention")["artifacts"].as_array().unwrap().len(), 0);
    for command in ["show", "why", "update-now", "retry", "admit", "forget", "replace"] {
        desk.refused(&format!("device {command} pump-7"), code::NOT_FOUND);
    }
    desk.refused("device pin pump-7 --to 1.0.0", code::NOT_FOUND);
    desk.refused("device pin pump-7", code::USAGE);
}

#[test]
fn a_server_that_could_read_a_release_key_does_not_start() {
    let desk = Desk::empty();
    desk.json("key init --dir data/keys");
    let listen = "--listen 127.0.0.1:0 --management 127.0.0.1:0";
    let complaint = desk.refused(&format!("serve --data data {listen}"), code::POLICY);
    assert!(complaint.contains("private key of role"), "{complaint}");
}

#[test]
fn a_configuration_can_be_checked_without_starting() {
    let desk = Desk::empty();
    desk.put("good.toml", "data_dir = \"data\"\n");
    desk.put("bad.toml", "data_dir = \"data\"\nlissten = 1\n");
    desk.json("serve --config good.toml --check-config");
    let complaint = desk.refused("serve --config bad.toml --check-config", code::USAGE);
    assert!(complaint.contains("lissten"), "{complaint}");
    desk.refused("serve --config nowhere.toml --check-config", code::NOT_FOUND);
    assert!(!desk.path().join("data").exists());
}

#[test]
fn a_full_disk_is_said_to_be_one_and_costs_nothing_that_was_acknowledged() {
    let may = Command::new("unshare").args(["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).output();
    if !may.is_ok_and(|output| output.status.success()) {
        return eprintln!("!!! skipped: no mount namespace can be had here, so no disk can be filled");
    }
    let mut desk = Desk::empty();
    let server = Server::on_a_small_disk(&desk);
    let disk = server.disk(&desk);
    desk.talk_to(server.address(), &disk.join("admin-token").display().to_string());
    desk.json("key enroll");
    let before = desk.json("device token make");
    let mut filler = std::fs::File::create(disk.join("filler")).unwrap();
    while filler.write_all(&[0; 1024]).is_ok() {}
    // The log of the store may have a little room left.
    let full =
        (0..1_000).map(|_| desk.run("--json device token make")).find(|output| !output.status.success());
    let complaint: Value = serde_json::from_slice(&full.unwrap().stderr).unwrap();
    assert!(complaint["error"].as_str().unwrap().contains("disk is full"), "{complaint}");
    assert!(complaint["advice"].as_str().unwrap().contains("make room"), "{complaint}");
    desk.put("image", vec![7; 100_000]);
    desk.json("release create --sign --image image --hardware a.example/b --release-version 1.0.0 --out r");
    let complaint = desk.refused("release push r --image image", 1);
    assert!(complaint.contains("disk is full"), "{complaint}");
    drop(filler);
    std::fs::remove_file(disk.join("filler")).unwrap();
    desk.json("release push r --image image");
    let kept = desk.json("device token list");
    let names: Vec<&Value> =
        kept["claim_tokens"].as_array().unwrap().iter().map(|token| &token["name"]).collect();
    assert!(names.contains(&&before["name"]), "{kept}");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_token_of_a_role_does_what_the_role_may_and_the_audit_says_so() {
    let (desk, _server) = ready();
    let made = desk.json("token make --role operator --name ann --expires 90");
    desk.put("ann", made["token"].as_str().unwrap());
    desk.json("device token make --token-file ann --reason training");
    let refused = desk.refused("token list --token-file ann", code::POLICY);
    assert!(refused.contains("needs the role admin"), "{refused}");
    assert_eq!(desk.json("token list")["tokens"][0]["name"], "ann");
    let first = desk.json("audit verify")["head"].as_str().unwrap().to_owned();
    desk.json("token revoke ann");
    desk.refused("device list --token-file ann", code::POLICY);

    let commands = desk.json("audit list")["commands"].as_array().unwrap().clone();
    let made = commands.iter().find(|command| command["action"] == "claim-token.make").unwrap();
    assert_eq!((&made["who"], &made["why"]), (&"ann".into(), &"training".into()));
    desk.json("audit export --out audit");
    desk.json(&format!("audit verify --file audit --head {first}"));
    let text = String::from_utf8(desk.bytes("audit")).unwrap();
    desk.put("changed", text.replacen("training", "drinking", 1));
    desk.refused("audit verify --file changed", code::VERIFICATION);
    let (all_but_last, _) = text.trim_end().rsplit_once('\n').unwrap();
    desk.put("shorter", all_but_last);
    let last = desk.json("audit verify")["head"].as_str().unwrap().to_owned();
    desk.json("audit verify --file shorter");
    desk.refused(&format!("audit verify --file shorter --head {last}"), code::VERIFICATION);
}
