//! Webhooks, as the endpoints meet them: a listener here takes, refuses or stays away.

use crate::world::World;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Far longer than any message takes here.
const PATIENCE: Duration = Duration::from_secs(60);

type Came = (HeaderMap, Bytes);

/// An endpoint that answers with the status it was told to.
struct Endpoint {
    url: String,
    status: Arc<AtomicU16>,
    came: Receiver<Came>,
}

impl Endpoint {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (status, (sender, came)) = (Arc::new(AtomicU16::new(204)), channel(64));
        let take = |State((status, sender)): State<(Arc<AtomicU16>, Sender<Came>)>, head: HeaderMap, body| async move {
            sender.send((head, body)).await.unwrap();
            StatusCode::from_u16(status.load(Ordering::SeqCst)).unwrap()
        };
        let router = Router::new().route("/hook", post(take)).with_state((Arc::clone(&status), sender));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, status, came }
    }

    fn answers(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    async fn next(&mut self) -> (HeaderMap, Value) {
        let (head, body) = tokio::time::timeout(PATIENCE, self.came.recv()).await.unwrap().unwrap();
        let event = serde_json::from_slice(&body).unwrap();
        (head, event)
    }
}

async fn world() -> World {
    World::with(|config| config.webhook_interval_ms = 10).await
}

impl World {
    async fn webhook(&self, endpoint: &Endpoint, events: &[&str]) -> Value {
        let order = json!({ "name": "ops", "url": endpoint.url, "events": events }).to_string();
        self.manage("POST", "/api/v1/webhooks", order).await.expect(201).json()
    }

