//! Events at a real broker, as its subscribers meet them: a topic for each name, in order, nothing left out.
//!
//! Touches: Mosquitto and its own client, each a process of this test's. Says in large letters when it is not there.

use crate::world::{World, facts};
use lapwing_core::wire::check_in::{CheckIn, Facts, NamedFacts};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Lines};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use tempfile::TempDir;

const BROKER: &str = "/usr/sbin/mosquitto";
const LOGIN: [&str; 2] = ["lapwing", "p:ss"];
/// A loopback address of its own, on which nobody takes its port while it is away.
const ADDRESS: &str = "127.0.0.77";
/// Who is told nothing for so long gives up.
const PATIENCE_S: &str = "60";
/// Tries to meet a broker that has just been started.
const MEETINGS_MAX: usize = 500;

/// A process that ends with its owner.
struct Owned(Child);

impl Drop for Owned {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A broker that wants a login, and somebody who is told everything.
struct Broker {
    dir: TempDir,
    port: u16,
}

impl Broker {
    fn new() -> Option<Self> {
        let there =
            Path::new(BROKER).exists() && Command::new("mosquitto_sub").arg("--help").output().is_ok();
        if !there {
            eprintln!("!!! SKIPPED: no Mosquitto here; `cargo xtask test --only store` brings one");
            return None;
        }
        let dir = TempDir::new().unwrap();
        // The system chooses the port; nobody else is told of it in the moment between.
        let port = TcpListener::bind((ADDRESS, 0)).unwrap().local_addr().unwrap().port();
        let passwords = dir.path().join("passwords");
        let made = Command::new("mosquitto_passwd").args(["-b", "-c"]).arg(&passwords).args(LOGIN).status();
        assert!(made.unwrap().success());
        // It stays who we are: anybody else may not be let into the folder for temporary files.
        let config = format!("user root\nlistener {port} {ADDRESS}\npassword_file {}\n", passwords.display());
        std::fs::write(dir.path().join("config"), config).unwrap();
        Some(Self { dir, port })
    }

