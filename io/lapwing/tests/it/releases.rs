//! Releases from the outside: the same bytes every time, believed only when they should be.
//!
//! Touches: desks.

use crate::desk::{Desk, code};

const SAYS: &str = "--hardware vendor.example/pump --release-version 1.2.3";

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let desk = Desk::ready();
    desk.put("image", "one and the same");
    desk.json(&format!("release create --image image {SAYS} --out first.release"));
    desk.json(&format!("release create --image image {SAYS} --out second.release"));
    assert_eq!(desk.bytes("first.release"), desk.bytes("second.release"));
    desk.json("release sign first.release");
    desk.json("release sign second.release");
    assert_eq!(desk.bytes("first.release"), desk.bytes("second.release"));
    desk.json(&format!("release create --sign --image image {SAYS} --out third.release"));
    assert_eq!(desk.bytes("first.release"), desk.bytes("third.release"), "signed before: it keeps its seq");
}

#[test]
fn another_machine_gives_the_same_bytes_when_told_the_time_and_the_seq() {
    let bytes = |epoch: &str| {
        let desk = Desk::empty();
        desk.put("image", "one and the same");
        let line = format!("release create --seq 4 --image image {SAYS} --out a.release");
        let output = desk.command().args(line.split_whitespace()).env("SOURCE_DATE_EPOCH", epoch).output();
        assert!(output.unwrap().status.success());
        desk.bytes("a.release")
    };
    assert_eq!(bytes("1700000000"), bytes("1700000000"));
    assert_ne!(bytes("1700000000"), bytes("1700000001"));
}

#[test]
fn a_recipe_and_arguments_say_the_same() {
    let desk = Desk::ready();
    desk.put("image", "1");
    desk.put("notes.md", "all new");
    desk.put(
        "release.toml",
        "component = \"app\"\nhardware = [\"vendor.example/pump\"]\nversion = \"1.2.3\"\nseq = 9\n\
         installable_from = [\"1.0.0..1.2.3\"]\nrequires = [\"config>=2\"]\nnotes = \"notes.md\"\n\
         compatibility = \"patch\"\nforced = true\nissued = \"2026-11-21\"\n",
    );
    desk.json("release create --image image --recipe release.toml --out a.release");
    let arguments = "--seq 9 --installable-from 1.0.0..1.2.3 --requires config>=2 --notes notes.md \
                     --compatibility patch --forced --issued 2026-11-21";
    desk.json(&format!("release create --image image {SAYS} {arguments} --out b.release"));
    assert_eq!(desk.bytes("a.release"), desk.bytes("b.release"));
    let shown = desk.json("release inspect a.release");
    assert_eq!(shown["requires"][0]["seq_min"], 2);
    assert_eq!(shown["flags"][0], "forced");
}

#[test]
fn a_signed_release_verifies_and_its_rebuild_too() {
    let desk = Desk::ready();
    desk.put("image", "program");
    desk.put("rebuilt", "program");
    desk.put("other", "pr0gram");
    desk.json(&format!("release create --sign --image image {SAYS} --out a.release"));
    let verified = desk.json("release verify a.release --rebuilt rebuilt");
    assert_eq!(verified["verified"]["rebuilt_same"], true);
    desk.json("release verify a.release --root lapwing-keys/trust/root-1.cbor");
    let complaint = desk.refused("release verify a.release --rebuilt other", code::VERIFICATION);
    assert!(complaint.contains("other"), "{complaint}");
}

#[test]
fn what_nobody_or_a_stranger_signed_is_not_believed() {
    let (ours, theirs) = (Desk::ready(), Desk::ready());
    ours.put("image", "program");
    ours.json(&format!("release create --image image {SAYS} --out a.release"));
    ours.refused("release verify a.release", code::VERIFICATION);
    theirs.put("a.release", ours.bytes("a.release"));
    theirs.json("release sign a.release");
    ours.put("a.release", theirs.bytes("a.release"));
    let complaint = ours.refused("release verify a.release", code::VERIFICATION);
    assert!(complaint.contains("0 valid signatures of the 1 needed"), "{complaint}");
    let their_key = theirs.path().join("lapwing-keys/keys/release.key");
    ours.refused(
        &format!("release create --sign --image image {SAYS} --key {}", their_key.display()),
        code::POLICY,
    );
}

#[test]
fn every_changed_byte_of_a_signed_release_is_noticed() {
    let desk = Desk::ready();
    desk.put("image", "program");
    desk.json(&format!("release create --sign --image image {SAYS} --out a.release"));
    let good = desk.bytes("a.release");
    for at in (0..good.len()).step_by(11) {
        let mut bad = good.clone();
        bad[at] ^= 1;
        desk.put("b.release", bad);
        desk.refused("release verify b.release", code::VERIFICATION);
    }
    desk.put("b.release", &good[..good.len() - 1]);
    desk.refused("release verify b.release", code::VERIFICATION);
}

#[test]
fn two_of_two_release_keys_sign_at_different_desks() {
    let desk = Desk::empty();
    desk.json("key init --release-keys 2");
    desk.json("key root create --release-threshold 2");
    desk.put("image", "program");
    let one = "--key lapwing-keys/keys/release.key";
    let signed = desk.json(&format!("release create --sign {one} --image image {SAYS} --out a.release"));
    assert_eq!(signed["signatures"].as_array().unwrap().len(), 1);
    desk.refused("release verify a.release", code::VERIFICATION);
    desk.json(&format!("release sign a.release {one}"));
    desk.refused("release verify a.release", code::VERIFICATION);
    desk.json("release sign a.release --key lapwing-keys/keys/release-2.key");
    desk.json("release verify a.release");
}

