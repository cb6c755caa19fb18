//! Images that cannot run: each comes back to the old one after as many starts as the limits say.
//!
//! Touches: `device`. Makes its own broken executables.
//! Never: lets an image say `new` and calls that broken.

use crate::device::{Device, complained, said};
use lapwing_core::{Digest, OldSlot, Phase, Return, Slot, SlotState, StartLimits};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

/// Launches until the old image speaks; the words are handed to whatever starts.
fn check(device: &Device, words: &[&str], silent_starts: u32, why: Return) {
    for turn in 0..silent_starts {
        let output = device.run(words);
        assert_eq!(said(&output), "", "start {turn} of a broken image: {}", complained(&output));
        assert!(!output.status.success());
        assert_eq!(device.table().active, Slot::B, "comes back too early");
    }
    for _ in 0..2 {
        assert!(said(&device.run(words)).starts_with("old a"));
    }
    let table = device.table();
    assert_eq!((table.active, table.phase, table.returned), (Slot::A, Phase::Settled, Some(why)));
    assert_eq!(table.slot(Slot::B).state, SlotState::Bad);
}

fn dies_silently(image: &[u8], words: &[&str]) {
    let device = Device::on_trial(image);
    check(&device, words, u32::from(StartLimits::APP.silent_starts), Return::SilentStarts);
    assert_eq!(device.table().starts_total, 2);
}

fn cannot_start(device: &Device) {
    check(device, &[], 0, Return::NotStartable);
    assert_eq!(device.table().starts_total, 1, "the try was spent before anything was started");
}

#[test]
fn an_image_that_dies_in_its_first_instruction_comes_back() {
    dies_silently(&executable(None), &[]);
}

#[test]
fn an_image_without_its_shared_library_comes_back() {
    let image = fs::read("/bin/true").unwrap();
    let wanted = b"libc.so.6\0";
    let at = image.windows(wanted.len()).position(|window| window == wanted).unwrap();
    let mut broken = image;
    broken[at..at + wanted.len()].copy_from_slice(b"libq.so.6\0");
    dies_silently(&broken, &[]);
}

#[test]
fn an_image_that_refuses_its_flags_comes_back() {
    let new = b"#!/bin/sh\n[ \"$1\" = --flag-of-old ] && exit 2\necho new\n";
    dies_silently(new, &["--", "--flag-of-old"]);
}

#[test]
fn an_image_cut_off_in_its_body_comes_back() {
    let mut image = fs::read("/bin/sh").unwrap();
    image.truncate(8192);
    dies_silently(&image, &[]);
}

#[test]
fn an_image_without_its_interpreter_comes_back_at_once() {
    cannot_start(&Device::on_trial(&executable(Some(b"/nowhere/ld.so\0"))));
    cannot_start(&Device::on_trial(b"#!/nowhere/sh\necho new\n"));
}

#[test]
fn an_image_that_is_no_program_comes_back_at_once() {
    cannot_start(&Device::on_trial(b"echo new\n"));
    cannot_start(&Device::on_trial(b""));
    cannot_start(&Device::on_trial(&executable(None)[..40]));
}

#[test]
fn an_image_that_may_not_be_executed_comes_back_at_once() {
    let device = Device::on_trial(crate::device::NEW);
    fs::set_permissions(device.image(Slot::B), Permissions::from_mode(0o644)).unwrap();
    cannot_start(&device);
}

#[test]
fn an_image_that_is_gone_comes_back_at_once() {
    let device = Device::on_trial(crate::device::NEW);
    fs::remove_file(device.image(Slot::B)).unwrap();
    cannot_start(&device);
    let device = Device::on_trial(crate::device::NEW);
    fs::remove_dir_all(device.image(Slot::B).parent().unwrap()).unwrap();
    cannot_start(&device);
}

#[test]
fn a_confirmed_image_that_cannot_start_gives_way_to_the_other() {
    let device = Device::watched(b"no program");
    device.store(device.table().settle(OldSlot::Keep).unwrap());
    assert_eq!(device.starts(2), ["old a", "old a"]);
    assert_eq!(device.table().returned, Some(Return::NotStartable));
}

