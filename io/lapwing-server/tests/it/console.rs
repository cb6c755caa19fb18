//! The web console as a browser meets it: its files, its session, and the numbers that only it asks for.
//!
//! Touches: the management plane, over real sockets.

use crate::client::{Request, Response};
use crate::world::World;
use serde_json::json;

impl World {
    async fn browse(&self, path: &str, head: &[(&str, &str)]) -> Response {
        let with = |request: Request, (name, value): &(&str, &str)| request.header(name, *value);
        head.iter().fold(Request::new("GET", path), with).plain(self.wires.management).await
    }

    async fn sign_in(&self, token: &str, head: &[(&str, &str)]) -> Response {
        let with = |request: Request, (name, value): &(&str, &str)| request.header(name, *value);
        let request = head.iter().fold(Request::new("POST", "/api/v1/session"), with);
        request.body(json!({ "token": token }).to_string()).plain(self.wires.management).await
    }
}

#[tokio::test]
async fn the_console_is_served_with_nothing_allowed_from_elsewhere() {
    let world = World::new().await;
    for from in ["/", "/console"] {
        let there = world.browse(from, &[]).await.expect_plain(303);
        assert_eq!(there.header("location"), Some("console/"), "relative, for whatever prefix");
    }
    for name in ["", "index.html", "console.js", "console.css", "inter.woff2", "icon.svg"] {
        let path = format!("/console/{name}");
        let file = world.browse(&path, &[]).await.expect_plain(200);
        assert_eq!(file.header("content-encoding"), Some("gzip"));
        assert_eq!(file.body.get(..2), Some(&[0x1f, 0x8b][..]), "{name}");
        let policy = file.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
        assert!(!policy.contains("http"), "{policy}");
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
        let tag = file.header("etag").unwrap();
        let again = world.browse(&path, &[("If-None-Match", tag)]).await.expect_plain(304);
        assert!(again.body.is_empty());
    }
    world.browse("/console/none", &[]).await.expect_plain(404);
}

#[tokio::test]
async fn a_session_is_as_good_as_its_token_and_only_for_the_console_itself() {
    let world = World::new().await;
    let order = json!({ "name": "ann", "role": "viewer" }).to_string();
    let made = world.manage("POST", "/api/v1/tokens", order).await.expect(201).json();
    let token = made["token"].as_str().unwrap();
    world.sign_in("wrong", &[]).await.expect(401);
    let signed = world.sign_in(token, &[("Origin", "http://127.0.0.1")]).await.expect(200);
    assert_eq!(signed.json(), json!({ "name": "ann", "role": "viewer" }));
    let cookie = signed.header("set-cookie").unwrap();
    assert!(cookie.contains("; HttpOnly; SameSite=Strict") && !cookie.contains("Path"), "{cookie}");
    assert!(!cookie.contains("Secure") && !cookie.contains(token), "{cookie}");
    let behind_tls = world.sign_in(token, &[("Origin", "https://ops.example")]).await.expect(200);
    assert!(behind_tls.header("set-cookie").unwrap().ends_with("; Secure"));

    let session = cookie.split(';').next().unwrap().to_owned();
    let ours = [("Cookie", session.as_str()), ("Lapwing-Console", "1")];
    let caller = world.browse("/api/v1/caller", &ours).await.expect(200).json();
    assert_eq!(caller, json!({ "name": "ann", "role": "viewer" }));
    world.browse("/api/v1/tokens", &ours).await.expect(403);
    // What a form or a link of another site could send has no such header.
    world.browse("/api/v1/caller", &ours[..1]).await.expect(401);
    let forged = format!("{session}0");
    world.browse("/api/v1/caller", &[("Cookie", &forged), ours[1]]).await.expect(401);

    let out = Request::new("DELETE", "/api/v1/session").header("Cookie", &*session);
    let out = out.plain(world.wires.management).await.expect(204);
    assert!(out.header("set-cookie").unwrap().starts_with("lapwing-session=; Max-Age=0;"));
    world.manage("DELETE", "/api/v1/tokens/ann", []).await.expect(204);
    world.browse("/api/v1/caller", &ours).await.expect(401);

    let signed = world.sign_in(&world.wires.token, &[]).await.expect(200);
    let session = signed.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let ours = [("Cookie", session.as_str()), ("Lapwing-Console", "1")];
    world.browse("/api/v1/tokens", &ours).await.expect(200);
    world.advance(12 * 3_600);
    world.browse("/api/v1/tokens", &ours).await.expect(401);
}
