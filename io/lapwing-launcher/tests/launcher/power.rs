//! The launcher killed before and after each of its system calls: the table is always one of two.
//!
//! Touches: `device`, ptrace.
//! Never: kills by chance; every point of a launch is tried.

#![expect(unsafe_code, reason = "a process is stopped at its system calls by ptrace alone")]

use crate::device::{Device, NEW, spawn, tell};
use lapwing_core::{SlotTable, StartLimits};
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::ptr::null_mut;

/// A launch that was killed at its `stop`-th stop, if it came that far before it became an image.
fn killed_at(device: &Device, stop: usize) -> bool {
    let mut command = device.command("run", &[]);
    // Cargo's list of libraries would make every launch search it first.
    command.stdout(Stdio::null()).stderr(Stdio::null()).env_remove("LD_LIBRARY_PATH");
    // SAFETY: ptrace may be called between fork and exec.
    unsafe {
        command.pre_exec(|| {
            libc::ptrace(libc::PTRACE_TRACEME, 0, null_mut::<()>(), null_mut::<()>());
            Ok(())
        });
    }
    let mut child = spawn(&mut command);
    let pid = child.id().cast_signed();
    let trace = |request, data: libc::c_int| {
        // SAFETY: the child is ours, traced, and stopped whenever this is called.
        let done = unsafe { libc::ptrace(request, pid, null_mut::<()>(), libc::c_long::from(data)) };
        assert_eq!(done, 0, "ptrace does not work here");
    };
    assert_eq!(stopped(pid), Some(libc::SIGTRAP), "stopped as it became the launcher");
    trace(libc::PTRACE_SETOPTIONS, libc::PTRACE_O_TRACEEXEC);
    let reached = (0..stop).all(|_| {
        trace(libc::PTRACE_SYSCALL, 0);
        stopped(pid) == Some(libc::SIGTRAP)
    });
    child.kill().unwrap();
    child.wait().unwrap();
    reached
}

/// The signal, and the event above it, at which the child stopped; `None` if it ended.
fn stopped(pid: libc::pid_t) -> Option<libc::c_int> {
    let mut status = 0;
    // SAFETY: `status` may be written.
    let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
    (waited == pid && libc::WIFSTOPPED(status)).then_some(status >> 8)
}

/// Kills at every stop of a launch that would start `expected`; says how many there are.
fn check(make: impl Fn() -> Device, expected: &str) -> usize {
    let undisturbed = make();
    let before = undisturbed.table();
    assert_eq!(undisturbed.starts(1), [expected]);
    let after = undisturbed.table();
    let mut seen: Vec<SlotTable> = Vec::new();
    for stop in 1.. {
        let device = make();
        assert_eq!(device.table(), before, "devices are made alike");
        if !killed_at(&device, stop) {
            assert!(seen.contains(&before) && seen.contains(&after), "kills came before and after the write");
            return stop - 1;
        }
        let found = device.table();
        assert!(
            (before.generation()..=after.generation()).contains(&found.generation()),
            "stop {stop}: {found:?}"
        );
        if !seen.contains(&found) {
            seen.push(found);
            goes_on(&device);
        }
    }
    unreachable!("a launch ends");
}

/// Whatever a kill left: no more starts of the new image than it may have, then the old one.
fn goes_on(device: &Device) {
    let limit = usize::from(StartLimits::APP.silent_starts);
    let spoken = device.starts(limit + 1);
    assert!(spoken.iter().filter(|line| *line == "new b").count() <= limit, "{spoken:?}");
    assert_eq!(spoken[limit], "old a");
}

#[test]
fn a_launch_killed_anywhere_leaves_a_table_and_the_next_launch_goes_on() {
    let tired = || {
        let device = Device::on_trial(NEW);
        assert_eq!(device.starts(2), ["new b", "new b"]);
        device
    };
    let counts = [
        check(|| Device::on_trial(NEW), "new b"),
        check(|| Device::watched(NEW), "new b"),
        check(tired, "old a"),
        check(|| Device::on_trial(b"no program"), "old a"),
    ];
    tell(&format!("the launcher was killed at {} points of four launches", counts.iter().sum::<usize>()));
}