#[test]
fn a_staged_image_is_better_than_none_and_goes_on_trial() {
    let device = Device::on_trial(crate::device::NEW);
    device.store(device.table().roll_back(Return::AgentAsked, OldSlot::Keep).unwrap());
    fs::remove_file(device.image(Slot::A)).unwrap();
    assert_eq!(device.starts(4), ["new b"; 4]);
    assert_eq!(device.table().phase, Phase::Trial);
}

#[test]
fn with_nothing_to_start_it_says_so_and_changes_nothing_further() {
    let device = Device::on_trial(b"no program");
    device.put_image(Slot::A, b"no program");
    let output = device.run(&[]);
    assert_eq!(output.status.code(), Some(122), "{}", complained(&output));
    let table = device.table();
    assert_eq!(device.run(&[]).status.code(), Some(122));
    assert_eq!(device.table(), table);
    device.put_image(Slot::A, crate::device::OLD);
    assert_eq!(device.starts(1), ["old a"]);
}

#[test]
fn an_image_that_is_not_the_staged_one_never_starts_if_digests_are_checked() {
    let changed = b"#!/bin/sh\necho bad $LAPWING_SLOT $*\n";
    for bytes in [changed.as_slice(), &crate::device::NEW[..20], b"", &[crate::device::NEW, b"#"].concat()] {
        let device = Device::on_trial(crate::device::NEW);
        device.put_image(Slot::B, bytes);
        assert_eq!(said(&device.run(&["--check-digest"])), "old a");
        assert_eq!(device.table().returned, Some(Return::ImageDiffers));
        assert_eq!(device.table().starts_total, 0);
    }
    let rescued = Device::on_trial(crate::device::NEW);
    rescued.store(rescued.table().roll_back(Return::AgentAsked, OldSlot::Keep).unwrap());
    rescued.put_image(Slot::B, changed);
    fs::remove_file(rescued.image(Slot::A)).unwrap();
    assert_eq!(rescued.run(&["--check-digest"]).status.code(), Some(122));
    let unchecked = Device::on_trial(crate::device::NEW);
    unchecked.put_image(Slot::B, changed);
    assert_eq!(unchecked.starts(1), ["bad b"]);
}

#[test]
fn an_image_that_is_the_staged_one_starts_if_digests_are_checked() {
    let mut large = crate::device::NEW.to_vec();
    large.resize(100_000, b'\n');
    let device = Device::on_trial(&large);
    assert_eq!(device.table().slot(Slot::B).image, Digest::of(&large));
    assert_eq!(said(&device.run(&["--check-digest", "--", "x"])), "new b x");
}

#[test]
fn a_silent_image_under_watch_comes_back() {
    check(&Device::watched(b"#!/bin/sh\nexit 1\n"), &[], 2, Return::SilentStarts);
}

/// A static executable whose first instruction is not one, perhaps asking for an interpreter.
fn executable(interpreter: Option<&[u8]>) -> Vec<u8> {
    const UNDEFINED: [u8; 4] = if cfg!(target_arch = "x86_64") { [0x0f, 0x0b, 0, 0] } else { [0; 4] };
    const MACHINE: u16 = if cfg!(target_arch = "x86_64") { 62 } else { 183 };
    const BASE: u64 = 0x40_0000;
    let interpreter = interpreter.unwrap_or_default();
    let headers: u16 = if interpreter.is_empty() { 1 } else { 2 };
    let code_at = 64 + 56 * u64::from(headers);
    let text_at = code_at + UNDEFINED.len() as u64;
    let length = text_at + interpreter.len() as u64;
    let mut out = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    for half in [2, MACHINE, 1, 0] {
        out.extend(half.to_le_bytes());
    }
    for long in [BASE + code_at, 64, 0] {
        out.extend(long.to_le_bytes());
    }
    for half in [0, 0, 64, 56, headers, 64, 0, 0] {
        out.extend(half.to_le_bytes());
    }
    let mut header = |kind: u32, at: u64, length: u64| {
        out.extend(kind.to_le_bytes());
        out.extend(5_u32.to_le_bytes());
        for long in [at, BASE + at, BASE + at, length, length, 0x1000] {
            out.extend(long.to_le_bytes());
        }
    };
    if !interpreter.is_empty() {
        header(3, text_at, interpreter.len() as u64);
    }
    header(1, 0, length);
    out.extend(UNDEFINED);
    out.extend(interpreter);
    out
}
