//! Check-ins: what an idle one costs, what one that wants something gets.

use crate::world::{DAY, NONCE, NOW, World, event, image};
use lapwing_core::cbor::decode;
use lapwing_core::wire::answer::{Answer, Ask, Urgency, WaitReason};
use lapwing_core::wire::check_in::{CheckIn, Gate};
use lapwing_core::wire::report::{Detail, EventKind};
use lapwing_core::{Digest, TrustAnchor};
use lapwing_delta::{ApplyError, Base, Header, NoScratch, PortError, Ports, Target, apply};
use std::ops::ControlFlow;

#[tokio::test]
async fn a_device_claims_checks_in_is_offered_fetches_and_confirms() {
    let world = World::new().await;
    let (old, new) = (image(1, 20_000), image(2, 20_000));
    world.push(1, "1.0.0", &old).await;
    let device = world.device("d1").await;

    let idle = world.check_in(&device, &device.idle(&old)).await.expect(200);
    assert_eq!(decode(&idle.body), Ok(Answer::Nothing { next_check_in_s: 3_600 }));

    let release = world.push(2, "1.1.0", &new).await;
    let asked = world.check_in(&device, &device.idle(&old)).await.expect(200);
    assert_eq!(decode(&asked.body), Ok(Answer::Ask(Ask { nonce: true, facts: false })));

    let offered = world.offer(&device, &old).await;
    assert_eq!(offered.release, release);
    assert_eq!(offered.offer.now.0, NOW);
    let travel = offered.offer.travel;
    let artifact = world.device_plane(world.artifact_request(&device, travel.artifact)).await.expect(200);
    assert_eq!(artifact.body.len() as u64, travel.artifact_size_bytes);
    assert_eq!(Digest::of(&artifact.body), travel.artifact);

    let again = world.offer(&device, &old).await;
    assert_eq!(again.offer, offered.offer, "the same attempt goes on");

    let done = event(offered.offer.attempt, 1, EventKind::Confirmed, Detail::None);
    world.report(&device, &[done]).await.expect(204);
    let shown = world.get("/api/v1/devices/d1").await.expect(200).json();
    assert_eq!(shown["attempts"][0]["state"], "confirmed");
    world.check_in(&device, &device.idle(&new)).await.expect(200);
    assert_eq!(world.why(&device).await, "up-to-date");
}

#[tokio::test]
async fn update_now_is_urgent_for_as_long_as_the_device_watches_its_last_update() {
    let world = World::new().await;
    let (old, new) = (image(1, 20_000), image(2, 20_000));
    world.push(1, "1.0.0", &old).await;
    let device = world.device("d1").await;
    world.check_in(&device, &device.asking(&old)).await.expect(200);
    world.push(2, "1.1.0", &new).await;
    let gates = [Gate::Watching].into_iter().collect();
    let watching = CheckIn { gates, ..device.asking(&old) };
    world.check_in(&device, &watching).await.expect(200);
    assert_eq!(world.why(&device).await, "gate");
    world.manage("POST", "/api/v1/devices/d1/update-now", []).await.expect(204);
    for _ in 0..2 {
        let urgent = world.offer_to(&device, &watching).await;
        assert_eq!(urgent.offer.urgency, Urgency::Now, "the first may have been lost");
    }
    assert_eq!(world.offer(&device, &old).await.offer.urgency, Urgency::Now);
    assert_eq!(world.offer(&device, &old).await.offer.urgency, Urgency::Routine, "it was free to take it");
}

#[tokio::test]
async fn idle_check_ins_write_nothing_and_are_seen_all_the_same() {
    let world = World::new().await;
    let old = image(1, 1_000);
    world.push(1, "1.0.0", &old).await;
    let device = world.device("d1").await;
    world.check_in(&device, &device.idle(&old)).await.expect(200);
    let before = world.server.store_writes();
    for _ in 0..50 {
        world.advance(1);
        world.check_in(&device, &device.idle(&old)).await.expect(200);
        world.check_in(&device, &device.asking(&old)).await.expect(200);
    }
    assert_eq!(world.server.store_writes(), before);
    let shown = world.get("/api/v1/devices/d1").await.expect(200).json();
    assert_eq!(shown["last_seen"], NOW + 50);
    let world = world.restart().await;
    let shown = world.get("/api/v1/devices/d1").await.expect(200).json();
    assert_eq!(shown["last_seen"], NOW + 50, "kept over a restart");
}

#[tokio::test]
async fn a_nonce_gets_a_status_signed_for_this_device_and_nonce() {
    let world = World::new().await;
    let old = image(1, 1_000);
    world.push(1, "1.0.0", &old).await;
    let device = world.device("d1").await;
    let answered = world.check_in(&device, &device.asking(&old)).await.expect(200);
    let Ok(Answer::Status(status)) = decode(&answered.body) else { panic!("a status") };
    let (status, _) = world.anchor.open_status(status, &"d1".parse().unwrap(), NONCE).unwrap();
    assert_eq!((status.now.0, status.next_check_in_s), (NOW, 3_600));
    let Ok(Answer::Status(bytes)) = decode(&answered.body) else { panic!("a status") };
    assert!(world.anchor.open_status(bytes, &"d2".parse().unwrap(), NONCE).is_err());
}

