//! A device's first directory from the outside.
//!
//! Touches: desks.

use crate::desk::{Desk, code};
use lapwing_core::{
    Digest, Phase, SLOT_RECORD_LEN, SLOT_RECORD_OFFSETS, SLOT_TABLE_LEN, Slot, SlotState, SlotTable,
};
use std::os::unix::fs::PermissionsExt;

const TOKEN: &str = "000102030405060708090a0b0c0d0e0f";

fn provision(out: &str) -> String {
    format!(
        "device provision --out {out} --id pump-7 --hardware vendor.example/pump --image image \
         --server https://one.example:8443 --server https://two.example:8443 --claim-token {TOKEN}"
    )
}

#[test]
fn a_provisioned_device_has_all_it_needs_and_nothing_of_ours() {
    let desk = Desk::ready();
    desk.put("image", "#!/bin/sh\n");
    desk.json(&provision("dev"));
    let mode = |name: &str| std::fs::metadata(desk.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("dev/slots/a/image"), 0o755);
    assert_eq!(mode("dev/claim-token"), 0o600);
    assert_eq!(desk.bytes("dev/claim-token"), format!("{TOKEN}\n").into_bytes());
    assert_eq!(desk.bytes("dev/slots/a/image"), b"#!/bin/sh\n");
    assert!(desk.path().join("dev/slots/b").is_dir());
    assert_eq!(std::fs::read_link(desk.path().join("dev/current")).unwrap().to_str(), Some("slots/a"));
    for (theirs, ours) in [("root-1.cbor", "root-1.cbor"), ("delegation.cbor", "delegation-1.cbor")] {
        let ours = desk.bytes(&format!("lapwing-keys/trust/{ours}"));
        assert_eq!(desk.bytes(&format!("dev/trust/{theirs}")), ours);
    }
    let config = String::from_utf8(desk.bytes("dev/agent.toml")).unwrap();
    assert!(config.contains("\"pump-7\"") && config.contains("https://two.example:8443"), "{config}");
    let mut grep = std::process::Command::new("grep");
    let found = grep.args(["-rl", "lapwing-private-key", "dev"]).current_dir(desk.path()).output().unwrap();
    assert!(found.stdout.is_empty());
}

#[test]
fn the_slot_table_starts_the_image_in_slot_a_from_either_record() {
    let desk = Desk::ready();
    desk.put("image", "program");
    desk.json(&provision("dev"));
    let area = desk.bytes("dev/slot-table");
    assert_eq!(area.len() as u64, SLOT_TABLE_LEN);
    let record =
        |at: u64| -> [u8; SLOT_RECORD_LEN] { area[at as usize..][..SLOT_RECORD_LEN].try_into().unwrap() };
    let [even, odd] = SLOT_RECORD_OFFSETS.map(record);
    let torn = [0; SLOT_RECORD_LEN];
    for records in [[even, odd], [even, torn], [torn, odd]] {
        let table = SlotTable::decode(&records).unwrap();
        assert_eq!((table.active, table.phase), (Slot::A, Phase::Settled));
        assert_eq!(table.slot(Slot::A).state, SlotState::Confirmed);
        assert_eq!(table.slot(Slot::A).image, Digest::of(b"program"));
        assert_eq!(table.slot(Slot::B).state, SlotState::Empty);
    }
}

#[test]
fn the_agent_is_told_what_the_factory_put_in_and_what_the_operator_adds() {
    let desk = Desk::ready();
    desk.put("image", "program");
    desk.json(
        "release create --sign --image image --hardware vendor.example/pump --release-version 1.2.3 --seq 5 \
         --security-version 2 --out r",
    );
    desk.put("more.toml", "memory_profile = \"64KiB\"\n[talking]\ncheck_in_interval_ms = 500\n");
    desk.json(&format!("{} --agent-config more.toml", provision("dev")));
    let config: toml::Table =
        toml::from_str(&String::from_utf8(desk.bytes("dev/agent.toml")).unwrap()).unwrap();
    assert_eq!(config["provisioned"]["version"].as_str(), Some("1.2.3"));
    assert_eq!(config["provisioned"]["seq"].as_integer(), Some(5));
    assert_eq!(config["provisioned"]["security_version"].as_integer(), Some(2));
    assert_eq!(config["talking"]["check_in_interval_ms"].as_integer(), Some(500));
    assert_eq!(config["memory_profile"].as_str(), Some("64KiB"));
    desk.put("bad.toml", "device_id = \"another\"\n");
    desk.refused(&format!("{} --agent-config bad.toml", provision("other")), code::USAGE);
    desk.put("typo.toml", "[talking]\ncheck_in_intervall_ms = 500\n");
    let complaint = desk.refused(&format!("{} --agent-config typo.toml", provision("other")), code::USAGE);
    assert!(complaint.contains("talking.check_in_intervall_ms"), "{complaint}");
    assert!(!desk.path().join("other").exists());
}

#[test]
fn a_device_is_not_provisioned_over_another() {
    let desk = Desk::ready();
    desk.put("image", "program");
    desk.json(&provision("dev"));
    desk.refused(&provision("dev"), code::CONFLICT);
}

#[test]
fn nothing_is_made_without_trust() {
    let desk = Desk::empty();
    desk.put("image", "program");
    desk.refused(&provision("dev"), code::NOT_FOUND);
    desk.json("key init");
    desk.json("key root create");
    let complaint = desk.refused(&provision("dev"), code::NOT_FOUND);
    assert!(complaint.contains("delegation"), "{complaint}");
    assert!(!desk.path().join("dev").exists());
}
