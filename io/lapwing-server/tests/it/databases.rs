//! What holds only where the rows are in a database: it may be away, and servers may share it.
//!
//! Touches: a PostgreSQL of each test's own. Says in large letters when there is none to be had.

use crate::client::Request;
use crate::cluster::{Cluster, address, hand_over, store_in};
use crate::kills::{Acknowledged, LIFE_US_MAX, check, keep_busy, next_random};
use crate::world::{NOW, Wires, World, config, event, image, start};
use lapwing_core::AttemptId;
use lapwing_core::wire::report::{Detail, EventKind};
use rcgen::{CertificateParams, KeyPair};
use serde_json::json;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tempfile::TempDir;

const ROUNDS: u64 = 8;
/// What must happen within a second or two has happened by then, or never will.
const PATIENCE: Duration = Duration::from_secs(60);

async fn world(cluster: &Cluster) -> World {
    World::with(|config| config.store = Some(store_in(cluster.socket(), &config.data_dir))).await
}

pub(crate) fn skipped() {
    eprintln!("!!! SKIPPED: no PostgreSQL here; `cargo xtask test --only store` brings one");
}

/// Asks until `answer` is what it should be.
pub(crate) async fn until(mut asked: impl AsyncFnMut() -> bool) {
    let all = async { while !asked().await {} };
    tokio::time::timeout(PATIENCE, all).await.expect("it never came to be so");
}

/// Whether a change is taken.
async fn writes(world: &World) -> bool {
    let body = json!({ "count": 1, "expires_in_s": 60 }).to_string();
    world.manage("POST", "/api/v1/claim-tokens", body).await.status == 201
}

/// Whether the server knows the releases of all version sets, also of one whose answer went down with the database.
async fn knows_all(world: &World) -> bool {
    let listed = world.get("/api/v1/version-sets").await.expect(200).json();
    listed["version_sets"].as_array().unwrap().iter().all(|set| set["releases"] != json!([]))
}

#[tokio::test]
async fn while_the_database_is_away_devices_are_served_and_reports_wait_for_it() {
    let Some(mut cluster) = Cluster::new() else { return skipped() };
    let world = world(&cluster).await;
    let (old, new) = (image(1, 40_000), image(2, 40_000));
    world.push(1, "1.0.0", &old).await;
    let (device, other) = (world.device("d1").await, world.device("d2").await);
    world.push(2, "1.1.0", &new).await;
    let offered = world.offer(&device, &old).await.offer;
    world.check_in(&other, &other.idle(&new)).await.expect(200);

    cluster.kill();
    world.check_in(&other, &other.idle(&new)).await.expect(200);
    let again = world.offer(&device, &old).await.offer;
    assert_eq!((again.attempt, again.release), (offered.attempt, offered.release), "the offer stands");
    let artifact = world.device_plane(world.artifact_request(&device, offered.travel.artifact)).await;
    assert_eq!(artifact.expect(200).body.len() as u64, offered.travel.artifact_size_bytes);
    world.device_plane(Request::new("GET", "/v1/trust/root/1")).await.expect(200);
    world.device_plane(Request::new("GET", "/v1/trust/delegation")).await.expect(200);
    let told =
        [(1, EventKind::DownloadStarted), (2, EventKind::DownloadCompleted), (3, EventKind::InstallStarted)];
    let told = told.map(|(number, kind)| event(offered.attempt, number, kind, Detail::None));
    for event in &told {
        world.report(&device, &[*event]).await.expect(204);
    }
    let health = world.get("/healthz").await.expect(503).json();
    assert_eq!(health["reasons"][0]["code"], "database-away");
    world.get("/api/v1/version-sets").await.expect(503);
    world.manage("POST", "/api/v1/devices/d1/update-now", []).await.expect(503);

    cluster.start_again();
    let kept = async || {
        let listed = world.get("/api/v1/events?device=d1").await;
        let events =
            if listed.status == 200 { listed.json()["events"].as_array().unwrap().clone() } else { vec![] };
        events.iter().filter_map(|event| event["number"].as_u64()).collect::<Vec<_>>()
    };
    until(async || kept().await == [1, 2, 3]).await;
    until(async || world.get("/healthz").await.status == 200).await;
    world.report(&device, &told).await.expect(204);
    assert_eq!(kept().await, [1, 2, 3], "said twice, kept once");
    let after = world.offer(&device, &old).await.offer;
    assert_eq!(after.attempt, offered.attempt, "nothing was opened twice");
}

#[tokio::test]
async fn reports_that_wait_outlive_the_server() {
    let Some(mut cluster) = Cluster::new() else { return skipped() };
    let world = world(&cluster).await;
    let device = world.device("d1").await;
    world.check_in(&device, &device.idle(b"any")).await.expect(200);
    cluster.kill();
    for number in 1..=20 {
        let event = event(AttemptId::NONE, number, EventKind::CheckCompleted, Detail::None);
        world.report(&device, &[event]).await.expect(204);
    }
    let store = Some(address(cluster.socket(), world.dir.path()));
    let World { dir, server, clock, .. } = world;
    server.shutdown().await;
    cluster.start_again();
    let server = start(lapwing_server::Config { store, ..config(&dir) }, &clock).await.unwrap();
    let wires = Wires::new(dir.path(), server.management_addr(), server.device_addr());
    until(async || {
        let events = wires.manage("GET", "/api/v1/events?device=d1", []).await.expect(200).json();
        let numbers: Vec<_> =
            events["events"].as_array().unwrap().iter().filter_map(|e| e["number"].as_u64()).collect();
        numbers == (1..=20).collect::<Vec<_>>()
    })
    .await;
}

