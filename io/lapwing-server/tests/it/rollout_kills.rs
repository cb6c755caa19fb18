//! `kill -9` in the midst of rollouts: no place in one is lost or taken twice, and the audit's chain is whole.
//!
//! Touches: servers in processes of their own, and a database of its own where there is one. Who is killed when
//! follows from a seed; `LAPWING_TEST_SEEDS=N` tries N of them.
//! Never: waits for a time; how long a round lasts is all that is random.

use crate::client::Response;
use crate::cluster::{Cluster, address, store_in};
use crate::databases::{skipped, until};
use crate::kills::{Served, next_random};
use crate::roles::chain;
use crate::rollouts::Fleet;
use crate::world::{Device, NONCE, NOW, Wires, World, config, event};
use lapwing_core::cbor::decode;
use lapwing_core::wire::answer::Answer;
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::report::{Detail, EventKind};
use lapwing_core::{AttemptId, TrustAnchor};
use lapwing_fleet::audit::follow;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;
use tempfile::TempDir;

const SEEDS: &str = "LAPWING_TEST_SEEDS";
const LANES: usize = 4;
const DEVICES: usize = 24;
/// A rollout that is not proven has no more devices on their way than this, whatever is killed.
const UNPROVEN_MAX: usize = 12;
/// The longest that one of the first rounds lasts, and after how many they last as long again: slow machines get on too.
const ROUND_US_MAX: u64 = 150_000;
const PATIENT_ROUNDS: u64 = 40;
/// Rounds in which every rollout here comes to its end.
const ROUNDS_MAX: u64 = 400;
const HOUR_S: u64 = 3_600;

/// What becomes of the devices that take the release.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Release {
    Good,
    Bad,
}

impl Release {
    /// What a device says of it, in order.
    fn story(self) -> [(EventKind, Detail); 3] {
        let end = match self {
            Self::Good => (EventKind::Confirmed, Detail::None),
            Self::Bad => (EventKind::RollbackCompleted, Detail::Cause(Cause::HealthFailed)),
        };
        [(EventKind::DownloadStarted, Detail::None), (EventKind::RebootStarted, Detail::None), end]
    }
}

/// A device, what it was offered, and how much of what it said was acknowledged.
struct Actor {
    device: Device,
    running: Vec<u8>,
    offered: Option<AttemptId>,
    said: usize,
}

impl Actor {
    /// Asks once, or says what it has to say of its attempt. A server that is away is asked again another time.
    async fn turn(&mut self, wires: &Wires, anchor: &TrustAnchor, (release, new): (Release, &[u8])) {
        if self.said == 0 {
            let answer = wires.check_in(&self.device, &self.device.asking(&self.running)).await;
            let Some(attempt) = self.offered_by(&answer, anchor) else { return };
            assert!(self.offered.is_none_or(|known| known == attempt), "{} has a second", self.device.id);
            self.offered = Some(attempt);
        }
        let Some(attempt) = self.offered else { return };
        for (number, (kind, detail)) in (1..).zip(release.story()).skip(self.said) {
            let event = event(attempt, number, kind, detail);
            if wires.report(&self.device, &[event]).await.status != 204 {
                return;
            }
            self.said += 1;
        }
        if release == Release::Good {
            self.running = new.to_vec();
        }
        wires.check_in(&self.device, &self.device.asking(&self.running)).await;
    }

    fn offered_by(&self, answer: &Response, anchor: &TrustAnchor) -> Option<AttemptId> {
        if answer.status != 200 {
            return None;
        }
        match decode(&answer.body).unwrap() {
            Answer::Offer { offer, .. } => {
                let id = self.device.id.parse().unwrap();
                Some(anchor.open_offer(offer, &id, NONCE).unwrap().0.attempt)
            }
            _ => None,
        }
    }
}

/// A rollout that goes on while servers die.
struct Ordeal {
    rollout: u64,
    release: Release,
    lanes: [VecDeque<Actor>; LANES],
    new: Vec<u8>,
    anchor: TrustAnchor,
    /// Generations of the rollout that commands were acknowledged at.
    commanded: Vec<u64>,
    dice: u64,
    rounds: u64,
}

impl Ordeal {
    /// A rollout that has begun, and the world of its devices.
    async fn begun(fleet: Fleet, seed: u64, release: Release) -> (World, Self) {
        let rollout = fleet.started(&json!({})).await;
        let Fleet { world, devices, new, .. } = fleet;
        let mut lanes: [VecDeque<Actor>; LANES] = Default::default();
        for (at, (device, running)) in devices.into_iter().enumerate() {
            lanes[at % LANES].push_back(Actor { device, running, offered: None, said: 0 });
        }
        let anchor = world.anchor.clone();
        // The start was the first command.
        (world, Self { rollout, release, lanes, new, anchor, commanded: vec![0], dice: seed, rounds: 0 })
    }

