//! Artifacts from the outside: made, looked into, applied, refused; and what an update will cost.
//!
//! Touches: desks; a clerk that knows devices.

use crate::clerk::Clerk;
use crate::desk::{Desk, code};
use lapwing_core::Digest;
use serde_json::json;

/// Bytes that do not compress.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// A desk with an image `old`, and one `new` that differs from it in a few bytes.
fn desk() -> Desk {
    let desk = Desk::empty();
    let old = noise(20_000);
    let mut new = old.clone();
    new[9_000..9_004].copy_from_slice(b"edit");
    desk.put("old", &old);
    desk.put("new", &new);
    desk
}

#[test]
fn a_delta_gives_the_image_back() {
    let desk = desk();
    let made = desk.json("delta make --base old --image new --out a.delta --profile 64KiB");
    assert_eq!(made["kind"], "delta");
    assert!(made["artifact_bytes"].as_u64().unwrap() < 400, "{made}");
    assert!(made["apply_memory_bytes"].as_u64().unwrap() <= 64 * 1024, "{made}");
    desk.json("delta apply a.delta --base old --out back");
    assert_eq!(desk.bytes("back"), desk.bytes("new"));
    let files = std::fs::read_dir(desk.path()).unwrap().count();
    assert_eq!(files, 4, "nothing else is left");
}

#[test]
fn without_a_base_it_is_a_full_image() {
    let desk = desk();
    assert_eq!(desk.json("delta make --image new --out full")["kind"], "full image");
    desk.json("delta apply full --out back");
    assert_eq!(desk.bytes("back"), desk.bytes("new"));
}

#[test]
fn inspect_accounts_for_every_byte() {
    let desk = desk();
    desk.json("delta make --base old --image new --out a.delta");
    let said = desk.json("delta inspect a.delta --base old");
    let account = &said["account"];
    let alone: u64 =
        ["header_bytes", "map_bytes", "coder_bytes"].iter().map(|part| account[part].as_u64().unwrap()).sum();
    let sum = |what: &str| -> u64 {
        let parts = ["references", "instructions", "data", "literals"];
        parts.iter().map(|part| account[part][what].as_u64().unwrap()).sum()
    };
    assert_eq!(alone + sum("body_bytes"), desk.bytes("a.delta").len() as u64, "{said}");
    assert_eq!(sum("image_bytes"), 20_000, "{said}");
    assert_eq!(desk.json("delta inspect a.delta")["account"], json!(null), "without the base");
    for (image, named) in [("old", "base_digest_start"), ("new", "image_digest_start")] {
        let digest = Digest::of(&desk.bytes(image)).to_string();
        assert!(digest.starts_with(said[named].as_str().unwrap()), "{said}");
    }
}

#[test]
fn a_wrong_base_or_a_damaged_artifact_leaves_no_image() {
    let desk = desk();
    desk.json("delta make --base old --image new --out a.delta");
    let complaint = desk.refused("delta apply a.delta --base new --out back", code::VERIFICATION);
    assert!(complaint.contains("another image"), "{complaint}");
    let mut bytes = desk.bytes("a.delta");
    *bytes.last_mut().unwrap() ^= 1;
    desk.put("a.delta", bytes);
    desk.refused("delta apply a.delta --base old --out back", code::VERIFICATION);
    desk.refused("delta apply old --base old --out back", code::VERIFICATION);
    assert!(!desk.path().join("back").exists());
    assert!(!desk.path().join("back.new").exists());
}

#[test]
fn bench_compares_every_profile_by_both_routes() {
    let said = desk().json("delta bench --base old --image new");
    assert_eq!(said["rows"].as_array().unwrap().len(), 8);
}

const COSTS: &str = "--updates-per-year 12 --price-per-mib 0.50 --one-off 15000";

#[test]
fn ten_thousand_devices_save_27_000_a_year_and_break_even_after_7_months() {
    let desk = Desk::empty();
    let line = format!(
        "release forecast --full-bytes 524288 --delta-bytes 51200 --devices 10000 {COSTS} --picture a.svg"
    );
    let said = desk.json(&line);
    assert_eq!(said["saved_per_year_micro"], 27_070_312_500_u64);
    assert_eq!(said["break_even_days"], 202);
    assert_eq!((&said["recommended"], &said["rule"]), (&json!("delta"), &json!("pays-back")));
    let words = String::from_utf8(desk.run(&line).stdout).unwrap();
    assert!(words.contains("save $27,070.31 a year"), "{words}");
    assert!(words.contains("after about 7 months (202 days)"), "{words}");
    assert_eq!(said["device_full"]["days"], 1, "no budget, no days to wait");
    let said = desk.json(&format!("{line} --day-bytes 30000"));
    assert_eq!((&said["device_full"]["days"], &said["fleet_delta"]["days"]), (&json!(23), &json!(3)));
    let picture = String::from_utf8(desk.bytes("a.svg")).unwrap();
    assert!(picture.contains("even after 7 months"), "{picture}");
}

#[test]
fn a_forecast_makes_real_deltas() {
    let desk = desk();
    let said = desk.json(&format!("release forecast --image new --base old=900 --devices 1000 {COSTS}"));
    let full = said["device_full"]["bytes"].as_u64().unwrap();
    let [known, unknown] = said["bases"].as_array().unwrap().as_slice() else { panic!("{said}") };
    let delta = known["delta"]["bytes"].as_u64().unwrap();
    assert!(delta < full / 10, "{said}");
    assert_eq!((&unknown["devices"], &unknown["delta"]), (&json!(100), &json!(null)));
    assert_eq!(said["fleet_delta"]["bytes"], 900 * delta + 100 * full);
    desk.refused("release forecast --image new --base old=2 --devices 1", code::USAGE);
    desk.refused("release forecast --devices 1", code::USAGE);
}

#[test]
fn the_server_knows_who_runs_what() {
    let clerk = Clerk::open();
    let desk = desk().at(&clerk);
    let device = |image: &[u8], profile: u8| {
        let digest = Digest::of(image).short().to_string();
        json!({ "profile": profile, "running": [{ "component": "app", "digest": digest }] })
    };
    let old = desk.bytes("old");
    clerk.know([device(&old, 1), device(&old, 1), device(&old, 4), device(b"stranger", 1)]);
    let said = desk.json("release forecast --image new --base old --ask-server");
    let counts: Vec<_> = said["bases"].as_array().unwrap().iter().map(|base| &base["devices"]).collect();
    assert_eq!(counts, [1, 2, 1], "a stranger; two in 64 KiB; one with room: {said}");
}
