//! `kill -9` at random instants: nothing half published, nothing acknowledged and lost.
//!
//! Touches: a server in a process of its own, which is this test binary started again and is killed
//! by its process id. Never: waits for a time; the instant of the kill is all that is random.

use crate::world::{Device, Keys, NOW, Wires, World, config, event, image, release, start};
use lapwing_core::wire::report::{Detail, EventKind};
use lapwing_core::{AttemptId, Digest, Release};
use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const DIR: &str = "LAPWING_TEST_SERVER_DIR";
const STORE: &str = "LAPWING_TEST_SERVER_STORE";
const BLOBS: &str = "LAPWING_TEST_SERVER_BLOBS";
const ROUNDS: u64 = 25;
const ROUNDS_MAX: u64 = 10 * ROUNDS;
/// The longest that a server lives after it listens.
pub(crate) const LIFE_US_MAX: u64 = 80_000;

/// Not a test: the server that the tests start and kill. What comes in is the time.
#[tokio::test]
#[ignore = "started by the tests that kill it"]
async fn serve_until_killed() {
    let place = |name| std::env::var_os(name).map(PathBuf::from);
    let dir = place(DIR).unwrap();
    let clock = Arc::new(AtomicU64::new(NOW));
    let store = std::env::var(STORE).ok().or_else(|| config(&dir).store);
    // Whoever sets the clock need not be believed.
    let config =
        lapwing_server::Config { store, blobs_dir: place(BLOBS), clock_jump_s_max: u32::MAX, ..config(&dir) };
    let mut first = String::new();
    std::io::stdin().read_line(&mut first).unwrap();
    clock.store(first.trim().parse().unwrap(), Ordering::Relaxed);
    let server = start(config, &clock).await.unwrap();
    println!("\nlistening {} {}", server.management_addr(), server.device_addr());
    let told = move || {
        let times = std::io::stdin().lines().map_while(Result::ok).filter_map(|line| line.parse().ok());
        times.for_each(|time| clock.store(time, Ordering::Relaxed));
    };
    drop(tokio::task::spawn_blocking(told).await);
}

/// A server in a process of its own. Dropped, it is killed.
pub(crate) struct Served {
    child: RefCell<Child>,
    times: ChildStdin,
    pub(crate) wires: Wires,
}

impl Served {
    /// One that keeps its data in `dir`, and its rows and blobs there too unless they have other places.
    pub(crate) fn start(dir: &Path, elsewhere: Option<(&str, &Path)>, now: u64) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "kills::serve_until_killed", "--nocapture"]).env(DIR, dir);
        if let Some((store, blobs)) = elsewhere {
            command.env(STORE, store).env(BLOBS, blobs);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut times = child.stdin.take().unwrap();
        writeln!(times, "{now}").unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        let line = said.lines().map(Result::unwrap).find(|line| line.starts_with("listening")).unwrap();
        let mut words = line.split(' ').skip(1).map(|word| word.parse().unwrap());
        let (management, devices) = (words.next().unwrap(), words.next().unwrap());
        Self { child: RefCell::new(child), times, wires: Wires::new(dir, management, devices) }
    }

    /// Moves its clock.
    pub(crate) fn set_time(&mut self, now: u64) {
        writeln!(self.times, "{now}").unwrap();
    }

    /// `kill -9`, whatever it does just then.
    pub(crate) fn kill(&self) {
        self.child.borrow_mut().kill().unwrap();
        self.child.borrow_mut().wait().unwrap();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.borrow_mut().kill());
        drop(self.child.borrow_mut().wait());
    }
}

/// A version set of two components.
fn version_set(seq: u64) -> [(Release, Vec<u8>); 2] {
    let version = format!("1.{seq}.0");
    let [app, other] = [image(seq as u8, 3_000), image(seq as u8 ^ 0x80, 70_000)];
    let of_other = Release { component: "other".parse().unwrap(), ..release(seq, &version, &other) };
    [(release(seq, &version, &app), app), (of_other, other)]
}

/// The next number of a series that is the same in every run.
pub(crate) fn next_random(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

/// What the server said yes to.
#[derive(Default)]
pub(crate) struct Acknowledged {
    versions: Vec<String>,
    events: Vec<u64>,
}

/// Publishes and reports until it is stopped.
pub(crate) async fn keep_busy(
    wires: &Wires,
    keys: &Keys,
    device: &Device,
    next: &mut u64,
    said: &mut Acknowledged,
) {
    loop {
        let seq = *next;
        *next += 1;
        let mut envelopes = Vec::new();
        for (release, image) in version_set(seq) {
            wires.upload(&image).await;
            envelopes.push(keys.signed(&release));
        }
        wires.push_envelopes(&envelopes, false).await.expect(201);
        said.versions.push(format!("1.{seq}.0"));
        let number = u32::try_from(seq).unwrap();
        let event = event(AttemptId::NONE, number, EventKind::CheckCompleted, Detail::None);
        wires.report(device, &[event]).await.expect(204);
        said.events.push(seq);
    }
}

#[tokio::test]
async fn a_kill_leaves_nothing_half_published_and_loses_nothing_acknowledged() {
    let mut world = World::new().await;
    let device = world.device("d1").await;
    let (mut next, mut said, mut state) = (1, Acknowledged::default(), 1_u64);
    for round in 0..ROUNDS_MAX {
        if round >= ROUNDS && !said.versions.is_empty() {
            break;
        }
        world.server.shutdown().await;
        let server = Served::start(world.dir.path(), None, NOW);
        // On a slow machine lives get longer until something is published.
        let life = Duration::from_micros(next_random(&mut state) % (LIFE_US_MAX * (1 + round / ROUNDS)));
        let busy = keep_busy(&server.wires, &world.keys, &device, &mut next, &mut said);
        assert!(tokio::time::timeout(life, busy).await.is_err(), "busy until the end");
        server.kill();
        world.server = start(config(&world.dir), &world.clock).await.unwrap();
        world.wires =
            Wires::new(world.dir.path(), world.server.management_addr(), world.server.device_addr());
        check(&world, &said).await;
    }
    assert!(!said.versions.is_empty(), "nothing was ever published");
}

pub(crate) async fn check(world: &World, said: &Acknowledged) {
    let listed = world.get("/api/v1/version-sets").await.expect(200).json();
    let sets = listed["version_sets"].as_array().unwrap();
    for set in sets {
        let releases = set["releases"].as_array().unwrap();
        assert_eq!(releases.len(), 2, "half of {set}");
        for release in releases {
            let name = release["image"].as_str().unwrap();
            let path = world.dir.path().join("blobs").join(&name[..2]).join(name);
            assert_eq!(Digest::of(&std::fs::read(path).unwrap()).to_string(), name);
        }
    }
    for version in &said.versions {
        assert!(sets.iter().any(|set| set["version"] == version.as_str()), "{version} was lost");
    }
    let kept: Vec<_> = world.events_named("update.check.completed").await;
    let mut numbers: Vec<_> = kept.iter().map(|event| event["number"].as_u64()).collect();
    numbers.dedup();
    assert_eq!(numbers.len(), kept.len(), "an event was kept twice");
    for number in &said.events {
        assert!(kept.iter().any(|event| event["number"] == *number), "event {number} was lost");
    }
}