    /// All devices ask until the round is over, each lane one of the servers, and a person pauses and resumes;
    /// then `strike` falls while all of them wait for an answer.
    async fn round(&mut self, wires: &[&Wires], strike: impl FnOnce()) {
        self.rounds += 1;
        let longest_us = ROUND_US_MAX * (1 + self.rounds / PATIENT_ROUNDS);
        let life = Duration::from_micros(next_random(&mut self.dice) % longest_us);
        let about = (self.release, &*self.new);
        let (anchor, at) = (&self.anchor, |lane: usize| wires[lane % wires.len()]);
        let lane = async |wires: &Wires, actors: &mut VecDeque<Actor>| {
            loop {
                actors[0].turn(wires, anchor, about).await;
                actors.rotate_left(1);
            }
        };
        let [a, b, c, d] = &mut self.lanes;
        let person = pause_and_resume(at(1), self.rollout, &mut self.commanded);
        let all =
            async { tokio::join!(lane(at(0), a), lane(at(1), b), lane(at(2), c), lane(at(3), d), person) };
        let mut all = pin!(all);
        assert!(tokio::time::timeout(life, all.as_mut()).await.is_err(), "busy until the end");
        strike();
    }

    fn actors(&self) -> impl Iterator<Item = &Actor> {
        self.lanes.iter().flatten()
    }

    /// What must hold at every instant; says what the rollout does.
    fn check(&self, books: &Books) -> String {
        let attempts: Vec<_> = books.rows("attempts").filter(|row| row["rollout"] == self.rollout).collect();
        let rollout = books.rows("rollouts").find(|row| row["id"] == self.rollout).unwrap();
        assert_eq!(rollout["granted"], attempts.len(), "as many places as attempts");
        let mut devices: Vec<_> = attempts.iter().map(|row| row["device"].as_str().unwrap()).collect();
        devices.sort_unstable();
        devices.dedup();
        assert_eq!(devices.len(), attempts.len(), "a device has two");
        for Actor { device, offered, .. } in self.actors() {
            let Some(AttemptId(offered)) = *offered else { continue };
            let kept = attempts.iter().any(|row| row["id"] == offered && row["device"] == *device.id);
            assert!(kept, "{} was offered what nobody knows of", device.id);
        }
        let commands: Vec<Value> = books.rows("audit").map(audited).collect();
        let chain = chain(&commands);
        follow(chain.iter().map(|(command, digest)| (command, *digest)), None).expect("a whole chain");
        let subject = self.rollout.to_string();
        let of_rollout =
            |command: &&Value| command["subject"] == *subject && command["action"] != "rollout.create";
        let generation = commands.iter().filter(of_rollout).count() as u64;
        let saved: Value = serde_json::from_str(rollout["saved"].as_str().unwrap()).unwrap();
        if self.release == Release::Bad {
            let deadline_s = saved["rollout"]["charter"]["deadline_s"].as_u64().unwrap();
            let opened: Vec<_> = attempts.iter().map(|row| row["opened"].as_u64().unwrap()).collect();
            for last in &opened {
                let on_their_way = opened.iter().filter(|at| *at <= last && *last < *at + deadline_s).count();
                assert!(on_their_way <= UNPROVEN_MAX, "{on_their_way} devices met a bad release at once");
            }
        }
        assert_eq!(saved["rollout"]["generation"], generation, "every command stands in the audit, once");
        assert!(self.commanded.iter().all(|at| *at < generation), "a command was lost");
        rollout["state"].as_str().unwrap().to_owned()
    }

    /// Whether the rollout has come to the end that it must come to.
    fn is_over(&self, books: &Books) -> bool {
        self.check(books) == if self.release == Release::Good { "completed" } else { "halted" }
    }

    /// Whether all that was acknowledged is there; while it was away, a database got it later.
    fn is_delivered(&self, books: &Books) -> bool {
        let events: Vec<_> = books.rows("events").collect();
        let has = |actor: &Actor, number: usize| {
            let device = json!(actor.device.id);
            events.iter().any(|row| {
                let AttemptId(attempt) = actor.offered.unwrap();
                row["device"] == device && row["attempt"] == attempt && row["number"] == number
            })
        };
        self.actors().all(|actor| (1..=actor.said).all(|number| has(actor, number)))
    }
}

/// Commands a rollout as a person does who has looked at it.
async fn pause_and_resume(wires: &Wires, id: u64, commanded: &mut Vec<u64>) {
    let path = format!("/api/v1/rollouts/{id}");
    for _ in 0..2 {
        let shown = wires.manage("GET", &path, []).await;
        let Some(shown) = (shown.status == 200).then(|| shown.json()) else { break };
        let name = match shown["state"].as_str() {
            Some("running") => "pause",
            Some("paused") => "resume",
            _ => break,
        };
        let generation = shown["generation"].as_u64().unwrap();
        let reason = json!({ "reason": "to see whether it goes on" }).to_string();
        let path = format!("{path}/{name}");
        let answer = wires.manage_if("POST", &path, &format!("\"{generation}\""), reason).await;
        assert!([200, 409, 412, 503].contains(&answer.status), "{}", answer.status);
        if answer.status == 200 {
            commanded.push(generation);
        }
    }
    std::future::pending().await
}

