//! The launcher as parent: restarts, back-off, signals, orphans.
//!
//! Touches: `device`, PID namespaces.
//! Never: measures time; the launcher says how long it waits.

use crate::device::{Device, launcher, spawn};
use lapwing_core::{Booted, OldSlot, Slot};
use std::io::{BufRead, BufReader, Lines};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

struct Supervisor {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Supervisor {
    fn start(command: &mut Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = spawn(with_default_signals(command));
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, stdout, stderr }
    }

    fn of(device: &Device, words: &[&str]) -> Self {
        Self::start(&mut device.command("supervise", words))
    }

    fn next(&mut self) -> String {
        self.stdout.next().unwrap().unwrap()
    }

    /// The next waits it announced, in milliseconds.
    fn waits(&mut self, count: usize) -> Vec<u32> {
        let lines = self.stderr.by_ref().map(Result::unwrap);
        let waits = lines.filter_map(|line| {
            line.strip_prefix("lapwing-launcher: starting again in ")?.strip_suffix(" ms")?.parse().ok()
        });
        waits.take(count).collect()
    }

    #[expect(unsafe_code, reason = "std sends no other signal than SIGKILL")]
    fn signal(&self, number: i32) {
        // SAFETY: the child was not waited for, so the number is its.
        assert_eq!(unsafe { libc::kill(self.child.id().cast_signed(), number) }, 0);
    }

    fn code(mut self) -> Option<i32> {
        let code = self.child.wait().unwrap().code();
        let rest = self.stdout.map_while(Result::ok).count();
        assert_eq!(rest, 0, "nobody holds the pipe any more, nothing was left unread");
        code
    }
}

/// A test run in the background of a shell, or under `nohup`, ignores some signals, and so would its
/// children and theirs.
#[expect(unsafe_code, reason = "std leaves the dispositions of signals as they are")]
fn with_default_signals(command: &mut Command) -> &mut Command {
    // SAFETY: signal may be called between fork and exec.
    unsafe {
        command.pre_exec(|| {
            for number in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM] {
                libc::signal(number, libc::SIG_DFL);
            }
            Ok(())
        })
    }
}

/// Confirmed and settled: restarts are not counted.
fn settled(image: &[u8]) -> Device {
    let device = Device::watched(image);
    device.store(device.table().settle(OldSlot::Keep).unwrap());
    device
}

/// Says `ready`, then each signal it gets; ends with 7 at SIGTERM.
const LISTENS: &[u8] = b"#!/bin/sh
for name in HUP USR1 USR2 INT; do trap \"echo $name\" $name; done
trap 'kill $!; exit 7' TERM
tail -f /dev/null >/dev/null 2>&1 &
echo ready $$
while :; do wait $!; done
";

#[test]
fn a_bad_release_comes_back_under_one_supervisor() {
    let device = Device::on_trial(b"#!/bin/sh\nexit 3\n");
    device.put_image(Slot::A, LISTENS);
    let mut supervisor = Supervisor::of(&device, &["--restart-delay-ms", "1"]);
    assert!(supervisor.next().starts_with("ready"));
    assert_eq!(supervisor.waits(2), [1, 2]);
    assert_eq!(device.table().starts_total, 2);
    supervisor.signal(libc::SIGTERM);
    assert_eq!(supervisor.code(), Some(7));
}

#[test]
fn waits_double_up_to_the_longest() {
    let device = settled(b"#!/bin/sh\nexit 0\n");
    let flags = ["--restart-delay-ms", "1", "--restart-delay-ms-max", "5"];
    let mut supervisor = Supervisor::of(&device, &flags);
    assert_eq!(supervisor.waits(6), [1, 2, 4, 5, 5, 5]);
    supervisor.signal(libc::SIGTERM);
    supervisor.child.wait().unwrap();
}

#[test]
fn a_long_life_starts_the_waits_afresh() {
    let device = settled(b"#!/bin/sh\nexit 0\n");
    let flags = ["--restart-delay-ms", "1", "--restart-reset-ms", "0"];
    let mut supervisor = Supervisor::of(&device, &flags);
    assert_eq!(supervisor.waits(4), [1, 1, 1, 1]);
    supervisor.signal(libc::SIGTERM);
    supervisor.child.wait().unwrap();
}

