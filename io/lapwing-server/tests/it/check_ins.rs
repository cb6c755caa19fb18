//! Claims, check-ins and reports.

use crate::client::Request;
use crate::world::{DAY, Device, NONCE, World, cbor, event, image};
use lapwing_core::cbor::decode;
use lapwing_core::wire::answer::{Answer, Ask, WaitReason};
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::check_in::{CheckIn, Gate};
use lapwing_core::wire::report::{Detail, EventKind};

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
    assert_eq!(offered.offer.now.0, crate::world::NOW);
    let travel = offered.offer.travel;
    let artifact = world.device_plane(world.artifact_request(&device, travel.artifact)).await.expect(200);
    assert_eq!(artifact.body.len() as u64, travel.artifact_size_bytes);
    assert_eq!(lapwing_core::Digest::of(&artifact.body), travel.artifact);

    let again = world.offer(&device, &old).await;
    assert_eq!(again.offer, offered.offer, "the same attempt goes on");

    let done = event(offered.offer.attempt, 1, EventKind::Confirmed, Detail::None);
    world.report(&device, &[done]).await.expect(204);
    let shown = world.get("/api/v1/devices/d1").await.expect(200).json();
    assert_eq!(shown["attempts"][0]["state"], "confirmed");
    world.check_in(&device, &device.idle(&new)).await.expect(200);
    assert_eq!(world.why(&device).await, "up-to-date");
}