#[test]
fn a_seq_is_given_once_and_then_rises() {
    let desk = Desk::ready();
    desk.put("one", "1");
    desk.put("two", "2");
    let create = |rest: &str| format!("release create --sign --hardware vendor.example/pump {rest}");
    let first = desk.json(&create("--image one --release-version 1.0.0"));
    let second = desk.json(&create("--image two --release-version 1.1.0"));
    assert_eq!((&first["seq"], &second["seq"]), (&1.into(), &2.into()));
    desk.refused(&create("--image two --release-version 1.2.0 --seq 2"), code::CONFLICT);
    let elsewhere =
        desk.json("release create --sign --hardware vendor.example/fan --image one --release-version 1.0.0");
    assert_eq!(elsewhere["seq"], 1, "another class counts for itself");
}

#[test]
fn what_every_device_would_refuse_is_not_even_made() {
    let desk = Desk::ready();
    desk.put("image", "1");
    desk.put("empty", "");
    let create = |rest: &str| format!("release create {SAYS} {rest}");
    desk.refused(&create("--image empty"), code::POLICY);
    desk.refused(&create("--image image --raise-to 2"), code::POLICY);
    desk.refused(&create("--image image --issued 2026-01-02 --not-after 2026-01-01"), code::POLICY);
    desk.refused(&create("--image nowhere"), code::NOT_FOUND);
    desk.refused("release create --image image --release-version 1.0.0", code::POLICY);
    desk.refused("release create --image image --hardware pump", code::USAGE);
    desk.json(&create("--sign --image image --security-version 3 --raise-to 3"));
    desk.refused(&create("--image image --security-version 2"), code::POLICY);
}

#[test]
fn an_external_signer_signs_and_a_false_one_is_caught() {
    let desk = Desk::ready();
    desk.put("image", "1");
    desk.json(&format!("release create --image image {SAYS} --out a.release"));
    let shown = desk.json("key show");
    let public = shown["keys"][1]["public"].as_str().unwrap();
    let sign = |command: &str| {
        let mut tool = desk.command();
        tool.args(["--json", "release", "sign", "a.release", "--signer-public", public]);
        tool.args(["--signer-command", command]).output().unwrap()
    };
    let false_signature = sign("cat > /dev/null; head -c 64 /dev/zero");
    assert_eq!(false_signature.status.code(), Some(code::VERIFICATION));
    let short = sign("printf short");
    assert_eq!(short.status.code(), Some(1));
    let failing = sign("exit 9");
    assert_eq!(failing.status.code(), Some(1));
    // The signature that the key file gives, played back by a command, is the one to expect.
    desk.json("release sign a.release --out signed.release");
    let signed = desk.bytes("signed.release");
    desk.put("signature", &signed[signed.len() - 64..]);
    let good = sign("cat > /dev/null; cat signature");
    assert!(good.status.success(), "{}", String::from_utf8_lossy(&good.stderr));
    assert_eq!(desk.bytes("a.release"), signed);
}

#[test]
fn a_version_is_given_once_too_and_is_like_others() {
    let (desk, clerk) = (Desk::ready(), crate::clerk::Clerk::open());
    let desk = desk.at(&clerk);
    desk.put("one", "1");
    desk.put("two", "2");
    let create = |rest: &str| format!("release create --hardware vendor.example/pump {rest}");
    desk.json(&create("--sign --image one --release-version 1.0.0 --out r"));
    let complaint = desk.refused(&create("--image two --release-version 1.0.0"), code::CONFLICT);
    assert!(complaint.contains("version 1.0.0") && complaint.contains("--release-version"), "{complaint}");
    desk.refused(&create("--image two --release-version 1.1.0 --seq 1"), code::CONFLICT);
    desk.json("release push r --image one");
    let elsewhere = |rest: &str| format!("release create --hardware vendor.example/fan --ask-server {rest}");
    desk.refused(&elsewhere("--image two --release-version 1.0.0"), code::CONFLICT);
    desk.json(&elsewhere("--image two --release-version 1.0.1 --out s"));

    desk.json(&create("--image two --release-version nightly-7 --out nightly"));
    let complaint = desk.refused("release sign nightly", code::POLICY);
    assert!(complaint.contains("--allow-non-semver"), "{complaint}");
    desk.json("release sign nightly --allow-non-semver");
}

#[test]
fn the_server_learns_what_people_call_the_hardware() {
    let (desk, clerk) = (Desk::ready(), crate::clerk::Clerk::open());
    let desk = desk.at(&clerk);
    desk.put("one", "1");
    let signed = desk.json(
        "release create --sign --image one --hardware vendor.example/pump --release-version 1.0.0 --out r",
    );
    desk.json("release push r --image one");
    let pushed: serde_json::Value =
        serde_json::from_slice(&clerk.asked("POST /api/v1/version-sets")[0].body).unwrap();
    let class = signed["hardware"][0].as_str().unwrap();
    assert_eq!(pushed["hardware_names"][class], "vendor.example/pump");
}
