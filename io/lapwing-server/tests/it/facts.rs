//! What people know of devices: facts they set, owners who have to agree, and what the fleet as a whole looks like.
//!
//! Touches: the management plane and real check-ins.

use crate::world::{Device, World, event, image};
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::report::{Detail, EventKind};
use serde_json::{Value, json};

async fn set(world: &World, device: &Device, facts: Value, status: u16) -> Value {
    let path = format!("/api/v1/devices/{}/facts", device.id);
    let answer = world.manage("POST", &path, json!({ "facts": facts }).to_string()).await.expect(status);
    if status == 204 { Value::Null } else { answer.json() }
}

async fn shown(world: &World, device: &Device) -> Value {
    world.get(&format!("/api/v1/devices/{}", device.id)).await.expect(200).json()
}

/// A device on the first of two versions that are for everyone.
async fn behind() -> (World, Device, Vec<u8>) {
    let world = World::new().await;
    let old = image(1, 4_000);
    world.push(1, "1.0.0", &old).await;
    let device = world.device("dev-1").await;
    world.check_in(&device, &device.asking(&old)).await.expect(200);
    world.push(2, "1.1.0", &image(2, 4_000)).await;
    (world, device, old)
}

#[tokio::test]
async fn an_owner_is_waited_for_and_what_people_set_outlives_a_restart() {
    let (world, device, old) = behind().await;
    set(&world, &device, json!({ "consent": "needed", "tier": "pilot" }), 204).await;
    assert_eq!(world.why(&device).await, "no-consent");
    world.check_in(&device, &device.asking(&old)).await.expect(200);
    assert_eq!(shown(&world, &device).await["attempts"], json!([]), "nothing is offered");
    let world = world.restart().await;
    assert_eq!(shown(&world, &device).await["noted"], json!({ "consent": "needed", "tier": "pilot" }));
    let pilots = world.get("/api/v1/devices?filter=tier%20%3D%3D%20pilot").await.expect(200).json();
    assert_eq!(pilots["devices"][0]["id"], json!(device.id));
    set(&world, &device, json!({ "consent": "given", "tier": null }), 204).await;
    assert_eq!(shown(&world, &device).await["noted"], json!({ "consent": "given" }));
    world.offer(&device, &old).await;
    set(&world, &device, json!({ "tier": "opted-out" }), 204).await;
    assert_eq!(world.why(&device).await, "opted-out");
}

#[tokio::test]
async fn facts_that_make_no_sense_are_refused_and_none_of_them_is_set() {
    let (world, device, _) = behind().await;
    for (name, value) in [
        ("tier", "vip"),
        ("consent", "yes"),
        ("zone", "Mars/Olympus"),
        ("hardware", "x"),
        ("Site", "a"),
        ("site", ""),
    ] {
        let refused = set(&world, &device, json!({ "site": "north", name: value }), 400).await;
        assert!(refused["detail"].as_str().unwrap().starts_with(&format!("{name}: ")), "{refused}");
        assert_eq!(shown(&world, &device).await["noted"], json!({}));
    }
    let nobody = json!({ "facts": { "tier": "pilot" } }).to_string();
    world.manage("POST", "/api/v1/devices/nobody/facts", nobody).await.expect(404);
}

#[tokio::test]
async fn configurations_are_counted_and_so_are_devices_that_do_not_come_up() {
    let (world, device, old) = behind().await;
    for name in ["dev-2", "dev-3"] {
        let other = world.device(name).await;
        world.check_in(&other, &other.asking(&old)).await.expect(200);
        set(&world, &other, json!({ "region": "eu" }), 204).await;
    }
    let counted = world.get("/api/v1/fleet/configurations?top=1").await.expect(200).json();
    assert_eq!((&counted["kinds"], &counted["devices"]), (&json!(2), &json!(3)), "{counted}");
    let most = &counted["configurations"][0];
    assert_eq!(
        (&most["devices"], &most["is"]["region"], &most["is"]["version"]),
        (&json!(2), &json!("eu"), &json!("1.0.0"))
    );
    world.get("/api/v1/fleet/configurations?top=0").await.expect(400);
    let none = world.get("/api/v1/fleet/configurations?group=nobody").await.expect(200).json();
    assert_eq!(none["configurations"], json!([]));

    let offered = world.offer(&device, &old).await;
    let attempt = offered.offer.attempt;
    let came_back = Detail::Cause(Cause::SilentStarts);
    let events = [
        event(attempt, 1, EventKind::RebootStarted, Detail::None),
        event(attempt, 2, EventKind::RollbackTriggered, came_back),
        event(attempt, 3, EventKind::RollbackCompleted, Detail::None),
    ];
    world.report(&device, &events).await.expect(204);
    let failures = world.get("/api/v1/fleet/boot-failures").await.expect(200).json();
    let row = &failures["boot_failures"][0];
    assert_eq!(
        (&row["version"], &row["failed"], &row["switched"]),
        (&json!("1.1.0"), &json!(1), &json!(1)),
        "{failures}"
    );
    let hardware = row["hardware"].as_str().unwrap();
    let series = format!(
        "lapwing_boot_failures_total{{target_version=\"1.1.0\",hardware=\"{hardware}\",bootloader=\"0\"}} 1"
    );
    assert!(world.metric(&series).await, "{series}");
    assert!(world.metric("firmware_rollback_count{target_version=\"1.1.0\"} 1").await);
    world.get("/api/v1/fleet/boot-failures?days=0").await.expect(400);
}
