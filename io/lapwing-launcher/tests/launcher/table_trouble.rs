//! A table that cannot be written, locked or read: something good starts all the same.
//!
//! Touches: `device`, file-size limits, mount namespaces.
//! Never: counts a try that did not reach the disk.

use crate::device::{Device, NEW, OLD, complained, launcher, output, said, spawn};
use lapwing_core::{OldSlot, Slot};
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

/// Runs under a limit that lets no file be written, as on a full disk.
#[expect(unsafe_code, reason = "a limit for the child alone is set between fork and exec")]
fn run_on_full_disk(device: &Device) -> Output {
    let mut command = device.command("run", &[]);
    // SAFETY: setrlimit may be called between fork and exec.
    unsafe {
        command.pre_exec(|| {
            let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
            if libc::setrlimit(libc::RLIMIT_FSIZE, &raw const none) == 0 {
                Ok(())
            } else {
                Err(std::io::Error::last_os_error())
            }
        });
    }
    output(&mut command)
}

#[test]
fn on_a_full_disk_the_confirmed_slot_starts() {
    for device in [Device::on_trial(NEW), Device::watched(NEW)] {
        let before = device.table();
        for _ in 0..4 {
            let output = run_on_full_disk(&device);
            assert_eq!(said(&output), "old a", "{}", complained(&output));
            assert_eq!(device.table(), before);
        }
        assert_eq!(device.starts(1), ["new b"], "with room again the trial goes on");
    }
}

#[test]
fn on_a_full_disk_a_settled_slot_starts() {
    let device = Device::watched(NEW);
    device.store(device.table().settle(OldSlot::Keep).unwrap());
    assert_eq!(said(&run_on_full_disk(&device)), "new b");
}

#[test]
fn on_a_full_disk_a_spent_trial_still_comes_back() {
    let device = Device::on_trial(b"#!/bin/sh\nexit 1\n");
    assert_eq!(device.starts(2), ["", ""]);
    assert_eq!(said(&run_on_full_disk(&device)), "old a");
}

#[test]
fn on_a_full_disk_any_slot_is_better_than_none() {
    let device = Device::on_trial(NEW);
    fs::remove_file(device.image(Slot::A)).unwrap();
    assert_eq!(said(&run_on_full_disk(&device)), "new b");
}

#[test]
fn on_a_read_only_file_system_the_confirmed_slot_starts() {
    let device = Device::on_trial(NEW);
    let before = device.table();
    let mut command = Command::new("unshare");
    let script = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" || exit 99; exec \"$1\" run --root \"$0\"";
    command.args(["-r", "-m", "sh", "-c", script]).arg(device.root()).arg(launcher());
    let output = output(&mut command);
    if said(&output).is_empty() && !complained(&output).contains("lapwing-launcher") {
        crate::device::tell(&format!("SKIPPED: no mount namespaces here: {}", complained(&output)));
        return;
    }
    assert_eq!(said(&output), "old a", "{}", complained(&output));
    assert_eq!(device.table(), before);
}

#[test]
fn whoever_holds_the_lock_for_a_moment_is_waited_for() {
    let device = Device::on_trial(NEW);
    let file = File::open(device.table_path()).unwrap();
    file.lock().unwrap();
    let waiting = spawn(device.command("run", &[]).stdout(Stdio::piped()));
    assert_eq!(Device::on_trial(NEW).starts(3), ["new b", "new b", "old a"]);
    drop(file);
    assert_eq!(said(&waiting.wait_with_output().unwrap()), "new b");
    assert_eq!(device.table().starts_total, 1);
}

#[test]
fn whoever_hangs_with_the_lock_does_not_keep_a_slot_from_starting() {
    let device = Device::on_trial(NEW);
    let before = device.table();
    let file = File::open(device.table_path()).unwrap();
    file.lock().unwrap();
    assert_eq!(said(&device.run(&[])), "old a");
    assert_eq!(device.table(), before);
    drop(file);
    assert_eq!(device.starts(1), ["new b"]);
}

#[test]
fn a_table_that_is_lost_starts_the_older_image_and_stays_lost() {
    type Damage = fn(&Device);
    let damages: [Damage; 4] = [
        |device| fs::remove_file(device.table_path()).unwrap(),
        |device| fs::write(device.table_path(), b"").unwrap(),
        |device| fs::write(device.table_path(), vec![0xff; 8192]).unwrap(),
        |device| {
            fs::remove_file(device.table_path()).unwrap();
            fs::create_dir(device.table_path()).unwrap();
        },
    ];
    for damage in damages {
        let device = Device::on_trial(NEW);
        damage(&device);
        let bytes = fs::read(device.table_path()).ok();
        assert_eq!(device.starts(2), ["old a", "old a"]);
        let changed_at = |slot| {
            let of = fs::metadata(device.image(slot)).unwrap();
            (of.ctime(), of.ctime_nsec())
        };
        // Until the file system's clock has ticked both images are of the same age.
        while changed_at(Slot::A) <= changed_at(Slot::B) {
            device.put_image(Slot::A, OLD);
        }
        assert_eq!(device.starts(1), ["new b"], "the other one is the older now");
        fs::remove_file(device.image(Slot::B)).unwrap();
        assert_eq!(device.starts(1), ["old a"]);
        assert_eq!(fs::read(device.table_path()).ok(), bytes);
        fs::remove_file(device.image(Slot::A)).unwrap();
        assert_eq!(device.run(&[]).status.code(), Some(122));
    }
}

#[test]
fn one_damaged_record_is_survived() {
    let device = Device::on_trial(NEW);
    let mut bytes = fs::read(device.table_path()).unwrap();
    bytes[100] ^= 1;
    fs::write(device.table_path(), &bytes).unwrap();
    assert_eq!(device.starts(3), ["new b", "new b", "old a"]);
}

#[test]
fn error_lines_never_end_up_in_the_table() {
    let device = Device::on_trial(b"no program");
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" run --root \"$1\" 0<&- 2>&-"]).arg(launcher()).arg(device.root());
    assert_eq!(said(&output(&mut command)), "old a");
    assert_eq!(device.table().slot(Slot::B).state, lapwing_core::SlotState::Bad);
}

#[test]
fn a_reader_of_errors_that_went_away_kills_nothing() {
    let device = Device::on_trial(b"no program");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = device.command("run", &[]);
    command.stdout(Stdio::piped()).stderr(writer);
    let output = spawn(&mut command).wait_with_output().unwrap();
    assert_eq!(said(&output), "old a");
}
