//! Tokens with roles, the audit of what they did, the access log of devices, and changes as they happen.

use crate::client::{Request, Response};
use crate::world::World;
use lapwing_core::{Digest, UnixSeconds};
use lapwing_fleet::audit::{Command, Head, follow};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

const ROLES: [&str; 4] = ["viewer", "operator", "release-manager", "admin"];

impl World {
    async fn token(&self, name: &str, role: &str, expires_in_s: Option<u64>) -> String {
        let order = json!({ "name": name, "role": role, "expires_in_s": expires_in_s }).to_string();
        let made = self.manage("POST", "/api/v1/tokens", order).await.expect(201).json();
        made["token"].as_str().unwrap().to_owned()
    }

    async fn ask_as(&self, token: &str, method: &'static str, path: &str) -> Response {
        let request = Request::new(method, path).header("Authorization", format!("Bearer {token}"));
        request.plain(self.wires.management).await
    }

    async fn audit(&self) -> (Vec<Value>, Head) {
        let page = self.get("/api/v1/audit").await.expect(200).json();
        let (number, digest) = (&page["head"]["number"], page["head"]["digest"].as_str().unwrap());
        let head = Head { number: number.as_u64().unwrap(), digest: digest.parse().unwrap() };
        (page["commands"].as_array().unwrap().clone(), head)
    }
}

/// The commands of an audit as they were hashed, each with its digest.
pub(crate) fn chain(commands: &[Value]) -> Vec<(Command, Digest)> {
    let text = |command: &Value, name: &str| command[name].as_str().map(str::to_owned);
    let command = |c: &Value| {
        let command = Command {
            number: c["number"].as_u64().unwrap(),
            time: UnixSeconds(c["time"].as_u64().unwrap()),
            who: text(c, "who").unwrap(),
            role: text(c, "role").unwrap(),
            action: text(c, "action").unwrap(),
            subject: text(c, "subject").unwrap(),
            why: text(c, "why"),
            before: text(c, "before"),
            after: text(c, "after"),
        };
        (command, text(c, "digest").unwrap().parse().unwrap())
    };
    commands.iter().map(command).collect()
}

#[tokio::test]
async fn each_operation_asks_for_the_role_that_its_description_names() {
    let world = World::new().await;
    let mut tokens = Vec::new();
    for role in ROLES {
        tokens.push((role, world.token(role, role, None).await));
    }
    let described = world.get("/api/v1/openapi.json").await.expect(200).json();
    let mut tried = 0;
    for (path, operations) in described["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let needed = operation["security"][0]["token"][0].as_str().unwrap_or("anyone");
            let needs = ROLES.iter().position(|role| *role == needed);
            let method: &str = &method.to_uppercase();
            let method = ["GET", "PUT", "POST", "DELETE"].into_iter().find(|known| *known == method).unwrap();
            // What nobody has, so that nothing is done; no profile is taken.
            let mut path = path.replace(['{', '}'], "");
            if path.ends_with("/cpu") {
                path += "?seconds=0";
            }
            let anybody = Request::new(method, &*path).plain(world.wires.management).await;
            assert_eq!(anybody.status == 401, needs.is_some(), "{method} {path} without a token");
            for (has, (role, token)) in tokens.iter().enumerate() {
                let may = needs.is_none_or(|needs| has >= needs);
                if may && path == "/api/v1/changes" {
                    continue;
                }
                let answer = world.ask_as(token, method, &path).await;
                assert_eq!(answer.status != 403, may, "{method} {path} as {role}: {}", answer.status);
                assert_ne!(answer.status, 401);
                if !may {
                    let detail = answer.expect(403).json()["detail"].as_str().unwrap().to_owned();
                    assert!(detail.contains(&format!("role {needed};")), "{detail}");
                }
                tried += 1;
            }
        }
    }
    println!("{tried} requests with tokens");
}

#[tokio::test]
async fn a_token_is_good_until_it_expires_or_is_revoked_and_is_never_shown_again() {
    let world = World::new().await;
    let short = world.token("short", "viewer", Some(60)).await;
    let long = world.token("long", "operator", None).await;
    let caller = world.ask_as(&long, "GET", "/api/v1/caller").await.expect(200).json();
    assert_eq!(caller, json!({ "name": "long", "role": "operator" }));
    let again = json!({ "name": "long", "role": "viewer" }).to_string();
    world.manage("POST", "/api/v1/tokens", again).await.expect(409);
    for wrong in [
        json!({ "name": "Ann", "role": "viewer" }),
        json!({ "name": "", "role": "viewer" }),
        json!({ "name": "ann", "role": "anyone" }),
        json!({ "name": "ann", "role": "viewer", "expires_in_s": 0 }),
    ] {
        world.manage("POST", "/api/v1/tokens", wrong.to_string()).await.expect(400);
    }
    world.ask_as(&short, "GET", "/api/v1/identity").await.expect(200);
    world.advance(60);
    world.ask_as(&short, "GET", "/api/v1/identity").await.expect(401);
    let world = world.restart().await;
    world.ask_as(&long, "GET", "/api/v1/identity").await.expect(200);
    let listed = world.get("/api/v1/tokens").await.expect(200);
    let text = String::from_utf8(listed.body.clone()).unwrap();
    assert!(!text.contains(&long) && !text.contains(&short));
    assert_eq!(listed.json()["tokens"][0]["last_used"], crate::world::NOW);
    world.manage("DELETE", "/api/v1/tokens/long", []).await.expect(204);
    world.manage("DELETE", "/api/v1/tokens/long", []).await.expect(404);
    world.ask_as(&long, "GET", "/api/v1/identity").await.expect(401);
}