#[tokio::test]
async fn a_device_with_older_trust_documents_is_told_to_catch_up_and_can() {
    let world = World::new().await;
    let device = world.device("d1").await;
    let behind = CheckIn { delegation_version: 0, ..device.idle(b"any") };
    let told = world.check_in(&device, &behind).await.expect(200);
    assert_eq!(decode(&told.body), Ok(Answer::CatchUp { root: 1, delegation: 1 }));
    let get = |path: &str| world.device_plane(crate::client::Request::new("GET", path));
    let root = get("/v1/trust/root/1").await.expect(200);
    let delegation = get("/v1/trust/delegation").await.expect(200);
    let anchor = TrustAnchor::provisioned(&root.body).unwrap().delegate(&delegation.body).unwrap();
    assert_eq!(anchor, world.anchor);
    get("/v1/trust/root/2").await.expect(404);
    get("/v1/trust/root/x").await.expect(404);
}

#[tokio::test]
async fn people_get_json() {
    let world = World::new().await;
    let device = world.device("d1").await;
    let request = crate::world::cbor("/v1/check-in", &device.asking(b"any"))
        .header("Authorization", device.basic())
        .header("Accept", "application/json");
    let answer = world.device_plane(request).await.expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.json()["answer"], "status");
}

#[tokio::test]
async fn two_boots_that_alternate_are_a_clone() {
    let world = World::new().await;
    let old = image(1, 1_000);
    let device = world.device("d1").await;
    for boot in [1, 1, 2, 3, 3] {
        let answered = world.check_in(&device, &device.booted(&old, boot)).await.expect(200);
        assert!(matches!(decode(&answered.body), Ok(Answer::Status(_))), "boot {boot}");
    }
    let answered = world.check_in(&device, &device.booted(&old, 2)).await.expect(200);
    let Ok(Answer::Wait { reason, .. }) = decode(&answered.body) else { panic!("wait") };
    assert_eq!(reason, WaitReason::Quarantined);
    assert_eq!(world.why(&device).await, "quarantined");
    assert_eq!(world.events_named("device.quarantined").await.len(), 1);
    assert!(world.metric("lapwing_clones_total 1").await);
    let why = world.get("/api/v1/devices/d1/why").await.expect(200).json();
    assert!(why["sentence"].as_str().unwrap().contains("a clone"), "{why}");
    assert!(why["advice"].as_str().unwrap().contains("device admit"), "{why}");

    world.manage("POST", "/api/v1/devices/d1/admit", []).await.expect(204);
    for boot in [2, 3] {
        world.check_in(&device, &device.booted(&old, boot)).await.expect(200);
        assert_ne!(world.why(&device).await, "quarantined", "boot {boot}");
    }
    world.check_in(&device, &device.booted(&old, 2)).await.expect(200);
    assert_eq!(world.why(&device).await, "quarantined", "the clone is still there");
}