    /// The webhook once it is as `wanted`; writing down comes after the message.
    pub(crate) async fn webhook_when(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let webhook = self.get("/api/v1/webhooks/ops").await.expect(200).json();
            if wanted(&webhook) {
                return webhook;
            }
            assert!(tokio::time::Instant::now() < until, "{webhook}");
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn an_event_arrives_as_a_signed_cloud_event() {
    let (world, mut endpoint) = (world().await, Endpoint::new().await);
    let made = world.webhook(&endpoint, &["version-set"]).await;
    world.push(1, "1.0.0", b"one").await;
    let (head, event) = endpoint.next().await;
    assert_eq!(head["content-type"], "application/cloudevents+json");
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["type"], "lapwing.version-set.pushed");
    assert_eq!(event["time"], "2027-01-15T08:00:00Z");
    assert!(event["source"].as_str().unwrap().starts_with("urn:lapwing:fleet:0707"));
    assert_eq!(event["data"]["name"], "version-set.pushed");
    assert_eq!(event["data"]["id"].to_string(), event["id"].as_str().unwrap());

    let secret = made["secret"].as_str().unwrap().strip_prefix("whsec_").unwrap();
    let text = |name: &str| head[name].to_str().unwrap().to_owned();
    let signed = format!("{}.{}.{event}", text("webhook-id"), text("webhook-timestamp"));
    let mut mac = Hmac::<Sha256>::new_from_slice(&BASE64_STANDARD.decode(secret).unwrap()).unwrap();
    mac.update(signed.as_bytes());
    let signature = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(text("webhook-signature"), signature, "over the bytes as they came");

    let shown = world.webhook_when(|webhook| webhook["behind"] == 0).await;
    assert_eq!(shown["last"], "it answered 204");
    assert!(shown.get("secret").is_none(), "shown once");
}

#[tokio::test]
async fn an_endpoint_that_is_away_gets_everything_in_order_when_it_is_back() {
    let (world, mut endpoint) = (world().await, Endpoint::new().await);
    world.webhook(&endpoint, &["version-set"]).await;
    endpoint.answers(503);
    for (seq, version) in [(1, "1.0.0"), (2, "2.0.0")] {
        world.push(seq, version, version.as_bytes()).await;
    }
    let (first, _) = endpoint.next().await;
    world.webhook_when(|webhook| webhook["failures"] == 1).await;
    world.advance(10);
    let (again, _) = endpoint.next().await;
    assert_eq!(first["webhook-id"], again["webhook-id"], "one event, one id");
    assert_ne!(first["webhook-timestamp"], again["webhook-timestamp"]);
    let failing = world.webhook_when(|webhook| webhook["failures"] == 2).await;
    assert_eq!(failing["last"], "it answered 503");
    // A server that starts anew knows where it was.
    let world = world.restart().await;
    endpoint.answers(200);
    world.advance(100);
    let mut versions = Vec::new();
    for _ in 0..2 {
        versions.push(endpoint.next().await.1["data"]["id"].as_i64().unwrap());
    }
    assert!(versions.is_sorted(), "{versions:?}");
    world.webhook_when(|webhook| webhook["behind"] == 0 && webhook["failures"] == 0).await;
}

#[tokio::test]
async fn a_refused_event_is_set_aside_and_can_be_sent_again() {
    let (world, mut endpoint) = (world().await, Endpoint::new().await);
    world.webhook(&endpoint, &["version-set"]).await;
    endpoint.answers(400);
    world.push(1, "1.0.0", b"one").await;
    for failures in 1..=2 {
        endpoint.next().await;
        world.webhook_when(|webhook| webhook["failures"] == failures).await;
        world.advance(100);
    }
    endpoint.next().await;
    let shown = world.webhook_when(|webhook| webhook["dead_letters"] == 1).await;
    assert_eq!((&shown["failures"], &shown["behind"]), (&json!(0), &json!(0)), "the next one has its turn");
    let letters = world.get("/api/v1/webhooks/ops/dead-letters").await.expect(200).json();
    assert_eq!(letters["dead_letters"][0]["event"]["name"], "version-set.pushed");
    assert_eq!(letters["dead_letters"][0]["last"], "it answered 400");
    let redeliver = "/api/v1/webhooks/ops/dead-letters/redeliver";
    let refused = world.manage("POST", redeliver, "").await.expect(200).json();
    assert_eq!(refused, json!({ "taken": 0, "left": 1 }));
    endpoint.answers(200);
    assert_eq!(
        world.manage("POST", redeliver, "").await.expect(200).json(),
        json!({ "taken": 1, "left": 0 })
    );
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_paused_until_a_person_says_so() {
    let (world, mut endpoint) = (world().await, Endpoint::new().await);
    world.webhook(&endpoint, &[]).await;
    endpoint.answers(410);
    world.push(1, "1.0.0", b"one").await;
    let (gone, _) = endpoint.next().await;
    world.webhook_when(|webhook| webhook["paused"] == true).await;
    endpoint.answers(200);
    world.manage("POST", "/api/v1/webhooks/ops/resume", "").await.expect(204);
    assert_eq!(endpoint.next().await.0["webhook-id"], gone["webhook-id"], "nothing is left out");
    let tested = world.manage("POST", "/api/v1/webhooks/ops/test", "").await.expect(200).json();
    assert_eq!(tested, json!({ "taken": true, "outcome": "it answered 200" }));
    world.manage("DELETE", "/api/v1/webhooks/ops", "").await.expect(204);
    world.get("/api/v1/webhooks/ops").await.expect(404);
}

#[tokio::test]
async fn what_is_no_webhook_is_refused() {
    let world = World::new().await;
    let refused = async |order: Value, status| {
        world.manage("POST", "/api/v1/webhooks", order.to_string()).await.expect(status);
    };
    refused(json!({ "name": "a b", "url": "https://x.example/" }), 400).await;
    refused(json!({ "name": "a", "url": "http://x.example/" }), 400).await;
    refused(json!({ "name": "a", "url": "https://x.example/", "events": ["UPPER"] }), 400).await;
    refused(json!({ "name": "a", "url": "https://x.example/", "secret": "mine" }), 400).await;
    refused(json!({ "name": "a", "url": "https://x.example/" }), 201).await;
    refused(json!({ "name": "a", "url": "https://y.example/" }), 409).await;
    world.manage("POST", "/api/v1/webhooks/b/test", "").await.expect(404);
}