#[tokio::test]
async fn every_command_is_in_the_audit_with_who_why_before_and_after() {
    let world = World::new().await;
    let device = world.device("d1").await;
    let (before, _) = world.audit().await;
    let actions = |commands: &[Value]| -> Vec<String> {
        commands.iter().map(|command| command["action"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(actions(&before), ["trust.root", "trust.delegation", "claim-token.make"]);
    let token = world.token("ann", "operator", None).await;
    let path = format!("/api/v1/devices/{}/pin", device.id);
    let pin = Request::new("POST", &*path)
        .header("Authorization", format!("Bearer {token}"))
        .header("Lapwing-Reason", "field test for Müller")
        .body(json!({ "version": "1.2.3" }).to_string());
    pin.plain(world.wires.management).await.expect(204);
    // What is refused is not recorded as done.
    world.manage("POST", "/api/v1/devices/nobody/pin", "{\"version\":null}").await.expect(404);
    world.ask_as(&token, "DELETE", "/api/v1/tokens/ann").await.expect(403);
    let long = [("Lapwing-Reason", "x".repeat(1025))];
    let long = [(long[0].0, &*long[0].1)];
    world.wires.manage_with("POST", &path, &long, "{\"version\":null}").await.expect(400);

    let (commands, head) = world.audit().await;
    assert_eq!(actions(&commands[3..]), ["token.make", "device.pinned"]);
    let pinned = &commands[4];
    for (name, expected) in
        [("who", "ann"), ("role", "operator"), ("subject", "d1"), ("why", "field test for Müller")]
    {
        assert_eq!(pinned[name], expected);
    }
    let pinned_to = |name: &str| {
        let held: Value = serde_json::from_str(pinned[name].as_str().unwrap()).unwrap();
        held["pinned"].clone()
    };
    assert_eq!((pinned_to("before"), pinned_to("after")), (Value::Null, json!("1.2.3")));
    assert!(!commands.iter().any(|command| command.to_string().contains(&token)));

    let chain = chain(&commands);
    assert_eq!(follow(chain.iter().map(|(command, digest)| (command, *digest)), None), Ok(head));
}

#[tokio::test]
async fn the_access_log_says_who_asked_what_and_costs_a_device_no_write() {
    let world = World::new().await;
    let device = world.device("d1").await;
    world.check_in(&device, &device.idle(b"any")).await.expect(200);
    let writes = world.server.store_writes();
    world.check_in(&device, &device.idle(b"any")).await.expect(200);
    assert_eq!(world.server.store_writes(), writes);
    let stranger = Request::new("POST", "/v1/check-in").header("Authorization", "Basic ZDI6eA==");
    world.device_plane(stranger).await.expect(401);
    let search = async |query: &'static str| {
        let found = world.get(&format!("/api/v1/access?{query}")).await.expect(200).json();
        found["requests"].as_array().unwrap().clone()
    };
    let of_d1 = search("device=d1").await;
    assert_eq!(of_d1.len(), 2);
    let expected = ["d1", "127.0.0.1", "POST /v1/check-in"];
    assert_eq!(["device", "address", "request"].map(|name| of_d1[0][name].as_str().unwrap()), expected);
    let refused = search("status=401").await;
    assert_eq!((refused.len(), refused[0]["device"].as_str()), (1, Some("d2")));
    assert_eq!(search("limit=1").await[0]["status"], 401, "the newest comes first");
}

/// Reads the stream of changes until a line begins like this.
async fn read_until(stream: &mut BufReader<TcpStream>, begins: &str) -> String {
    let mut line = String::new();
    loop {
        line.clear();
        assert_ne!(stream.read_line(&mut line).await.unwrap(), 0, "the stream ended before {begins}");
        if line.starts_with(begins) {
            return line.trim().to_owned();
        }
    }
}

async fn follow_changes(world: &World, last: Option<&str>) -> BufReader<TcpStream> {
    let token = std::fs::read_to_string(world.server.admin_token_path()).unwrap();
    let mut stream = TcpStream::connect(world.wires.management).await.unwrap();
    let last = last.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
    let token = token.trim();
    let head =
        format!("GET /api/v1/changes HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n{last}\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    BufReader::new(stream)
}

#[tokio::test]
async fn changes_are_told_as_they_happen_and_nothing_is_missed() {
    let world = World::new().await;
    let device = world.device("d1").await;
    let path = format!("/api/v1/devices/{}/retry", device.id);
    let mut reader = follow_changes(&world, None).await;
    read_until(&mut reader, ": from here on").await;
    world.manage("POST", &path, []).await.expect(204);
    let id = read_until(&mut reader, "id: ").await.trim_start_matches("id: ").to_owned();
    let told = read_until(&mut reader, "data: ").await;
    assert!(told.contains("\"device.retry\"") && told.contains("\"d1\""), "{told}");
    drop(reader);
    world.manage("POST", &format!("/api/v1/devices/{}/update-now", device.id), []).await.expect(204);
    let mut again = follow_changes(&world, Some(&id)).await;
    assert!(read_until(&mut again, "data: ").await.contains("\"device.update-now\""));
    world.ask_as("x", "GET", "/api/v1/changes").await.expect(401);
    // An open stream does not hold up the end.
    world.server.shutdown().await;
}

#[tokio::test]
async fn readers_of_changes_are_bounded_and_one_too_many_is_told_when_to_come_back() {
    let world = World::new().await;
    let mut readers = Vec::new();
    for _ in 0..64 {
        let mut reader = follow_changes(&world, None).await;
        read_until(&mut reader, ": from here on").await;
        readers.push(reader);
    }
    let refused = world.get("/api/v1/changes").await.expect(503);
    assert!(refused.header("retry-after").is_some());
    drop(readers);
}