#[tokio::test]
async fn nothing_is_signed_after_a_clock_jump_until_a_person_confirms() {
    let world = World::new().await;
    let device = world.device("d1").await;
    let asks = || async {
        let answered = world.check_in(&device, &device.asking(b"any")).await.expect(200);
        match decode(&answered.body) {
            Ok(Answer::Status(_)) => "status",
            Ok(Answer::Wait { reason: WaitReason::Busy, .. }) => "busy",
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(asks().await, "status");
    world.advance(3_601);
    assert_eq!(asks().await, "busy");
    let health = world.get("/healthz").await.expect(503);
    assert_eq!(health.json()["reasons"][0]["code"], "clock-jump");
    assert_eq!(health.json()["clock_jump"]["to"], NOW + 3_601);
    world.manage("POST", "/api/v1/clock/confirm", []).await.expect(200);
    assert_eq!(asks().await, "status");
    world.get("/healthz").await.expect(200);

    let world = world.restart().await;
    world.advance(3_601);
    assert_eq!(world.get("/healthz").await.status, 503, "remembered over a restart");
}

#[tokio::test]
async fn the_end_of_the_delegation_is_announced_and_then_nothing_is_signed() {
    let world = World::with(|config| config.clock_jump_s_max = u32::MAX).await;
    let check = |advance: u64, state: &'static str, alarm: Option<u64>| {
        world.advance(advance);
        let world = &world;
        async move {
            let health = world.get("/healthz").await.json();
            assert_eq!((&health["state"], &health["delegation_alarm_days"]), (&state.into(), &alarm.into()));
            let ends = |reason: &serde_json::Value| reason["code"] == "delegation-ends";
            assert_eq!(health["reasons"].as_array().unwrap().iter().any(ends), alarm.is_some());
        }
    };
    check(0, "ok", None).await;
    check(30 * DAY, "degraded", Some(30)).await;
    check(16 * DAY, "degraded", Some(14)).await;
    check(7 * DAY, "degraded", Some(7)).await;
    check(8 * DAY, "failing", Some(7)).await;
    assert!(world.metric("lapwing_delegation_left_seconds 0").await);
}

#[tokio::test]
async fn an_attempt_survives_a_restart_with_its_artifact() {
    let world = World::new().await;
    let (old, new) = (image(1, 20_000), image(2, 20_000));
    world.push(1, "1.0.0", &old).await;
    world.push(2, "1.1.0", &new).await;
    let device = world.device("d1").await;
    let before = world.offer(&device, &old).await.offer;
    let world = world.restart().await;
    assert_eq!(world.offer(&device, &old).await.offer, before);
    let fetched = world.device_plane(world.artifact_request(&device, before.travel.artifact)).await;
    assert_eq!(Digest::of(&fetched.expect(200).body), before.travel.artifact);
}

#[tokio::test]
async fn a_published_base_gets_a_delta_that_makes_the_image() {
    let world = World::new().await;
    let old = image(1, 60_000);
    let mut new = old.clone();
    new.splice(30_000..30_010, *b"some other bytes in the midst");
    world.push(1, "1.0.0", &old).await;
    world.push(2, "1.1.0", &new).await;
    let device = world.device("d1").await;
    let travel = world.offer(&device, &old).await.offer.travel;
    assert_eq!(travel.from, Some(Digest::of(&old).short()));
    assert!(travel.artifact_size_bytes < 2_000, "{}", travel.artifact_size_bytes);
    let artifact = world.device_plane(world.artifact_request(&device, travel.artifact)).await.expect(200);
    assert_eq!(applied(&old, &artifact.body).unwrap(), new);

    let stranger = world.device("d2").await;
    let full = world.offer(&stranger, b"an image that nobody published").await.offer.travel;
    assert_eq!(full.from, None);
}

#[tokio::test]
async fn a_delta_that_fails_on_a_device_is_followed_by_the_full_image() {
    use lapwing_core::wire::cause::Cause;
    let world = World::new().await;
    let old = image(1, 60_000);
    let mut new = old.clone();
    new.truncate(59_000);
    world.push(1, "1.0.0", &old).await;
    world.push(2, "1.1.0", &new).await;
    let device = world.device("d1").await;
    let first = world.offer(&device, &old).await.offer;
    assert!(first.travel.from.is_some());
    let refused = event(first.attempt, 1, EventKind::VerifyFailed, Detail::Cause(Cause::DeltaUndecodable));
    world.report(&device, &[refused]).await.expect(204);
    let second = world.offer(&device, &old).await.offer;
    assert_eq!((second.attempt, second.travel.from), (first.attempt, None));
    let artifact =
        world.device_plane(world.artifact_request(&device, second.travel.artifact)).await.expect(200);
    assert_eq!(applied(&[], &artifact.body).unwrap(), new);
}

#[tokio::test]
async fn why_says_when_a_device_is_expected_that_it_is_late_and_that_it_is_busy() {
    let world = World::new().await;
    let (old, new) = (image(1, 20_000), image(2, 20_000));
    world.push(1, "1.0.0", &old).await;
    let device = world.device("d1").await;
    world.check_in(&device, &device.asking(&old)).await.expect(200);
    world.push(2, "1.1.0", &new).await;
    let why = || async { world.get("/api/v1/devices/d1/why").await.expect(200).json() };
    let said = why().await;
    assert_eq!((&said["code"], &said["expected"]), (&"offered".into(), &(NOW + 3_600).into()));
    world.advance(2 * 3_600);
    assert_eq!(why().await["code"], "offered", "a little late is nothing yet");
    world.advance(1);
    assert_eq!(why().await["code"], "silent");
    world.manage("POST", "/api/v1/clock/confirm", []).await.expect(200);

    let attempt = world.offer(&device, &old).await.offer.attempt;
    assert_eq!(why().await["code"], "offered");
    let progress = event(attempt, 1, EventKind::DownloadProgress, Detail::Amount(40));
    world.report(&device, &[progress]).await.expect(204);
    let said = why().await;
    assert_eq!(said["code"], "under-way");
    assert!(said["sentence"].as_str().unwrap().contains("downloading, 40 %"), "{said}");
}

fn applied(mut base: &[u8], mut artifact: &[u8]) -> Result<Vec<u8>, ApplyError> {
    struct Image(Vec<u8>);
    impl Target for Image {
        fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
            self.0.extend(bytes);
            Ok(())
        }
    }
    let header = Header::read(&mut artifact).unwrap();
    let mut nothing: &[u8] = &[];
    let base: &mut dyn Base = if header.is_full() { &mut nothing } else { &mut base };
    let (mut target, mut scratch) = (Image(Vec::new()), NoScratch);
    let mut memory = vec![0; 4 << 20];
    let ports = Ports { base, artifact: &mut artifact, scratch: &mut scratch, target: &mut target };
    apply(&header, ports, &mut memory, 0, &mut |_| ControlFlow::Continue(()))?;
    Ok(target.0)
}
