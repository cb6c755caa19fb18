//! Trust documents, blobs and version sets: what gets in, and that nothing gets half in.

use crate::world::{DAY, FLEET, NOW, World, config, image, release, sign, start};
use ed25519_dalek::SigningKey;
use lapwing_core::envelope::Kind;
use lapwing_core::trust::{PublicKey, RoleName};
use lapwing_core::{Digest, Release};
use lapwing_server::StartError;
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tempfile::TempDir;

async fn versions(world: &World) -> Vec<String> {
    let listed = world.get("/api/v1/version-sets").await.expect(200).json();
    let sets = listed["version_sets"].as_array().unwrap().clone();
    sets.iter()
        .map(|set| format!("{} {}", set["version"].as_str().unwrap(), set["state"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_version_set_is_refused_for_its_own_reason_and_leaves_nothing() {
    let world = World::new().await;
    let (one, two) = (image(1, 1_000), image(2, 1_000));
    world.push(5, "1.0.0", &one).await;
    world.upload(&two).await;
    let refused = |releases: Vec<Release>, status, code: &'static str| {
        let envelopes: Vec<_> = releases.iter().map(|release| world.signed(release)).collect();
        let world = &world;
        async move {
            let problem = world.push_envelopes(&envelopes, false).await.expect(status).json();
            assert_eq!(problem["type"], format!("urn:lapwing:problem:{code}"));
        }
    };
    let good = release(6, "1.1.0", &two);
    let other =
        |seq, version: &str| Release { component: "other".parse().unwrap(), ..release(seq, version, &two) };
    refused(vec![release(6, "1.1.0", b"never uploaded")], 422, "image-missing").await;
    refused(vec![Release { image_size_bytes: 1, ..good.clone() }], 422, "image-size").await;
    refused(vec![release(5, "1.1.0", &two)], 409, "seq-not-newer").await;
    refused(vec![release(6, "1.0.0", &two)], 409, "duplicate").await;
    refused(vec![good.clone(), other(1, "1.2.0")], 422, "mixed-versions").await;
    refused(vec![good.clone(), good.clone()], 422, "twice").await;
    refused(vec![other(1, "1.1.0"), release(6, "1.1.0", b"never uploaded")], 422, "image-missing").await;
    let stranger = SigningKey::from_bytes(&[42; 32]);
    let forged = sign(Kind::Release, &stranger, &good);
    world.push_envelopes(&[forged], false).await.expect(422);
    world.push_envelopes(&[b"garbage".to_vec()], false).await.expect(422);
    assert_eq!(versions(&world).await, ["1.0.0 open"]);

    let both = [world.signed(&good), world.signed(&other(1, "1.1.0"))];
    let pushed = world.push_envelopes(&both, false).await.expect(201).json();
    assert_eq!(pushed["releases"].as_array().unwrap().len(), 2);
    assert_eq!(world.push_envelopes(&both, false).await.expect(200).json(), pushed, "again is not twice");
}

#[tokio::test]
async fn a_held_version_set_waits_and_a_withdrawn_one_is_gone() {
    let world = World::new().await;
    let (old, new) = (image(1, 1_000), image(2, 1_000));
    world.push(1, "1.0.0", &old).await;
    let device = world.device("d1").await;
    world.check_in(&device, &device.idle(&old)).await.expect(200);
    world.upload(&new).await;
    world.push_envelopes(&[world.signed(&release(2, "1.1.0", &new))], true).await.expect(201);
    assert_eq!(world.why(&device).await, "up-to-date");
    world.manage("POST", "/api/v1/version-sets/1.1.0/release", []).await.expect(204);
    assert_eq!(world.why(&device).await, "offered");
    world.offer(&device, &old).await;
    world.manage("POST", "/api/v1/version-sets/1.1.0/withdraw", []).await.expect(204);
    assert_eq!(world.why(&device).await, "up-to-date");
    world.manage("POST", "/api/v1/version-sets/9.9.9/withdraw", []).await.expect(404);
    assert_eq!(versions(&world).await, ["1.0.0 open", "1.1.0 withdrawn"]);
    let world = world.restart().await;
    assert_eq!(versions(&world).await, ["1.0.0 open", "1.1.0 withdrawn"]);
}

#[tokio::test]
async fn a_pinned_device_gets_its_version_and_no_other() {
    let world = World::new().await;
    for (seq, version) in [(1, "1.0.0"), (2, "1.1.0"), (3, "1.2.0")] {
        world.push(seq, version, &image(seq as u8, 1_000)).await;
    }
    let device = world.device("d1").await;
    world.manage("POST", "/api/v1/devices/d1/pin", "{\"version\":\"1.1.0\"}").await.expect(204);
    assert_eq!(world.offer(&device, &image(1, 1_000)).await.release.seq, 2);
    world.check_in(&device, &device.idle(&image(2, 1_000))).await.expect(200);
    assert_eq!(world.why(&device).await, "pinned");
    world.manage("POST", "/api/v1/devices/d1/pin", "{\"version\":null}").await.expect(204);
    assert_eq!(world.why(&device).await, "offered");
}

#[tokio::test]
async fn a_blob_is_kept_only_under_its_own_name() {
    let world = World::with(|config| config.image_bytes_max = 10_000).await;
    let path = |bytes: &[u8]| format!("/api/v1/blobs/{}", Digest::of(bytes));
    let put = |path: String, body: Vec<u8>| {
        let world = &world;
        async move { world.manage("PUT", &path, body).await }
    };
    put(path(b"one"), b"two".to_vec()).await.expect(422);
    put(path(b"one"), b"one".to_vec()).await.expect(201);
    put(path(b"one"), b"one".to_vec()).await.expect(204);
    let large = vec![7; 10_001];
    put(path(&large), large.clone()).await.expect(413);
    let drafts = world.dir.path().join("blobs/drafts");
    assert_eq!(std::fs::read_dir(drafts).unwrap().count(), 0);
}

#[tokio::test]
async fn trust_documents_follow_one_another() {
    let world = World::new().await;
    let put = |path: &'static str, body: Vec<u8>| world.manage("PUT", path, body);
    put("/api/v1/trust/root", b"garbage".to_vec()).await.expect(422);
    let held = world.device_plane(crate::client::Request::new("GET", "/v1/trust/root/1")).await.expect(200);
    put("/api/v1/trust/root", held.body).await.expect(200);
    let newer = world.delegation(2, NOW - DAY, NOW + 90 * DAY).await;
    let identity = put("/api/v1/trust/delegation", newer.clone()).await.expect(200).json();
    assert_eq!(identity["delegation_version"], 2);
    assert_eq!(identity["fleet"], FLEET.to_string());
    put("/api/v1/trust/delegation", newer).await.expect(200);
    let older = world.delegation(1, NOW - DAY, NOW + 90 * DAY).await;
    put("/api/v1/trust/delegation", older).await.expect(422);
    let other = world.delegation(2, NOW - DAY, NOW + 91 * DAY).await;
    put("/api/v1/trust/delegation", other).await.expect(422);
    let endless = world.delegation(3, NOW, NOW + 101 * DAY).await;
    put("/api/v1/trust/delegation", endless).await.expect(422);
    put("/api/v1/trust/root", vec![0; 4_000]).await.expect(413);
}

#[tokio::test]
async fn a_server_with_a_release_key_in_reach_does_not_start() {
    let dir = TempDir::new().unwrap();
    let text =
        "lapwing-private-key 1\nrole = \"release\"\nalgorithm = \"ed25519\"\npublic = \"\"\nsecret = \"\"\n";
    std::fs::write(dir.path().join("forgotten.key"), text).unwrap();
    let clock = Arc::new(AtomicU64::new(NOW));
    assert!(matches!(start(config(&dir), &clock).await, Err(StartError::Key(_))));
    std::fs::remove_file(dir.path().join("forgotten.key")).unwrap();
    start(config(&dir), &clock).await.unwrap().shutdown().await;
}

#[tokio::test]
async fn a_root_document_that_drops_a_release_key_too_early_is_refused() {
    let world = World::new().await;
    world.push(1, "1.0.0", &image(1, 1_000)).await;
    let anchor = &world.anchor;
    let release = world.get("/api/v1/version-sets").await.expect(200).json();
    let release = release["version_sets"][0]["releases"][0]["digest"].as_str().unwrap().to_owned();
    let signatures = format!("/api/v1/releases/{release}/signatures");
    let key = anchor.root().keys_of(RoleName::Release).next().unwrap().id().to_string();
    let signed_by = world.get(&signatures).await.expect(200).json();
    assert_eq!(signed_by, json!([{ "key": key, "algorithm": "ed25519", "believed": true }]));
    let fresh = PublicKey::ed25519(SigningKey::from_bytes(&[99; 32]).verifying_key().as_bytes());
    let mut next = anchor.root().clone();
    next.version = 2;
    next.keys[1] = fresh.clone();
    let signed = sign(Kind::Root, &world.keys.root, &next);
    world.manage("PUT", "/api/v1/trust/root", signed).await.expect(409);
    next.limits.emergency = true;
    let signed = sign(Kind::Root, &world.keys.root, &next);
    let identity = world.manage("PUT", "/api/v1/trust/root", signed).await.expect(200).json();
    let role = |name: &str| {
        identity["roles"].as_array().unwrap().iter().find(|role| role["role"] == name).unwrap().clone()
    };
    let keys = json!([{ "id": fresh.id().to_string(), "algorithm": "ed25519" }]);
    let release_role = role("release");
    assert_eq!((&release_role["threshold"], &release_role["keys"]), (&json!(1), &keys));
    assert_eq!(release_role["not_after"], next.not_after.0);
    world.get(&signatures).await.expect(404);
}
