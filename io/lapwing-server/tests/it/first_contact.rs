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

    assert!(world.metric("lapwing_claims_total{result=\"other-secret\"} 1").await);

    world.manage("POST", "/api/v1/devices/d1/admit", []).await.expect(204);
    assert_eq!(world.why(&device).await, "facts-unknown", "admitted with the secret that it has");
    world.check_in(&impostor, &impostor.idle(b"any")).await.expect(401);

    let token = world.claim_token(1, 60).await;
    world.claim(&impostor, token.clone()).await.expect(409);
    world.manage("POST", "/api/v1/devices/d1/replace", []).await.expect(204);
    world.claim(&impostor, token).await.expect(204);
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

#[tokio::test]
async fn a_forgotten_device_is_let_in_again_with_the_secret_that_it_has() {
    let world = World::new().await;
    let device = world.device("d1").await;
    world.manage("DELETE", "/api/v1/devices/d1", []).await.expect(204);
    world.check_in(&device, &device.idle(b"any")).await.expect(401);
    let gone = world.get("/api/v1/devices/d1/why").await.expect(404).json();
    assert!(gone["advice"].as_str().unwrap().contains("device admit"), "{gone}");
    let world = world.restart().await;
    world.manage("POST", "/api/v1/devices/d1/admit", []).await.expect(204);
    world.check_in(&device, &device.idle(b"any")).await.expect(200);
    let stranger = Device::new("d1", 42);
    world.check_in(&stranger, &stranger.idle(b"any")).await.expect(401);
    assert_eq!(world.events_named("device.admitted").await.len(), 1);
    world.manage("POST", "/api/v1/devices/d2/admit", []).await.expect(404);
}

#[tokio::test]
async fn claim_tokens_are_listed_without_being_shown_and_can_be_taken_back() {
    let world = World::new().await;
    let (one, two) = (world.claim_token(2, 60).await, world.claim_token(1, 120).await);
    world.claim(&Device::new("d1", 1), one.clone()).await.expect(204);
    let listed = || async {
        let tokens = world.get("/api/v1/claim-tokens").await.expect(200).json()["claim_tokens"].clone();
        tokens.as_array().unwrap().clone()
    };
    let first = listed().await.into_iter().find(|token| token["count"] == 2).unwrap();
    assert_eq!((&first["remaining"], &first["good"]), (&1.into(), &true.into()));
    let hex = lapwing_core::Digest::of(&one.0).to_string();
    assert!(hex.starts_with(first["name"].as_str().unwrap()), "named by its hash");
    let path = format!("/api/v1/claim-tokens/{}", first["name"].as_str().unwrap());
    world.manage("DELETE", &path, []).await.expect(204);
    world.manage("DELETE", &path, []).await.expect(404);
    world.claim(&Device::new("d2", 2), one).await.expect(403);
    assert!(world.metric("lapwing_claims_total{result=\"token\"} 1").await);
    world.advance(120);
    assert_eq!(listed().await[0]["good"], false);
    let refused = world.claim(&Device::new("d2", 2), two).await.expect(403).json();
    assert!(refused["advice"].as_str().unwrap().contains("device token make"), "{refused}");
}
