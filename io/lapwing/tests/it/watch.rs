//! `release watch`, one look at a time.
//!
//! Touches: desks, a clerk. Never: sleeps; every look is asked for.

use crate::clerk::Clerk;
use crate::desk::{Desk, code};
use serde_json::Value;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

const PLACE: &str = "drop/app/vendor.example~pump";

fn ready() -> (Desk, Clerk) {
    let clerk = Clerk::open();
    let desk = Desk::empty().at(&clerk);
    desk.json("key enroll");
    std::fs::create_dir_all(desk.path().join(PLACE)).unwrap();
    (desk, clerk)
}

/// One look, and the kinds of what happened.
fn look(desk: &Desk) -> Vec<String> {
    let said = desk.json("release watch drop --once");
    let kind = |event: &Value| event["event"].as_str().unwrap().to_owned();
    said["events"].as_array().unwrap().iter().map(kind).collect()
}

#[test]
fn a_dropped_file_is_published_at_the_second_look_and_only_once() {
    let (desk, clerk) = ready();
    assert!(look(&desk).is_empty());
    desk.put(&format!("{PLACE}/pump-1.4.0"), "program");
    assert_eq!(look(&desk), ["arriving"]);
    assert_eq!(look(&desk), ["published"]);
    assert!(look(&desk).is_empty());
    assert_eq!(clerk.published(), [("1.4.0".to_owned(), 1)]);
}

#[test]
fn a_half_copied_file_is_never_taken() {
    let (desk, clerk) = ready();
    let path = desk.path().join(PLACE).join("pump-1.0.0");
    let mut copy = File::create(&path).unwrap();
    for _ in 0..4 {
        copy.write_all(b"a piece").unwrap();
        assert_eq!(look(&desk), ["arriving"]);
    }
    assert_eq!(look(&desk), ["held"], "a copy that stalls is still open for writing");
    assert_eq!(look(&desk), ["held"]);
    copy.write_all(b"the last piece").unwrap();
    drop(copy);
    assert_eq!(look(&desk), ["arriving"]);
    assert!(clerk.asked("PUT /api/v1/blobs").is_empty());
    assert_eq!(look(&desk), ["published"]);
    assert_eq!(clerk.asked("PUT /api/v1/blobs")[0].body, std::fs::read(&path).unwrap());
}

#[test]
fn a_program_cut_short_by_a_lost_connection_is_held_until_it_is_whole() {
    let (desk, clerk) = ready();
    let program = std::fs::read(env!("CARGO_BIN_EXE_lapwing")).unwrap();
    let path = format!("{PLACE}/pump-1.0.0");
    desk.put(&path, &program[..program.len() / 2]);
    assert_eq!([look(&desk), look(&desk)], [["arriving"], ["held"]]);
    let mut rest = OpenOptions::new().append(true).open(desk.path().join(&path)).unwrap();
    rest.write_all(&program[program.len() / 2..]).unwrap();
    drop(rest);
    assert_eq!([look(&desk), look(&desk)], [["arriving"], ["published"]]);
    assert_eq!(clerk.published().len(), 1);
}

#[test]
fn files_of_one_version_go_out_together_even_if_one_takes_longer() {
    let (desk, clerk) = ready();
    desk.put(&format!("{PLACE}/pump-2.0.0"), "for the pump");
    assert_eq!(look(&desk), ["arriving"]);
    desk.put("drop/app/vendor.example~fan/fan-2.0.0", "for the fan");
    assert_eq!(look(&desk), ["arriving"], "the pump waits for the fan");
    assert_eq!(look(&desk), ["published", "published"]);
    assert_eq!(clerk.asked("POST /api/v1/version-sets").len(), 1);
}

#[test]
fn versions_that_land_together_are_numbered_in_their_order() {
    let (desk, clerk) = ready();
    for version in ["1.10.0", "1.9.0", "1.2.0"] {
        desk.put(&format!("{PLACE}/pump-{version}"), version);
    }
    look(&desk);
    look(&desk);
    let expected =
        [("1.2.0", 1), ("1.9.0", 2), ("1.10.0", 3)].map(|(version, seq)| (version.to_owned(), seq));
    assert_eq!(clerk.published(), expected);
}

#[test]
fn an_answer_that_was_lost_does_not_make_a_second_release() {
    let (desk, clerk) = ready();
    desk.put(&format!("{PLACE}/pump"), "program");
    look(&desk);
    clerk.lose_an_answer();
    let output = desk.run("release watch drop --once");
    assert!(!output.status.success());
    assert_eq!(look(&desk), ["published"]);
    assert_eq!(clerk.published(), [("0.1.0".to_owned(), 1)]);
    assert_eq!(clerk.asked("POST /api/v1/version-sets").len(), 1);
}

