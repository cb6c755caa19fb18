//! Reports, and what becomes of attempts.

use crate::world::{Device, World, event, image};
use lapwing_core::AttemptId;
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::check_in::Gate;
use lapwing_core::wire::report::{Detail, EventKind};

/// A world with two releases and a device that was offered the second.
async fn offered() -> (World, Device, AttemptId, [Vec<u8>; 2]) {
    let world = World::new().await;
    let images = [image(1, 4_000), image(2, 4_000)];
    world.push(1, "1.0.0", &images[0]).await;
    world.push(2, "1.1.0", &images[1]).await;
    let device = world.device("d1").await;
    let attempt = world.offer(&device, &images[0]).await.offer.attempt;
    (world, device, attempt, images)
}

async fn state(world: &World) -> String {
    let shown = world.get("/api/v1/devices/d1").await.expect(200).json();
    shown["attempts"][0]["state"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_report_may_come_twice() {
    let (world, device, attempt, _) = offered().await;
    let events = [
        event(attempt, 1, EventKind::DownloadStarted, Detail::Amount(4_000)),
        event(attempt, 2, EventKind::DownloadProgress, Detail::Amount(40)),
        event(attempt, 3, EventKind::RollbackTriggered, Detail::Cause(Cause::HealthFailed)),
        event(attempt, 4, EventKind::RollbackCompleted, Detail::None),
    ];
    for _ in 0..3 {
        world.report(&device, &events).await.expect(204);
    }
    let logged = world.events_named("update.rollback.triggered").await;
    assert_eq!(logged.len(), 1);
    assert_eq!((&logged[0]["cause"], &logged[0]["blame"]), (&"health-failed".into(), &"image".into()));
    assert_eq!(world.events_named("update.download.progress").await.len(), 1);
    assert_eq!(state(&world).await, "rolled-back");
    assert!(world.metric("firmware_rollback_count{target_version=\"1.1.0\"} 1").await);
    assert_eq!(world.why(&device).await, "failed-here");
}

#[tokio::test]
async fn a_person_can_have_a_failed_release_tried_again() {
    let (world, device, attempt, images) = offered().await;
    let failed = event(attempt, 1, EventKind::RollbackCompleted, Detail::Cause(Cause::SilentStarts));
    world.report(&device, &[failed]).await.expect(204);
    let answer = world.check_in(&device, &device.idle(&images[0])).await.expect(200);
    assert_eq!(answer.body[1], 0, "nothing is offered");
    world.manage("POST", "/api/v1/devices/d1/retry", []).await.expect(204);
    let again = world.offer(&device, &images[0]).await.offer;
    assert_ne!(again.attempt, attempt);
}

#[tokio::test]
async fn without_blame_the_release_comes_back_after_a_while() {
    let (world, device, attempt, images) = offered().await;
    let failed = event(attempt, 1, EventKind::AttemptFailed, Detail::Cause(Cause::DiskFull));
    world.report(&device, &[failed]).await.expect(204);
    assert_eq!(world.why(&device).await, "back-off");
    world.advance(6 * 600 - 1);
    assert_eq!(world.why(&device).await, "back-off", "room is not made by waiting a little");
    world.advance(1);
    assert_ne!(world.offer(&device, &images[0]).await.offer.attempt, attempt);
}

#[tokio::test]
async fn nobody_reports_for_another() {
    let (world, _, attempt, _) = offered().await;
    let other = world.device("d2").await;
    world.report(&other, &[event(attempt, 1, EventKind::Confirmed, Detail::None)]).await.expect(204);
    assert_eq!(state(&world).await, "offered");
    assert!(world.events_named("update.confirmed").await.is_empty());
    let loose = event(AttemptId::NONE, 1, EventKind::CheckStarted, Detail::None);
    world.report(&other, &[loose]).await.expect(204);
    assert_eq!(world.events_named("update.check.started").await[0]["device"], "d2");
}

#[tokio::test]
async fn a_rollback_after_a_reported_success_is_seen_by_what_runs() {
    let (world, device, attempt, images) = offered().await;
    let confirmed = event(attempt, 1, EventKind::Confirmed, Detail::None);
    world.report(&device, &[confirmed]).await.expect(204);
    world.check_in(&device, &device.idle(&images[1])).await.expect(200);
    assert_eq!(state(&world).await, "confirmed");
    world.check_in(&device, &device.idle(&images[0])).await.expect(200);
    assert_eq!(state(&world).await, "rolled-back");
    assert_eq!(world.events_named("update.rollback.completed").await.len(), 1);
    assert!(world.metric("firmware_rollback_count{target_version=\"1.1.0\"} 1").await);
    assert!(world.metric("lapwing_rollbacks_after_confirm_total{target_version=\"1.1.0\"} 1").await);
}

#[tokio::test]
async fn silence_beyond_the_deadline_counts_and_late_evidence_still_does() {
    let (world, device, attempt, images) = offered().await;
    world.advance(86_401);
    let world = world.restart().await;
    assert_eq!(state(&world).await, "timed-out");
    world.manage("POST", "/api/v1/clock/confirm", []).await.expect(200);
    assert_eq!(world.offer(&device, &images[0]).await.offer.attempt, attempt, "it goes on");
    world.report(&device, &[event(attempt, 1, EventKind::Confirmed, Detail::None)]).await.expect(204);
    assert_eq!(state(&world).await, "confirmed");
    assert_eq!(world.events_named("attempt.timed-out").await.len(), 1);
}

#[tokio::test]
async fn a_device_newer_than_the_server_is_heard_all_the_same() {
    let (world, device, attempt, _) = offered().await;
    let newer = [
        event(attempt, 1, EventKind::from_code(99), Detail::Gate(Gate::from_code(200))),
        event(attempt, 2, EventKind::AttemptFailed, Detail::Cause(Cause::from_code(999))),
    ];
    world.report(&device, &newer).await.expect(204);
    assert_eq!(state(&world).await, "failed");
    let said = world.events_named("update.unknown").await;
    assert_eq!((said.len(), said[0]["detail"].as_str()), (1, Some("event 99 gate 200")));
    let failed = world.events_named("update.failed").await;
    assert_eq!(
        (failed[0]["cause"].as_str(), failed[0]["detail"].as_str()),
        (Some("unknown"), Some("cause 999"))
    );
}

#[tokio::test]
async fn events_are_read_page_by_page() {
    let (world, ..) = offered().await;
    let all = world.events().await;
    assert!(all.len() >= 3, "two pushes and an attempt");
    let first = world.get("/api/v1/events?limit=1").await.expect(200).json();
    assert_eq!(first["events"][0], all[0]);
    let path = format!("/api/v1/events?cursor={}&limit=1", all[0]["id"]);
    assert_eq!(world.get(&path).await.expect(200).json()["events"][0], all[1]);
    let of_device = world.get("/api/v1/events?device=d1").await.expect(200).json();
    assert_eq!(of_device["events"].as_array().unwrap().len(), 1);
    world.get("/api/v1/events?cursor=x").await.expect(400);
    world.get("/api/v1/events?odd=1").await.expect(400);
}
