//! The conventions of the management plane, from the outside.

use crate::client::{Request, Response};
use crate::world::World;
use serde_json::{Value, json};

impl World {
    async fn ask(&self, method: &'static str, path: &str, head: &[(&str, &str)], body: &str) -> Response {
        self.wires.manage_with(method, path, head, body).await
    }
}

#[tokio::test]
async fn a_read_has_a_tag_that_saves_the_download() {
    let world = World::new().await;
    let path = "/api/v1/identity";
    let first = world.get(path).await.expect(200);
    let tag = first.header("etag").unwrap().to_owned();
    let again =
        world.ask("GET", path, &[("If-None-Match", &format!("\"x\", W/{tag}"))], "").await.expect(304);
    assert!(again.body.is_empty());
    world.ask("GET", path, &[("If-None-Match", "\"x\"")], "").await.expect(200);
    let head = world.ask("HEAD", path, &[], "").await.expect(200);
    assert_eq!(head.header("etag"), Some(&*tag));
    assert_eq!(head.header("content-length"), Some(&*first.body.len().to_string()));
    assert!(head.body.is_empty());
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_says_how() {
    let world = World::new().await;
    let tokens = "/api/v1/claim-tokens";
    let order = json!({ "count": 1, "expires_in_s": 60 }).to_string();
    assert_eq!(world.ask("PUT", tokens, &[], "").await.expect(405).header("allow"), Some("GET,HEAD,POST"));
    world.ask("GET", tokens, &[("Accept", "text/html")], "").await.expect(406);
    world.ask("POST", tokens, &[("Content-Type", "text/plain")], &order).await.expect(415);
    world.ask("POST", tokens, &[], &"x".repeat((1 << 20) + 1)).await.expect(413);
    world.ask("POST", tokens, &[], "{}").await.expect(400);
    world.ask("GET", "/api/v1/nowhere", &[], "").await.expect(404);
    for limit in ["0", "501", "x"] {
        world.get(&format!("{tokens}?limit={limit}")).await.expect(400);
    }
    world.get(&format!("{tokens}?unknown=1")).await.expect(400);
    let gone = world.get(&format!("{tokens}?cursor=gone")).await.expect(400).json();
    assert_eq!(gone["type"], "urn:lapwing:problem:cursor");
}

#[tokio::test]
async fn a_repeated_command_is_done_once() {
    let world = World::new().await;
    let path = "/api/v1/claim-tokens";
    let order = json!({ "count": 1, "expires_in_s": 60 }).to_string();
    let key = [("Idempotency-Key", "one")];
    let first = world.ask("POST", path, &key, &order).await.expect(201).json();
    let again = world.ask("POST", path, &key, &order).await.expect(201);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(again.json(), first);
    let other = json!({ "count": 2, "expires_in_s": 60 }).to_string();
    world.ask("POST", path, &key, &other).await.expect(422);
    world.ask("POST", path, &[("Idempotency-Key", "")], &order).await.expect(400);
    let held = world.get(path).await.expect(200).json();
    assert_eq!(held["claim_tokens"].as_array().unwrap().len(), 1);
    // Another token may use the same key; none at all gets nothing.
    let asked = Request::new("POST", path).header("Idempotency-Key", "one").body(order);
    asked.plain(world.wires.management).await.expect(401);
}

#[tokio::test]
async fn devices_are_listed_by_filter_and_page() {
    let world = World::new().await;
    for name in ["a", "b", "c", "d"] {
        world.device(name).await;
    }
    let ids = |page: &Value| -> Vec<String> {
        let devices = page["devices"].as_array().unwrap();
        devices.iter().map(|device| device["id"].as_str().unwrap().to_owned()).collect()
    };
    let meant = "filter=device%20in%20(a,c,d)";
    let first = world.get(&format!("/api/v1/devices?{meant}&limit=2")).await.expect(200).json();
    assert_eq!((ids(&first), &first["cursor"]), (vec!["a".into(), "c".into()], &json!("c")));
    let next = world.get(&format!("/api/v1/devices?{meant}&limit=2&cursor=c")).await.expect(200).json();
    assert_eq!((ids(&next), &next["cursor"]), (vec!["d".into()], &Value::Null));
    let all = world.get("/api/v1/devices?limit=4").await.expect(200).json();
    assert_eq!((ids(&all).len(), &all["cursor"]), (4, &Value::Null));
    let wrong = world.get("/api/v1/devices?filter=device%20is%20a").await.expect(400).json();
    assert_eq!(wrong["type"], "urn:lapwing:problem:filter");
    assert!(wrong["detail"].as_str().unwrap().starts_with("at character 8: "), "{wrong}");
}

#[tokio::test]
async fn the_description_is_for_everybody_and_needs_nothing_from_elsewhere() {
    let world = World::new().await;
    let ask =
        async |path: &'static str| Request::new("GET", path).plain(world.wires.management).await.expect(200);
    let described = ask("/api/v1/openapi.json").await.json();
    assert_eq!(described["openapi"], "3.1.0");
    let page = ask("/api/v1/docs").await;
    assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    let page = String::from_utf8(page.body).unwrap();
    let missing = described["paths"].as_object().unwrap().keys().find(|path| !page.contains(*path));
    assert!(missing.is_none() && !page.contains("http:") && !page.contains("https:"), "{missing:?}");
}