#[tokio::test]
async fn a_database_killed_under_load_loses_nothing_acknowledged_and_doubles_nothing() {
    let Some(mut cluster) = Cluster::new() else { return skipped() };
    let world = world(&cluster).await;
    let device = world.device("d1").await;
    let (mut next, mut said, mut state) = (1, Acknowledged::default(), 1_u64);
    for _ in 0..ROUNDS {
        let life = Duration::from_micros(next_random(&mut state) % LIFE_US_MAX);
        let busy = keep_busy(&world.wires, &world.keys, &device, &mut next, &mut said);
        assert!(tokio::time::timeout(life, busy).await.is_err(), "busy until the end");
        cluster.kill();
        cluster.start_again();
        until(async || writes(&world).await && knows_all(&world).await).await;
        check(&world, &said).await;
    }
}

#[tokio::test]
async fn servers_on_one_database_see_what_the_others_did() {
    let Some(cluster) = Cluster::new() else { return skipped() };
    let world = world(&cluster).await;
    let (old, new) = (image(1, 4_000), image(2, 4_000));
    world.push(1, "1.0.0", &old).await;
    let device = world.device("d1").await;
    world.check_in(&device, &device.idle(&old)).await.expect(200);

    let dir = TempDir::new().unwrap();
    let store = Some(store_in(cluster.socket(), world.dir.path()));
    let second = lapwing_server::Config { store, ..config(&dir) };
    let second = start(second, &Arc::new(AtomicU64::new(NOW))).await.unwrap();
    let there = Wires::new(dir.path(), second.management_addr(), second.device_addr());

    // Both change one device, each from what it holds in memory.
    there.manage("POST", "/api/v1/devices/d1/update-now", []).await.expect(204);
    world.check_in(&device, &device.idle(b"something else")).await.expect(200);
    there.manage("POST", "/api/v1/devices/d1/pin", r#"{"version":"1.0.0"}"#).await.expect(204);
    world.check_in(&device, &device.booted(&old, 7)).await.expect(200);
    let shown = |listed: serde_json::Value| (listed["update_now"].clone(), listed["pinned"].clone());
    for wires in [&world.wires, &there] {
        until(async || {
            let device = wires.manage("GET", "/api/v1/devices/d1", []).await.expect(200).json();
            shown(device) == (json!(true), json!("1.0.0"))
        })
        .await;
    }

    world.push(2, "1.1.0", &new).await;
    let path = "/api/v1/version-sets/1.1.0/withdraw";
    until(async || there.manage("POST", path, []).await.status == 204).await;
    world.manage("POST", "/api/v1/devices/d1/pin", r#"{"version":null}"#).await.expect(204);
    until(async || world.why(&device).await == "up-to-date").await;
    there.manage("DELETE", "/api/v1/devices/d1", []).await.expect(204);
    until(async || world.check_in(&device, &device.idle(&old)).await.status == 401).await;
    second.shutdown().await;
}

#[tokio::test]
async fn a_database_is_talked_to_in_secret_and_only_if_the_right_certificate_vouches_for_it() {
    let (key, stranger) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let certificate = |key: &KeyPair| {
        CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(key).unwrap().pem()
    };
    // The system chooses the port; nobody else is told of it in the moment between.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let settings = |dir: &Path| {
        let files = [("cert", certificate(&key)), ("key", key.serialize_pem())];
        let settings = files.map(|(name, text)| {
            let file = dir.join(name);
            std::fs::write(&file, text).unwrap();
            hand_over(&file);
            format!("ssl_{name}_file={}", file.display())
        });
        let other = ["ssl=on", "listen_addresses=127.0.0.1"].map(str::to_owned);
        settings.into_iter().chain(other).collect()
    };
    let Some(cluster) = Cluster::with(port, settings) else { return skipped() };
    let files = TempDir::new().unwrap();
    let trusting = |name: &str, key: &KeyPair| {
        let file = files.path().join(name);
        std::fs::write(&file, certificate(key)).unwrap();
        Some(file)
    };
    let (right, wrong) = (trusting("right", &key), trusting("wrong", &stranger));
    let at = |host: &str| Some(format!("postgres://lapwing@{host}:{port}/postgres"));
    let try_start = async |store: Option<String>, store_tls_ca: Option<PathBuf>| {
        let dir = TempDir::new().unwrap();
        let config = lapwing_server::Config { store, store_tls_ca, ..config(&dir) };
        start(config, &Arc::new(AtomicU64::new(NOW))).await
    };
    let server = try_start(at("localhost"), right.clone()).await.unwrap();
    let secret = "SELECT 1 / CAST(count(*) > 0 AND bool_and(ssl) AS INTEGER)
        FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'lapwing'";
    assert!(cluster.takes(secret), "a connection is not encrypted");
    server.shutdown().await;
    assert!(try_start(at("localhost"), wrong).await.is_err(), "another certificate");
    assert!(try_start(at("127.0.0.1"), right).await.is_err(), "another name");
}
