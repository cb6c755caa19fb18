//! The tool and the server, each a process of its own, from enrolment to withdrawal.
//!
//! Touches: desks, a server on loopback ports of the system's choosing, ended by its process id.

use crate::desk::{Desk, code};
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A server that is killed when a test ends before its time.
struct Server {
    child: Child,
    said: Value,
}

impl Server {
    fn start(desk: &Desk) -> Self {
        let mut command = desk.command();
        command.args(["--json", "serve", "--data", "data", "--listen", "127.0.0.1:0", "--log", "error"]);
        let mut child = command.args(["--management", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
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
    for command in ["show", "why", "update-now", "retry", "forget", "replace"] {
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
