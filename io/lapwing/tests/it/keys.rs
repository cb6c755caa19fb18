//! Keys, root documents and delegations from the outside.
//!
//! Touches: a desk.

use crate::desk::{Desk, code};
use lapwing_core::TrustAnchor;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_fresh_signing_directory_is_private_and_makes_a_trust_chain() {
    let desk = Desk::ready();
    for role in ["root", "release", "delegator"] {
        let path = desk.path().join(format!("lapwing-keys/keys/{role}.key"));
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let anchor = TrustAnchor::provisioned(&desk.bytes("lapwing-keys/trust/root-1.cbor")).unwrap();
    let anchor = anchor.delegate(&desk.bytes("lapwing-keys/trust/delegation-1.cbor")).unwrap();
    assert_eq!((anchor.root().version, anchor.delegation_version()), (1, 1));
    let shown = desk.json("key show");
    assert_eq!(shown["fleet"].as_str().unwrap(), anchor.root().fleet.to_string());
    assert_eq!(shown["delegation"]["refused"], serde_json::Value::Null);
}

#[test]
fn making_things_twice_keeps_the_first() {
    let desk = Desk::ready();
    let before = desk.bytes("lapwing-keys/keys/root.key");
    desk.json("key init");
    assert_eq!(desk.bytes("lapwing-keys/keys/root.key"), before);
    desk.refused("key root create", code::CONFLICT);
    desk.refused(&format!("key init --fleet {}", "ab".repeat(16)), code::CONFLICT);
}

#[test]
fn a_key_file_that_others_can_read_is_not_used() {
    let desk = Desk::ready();
    desk.put("image", "1");
    let key = desk.path().join("lapwing-keys/keys/release.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let complaint = desk.refused(
        "release create --image image --hardware a.example/b --release-version 1.0.0 --sign",
        code::POLICY,
    );
    assert!(complaint.contains("chmod 600"), "{complaint}");
}

#[test]
fn an_old_release_key_stays_until_it_was_overlapped_for_ninety_days() {
    let desk = Desk::ready();
    let old = desk.json("key show")["keys"][1]["id"].as_str().unwrap().to_owned();
    let new = desk.json("key new --role release --out new.key")["public"].as_str().unwrap().to_owned();
    desk.json(&format!("key root rotate --issued 2026-06-01 --add-release-key {new}"));
    let drop = format!("--drop-release-key {old}");
    desk.refused(&format!("key root rotate --issued 2026-08-29 {drop}"), code::POLICY);
    assert!(!desk.path().join("lapwing-keys/trust/root-3.cbor").exists());
    let rotated = desk.json(&format!("key root rotate --issued 2026-08-30 {drop}"));
    assert_eq!((&rotated["version"], &rotated["emergency"]), (&3.into(), &false.into()));
    let walked = [1, 2, 3].map(|n| desk.bytes(&format!("lapwing-keys/trust/root-{n}.cbor")));
    let anchor = TrustAnchor::provisioned(&walked[0]).unwrap();
    anchor.advance(&walked[1]).unwrap().advance(&walked[2]).unwrap();
}

#[test]
fn an_emergency_may_drop_a_key_at_once_and_says_so() {
    let desk = Desk::ready();
    let old = desk.json("key show")["keys"][1]["id"].as_str().unwrap().to_owned();
    let new = desk.json("key new --role release")["public"].as_str().unwrap().to_owned();
    let change = format!("--add-release-key {new} --drop-release-key {old} --revoke {old}:7");
    desk.refused(&format!("key root rotate {change}"), code::POLICY);
    let rotated = desk.json(&format!("key root rotate --emergency {change}"));
    assert_eq!(rotated["emergency"], true);
    assert_eq!(rotated["revoked"][0]["seq_base"], 7);
}

#[test]
fn a_root_that_lacks_signatures_waits_for_them() {
    let desk = Desk::empty();
    desk.json("key init --root-keys 2");
    std::fs::rename(desk.path().join("lapwing-keys/keys/root-2.key"), desk.path().join("elsewhere.key"))
        .unwrap();
    let public = desk.json("key new --role root --out third.key")["public"].as_str().unwrap().to_owned();
    let here = "lapwing-keys/keys/root.key";
    let keys = format!("--root-key {here} --root-key elsewhere.key --root-key {public} --root-threshold 2");
    let made = desk.json(&format!("key root create {keys} --key {here}"));
    assert_eq!(made["complete"], false);
    desk.refused("key delegate --online 22", code::USAGE);
    desk.refused(&format!("key delegate --online {}", "22".repeat(32)), code::NOT_FOUND);
    let signed = desk.json("key root sign --key elsewhere.key");
    assert_eq!(signed["complete"], true);
    TrustAnchor::provisioned(&desk.bytes("lapwing-keys/trust/root-1.cbor")).unwrap();
}

#[test]
fn a_delegation_is_never_longer_than_the_root_allows() {
    let desk = Desk::ready();
    let online = "22".repeat(32);
    desk.refused(&format!("key delegate --online {online} --days 101"), code::POLICY);
    let delegation = desk.json(&format!("key delegate --online {online} --days 100"));
    assert_eq!(delegation["version"], 2);
}

#[test]
fn a_key_signs_only_what_its_role_allows() {
    let desk = Desk::ready();
    desk.put("image", "1");
    let keys = "--key lapwing-keys/keys/root.key --key lapwing-keys/keys";
    let delegate = format!("key delegate --online {} {keys}", "22".repeat(32));
    desk.refused(&format!("{delegate}/release.key"), code::NOT_FOUND);
    desk.json(&format!("{delegate}/delegator.key"));
    let create = "release create --sign --image image --hardware a.example/b --release-version 1.0.0 --out r";
    desk.refused(&format!("{create} {keys}/delegator.key"), code::NOT_FOUND);
    let signed = desk.json(&format!("{create} {keys}/release.key"));
    assert_eq!(signed["signatures"].as_array().unwrap().len(), 1);
}

#[test]
fn a_threshold_nobody_can_reach_is_refused() {
    let desk = Desk::empty();
    desk.json("key init");
    desk.refused("key root create --release-threshold 2", code::POLICY);
    desk.refused("key root create --release-threshold 0", code::POLICY);
}