#[test]
fn without_anything_to_start_it_keeps_trying() {
    let device = settled(b"no program");
    device.put_image(Slot::A, b"no program");
    let mut supervisor = Supervisor::of(&device, &["--restart-delay-ms", "1", "--restart-delay-ms-max", "1"]);
    assert_eq!(supervisor.waits(4).len(), 4);
    device.put_image(Slot::A, LISTENS);
    assert!(supervisor.next().starts_with("ready"));
    supervisor.signal(libc::SIGTERM);
    assert_eq!(supervisor.code(), Some(7));
}

#[test]
fn signals_reach_the_child_and_two_of_them_end_both() {
    let device = settled(LISTENS);
    let mut supervisor = Supervisor::of(&device, &[]);
    assert!(supervisor.next().starts_with("ready"));
    for (signal, name) in
        [(libc::SIGHUP, "HUP"), (libc::SIGUSR1, "USR1"), (libc::SIGUSR2, "USR2"), (libc::SIGINT, "INT")]
    {
        supervisor.signal(signal);
        assert_eq!(supervisor.next(), name);
    }
    supervisor.signal(libc::SIGTERM);
    assert_eq!(supervisor.code(), Some(7));
}

#[test]
fn a_child_ended_by_the_signal_is_told_as_shells_do() {
    let device = settled(b"#!/bin/sh\necho ready\nexec tail -f /dev/null\n");
    let mut supervisor = Supervisor::of(&device, &[]);
    assert_eq!(supervisor.next(), "ready");
    supervisor.signal(libc::SIGINT);
    assert_eq!(supervisor.code(), Some(128 + libc::SIGINT));
}

#[test]
fn a_stop_between_two_starts_ends_at_once() {
    let device = settled(b"#!/bin/sh\nexit 0\n");
    let mut supervisor = Supervisor::of(&device, &["--restart-delay-ms", "30000"]);
    assert_eq!(supervisor.waits(1), [30_000]);
    supervisor.signal(libc::SIGTERM);
    assert_eq!(supervisor.code(), Some(128 + libc::SIGTERM));
}

#[test]
fn the_child_does_not_outlive_its_supervisor() {
    let device = settled(b"#!/bin/sh\necho ready\nexec tail -f /dev/null\n");
    let mut supervisor = Supervisor::of(&device, &[]);
    assert_eq!(supervisor.next(), "ready");
    supervisor.signal(libc::SIGKILL);
    assert_eq!(supervisor.code(), None);
}

#[test]
fn a_restart_in_place_is_no_restart_for_the_supervisor() {
    let image = b"#!/bin/sh
echo $LAPWING_SLOT $$
[ $LAPWING_SLOT = b ] && exec tail -f /dev/null
exec \"$LAUNCHER\" run --root \"$LAPWING_ROOT\"
";
    let device = Device::on_trial(image);
    device.put_image(Slot::A, image);
    let mut supervisor = Supervisor::start(device.command("supervise", &[]).env("LAUNCHER", launcher()));
    let first = supervisor.next();
    assert!(first.starts_with("b "), "{first}");
    device.store(device.table().sign_of_life(Booted(Slot::B)).unwrap());
    supervisor.signal(libc::SIGTERM);
    assert_eq!(supervisor.code(), Some(128 + libc::SIGTERM));
}

#[test]
fn process_1_reaps_orphans() {
    let image = b"#!/bin/sh
orphan=$(sh -c 'true >/dev/null & echo $!')
for turn in $(seq 200000); do [ -e /proc/$orphan ] || { echo $$ reaped; exec tail -f /dev/null; }; done
echo zombie
";
    let device = settled(image);
    let namespace = ["-r", "-p", "-f", "--mount-proc", "--kill-child"];
    if !spawn(Command::new("unshare").args(namespace).arg("true")).wait().unwrap().success() {
        crate::device::tell("SKIPPED: no PID namespaces here");
        return;
    }
    let mut command = Command::new("unshare");
    command.args(namespace).arg(launcher()).arg("supervise").arg("--root").arg(device.root());
    let mut supervisor = Supervisor::start(&mut command);
    assert_eq!(supervisor.next(), "2 reaped");
    supervisor.signal(libc::SIGKILL);
    assert_eq!(supervisor.code(), None);
}
