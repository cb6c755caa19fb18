//! Requests that no honest client sends. None of them may be the server's fault.

use crate::client::Request;
use crate::world::{World, cbor};
use lapwing_core::cbor::encode;

const PATHS: [&str; 3] = ["/v1/claim", "/v1/check-in", "/v1/report"];

#[tokio::test]
async fn bodies_that_are_not_messages_are_refused_with_a_problem() {
    let world = World::new().await;
    let device = world.device("d1").await;
    let post = |path: &str, kind: &str, body: Vec<u8>| {
        let request = Request::new("POST", path).header("Authorization", device.basic()).body(body);
        world.device_plane(request.header("Content-Type", kind))
    };
    for path in PATHS {
        post(path, "application/cbor", Vec::new()).await.expect(400);
        post(path, "application/cbor", vec![0xff; 64]).await.expect(400);
        post(path, "application/cbor", vec![0x9b; 64]).await.expect(400);
        post(path, "application/cbor", vec![0; 3_000]).await.expect(413);
        post(path, "application/json", b"{}".to_vec()).await.expect(415);
        post(path, "", b"{}".to_vec()).await.expect(415);
    }
}

#[tokio::test]
async fn every_truncation_of_a_check_in_is_refused() {
    let world = World::new().await;
    let device = world.device("d1").await;
    let mut buffer = [0; 256];
    let whole = encode(&device.booted(b"any", 1), &mut buffer).unwrap();
    for end in 0..whole.len() {
        let request = Request::new("POST", "/v1/check-in")
            .header("Authorization", device.basic())
            .header("Content-Type", "application/cbor")
            .body(&whole[..end]);
        world.device_plane(request).await.expect(400);
    }
}

#[tokio::test]
async fn seeded_garbage_is_never_the_servers_fault() {
    let world = World::new().await;
    let device = world.device("d1").await;
    let mut state = 1_u32;
    let mut next = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 16
    };
    for round in 0..150_usize {
        let mut body = cbor("/", &device.booted(b"any", 1)).into_body();
        for _ in 0..=round % 4 {
            let at = next() as usize % body.len();
            body[at] = next() as u8;
        }
        let request = Request::new("POST", PATHS[round % 3])
            .header("Authorization", device.basic())
            .header("Content-Type", "application/cbor")
            .body(body);
        let status = world.device_plane(request).await.status;
        assert!(status < 500, "{status}");
    }
}

#[tokio::test]
async fn what_the_framework_refuses_is_a_problem_too() {
    let world = World::new().await;
    let device = world.device("d1").await;
    world.device_plane(Request::new("GET", "/nowhere")).await.expect(404);
    let wrong = world.device_plane(Request::new("GET", "/v1/claim")).await.expect(405);
    assert_eq!(wrong.header("allow"), Some("POST"));
    world
        .device_plane(Request::new("GET", "/v1/artifacts/%ff").header("Authorization", device.basic()))
        .await
        .expect(400);
    let mut cut = cbor("/v1/check-in", &device.idle(b"any")).header("Authorization", device.basic());
    cut.missing_bytes = 100;
    let status = world.device_plane(cut).await.status;
    assert!((400..500).contains(&status), "{status}");
}

#[tokio::test]
async fn the_management_plane_asks_for_its_token_everywhere() {
    let world = World::new().await;
    let paths = [
        ("GET", "/api/v1/identity"),
        ("PUT", "/api/v1/trust/root"),
        ("PUT", "/api/v1/trust/delegation"),
        ("POST", "/api/v1/clock/confirm"),
        ("PUT", "/api/v1/log-level"),
        ("PUT", "/api/v1/blobs/00"),
        ("GET", "/api/v1/version-sets"),
        ("POST", "/api/v1/version-sets"),
        ("POST", "/api/v1/version-sets/1.0.0/release"),
        ("POST", "/api/v1/version-sets/1.0.0/withdraw"),
        ("POST", "/api/v1/claim-tokens"),
        ("GET", "/api/v1/devices"),
        ("GET", "/api/v1/devices/d1"),
        ("DELETE", "/api/v1/devices/d1"),
        ("GET", "/api/v1/devices/d1/why"),
        ("POST", "/api/v1/devices/d1/update-now"),
        ("POST", "/api/v1/devices/d1/retry"),
        ("POST", "/api/v1/devices/d1/pin"),
        ("POST", "/api/v1/devices/d1/replace"),
        ("GET", "/api/v1/events"),
        ("GET", "/debug/profile/cpu"),
        ("GET", "/debug/profile/heap"),
    ];
    let to = world.server.management_addr();
    for (method, path) in paths {
        Request::new(method, path).plain(to).await.expect(401);
        let wrong = Request::new(method, path).header("Authorization", "Bearer 00");
        wrong.plain(to).await.expect(401);
    }
    Request::new("GET", "/metrics").plain(to).await.expect(200);
    Request::new("GET", "/healthz").plain(to).await.expect(200);
}

#[tokio::test]
async fn management_bodies_that_make_no_sense_are_refused() {
    let world = World::new().await;
    let post = |path: &'static str, body: &'static str| world.manage("POST", path, body);
    post("/api/v1/claim-tokens", "{").await.expect(400);
    post("/api/v1/claim-tokens", "{\"count\":0,\"expires_in_s\":1}").await.expect(400);
    post("/api/v1/claim-tokens", "{\"count\":1,\"expires_in_s\":1,\"typo\":1}").await.expect(400);
    post("/api/v1/version-sets", "{\"releases\":[\"!\"]}").await.expect(400);
    post("/api/v1/version-sets", "{\"releases\":[]}").await.expect(400);
    post("/api/v1/devices/nobody/retry", "").await.expect(404);
    world.manage("POST", "/api/v1/claim-tokens", vec![b' '; (1 << 20) + 1]).await.expect(413);
    world.manage("PUT", "/api/v1/blobs/..%2f..%2fetc", "x").await.expect(400);
    world.get("/api/v1/devices?limit=x").await.expect(400);
}
