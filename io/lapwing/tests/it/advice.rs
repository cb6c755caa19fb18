//! Every complaint says what to do, in words and in JSON.
//!
//! Touches: desks, a clerk.

use crate::clerk::Clerk;
use crate::desk::{Desk, code};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;

/// Lines that must fail, one of each kind of trouble for each verb, and their codes.
const TROUBLES: &[(&str, i32)] = &[
    ("key frobnicate", code::USAGE),
    ("key show --dir nowhere", code::NOT_FOUND),
    ("key init --dir lapwing-keys --fleet 00000000000000000000000000000000", code::CONFLICT),
    ("key new --role release --out nowhere/release.key", code::NOT_FOUND),
    ("key new --role queen", code::USAGE),
    ("key delegate --online xyz", code::USAGE),
    ("key delegate --online ABSENT", code::USAGE),
    ("key root create", code::CONFLICT),
    ("key root rotate --drop-release-key 00000000", code::NOT_FOUND),
    (
        "key root rotate --drop-tls 0000000000000000000000000000000000000000000000000000000000000000",
        code::NOT_FOUND,
    ),
    ("key root rotate --add-release-key nowhere", code::NOT_FOUND),
    ("key root rotate --add-release-key cut", 1),
    ("key root sign", code::NOT_FOUND),
    ("key root sign --file cut", 1),
    ("key enroll --server DEAD", code::UNREACHABLE),
    ("key enroll --token-file wrong-token", code::POLICY),
    ("release create", code::USAGE),
    ("release create --image nowhere --hardware a.example/b --release-version 1.0.0", code::NOT_FOUND),
    ("release create --image image --hardware pump --release-version 1.0.0", code::USAGE),
    ("release create --image image --recipe nowhere", code::NOT_FOUND),
    ("release create --image image --recipe cut", 1),
    (
        "release create --image image --hardware a.example/b --release-version 1.0.0 --out nowhere/r",
        code::NOT_FOUND,
    ),
    (
        "release create --image image --hardware a.example/b --release-version 1.0.0 --ask-server --server DEAD",
        code::UNREACHABLE,
    ),
    ("release sign nowhere", code::NOT_FOUND),
    ("release sign cut", code::VERIFICATION),
    ("release sign good --key nowhere", code::NOT_FOUND),
    ("release inspect cut", code::VERIFICATION),
    ("release verify cut", code::VERIFICATION),
    ("release verify good", code::VERIFICATION),
    ("release verify good --root nowhere", code::NOT_FOUND),
    ("release push nowhere", code::NOT_FOUND),
    ("release push good", code::VERIFICATION),
    ("release watch nowhere", code::NOT_FOUND),
    ("release watch image", code::NOT_FOUND),
    ("serve --config nowhere", code::NOT_FOUND),
    ("serve --config cut", code::USAGE),
    ("serve --listen nowhere", code::USAGE),
    ("device provision --out d --id p --hardware a.example/b --image nowhere", code::NOT_FOUND),
    ("device provision --out d --id p/q --hardware a.example/b --image image", code::USAGE),
    ("device provision --out d --id p --hardware a.example/b --image image --server ftp://x", code::USAGE),
    (
        "device provision --out d --id p --hardware a.example/b --image image --management DEAD",
        code::UNREACHABLE,
    ),
    ("device token make --count 0", code::USAGE),
    ("device token revoke nothing", code::NOT_FOUND),
    ("device pin pump-8", code::USAGE),
    ("webhook add", code::USAGE),
    ("webhook test nothing", code::NOT_FOUND),
    ("webhook remove nothing", code::NOT_FOUND),
    ("completions tcl", code::USAGE),
    ("device show pump-8", code::NOT_FOUND),
    ("device show a/b", code::USAGE),
];

/// What asks the server and nothing else.
const ASKING: &[&str] = &[
    "release list",
    "release unhold 1.0.0",
    "release withdraw 1.0.0",
    "release retention",
    "device list",
    "device show p",
    "device why p",
    "device update-now p",
    "device retry p",
    "device admit p",
    "device forget p",
    "device replace p",
    "device pin p --off",
    "device token list",
    "device token make",
    "webhook list",
    "webhook add a --url https://x.example/",
];

/// What can be wrong with every one of them.
const WRONG_SERVERS: &[(&str, i32)] = &[
    ("--server DEAD", code::UNREACHABLE),
    ("--server http://10.0.0.1:1", code::POLICY),
    ("--server 127.0.0.1", code::POLICY),
    ("--token-file wrong-token", code::POLICY),
    ("--token-file nowhere", code::NOT_FOUND),
    ("--token-file empty", code::USAGE),
];

fn troubles() -> Vec<(String, i32)> {
    let asking = ASKING
        .iter()
        .flat_map(|line| WRONG_SERVERS.iter().map(move |(wrong, code)| (format!("{line} {wrong}"), *code)));
    TROUBLES.iter().map(|(line, code)| ((*line).to_owned(), *code)).chain(asking).collect()
}

#[test]
fn every_complaint_says_what_to_do_and_is_json_when_asked_for() {
    let (desk, clerk) = (Desk::ready(), Clerk::open());
    let desk = desk.at(&clerk);
    desk.put("image", "program");
    desk.put("wrong-token", "wrong");
    desk.put("empty", "");
    desk.json("release create --image image --hardware a.example/b --release-version 0.9.0 --out good");
    let cut = desk.put("cut", &desk.bytes("good")[..20]);
    std::fs::set_permissions(cut, std::fs::Permissions::from_mode(0o600)).unwrap();
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (line, code) in troubles() {
        let line = line.replace("DEAD", &format!("http://{dead}"));
        let output = desk.run(&format!("--json {line}"));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{line}: {said}");
        let last = said.lines().last().unwrap_or_default();
        let complaint: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("{line}: {said}"));
        assert_eq!(complaint["code"], code, "{line}");
        for key in ["error", "advice"] {
            assert!(complaint[key].as_str().is_some_and(|text| text.len() > 8), "{line}: {said}");
        }
        assert!(output.stdout.is_empty(), "{line}");
        let words = String::from_utf8_lossy(&desk.run(&line).stderr).into_owned();
        assert!(words.contains("what to do: ") || words.contains("--help"), "{line}: {words}");
    }
}

#[test]
fn each_step_names_the_next() {
    let (desk, clerk) = (Desk::empty(), Clerk::open());
    let desk = desk.at(&clerk);
    desk.put("image", "program");
    let says = |line: &str, next: &str| {
        let output = desk.run(line);
        let words = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(
            words.lines().any(|words| words.starts_with("Next: ") && words.contains(next)),
            "{line}: {words}"
        );
    };
    says("key init", "key enroll");
    says("key enroll", "release create");
    says(
        "release create --image image --hardware a.example/b --release-version 1.0.0 --out r",
        "release sign r",
    );
    says("release sign r", "release push r");
    says("key root rotate --security-ceiling 9", "key enroll");
    says(
        "key delegate --online 2222222222222222222222222222222222222222222222222222222222222222",
        "key enroll",
    );
    says("device provision --out d --id p --hardware a.example/b --image image", "--check-config");
}
