//! Who asks too often is told when to come back, on both planes, and costs nobody else an answer.
//!
//! Touches: UDP and TLS on loopback. Nothing waits: the rates are so low that no test is slow enough to be forgiven.

use crate::client::{Request, Response};
use crate::coap::{Thing, aside, question, raw, renumbered, with_coap};
use crate::world::{Device, World};
use lapwing_coap::{Code, Message, OptionNumber};
use lapwing_server::Config;
use lapwing_transport::client::ExchangeError;
use std::time::Duration;

fn once_an_hour(config: &mut Config) {
    config.device_messages_per_hour = 1;
    config.stranger_questions_per_hour = 1;
    with_coap(config);
}

#[track_caller]
fn within_the_hour(response: &Response) {
    let wait: u64 = response.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=3_600).contains(&wait), "{wait}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_has_one_meter_for_both_ways_and_none_beside_it_pays() {
    let world = World::with(once_an_hour).await;
    let [thing, neighbour] = [Thing::provisioned(&world, "d1").await, Thing::provisioned(&world, "d2").await];
    let (device, server) = (&thing.device, world.server.coap_addr().unwrap());
    world.check_in(device, &device.idle(b"factory")).await.expect(200);
    within_the_hour(&world.check_in(device, &device.idle(b"factory")).await.expect(429));
    within_the_hour(&world.report(device, &[]).await.expect(429));
    let (client, refused) = thing.says(thing.client(server), &device.idle(b"factory")).await;
    let Err(ExchangeError::Busy { status: 429, retry_after: Some(wait) }) = refused else {
        panic!("{refused:?}")
    };
    assert!(wait > Duration::ZERO && wait <= Duration::from_secs(3_600));
    // Documents and artifacts do not count: a download is not to be slowed down.
    let (_, root) = aside(client, |client| client.root(&[], 1)).await;
    assert!(root.is_ok(), "{root:?}");
    let (_, answer) = neighbour.says(neighbour.client(server), &device.idle(b"factory")).await;
    assert!(answer.is_ok(), "{answer:?}");
    assert!(world.metric("lapwing_throttled_total{who=\"device\"} 3").await);
}

#[tokio::test]
async fn strangers_who_guess_are_slowed_down_and_the_device_beside_them_is_not() {
    let world = World::with(once_an_hour).await;
    let device = world.device("d1").await;
    let token = world.claim_token(9, 3_600).await;
    let guess = Device::new("d1", 3);
    world.check_in(&guess, &guess.idle(b"factory")).await.expect(401);
    within_the_hour(&world.check_in(&guess, &guess.idle(b"factory")).await.expect(429));
    // Not even with a good token: whether it is one is what the others guess at.
    within_the_hour(&world.claim(&Device::new("d2", 9), token).await.expect(429));
    world.device_plane(Request::new("GET", "/v1/trust/root/1")).await.expect(200);
    world.check_in(&device, &device.idle(b"factory")).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_who_asks_openly_too_often_is_told_so_in_fewer_bytes_than_he_sent() {
    let world = World::with(once_an_hour).await;
    let server = world.server.coap_addr().unwrap();
    let ask = move |number: u8| {
        let question = renumbered(question(&["t", "1"], None), number);
        let answer = raw(server, &question);
        assert!(answer.len() <= question.len());
        let answer = Message::parse(&answer).unwrap();
        (answer.code, answer.options.uint(OptionNumber::MAX_AGE))
    };
    assert_eq!(ask(1), (Code::UNAUTHORIZED, None));
    let (code, wait) = ask(2);
    assert_eq!(code, Code::TOO_MANY_REQUESTS);
    assert!((1..=3_600).contains(&wait.unwrap()), "{wait:?}");
    // Devices at that address have their own.
    let thing = Thing::provisioned(&world, "d1").await;
    let (_, answer) = thing.says(thing.client(server), &thing.device.idle(b"factory")).await;
    assert!(answer.is_ok(), "{answer:?}");
}
