//! Artifacts made in processes of their own, which may die, lie or be left alone.
//!
//! Touches: this test binary started again as the worker, shells that misbehave, each of which ends by itself.

use crate::world::{World, image};
use lapwing_core::Digest;
use lapwing_core::cbor::decode;
use lapwing_core::wire::answer::{Answer, WaitReason};
use lapwing_server::Worker;
use std::io::Write;
use std::process::{Command, Stdio};

/// Not a test: the worker that the tests below start.
#[test]
#[ignore = "started by the tests that need a worker"]
fn work() {
    std::process::exit(if lapwing_server::delta_worker() == std::process::ExitCode::SUCCESS { 0 } else { 1 });
}

fn arguments() -> [&'static str; 4] {
    ["--ignored", "--exact", "workers::work", "--nocapture"]
}

fn honest() -> Worker {
    let program = std::env::current_exe().unwrap();
    Worker { program, arguments: arguments().map(Into::into).to_vec() }
}

fn shell(script: &str) -> Worker {
    Worker { program: "/bin/sh".into(), arguments: vec!["-c".into(), script.into()] }
}

/// A fleet with one device on 1.0.0, and 1.1.0 pushed for it.
async fn waiting_for_a_delta(worker: Worker) -> (World, crate::world::Device, Vec<u8>) {
    waiting_in(World::with_worker(worker).await).await
}

async fn waiting_in(world: World) -> (World, crate::world::Device, Vec<u8>) {
    let old = image(1, 60_000);
    let mut new = old.clone();
    new.splice(30_000..30_010, *b"some other bytes in the midst");
    world.push(1, "1.0.0", &old).await;
    let device = world.device("d1").await;
    world.check_in(&device, &device.asking(&old)).await.expect(200);
    world.push(2, "1.1.0", &new).await;
    (world, device, old)
}

#[tokio::test]
async fn the_delta_that_the_fleet_will_want_is_made_at_publish_by_a_worker() {
    let (world, device, old) = waiting_for_a_delta(honest()).await;
    world.server.artifacts_settled().await;
    assert!(world.metric("lapwing_artifacts_made_total{kind=\"delta\"} 1").await, "before anybody asked");
    let travel = world.offer(&device, &old).await.offer.travel;
    assert_eq!(travel.from, Some(Digest::of(&old).short()));
    let fetched = world.device_plane(world.artifact_request(&device, travel.artifact)).await.expect(200);
    assert_eq!(Digest::of(&fetched.body), travel.artifact);
}

#[tokio::test]
async fn a_worker_that_dies_is_started_again() {
    let flag = tempfile::tempdir().unwrap();
    let path = |name: &str| flag.path().join(name).display().to_string();
    let real = std::env::current_exe().unwrap();
    let script = format!(
        "if mkdir {} 2>/dev/null; then kill -9 $$; fi; exec {} {}",
        path("died"),
        real.display(),
        arguments().join(" ")
    );
    let (world, device, old) = waiting_for_a_delta(shell(&script)).await;
    assert!(world.offer(&device, &old).await.offer.travel.from.is_some());
    assert!(world.metric("lapwing_delta_workers_died_total 1").await);
}

#[tokio::test]
async fn workers_that_always_die_are_given_up_and_tried_again_later() {
    let (world, device, old) = waiting_for_a_delta(shell("kill -9 $$")).await;
    world.server.artifacts_settled().await;
    assert!(
        world.metric("lapwing_delta_workers_died_total 6").await,
        "three for the delta, three for the image"
    );
    let answered = world.check_in(&device, &device.asking(&old)).await.expect(200);
    let Ok(Answer::Wait { reason, .. }) = decode(&answered.body) else { panic!("wait") };
    assert_eq!(reason, WaitReason::Preparing);
    world.server.artifacts_settled().await;
    assert!(world.metric("lapwing_delta_workers_died_total 6").await, "it rests");
    world.advance(3_600);
    world.check_in(&device, &device.asking(&old)).await.expect(200);
    world.server.artifacts_settled().await;
    assert!(!world.metric("lapwing_delta_workers_died_total 6").await, "and is tried again");
}

#[tokio::test]
async fn a_worker_that_was_stopped_is_killed_and_counted_and_its_place_is_free() {
    let flag = tempfile::tempdir().unwrap();
    let script = format!(
        "if mkdir {} 2>/dev/null; then kill -STOP $$; fi; exec {} {}",
        flag.path().join("stopped").display(),
        std::env::current_exe().unwrap().display(),
        arguments().join(" ")
    );
    let (world, _, _) = waiting_in(World::with_worker_for(shell(&script), 5).await).await;
    world.server.artifacts_settled().await;
    assert!(world.metric("lapwing_delta_workers_died_total 1").await);
    assert!(world.metric("lapwing_artifacts_made_total{kind=\"full\"} 1").await, "by the next worker");
}

#[tokio::test]
async fn a_worker_that_was_stopped_does_not_keep_the_server_from_ending() {
    let (world, _, _) = waiting_for_a_delta(shell("kill -STOP $$")).await;
    world.server.shutdown().await;
}

#[tokio::test]
async fn what_a_worker_made_wrong_is_not_published() {
    let script = r#"read -r job; out=${job#*'"out":"'}; printf garbage >"${out%%'"'*}""#;
    let (world, device, old) = waiting_for_a_delta(shell(script)).await;
    world.server.artifacts_settled().await;
    let answered = world.check_in(&device, &device.asking(&old)).await.expect(200);
    assert!(matches!(decode(&answered.body), Ok(Answer::Wait { .. })));
    let kept = world.get("/api/v1/retention").await.expect(200).json();
    assert_eq!(kept["artifacts"].as_array().unwrap().len(), 0);
    assert!(world.metric("lapwing_delta_workers_died_total 0").await, "they did their work, badly");
    assert_eq!(std::fs::read_dir(world.dir.path().join("blobs/drafts")).unwrap().count(), 0);
}

#[test]
fn a_worker_ends_with_its_server() {
    let dir = tempfile::tempdir().unwrap();
    let never_written = dir.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&never_written).status().unwrap().success());
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(arguments())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let job = serde_json::json!({
        "base": null, "target": never_written, "profile": 1, "out": dir.path().join("out"), "memory_bytes": 1_000_000,
    });
    let mut leash = child.stdin.take().unwrap();
    writeln!(leash, "{job}").unwrap();
    drop(leash);
    assert!(!child.wait().unwrap().success(), "it would wait for its image for ever");
}
