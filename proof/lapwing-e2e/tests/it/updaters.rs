//! Small updaters in shell, right and wrong: the enumerator must tell them apart.
//!
//! Touches: strace, `sh` and coreutils, temporary folders.

use crate::counts::{both_models, nothing_traced};
use lapwing_e2e::{Crash, trace};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

const OLD: &[u8] = b"#!/bin/sh\necho old\n";
const STATES_PER_CUT: usize = 4000;

fn new() -> Vec<u8> {
    [b"#!/bin/sh\necho new\n", [b'#'; 9000].as_slice()].concat()
}

/// Runs `script` where `app` is the old program and `$NEW` names the new one, and counts what each
/// model finds bad. The script reports success by its end.
fn bad_states(name: &str, script: &str) -> [usize; 2] {
    let (root, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    put(&root.path().join("app"), OLD);
    let fresh = elsewhere.path().join("new");
    put(&fresh, &new());
    let mut command = Command::new("sh");
    command.args(["-euc", script]).env("NEW", &fresh);
    let recording = trace(root.path(), &command).unwrap();
    let end = recording.operations.len();
    let new = new();
    let judge = |crash: &Crash<'_>| -> Result<String, String> {
        let app = crash.tree.content("app").ok_or("no app")?;
        if crash.tree.node("app").is_none_or(|node| node.mode & 0o111 == 0) {
            return Err("app cannot be executed".into());
        }
        match app.bytes() {
            bytes if bytes == new => Ok("new".into()),
            OLD if crash.promised.is_some() => Err("success was reported".into()),
            OLD => Ok("old".into()),
            bytes => Err(format!("app has {} strange bytes", bytes.len())),
        }
    };
    let findings = both_models(name, &recording, &[end], STATES_PER_CUT, &judge);
    findings.map(|findings| {
        assert!(findings.good.contains_key("old"), "{findings}");
        findings.bad
    })
}

fn put(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn the_right_updater_has_no_bad_state() {
    if nothing_traced("the right updater") {
        return;
    }
    for (name, script) in [
        ("write, flush, rename, flush", "cp $NEW app.new; sync app.new; mv -T app.new app; sync ."),
        (
            "appended in pieces",
            "umask 022; head -c 4500 $NEW >app.new; tail -c +4501 $NEW >>app.new; chmod 755 app.new; \
             sync app.new; mv -T app.new app; sync .",
        ),
        ("one flush of everything", "cp $NEW app.new; sync; mv app.new app; sync"),
        (
            "a folder of its own",
            "mkdir d; cp $NEW d/app; sync d/app; sync d; sync .; ln d/app app.new; sync .; mv app.new app; sync .",
        ),
    ] {
        assert_eq!(bad_states(name, script), [0, 0], "{name}");
    }
}

#[test]
fn each_forgotten_step_is_found() {
    if nothing_traced("forgotten steps") {
        return;
    }
    for (name, script) in [
        ("no flush of the file", "cp $NEW app.new; mv -T app.new app; sync ."),
        ("no flush of the folder", "cp $NEW app.new; sync app.new; mv -T app.new app"),
        (
            "renamed before written",
            "cp app app.new; sync app.new; mv -T app.new app; cat $NEW >app; sync app; sync .",
        ),
        ("overwritten in place", "cat $NEW >app; sync app; sync ."),
        (
            "flushed too early",
            ": >app.new; chmod 755 app.new; sync app.new; cat $NEW >app.new; mv -T app.new app; sync .",
        ),
        (
            "removed before renamed",
            "cp $NEW app.new; sync app.new; sync .; rm app; mv -T app.new app; sync .",
        ),
        (
            "made executable last",
            "cat $NEW >app.new; sync app.new; mv -T app.new app; sync .; chmod 755 app; sync app",
        ),
        ("another folder flushed", "mkdir d; cp $NEW app.new; sync app.new; mv -T app.new app; sync d"),
    ] {
        let [ordered, posix] = bad_states(name, script);
        assert!(ordered > 0, "{name}: ordered finds nothing");
        assert!(posix > 0, "{name}: posix finds nothing");
    }
}

#[test]
fn what_only_an_ordered_file_system_forgives_is_found_by_the_other_model() {
    if nothing_traced("what an ordered file system forgives") {
        return;
    }
    // The flush of a grown file commits the rename before it; POSIX promises that of a folder's flush alone.
    let script = "cp $NEW app.new; sync app.new; mv -T app.new app; echo x >log; sync log";
    let [ordered, posix] = bad_states("another file flushed", script);
    assert_eq!(ordered, 0);
    assert!(posix > 0);
}