/// All rows of a store, read while servers use it.
struct Books(Vec<Value>);

impl Books {
    fn of(config: lapwing_server::Config) -> Self {
        let read = move || {
            let mut file = Vec::new();
            lapwing_server::export_store(config, &mut file).unwrap();
            file
        };
        let file = std::thread::spawn(read).join().unwrap();
        Self(file.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect())
    }

    fn rows(&self, table: &'static str) -> impl Iterator<Item = &Value> {
        self.0.iter().filter(move |line| line["in"] == table).map(|line| &line["row"])
    }
}

/// A row of the audit in the words of its list.
fn audited(row: &Value) -> Value {
    let bytes =
        base64::Engine::decode(&base64::prelude::BASE64_STANDARD, row["digest"]["bytes"].as_str().unwrap());
    let digest = lapwing_core::Digest::from_bytes(bytes.unwrap().try_into().unwrap()).to_string();
    let mut command = row.clone();
    (command["before"], command["after"]) = (row["was"].clone(), row["became"].clone());
    command["digest"] = json!(digest);
    command
}

/// Seeds of a release that is good and of one that is bad, in turn.
fn seeds() -> impl Iterator<Item = (u64, Release)> {
    let count = std::env::var(SEEDS).ok().map_or(2, |count| count.parse().unwrap());
    (1..=count).map(|seed| (seed, if seed % 2 == 1 { Release::Good } else { Release::Bad }))
}

#[tokio::test]
async fn a_server_killed_in_the_midst_of_a_rollout_loses_no_place_and_gives_none_twice() {
    for (seed, release) in seeds() {
        let fleet = Fleet::in_world(World::new().await, DEVICES).await;
        let (world, mut ordeal) = Ordeal::begun(fleet, seed, release).await;
        let World { dir, server, .. } = world;
        server.shutdown().await;
        let mut rounds = 1..ROUNDS_MAX;
        loop {
            let now = NOW + HOUR_S * rounds.next().expect("it comes to an end");
            let server = Served::start(dir.path(), None, now);
            ordeal.round(&[&server.wires], || server.kill()).await;
            let books = Books::of(config(&dir));
            if ordeal.is_over(&books) {
                assert!(ordeal.is_delivered(&books), "a report was lost");
                break;
            }
        }
        println!("seed {seed}: {} servers were killed", rounds.start);
    }
}

#[tokio::test]
async fn two_servers_and_their_database_killed_in_turn_lose_no_place_and_give_none_twice() {
    let Some(mut cluster) = Cluster::new() else { return skipped() };
    for (seed, release) in seeds() {
        let place = |config: &mut lapwing_server::Config| {
            config.store = Some(store_in(cluster.socket(), &config.data_dir));
        };
        let fleet = Fleet::in_world(World::with(place).await, DEVICES).await;
        let (world, mut ordeal) = Ordeal::begun(fleet, seed, release).await;
        let World { dir, server, .. } = world;
        server.shutdown().await;
        let second = twin(dir.path());
        let (store, blobs) = (address(cluster.socket(), dir.path()), dir.path().join("blobs"));
        let dirs = [dir.path(), second.path()];
        let start = |at: usize, now: u64| Served::start(dirs[at], Some((&store, &blobs)), now);
        let books = || Books::of(lapwing_server::Config { store: Some(store.clone()), ..config(dir.path()) });
        let mut servers = [start(0, NOW), start(1, NOW)];
        let mut rounds = 1..ROUNDS_MAX;
        loop {
            let [first, other] = &servers;
            let wires = [&first.wires, &other.wires];
            let struck = next_random(&mut ordeal.dice) % 8;
            let dies = [struck & 1 != 0, struck & 2 != 0];
            let kill = || servers.iter().zip(dies).filter(|(_, dies)| *dies).for_each(|(one, _)| one.kill());
            if struck == 7 {
                ordeal.round(&wires, || cluster.kill()).await;
                ordeal.round(&wires, kill).await;
                cluster.start_again();
            } else {
                ordeal.round(&wires, kill).await;
            }
            let now = NOW + HOUR_S * rounds.next().expect("it comes to an end");
            for (at, server) in servers.iter_mut().enumerate() {
                if dies[at] { *server = start(at, now) } else { server.set_time(now) }
            }
            for server in &servers {
                until(async || server.wires.manage("GET", "/healthz", []).await.status == 200).await;
            }
            if ordeal.is_over(&books()) {
                until(async || ordeal.is_delivered(&books())).await;
                break;
            }
        }
        println!("seed {seed}: {} rounds", rounds.start);
    }
}

/// A second server's directory: the same online key and certificate.
fn twin(dir: &Path) -> TempDir {
    let second = TempDir::new().unwrap();
    std::fs::create_dir(second.path().join("tls")).unwrap();
    let mut files: Vec<_> =
        std::fs::read_dir(dir.join("tls")).unwrap().map(|file| file.unwrap().path()).collect();
    files.push(dir.join("online.key"));
    for file in files {
        std::fs::copy(&file, second.path().join(file.strip_prefix(dir).unwrap())).unwrap();
    }
    second
}