#[test]
fn a_recipe_beside_the_file_says_the_rest() {
    let (desk, clerk) = ready();
    desk.put(&format!("{PLACE}/pump.toml"), "version = \"3.0.0\"\ncompatibility = \"breaking\"\n");
    desk.put(&format!("{PLACE}/pump"), "program");
    assert_eq!([look(&desk), look(&desk)], [["arriving"], ["published"]]);
    assert_eq!(clerk.published(), [("3.0.0".to_owned(), 1)]);
    desk.put(&format!("{PLACE}/other.toml"), "component = \"system\"\n");
    desk.put(&format!("{PLACE}/other"), "other");
    look(&desk);
    let complaint = desk.refused("release watch drop --once", code::POLICY);
    assert!(complaint.contains("what the folders say"), "{complaint}");
    assert!(look(&desk).is_empty(), "it is not tried again before it changes");
}

#[test]
fn a_digest_beside_the_file_must_be_its_digest() {
    let (desk, clerk) = ready();
    desk.put(
        &format!("{PLACE}/pump-1.0.0.sha256"),
        format!("{}  pump-1.0.0\n", lapwing_core::Digest::of(b"whole")),
    );
    desk.put(&format!("{PLACE}/pump-1.0.0"), "who");
    assert_eq!([look(&desk), look(&desk)], [["arriving"], ["held"]]);
    desk.put(&format!("{PLACE}/pump-1.0.0"), "whole");
    assert_eq!([look(&desk), look(&desk)], [["arriving"], ["published"]]);
    assert_eq!(clerk.published().len(), 1);
}

#[test]
fn a_new_file_under_the_old_name_is_a_new_release_and_a_touched_one_is_not() {
    let (desk, clerk) = ready();
    let path = format!("{PLACE}/pump");
    desk.put(&path, "one");
    look(&desk);
    look(&desk);
    let touched = File::options().append(true).open(desk.path().join(&path)).unwrap();
    touched.set_modified(std::time::UNIX_EPOCH).unwrap();
    drop(touched);
    assert_eq!([look(&desk), look(&desk)], [["arriving"], ["known"]]);
    desk.put(&path, "two");
    assert_eq!([look(&desk), look(&desk)], [["arriving"], ["published"]]);
    assert_eq!(clerk.published(), [("0.1.0".to_owned(), 1), ("0.1.1".to_owned(), 2)]);
}

#[test]
fn without_its_memory_it_does_not_ship_what_was_released_before() {
    let (desk, clerk) = ready();
    desk.put(&format!("{PLACE}/pump"), "one");
    look(&desk);
    look(&desk);
    std::fs::remove_file(desk.path().join("lapwing-keys/watch.json")).unwrap();
    assert_eq!([look(&desk), look(&desk)], [["arriving"], ["known"]]);
    assert_eq!(clerk.published().len(), 1);
}

#[test]
fn without_its_log_it_asks_the_server_which_seq_comes_next() {
    let (desk, clerk) = ready();
    desk.put(&format!("{PLACE}/pump-1.0.0"), "one");
    look(&desk);
    look(&desk);
    std::fs::remove_file(desk.path().join("lapwing-keys/signed.jsonl")).unwrap();
    desk.put(&format!("{PLACE}/pump-1.1.0"), "two");
    assert_eq!([look(&desk), look(&desk)], [["arriving"], ["published"]]);
    assert_eq!(clerk.published()[1], ("1.1.0".to_owned(), 2));
}

#[test]
fn a_folder_may_be_named_in_a_file_and_what_is_not_understood_is_left_alone() {
    let (desk, clerk) = ready();
    desk.put("drop/watch.toml", "[hardware]\ndock = \"vendor.example/dock-controller\"\n");
    desk.put("drop/app/dock/dock-1.0.0", "program");
    desk.put("drop/app/attic/old-1.0.0", "program");
    desk.put("drop/app/vendor.example~pump/.pump.swp", "program");
    assert_eq!([look(&desk), look(&desk)], [["held", "arriving"], ["held", "published"]]);
    assert_eq!(clerk.published().len(), 1);
}

#[test]
fn a_folder_that_everybody_can_write_into_is_refused() {
    let (desk, _clerk) = ready();
    let place = desk.path().join(PLACE);
    std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o777)).unwrap();
    let complaint = desk.refused("release watch drop --once", code::POLICY);
    assert!(complaint.contains("chmod o-w"), "{complaint}");
}

#[test]
fn a_server_that_is_away_costs_nothing_but_time() {
    let (desk, clerk) = ready();
    desk.put(&format!("{PLACE}/pump-1.0.0"), "program");
    look(&desk);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    desk.refused(&format!("release watch drop --once --server http://{nobody}"), 1);
    assert_eq!(look(&desk), ["published"]);
    assert_eq!(clerk.published(), [("1.0.0".to_owned(), 1)]);
}
