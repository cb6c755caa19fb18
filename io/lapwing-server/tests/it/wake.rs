//! Wake-up calls as devices hear them: by datagram, sealed, and saying nothing but that they came.
//!
//! Touches: UDP on loopback.

use crate::coap::{Relay, Thing, aside, with_coap};
use crate::rollouts::{Fleet, plan};
use crate::world::{World, facts};
use lapwing_core::wire::check_in::CheckIn;
use lapwing_transport::client::{Client, Listening};
use serde_json::json;
use std::net::SocketAddr;
use std::time::Duration;

/// Who hears nothing for so long gives up.
const PATIENCE: Duration = Duration::from_secs(60);

async fn listening(client: Client) -> (Client, Listening) {
    let (client, listening) = aside(client, Client::listen).await;
    (client, listening.unwrap())
}

/// Waits for the next call.
async fn call(listening: &mut Listening) {
    let called = async {
        while !listening.called().unwrap() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, called).await.expect("somebody calls");
}

async fn heard(world: &World, calls: u32) -> bool {
    world.metric(&format!("lapwing_calls_total{{result=\"ok\"}} {calls}")).await
}

/// Waits until the server knows that so many calls were heard.
async fn all_heard(world: &World, calls: u32) {
    let known = async { while !heard(world, calls).await {} };
    tokio::time::timeout(PATIENCE, known).await.expect("an acknowledgement arrives");
}

#[tokio::test(flavor = "multi_thread")]
async fn update_now_calls_the_device_that_listens_and_no_other() {
    let world = World::with(with_coap).await;
    let (called, other) = (Thing::provisioned(&world, "d1").await, Thing::provisioned(&world, "d2").await);
    let server = world.server.coap_addr().unwrap();
    let (client, mut d1) = listening(called.client(server)).await;
    let (_, mut d2) = listening(other.client(server)).await;
    assert!(world.metric("lapwing_devices_listening 2").await);
    assert!(!d1.called().unwrap() && !d2.called().unwrap());
    for calls in 1..=2 {
        world.manage("POST", "/api/v1/devices/d1/update-now", []).await.expect(204);
        call(&mut d1).await;
        all_heard(&world, calls).await;
    }
    // Who asks anew hears what was meant for it while it did not listen, at its new address.
    drop(d1);
    let (_, mut again) = listening(client).await;
    assert!(world.metric("lapwing_devices_listening 2").await);
    call(&mut again).await;
    all_heard(&world, 3).await;
    assert!(!d2.called().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_calls_those_whom_it_brings_something() {
    let fleet = Fleet::in_world(World::with(with_coap).await, 1).await;
    let world = &fleet.world;
    let server = world.server.coap_addr().unwrap();
    let mut things = Vec::new();
    for (id, running) in [("old", &fleet.old), ("new", &fleet.new)] {
        let thing = Thing::provisioned(world, id).await;
        let told = CheckIn { facts: Some(facts(2)), ..thing.device.asking(running) };
        let (client, answer) = thing.says(thing.client(server), &told).await;
        answer.unwrap();
        things.push(listening(client).await);
    }
    let mut plan = plan(1);
    plan["name"] = json!("at-once");
    let all = plan["phases"][1].take();
    plan["phases"] = json!([all]);
    fleet.send("PUT", "/api/v1/plans/at-once", &plan).await.expect(201);
    let id = fleet.started(&json!({ "plan": "at-once" })).await;
    let [(_, old), (_, new)] = &mut things[..] else { panic!("two of them") };
    call(old).await;
    all_heard(world, 1).await;
    // Nothing changes, so nobody is called; then it goes on.
    world.server.look_at_rollouts().await.unwrap();
    fleet.command(id, "pause", "").await.expect(200);
    world.server.look_at_rollouts().await.unwrap();
    fleet.command(id, "resume", "go on").await.expect(200);
    world.server.look_at_rollouts().await.unwrap();
    call(old).await;
    all_heard(world, 2).await;
    assert!(!new.called().unwrap(), "it has what the rollout brings");
    // Who asks anew while something waits for it is called, at its new address.
    for (thing, (client, before)) in things.into_iter().enumerate() {
        drop(before);
        let (_, mut again) = listening(client).await;
        if thing == 0 {
            call(&mut again).await;
            all_heard(world, 3).await;
        }
        assert!(!again.called().unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn listening_and_a_call_cost_few_bytes() {
    let world = World::with(with_coap).await;
    let thing = Thing::provisioned(&world, "d1").await;
    let relay = Relay::to(world.server.coap_addr().unwrap()).await;
    let (client, first) = listening(thing.client(relay.address)).await;
    drop(first);
    let begun = relay.packets();
    let (_, mut listening) = listening(client).await;
    let renewed = relay.packets();
    world.manage("POST", "/api/v1/devices/d1/update-now", []).await.expect(204);
    call(&mut listening).await;
    all_heard(&world, 1).await;
    // At the IP layer: the question, 4.01 with an Echo, the same again with it, the answer under a number of its own;
    // a question and its answer; a call and its acknowledgement.
    let expected = [vec![50, 59, 64, 51], vec![50, 49], vec![51, 32]];
    assert_eq!([begun, renewed, relay.packets()], expected);
}

/// Passes datagrams on, and makes a reset of every acknowledgement that a device sends.
async fn refusing(server: SocketAddr) -> SocketAddr {
    let near = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let far = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    far.connect(server).await.unwrap();
    let address = near.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut to, mut from, mut device) = ([0; 2048], [0; 2048], None);
        loop {
            tokio::select! {
                Ok((len, sender)) = near.recv_from(&mut to) => {
                    device = Some(sender);
                    if len == 4 {
                        to[0] |= 0x10;
                    }
                    far.send(&to[..len]).await.unwrap();
                }
                Ok(len) = far.recv(&mut from) => {
                    near.send_to(&from[..len], device.unwrap()).await.unwrap();
                }
            }
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn who_refuses_a_call_is_called_no_more() {
    let world = World::with(with_coap).await;
    let thing = Thing::provisioned(&world, "d1").await;
    let server = refusing(world.server.coap_addr().unwrap()).await;
    let (_, mut listening) = listening(thing.client(server)).await;
    assert!(world.metric("lapwing_devices_listening 1").await);
    world.manage("POST", "/api/v1/devices/d1/update-now", []).await.expect(204);
    call(&mut listening).await;
    let gone = async { while !world.metric("lapwing_devices_listening 0").await {} };
    tokio::time::timeout(PATIENCE, gone).await.expect("it is forgotten");
    assert!(world.metric("lapwing_calls_total{result=\"failed\"} 1").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_a_device_that_asks_anew_is_called() {
    let world = World::with(with_coap).await;
    let thing = Thing::provisioned(&world, "d1").await;
    let (_, before) = listening(thing.client(world.server.coap_addr().unwrap())).await;
    world.manage("POST", "/api/v1/devices/d1/update-now", []).await.expect(204);
    drop(before);
    let world = world.restart_with(with_coap).await;
    assert!(world.metric("lapwing_devices_listening 0").await);
    let (_, mut again) = listening(thing.client(world.server.coap_addr().unwrap())).await;
    call(&mut again).await;
    all_heard(&world, 1).await;
}
