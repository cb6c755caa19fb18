//! Bills of materials and notes: they go in with a version set, and say who runs what.

use crate::world::{Keys, World, image, release};
use lapwing_core::{Digest, Release};
use serde_json::{Value, json};

fn bill(openssl: &str) -> String {
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "components": [
            { "type": "library", "name": "openssl", "version": openssl,
              "licenses": [{ "license": { "id": "Apache-2.0" } }] },
            { "type": "library", "name": "readline", "version": "8.2",
              "licenses": [{ "expression": "GPL-3.0-or-later WITH GCC-exception-3.1" }] },
        ],
    })
    .to_string()
}

/// A release that names a bill and notes.
fn documented(release: Release, bill: &[u8], notes: &[u8]) -> Release {
    Release {
        build: "ci-77".parse().ok(),
        sbom: Some(Digest::of(bill)),
        notes: Some(Digest::of(notes)),
        ..release
    }
}

async fn push(world: &World, keys: &Keys, release: &Release, status: u16) -> Value {
    world.push_envelopes(&[keys.signed(release)], false).await.expect(status).json()
}

#[tokio::test]
async fn a_bill_says_which_releases_and_devices_hold_a_component() {
    let world = World::new().await;
    let (old, new) = (image(1, 4_000), image(2, 4_000));
    let (bad, good) = (bill("3.0.11-1~deb12u2"), bill("3.0.20"));
    let notes = "Mends the pump.\n";
    world.upload(&old).await;
    world.upload(&new).await;
    let first = documented(release(1, "1.0.0", &old), bad.as_bytes(), notes.as_bytes());
    let missing = push(&world, &world.keys, &first, 422).await;
    assert_eq!(missing["type"], "urn:lapwing:problem:document-missing");
    for document in [&bad, &good, notes] {
        world.upload(document.as_bytes()).await;
    }
    let pushed = push(&world, &world.keys, &first, 201).await;
    let second = documented(release(2, "1.1.0", &new), good.as_bytes(), notes.as_bytes());
    push(&world, &world.keys, &second, 201).await;

    let shown = &pushed["releases"][0];
    assert_eq!(
        (&shown["build"], &shown["sbom"]),
        (&json!("ci-77"), &json!(Digest::of(bad.as_bytes()).to_string()))
    );
    let of = |what: &str| format!("/api/v1/releases/{}/{what}", shown["digest"].as_str().unwrap());
    let kept = world.get(&of("sbom")).await.expect(200).json();
    assert_eq!(kept, serde_json::from_str::<Value>(&bad).unwrap());
    assert_eq!(world.get(&of("notes")).await.expect(200).json()["notes"], notes);
    world.get(&format!("/api/v1/releases/{}/notes", Digest::of(b"nobody's"))).await.expect(404);

    let (device, other) = (world.device("d1").await, world.device("d2").await);
    world.check_in(&device, &device.idle(&old)).await.expect(200);
    world.check_in(&other, &other.idle(&new)).await.expect(200);
    let affected = async |query: &str| {
        let answer = world.get(&format!("/api/v1/affected?{query}")).await.expect(200).json();
        let of = |release: &Value| {
            (release["version"].clone(), release["running"].clone(), release["devices"].clone())
        };
        answer["releases"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    let on = |version: &str, device: &str| (json!(version), json!([device]), json!(1));
    assert_eq!(affected("component=openssl&version=%3C3.0.20").await, [on("1.0.0", "d1")]);
    assert_eq!(affected("component=openssl&version=%3E%3D3.0.20").await, [on("1.1.0", "d2")]);
    assert_eq!(affected("component=openssl&version=%3C3.0.9").await, []);
    assert_eq!(affected("component=OpenSSL").await, []);
    let both = [on("1.0.0", "d1"), on("1.1.0", "d2")];
    assert_eq!(affected("licence=gpl-3.0-OR-later").await, both);
    assert_eq!(affected("licence=apache-2.0&component=openssl").await, both);
    assert_eq!(affected("licence=apache-2.0&component=readline").await, []);
    assert_eq!(affected("licence=gpl-3.0").await, [], "a name is sought whole");
    world.check_in(&device, &device.idle(&new)).await.expect(200);
    assert_eq!(
        affected("component=openssl&version=%3C3.0.20").await,
        [(json!("1.0.0"), json!([]), json!(0))]
    );
    for wrong in ["", "?version=1", "?component=openssl&version=%3C", "?component=", "?licence=%20"] {
        world.get(&format!("/api/v1/affected{wrong}")).await.expect(400);
    }

    // They outlive a start that sweeps what nothing names.
    world.advance(2 * crate::world::DAY);
    let world = world.restart().await;
    world.get(&of("sbom")).await.expect(200);
}

#[tokio::test]
async fn documents_that_are_not_what_they_should_be_publish_nothing() {
    let world = World::new().await;
    let image = image(1, 4_000);
    world.upload(&image).await;
    let check = async |bill: &[u8], notes: &[u8], status, kind: &str| {
        world.upload(bill).await;
        world.upload(notes).await;
        let release = documented(release(1, "1.0.0", &image), bill, notes);
        let refused = push(&world, &world.keys, &release, status).await;
        assert_eq!(refused["type"], format!("urn:lapwing:problem:{kind}"), "{refused}");
    };
    check(b"{}", b"notes", 422, "document").await;
    check(bill("1").as_bytes(), b"\xff\xfe", 422, "document").await;
    check(bill("1").as_bytes(), &vec![b'x'; 70_000], 413, "document-too-large").await;
    assert_eq!(world.get("/api/v1/version-sets").await.expect(200).json()["version_sets"], json!([]));
}
