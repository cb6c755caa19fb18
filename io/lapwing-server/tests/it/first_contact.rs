//! Claims: who gets in, who does not, who goes to quarantine.

use crate::client::Request;
use crate::world::{Device, World};
use lapwing_core::wire::claim::ClaimToken;

#[tokio::test]
async fn the_same_claim_again_succeeds_and_costs_nothing() {
    let world = World::new().await;
    let token = world.claim_token(1, 60).await;
    let device = Device::new("d1", 1);
    world.claim(&device, token.clone()).await.expect(204);
    world.advance(61);
    world.claim(&device, token.clone()).await.expect(204);
    world.claim(&Device::new("d2", 2), token).await.expect(403);
    let world = world.restart().await;
    world.check_in(&device, &device.idle(b"any")).await.expect(200);
}

#[tokio::test]
async fn a_token_is_good_for_its_count_and_its_time() {
    let world = World::new().await;
    let token = world.claim_token(2, 60).await;
    world.claim(&Device::new("d1", 1), token.clone()).await.expect(204);
    world.claim(&Device::new("d2", 2), token.clone()).await.expect(204);
    world.claim(&Device::new("d3", 3), token).await.expect(403);
    let late = world.claim_token(2, 60).await;
    world.advance(60);
    world.claim(&Device::new("d3", 3), late).await.expect(403);
    world.claim(&Device::new("d3", 3), ClaimToken([0; 16])).await.expect(403);
}

#[tokio::test]
async fn another_secret_for_a_known_id_goes_to_quarantine_until_a_person_lets_it_in() {
    let world = World::new().await;
    let device = world.device("d1").await;
    let impostor = Device::new("d1", 77);
    world.claim(&impostor, ClaimToken([0; 16])).await.expect(403);
    assert_eq!(world.why(&device).await, "facts-unknown", "without a token nobody can do this");
    world.claim(&impostor, world.claim_token(1, 60).await).await.expect(409);
    assert_eq!(world.why(&device).await, "quarantined");
    world.check_in(&impostor, &impostor.idle(b"any")).await.expect(401);

    world.manage("POST", "/api/v1/devices/d1/replace", []).await.expect(204);
    world.claim(&impostor, world.claim_token(1, 60).await).await.expect(204);
    world.check_in(&impostor, &impostor.idle(b"any")).await.expect(200);
    world.check_in(&device, &device.idle(b"any")).await.expect(401);
}

#[tokio::test]
async fn nobody_else_gets_in() {
    let world = World::new().await;
    let device = world.device("d1").await;
    let wrong = Device::new("d1", 5);
    world.check_in(&wrong, &wrong.idle(b"any")).await.expect(401);
    let unknown = Device::new("d9", 9);
    world.check_in(&unknown, &unknown.idle(b"any")).await.expect(401);
    let odd = ["", "Basic", "Basic !!!", "Basic ZDE=", "Basic ZDE6MDA=", "Bearer x", "Basic OjA="];
    for authorization in odd {
        let request = crate::world::cbor("/v1/check-in", &device.idle(b"any"));
        world.device_plane(request.header("Authorization", authorization)).await.expect(401);
    }
    let request = Request::new("GET", format!("/v1/artifacts/{}", "0".repeat(64)));
    world.device_plane(request).await.expect(401);
    world.manage("DELETE", "/api/v1/devices/d1", []).await.expect(204);
    world.check_in(&device, &device.idle(b"any")).await.expect(401);
    world.get("/api/v1/devices/d1").await.expect(404);
}
