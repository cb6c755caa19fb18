//! The process stays the same one: from a shell, as process 1, and over a restart in place.
//!
//! Touches: `device`, PID namespaces.
//! Never: passes silently where namespaces are not to be had; it says so.

use crate::device::{Device, launcher, output, said, spawn};
use lapwing_core::{OldSlot, Return, Slot};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// Says who it is, waits for a line, and restarts in place through the launcher.
const RESTARTS: &[u8] = b"#!/bin/sh
echo $LAPWING_SLOT $$ $PPID $*
read line || exit 0
exec \"$LAUNCHER\" run --root \"$LAPWING_ROOT\" -- \"$@\"
";

fn restarts_in_place(device: &Device, command: &mut Command) -> Vec<String> {
    device.store(device.table().roll_back(Return::AgentAsked, OldSlot::Keep).unwrap());
    let mut child = spawn(command.env("LAUNCHER", launcher()).stdin(Stdio::piped()).stdout(Stdio::piped()));
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut said = vec![lines.next().unwrap().unwrap()];
    device.store(device.table().switch(Slot::B, lapwing_core::StartLimits::APP).unwrap());
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"\n").unwrap();
    said.push(lines.next().unwrap().unwrap());
    drop(stdin);
    child.wait().unwrap();
    said
}

fn device() -> Device {
    let device = Device::on_trial(RESTARTS);
    device.put_image(Slot::A, RESTARTS);
    device
}

#[test]
fn a_shell_that_execs_the_launcher_keeps_its_number() {
    let device = Device::on_trial(b"#!/bin/sh\necho $$ $0 $*\n");
    let mut command = Command::new("sh");
    command.args(["-c", "echo $$; exec \"$0\" run --root \"$1\" -- one 'two  words'"]);
    let text = said(&output(command.arg(launcher()).arg(device.root())));
    let (shell, image) = text.split_once('\n').unwrap();
    assert_eq!(image, format!("{shell} {} one two words", device.image(Slot::B).display()));
}

#[test]
fn a_restart_in_place_keeps_process_and_parent() {
    let device = device();
    let said = restarts_in_place(&device, &mut device.command("run", &["--", "x"]));
    assert_eq!(said[0].strip_prefix("a "), said[1].strip_prefix("b "), "{said:?}");
}

#[test]
fn a_restart_in_place_keeps_process_1_of_a_namespace() {
    let device = device();
    let mut command = Command::new("unshare");
    command.args(["-r", "-p", "-f", "--mount-proc"]);
    if !spawn(Command::new("unshare").args(["-r", "-p", "-f", "--mount-proc", "true"]))
        .wait()
        .unwrap()
        .success()
    {
        crate::device::tell("SKIPPED: no PID namespaces here");
        return;
    }
    let said =
        restarts_in_place(&device, command.arg(launcher()).arg("run").arg("--root").arg(device.root()));
    assert_eq!(said, ["a 1 0", "b 1 0"]);
}

#[test]
fn the_image_learns_an_absolute_root_and_its_slot() {
    let device = Device::on_trial(b"#!/bin/sh\necho $LAPWING_ROOT $LAPWING_SLOT $0\n");
    let mut command = Command::new(launcher());
    command.args(["run", "--root", "."]).current_dir(device.root()).env("LAPWING_SLOT", "a");
    let root = device.root().canonicalize().unwrap();
    let root = root.display();
    assert_eq!(said(&output(&mut command)), format!("{root} b {root}/slots/b/image"));
}

#[test]
fn the_image_gets_no_descriptor_of_the_launcher_and_keeps_those_it_had() {
    let device = Device::on_trial(b"#!/bin/sh\nls -l /proc/self/fd | grep -c slot-table; cat <&7\n");
    let mut command = Command::new("sh");
    command.args(["-c", "echo kept | exec \"$0\" run --root \"$1\" 7<&0"]).arg(launcher()).arg(device.root());
    assert_eq!(said(&output(&mut command)), "0\nkept");
}
