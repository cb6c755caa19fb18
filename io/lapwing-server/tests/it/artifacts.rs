//! Ranges, and who may have which artifact.

use crate::world::{World, event, image};
use lapwing_core::Digest;
use lapwing_core::wire::report::{Detail, EventKind};
use std::collections::HashSet;
use std::sync::Arc;
use tokio::task::JoinSet;

#[tokio::test]
async fn any_range_of_the_same_bytes() {
    let world = World::new().await;
    world.push(1, "1.0.0", &image(1, 200_000)).await;
    let device = world.device("d1").await;
    let artifact = world.offer(&device, b"factory").await.offer.travel.artifact;
    let get = |headers: &[(&str, String)]| {
        let mut request = world.artifact_request(&device, artifact);
        for (name, value) in headers {
            request = request.header(name, value.clone());
        }
        world.device_plane(request)
    };
    let whole = get(&[]).await.expect(200);
    let (all, len) = (&whole.body, whole.body.len());
    let etag = format!("\"{artifact}\"");
    assert_eq!(Digest::of(all), artifact);
    assert_eq!(whole.header("etag"), Some(etag.as_str()));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(whole.header("cache-control"), Some("private, immutable, max-age=31536000"));

    for (first, last) in [(0, 0), (0, len - 1), (65_535, 65_536), (len - 1, len + 99), (100, 70_000)] {
        let part = get(&[("Range", format!("bytes={first}-{last}"))]).await.expect(206);
        let end = (last + 1).min(len);
        assert!(part.body == all[first..end], "{first}-{last}");
        let stated = format!("bytes {first}-{}/{len}", end - 1);
        assert_eq!(part.header("content-range"), Some(stated.as_str()));
    }
    let beyond = get(&[("Range", format!("bytes={len}-"))]).await.expect(416);
    assert_eq!(beyond.header("content-range"), Some(format!("bytes */{len}").as_str()));
    let same = get(&[("Range", "bytes=5-".to_owned()), ("If-Range", etag)]).await.expect(206);
    assert!(same.body == all[5..]);
    let other =
        get(&[("Range", "bytes=5-".to_owned()), ("If-Range", "\"other\"".to_owned())]).await.expect(200);
    assert!(other.body == *all);
}

#[tokio::test]
async fn only_a_device_with_an_open_offer_gets_an_artifact() {
    let world = World::new().await;
    world.push(1, "1.0.0", &image(1, 1_000)).await;
    let (device, other) = (world.device("d1").await, world.device("d2").await);
    let offer = world.offer(&device, b"factory").await.offer;
    let artifact = offer.travel.artifact;
    world.device_plane(world.artifact_request(&other, artifact)).await.expect(403);
    world.device_plane(world.artifact_request(&device, Digest::of(b"unknown"))).await.expect(404);
    let odd = crate::client::Request::new("GET", "/v1/artifacts/..%2f..%2fonline.key");
    world.device_plane(odd.header("Authorization", device.basic())).await.expect(404);

    world.manage("POST", "/api/v1/version-sets/1.0.0/withdraw", []).await.expect(204);
    world.device_plane(world.artifact_request(&device, artifact)).await.expect(403);
    world.manage("POST", "/api/v1/version-sets/1.0.0/release", []).await.expect(204);
    world.device_plane(world.artifact_request(&device, artifact)).await.expect(200);

    let done = event(offer.attempt, 1, EventKind::Confirmed, Detail::None);
    world.report(&device, &[done]).await.expect(204);
    world.device_plane(world.artifact_request(&device, artifact)).await.expect(403);
}

#[tokio::test]
async fn a_herd_asks_for_one_artifact_and_it_is_made_once() {
    let world = Arc::new(World::new().await);
    world.push(1, "1.0.0", &image(1, 200_000)).await;
    let mut herd = JoinSet::new();
    for number in 0..16 {
        let world = Arc::clone(&world);
        herd.spawn(async move {
            let device = world.device(&format!("d{number}")).await;
            world.offer(&device, b"factory").await.offer.travel.artifact
        });
    }
    let artifacts: HashSet<Digest> = herd.join_all().await.into_iter().collect();
    assert_eq!(artifacts.len(), 1);
    assert!(world.metric("lapwing_artifacts_made_total{kind=\"full\"} 1").await);
}

#[tokio::test]
async fn a_withdrawn_release_ends_the_attempts_that_did_not_switch() {
    let world = World::new().await;
    world.push(1, "1.0.0", &image(1, 1_000)).await;
    let (fetching, trying) = (world.device("d1").await, world.device("d2").await);
    let (first, second) = (world.offer(&fetching, b"factory").await, world.offer(&trying, b"factory").await);
    let started = event(first.offer.attempt, 1, EventKind::DownloadStarted, Detail::None);
    world.report(&fetching, &[started]).await.expect(204);
    let switched = event(second.offer.attempt, 1, EventKind::RebootStarted, Detail::None);
    world.report(&trying, &[switched]).await.expect(204);
    world.manage("POST", "/api/v1/version-sets/1.0.0/withdraw", []).await.expect(204);
    let world = world.restart().await;
    let newest = |id: &str| {
        let path = format!("/api/v1/devices/{id}");
        let world = &world;
        async move { world.get(&path).await.expect(200).json()["attempts"][0].clone() }
    };
    let ended = newest("d1").await;
    assert_eq!((&ended["state"], &ended["cause"]), (&"superseded".into(), &"withdrawn".into()));
    assert_eq!(newest("d2").await["state"], "rebooting", "it comes back or stays by itself");
    assert_eq!(world.events_named("attempt.withdrawn").await.len(), 1);
}

#[tokio::test]
async fn artifacts_beyond_the_budget_go_except_those_on_offer_and_are_made_again() {
    let world = World::with(|config| config.artifact_cache_bytes_max = 1).await;
    world.push(1, "1.0.0", &image(1, 20_000)).await;
    let (first, second) = (world.device("d1").await, world.device("d2").await);
    let offer = world.offer(&first, b"factory").await.offer;
    let kept = || async { world.get("/api/v1/retention").await.expect(200).json() };
    assert_eq!(kept().await["artifacts"][0]["goes"], false, "it is on offer");
    let fetched = event(offer.attempt, 1, EventKind::DownloadCompleted, Detail::None);
    let done = event(offer.attempt, 2, EventKind::Confirmed, Detail::None);
    world.report(&first, &[fetched, done]).await.expect(204);
    assert!(world.metric("lapwing_downloads_total{kind=\"full\"} 1").await);

    let explained = kept().await;
    assert_eq!(explained["artifacts"][0]["goes"], true, "{explained}");
    assert_eq!(explained["artifacts"][0]["why"], "devices may ask for it");
    assert_eq!(explained["downloads"]["full_percent"], 100);
    assert_eq!(world.manage("POST", "/api/v1/retention", "{}").await.expect(200).json()["gone"], 1);
    let name = offer.travel.artifact.to_string();
    assert!(!world.dir.path().join("blobs").join(&name[..2]).join(&name).exists());
    assert_eq!(kept().await["artifacts_bytes"], 0);

    let again = world.offer(&second, b"factory").await.offer.travel.artifact;
    let response = world.device_plane(world.artifact_request(&second, again)).await.expect(200);
    assert_eq!(Digest::of(&response.body), again);
}