    /// Starts it, and a subscriber; says what the subscriber prints once it is told everything.
    fn start(&self) -> (Owned, Subscriber) {
        let mut broker = Command::new(BROKER);
        broker.arg("-c").arg(self.dir.path().join("config")).stderr(Stdio::null());
        let broker = Owned(broker.spawn().unwrap());
        let port = self.port.to_string();
        for _ in 0..MEETINGS_MAX {
            // Else it keeps what it has to say for itself until it has a lot.
            let mut client = Command::new("stdbuf");
            client.args([
                "-oL",
                "mosquitto_sub",
                "-W",
                PATIENCE_S,
                "-p",
                &port,
                "-h",
                ADDRESS,
                "-u",
                LOGIN[0],
                "-P",
                LOGIN[1],
                "-q",
                "1",
            ]);
            client.args(["-t", "#", "-F", "%t %p", "-d"]).stdout(Stdio::piped()).stderr(Stdio::null());
            let mut client = client.spawn().unwrap();
            let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
            let subscribed =
                |line: &std::io::Result<String>| line.as_ref().unwrap().starts_with("Subscribed");
            let client = Owned(client);
            // A broker that does not listen yet ends the client.
            if lines.any(|line| subscribed(&line)) {
                return (broker, Subscriber { _client: client, lines });
            }
        }
        panic!("the broker takes no subscriber");
    }
}

struct Subscriber {
    _client: Owned,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Subscriber {
    /// The next message below `fleet`: its topic, and the event.
    fn next(&mut self) -> (String, Value) {
        let (topic, event) = self.next_of_any_kind();
        (topic, serde_json::from_str(&event).unwrap())
    }

    /// The next message below `fleet`, whatever it says.
    fn next_of_any_kind(&mut self) -> (String, String) {
        let mut messages = self.lines.by_ref().map(Result::unwrap).filter(|line| line.starts_with("fleet/"));
        let line = messages.next().expect("it is still told");
        let (topic, said) = line.split_once(' ').unwrap();
        (topic.to_owned(), said.to_owned())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_gets_every_event_under_its_name_and_in_order_when_it_is_back() {
    let Some(broker) = Broker::new() else { return };
    let world = World::with(|config| config.webhook_interval_ms = 10).await;
    let (running, mut subscriber) = broker.start();
    let order = |login: Option<String>| {
        let url = format!("mqtt://{ADDRESS}:{}/fleet", broker.port);
        json!({ "name": "ops", "url": url, "login": login, "events": ["version-set"] }).to_string()
    };
    let make = async |login: Option<&str>| {
        let login = login.map(|password| format!("{}:{password}", LOGIN[0]));
        world.manage("POST", "/api/v1/webhooks", order(login)).await
    };
    let made = make(Some("wrong")).await.expect(201).json();
    assert_eq!(made["secret"], Value::Null);
    let tested = world.manage("POST", "/api/v1/webhooks/ops/test", "").await.expect(200).json();
    assert_eq!(tested, json!({ "taken": false, "outcome": "no answer: the broker wants another login" }));
    world.manage("DELETE", "/api/v1/webhooks/ops", "").await.expect(204);
    make(Some(LOGIN[1])).await.expect(201);
    let shown = world.webhook_when(|_| true).await;
    assert!(!shown.to_string().contains(LOGIN[1]), "a login is never shown");

    world.push(1, "1.0.0", b"one").await;
    let (topic, event) = tokio::task::block_in_place(|| subscriber.next());
    assert_eq!(topic, "fleet/version-set/pushed");
    assert_eq!(
        (&event["type"], &event["specversion"]),
        (&json!("lapwing.version-set.pushed"), &json!("1.0"))
    );
    assert_eq!(event["data"]["id"].to_string(), event["id"].as_str().unwrap());

    // An event that the broker did not answer for is published again.
    world.webhook_when(|webhook| webhook["behind"] == 0).await;
    drop(running);
    let mut pushed = vec![event["data"]["detail"].clone()];
    for (seq, version) in [(2, "2.0.0"), (3, "3.0.0")] {
        world.push(seq, version, version.as_bytes()).await;
    }
    world.webhook_when(|webhook| webhook["failures"] != 0).await;
    let (_running, mut subscriber) = broker.start();
    world.manage("POST", "/api/v1/webhooks/ops/resume", "").await.expect(204);
    for _ in 0..2 {
        let (_, event) = tokio::task::block_in_place(|| subscriber.next());
        pushed.push(event["data"]["detail"].clone());
    }
    assert_eq!(pushed, ["1.0.0", "2.0.0", "3.0.0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_says_it_listens_at_the_broker_is_called_there_and_no_other() {
    let Some(broker) = Broker::new() else { return };
    let (_running, mut subscriber) = broker.start();
    let login = broker.dir.path().join("login");
    std::fs::write(&login, format!("{}:{}\n", LOGIN[0], LOGIN[1])).unwrap();
    let world = World::with(|config| {
        config.wake_broker = Some(format!("mqtt://{ADDRESS}:{}/fleet", broker.port));
        config.wake_broker_login_file = Some(login);
    })
    .await;
    let mut buffer = [0; 64];
    let named = NamedFacts::spell(&[("wake", "mqtt")], &mut buffer).unwrap();
    for (id, named) in [("deaf", NamedFacts::NONE), ("d1", named), ("d2", named)] {
        let device = world.device(id).await;
        let told = CheckIn { facts: Some(Facts { named, ..facts(2) }), ..device.asking(b"factory") };
        world.check_in(&device, &told).await.expect(200);
    }
    let update_now = async |id: &str| {
        world.manage("POST", &format!("/api/v1/devices/{id}/update-now"), []).await.expect(204);
    };
    for id in ["deaf", "d1", "d2"] {
        update_now(id).await;
    }
    let called: BTreeSet<_> =
        (0..2).map(|_| tokio::task::block_in_place(|| subscriber.next_of_any_kind())).collect();
    let call = |id: &str| (format!("fleet/{id}/wake"), String::new());
    assert_eq!(called, [call("d1"), call("d2")].into());
    update_now("d1").await;
    assert_eq!(tokio::task::block_in_place(|| subscriber.next_of_any_kind()), call("d1"));
}

#[tokio::test]
async fn only_brokers_take_a_login() {
    let world = World::new().await;
    let check = async |url: &str, login: Option<&str>, status| {
        let order = json!({ "name": "b", "url": url, "login": login }).to_string();
        world.manage("POST", "/api/v1/webhooks", order).await.expect(status);
    };
    check("https://hooks.example/", Some("a:b"), 400).await;
    check("mqtts://broker.example/", Some("no colon"), 400).await;
    check("mqtt://broker.example/", None, 400).await;
    check("mqtts://broker.example/", None, 201).await;
}
