//! The agent's library and the server's handler in one process, on a connection that dies at every byte.
//!
//! Touches: `lapwing` for keys and releases, a folder in memory. Time is a number that jumps.
//! Never: reaches around the client or the handler; what lies between them only counts and cuts.

use crate::counts::say;
use crate::cut_line::{Line, Plan, Ranges, Traffic};
use lapwing_agent::{Agent, AgentSettings, Ended, RestartSettings, Slot, Turn};
use lapwing_e2e::{Binaries, Device, Fleet};
use lapwing_server::{Config, Running, Server};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// What a cut may cost: the part of a block that has to come again.
const BLOCK_BYTES: u64 = 512;
const IMAGE_BYTES: usize = 64 * 1024;
/// Turns after which a test has gone astray.
const TURNS_MAX: u32 = 1_000_000;

/// A server in this process, and a device that is offered 64 KiB.
struct World {
    runtime: Runtime,
    server: Arc<Running>,
    device: Device,
    new_image: Vec<u8>,
    _folder: TempDir,
}

impl World {
    fn new() -> Self {
        let folder = TempDir::new_in(in_memory()).unwrap();
        let binaries = Binaries::find().unwrap();
        let runtime = Runtime::new().unwrap();
        let config = Config {
            device_listen: "127.0.0.1:0".parse().unwrap(),
            management_listen: "127.0.0.1:0".parse().unwrap(),
            // Months pass for the device while the server sees seconds.
            device_messages_per_hour: u32::MAX,
            ..Config::in_dir(folder.path().join("server"))
        };
        let server = runtime.block_on(Server::start(config)).unwrap();
        let fleet = Fleet::join(&binaries, folder.path(), server.management_addr()).unwrap();
        let images = [1, 2].map(|seed| noise(seed, IMAGE_BYTES));
        for (version, image) in ["1.0.0", "1.1.0"].into_iter().zip(&images) {
            let path = folder.path().join(version);
            fs::write(&path, image).unwrap();
            fleet.push_image(&path, version).unwrap();
        }
        let device = fleet.provision_image("device-1", &folder.path().join("1.0.0")).unwrap();
        let [_, new_image] = images;
        Self { runtime, server: Arc::new(server), device, new_image, _folder: folder }
    }

    /// Updates the device over a line that is cut as planned, up to its restart into the new image.
    fn update(self, plan: Plan) -> Traffic {
        let mut settings = AgentSettings::load(&self.device.dir().join("agent.toml")).unwrap();
        settings.client.servers = vec!["http://127.0.0.1:1".parse().unwrap()];
        settings.brain.talking.check_in_interval_ms_max = 3_600_000;
        settings.measuring.interval_ms = 60_000;
        settings.restart = RestartSettings::Exit;
        settings.slot = Some(Slot::A);
        let line = Line::new(self.runtime.handle().clone(), self.server.clone(), plan);
        let uptime_ms = Arc::new(AtomicU64::new(0));
        let clock = uptime_ms.clone();
        let mut agent = Agent::new(settings)
            .unwrap()
            .with_dial(Arc::new(line.clone()))
            .with_clock(Arc::new(move || clock.load(Ordering::Relaxed)));
        let ended = (0..TURNS_MAX).find_map(|_| match agent.turn().unwrap() {
            Turn::Ended(ended) => Some(ended),
            Turn::Wait(time) => {
                // The server's work takes no time either.
                self.runtime.block_on(self.server.artifacts_settled());
                uptime_ms.fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
                None
            }
        });
        assert_eq!(ended, Some(Ended::Restart), "the update went astray: {:?}", line.traffic());
        assert_eq!(self.device.slot_table().unwrap().active, Slot::B);
        assert_eq!(fs::read(self.device.dir().join("slots/b/image")).unwrap(), self.new_image);
        line.traffic()
    }
}

#[test]
fn an_artifact_whose_connection_dies_at_every_byte_is_installed_within_a_block_a_cut() {
    let start = Instant::now();
    let Traffic { size_bytes, cuts, moved_bytes } =
        World::new().update(Plan { first_byte: 0, step_bytes: 1, ranges: Ranges::Kept });
    say(&format!(
        "an artifact of {size_bytes} bytes, cut {cuts} times, once at each: installed, {moved_bytes} bytes \
         moved ({:.1} s)",
        start.elapsed().as_secs_f64()
    ));
    assert!(size_bytes >= IMAGE_BYTES as u64, "{size_bytes}");
    assert_eq!(cuts, size_bytes);
    assert!(moved_bytes <= size_bytes + cuts * BLOCK_BYTES);
    // Each connection begins with the block that the one before did not bring to its end.
    let brought = |end: u64| end - end.saturating_sub(1) / BLOCK_BYTES * BLOCK_BYTES;
    assert_eq!(moved_bytes, (0..=size_bytes).map(brought).sum::<u64>());
}

#[test]
fn a_server_that_answers_every_range_with_all_of_it_costs_bytes_and_does_no_harm() {
    let plan = Plan { first_byte: 5_000, step_bytes: 5_000, ranges: Ranges::Dropped };
    let Traffic { size_bytes, cuts, moved_bytes } = World::new().update(plan);
    assert_eq!(cuts, (size_bytes - 1) / 5_000);
    assert_eq!(moved_bytes, (1..=cuts).map(|cut| cut * 5_000).sum::<u64>() + size_bytes);
}

/// Where flushing costs nothing, if there is such a place.
fn in_memory() -> &'static Path {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory } else { Path::new("/tmp") }
}

/// Bytes that do not compress.
fn noise(seed: u64, size_bytes: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..size_bytes).map(|_| next()).collect()
}
