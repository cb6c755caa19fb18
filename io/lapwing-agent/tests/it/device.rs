//! A device in a temporary directory: provisioned, run by the real agent, started by a stand-in for
//! the launcher that spends tries as the real one does.
//!
//! Touches: the directory. What an image begins with says how it behaves: `good`, `crash`, `ill`.
//! Never: waits; its clock jumps to when the agent wants to be called.

use crate::fleet;
use crate::server::Server;
use crate::wire::Link;
use lapwing_agent::{Agent, AgentSettings, Ended, Health, Turn, ask_status};
use lapwing_core::{Digest, SLOT_RECORD_LEN, SLOT_RECORD_OFFSETS, SLOT_TABLE_LEN, Slot, SlotTable};
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use tempfile::TempDir;

/// Turns after which a test has gone astray.
const TURNS_MAX: u32 = 200_000;
/// Starts in a row that end in a crash before a test has gone astray.
const CRASHES_MAX: u32 = 20;

pub(crate) struct Device {
    dir: TempDir,
    pub(crate) link: Link,
    clock_ms: Arc<AtomicU64>,
    agent: Option<Agent>,
}

impl Device {
    /// A device that leaves the factory with this image.
    pub(crate) fn provisioned(image: &[u8]) -> Self {
        Self::with_config(image, "")
    }

    /// The same, with further lines in its configuration.
    pub(crate) fn with_config(image: &[u8], further: &str) -> Self {
        let dir = TempDir::new_in(in_memory()).unwrap();
        let root = dir.path();
        for folder in ["slots/a", "slots/b", "trust"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        fs::write(root.join("slots/a/image"), image).unwrap();
        fs::write(root.join("trust/root-1.cbor"), fleet::root(1)).unwrap();
        fs::write(root.join("trust/delegation.cbor"), fleet::delegation(1)).unwrap();
        fs::write(root.join("claim-token"), "0102030405060708090a0b0c0d0e0f10\n").unwrap();
        let table = File::create(root.join("slot-table")).unwrap();
        table.set_len(SLOT_TABLE_LEN).unwrap();
        let first = SlotTable::first(Slot::A, Digest::of(image), image.len() as u64);
        let store = |table_file: &File, table: SlotTable| {
            table.store(|offset, record| table_file.write_all_at(record, offset)).unwrap()
        };
        store(&table, store(&table, first));
        let hardware = fleet::HARDWARE;
        let config = format!(
            "device_id = \"sensor-1\"\nhardware = \"{hardware}\"\nservers = [\"http://127.0.0.1:1\"]\n\
             [provisioned]\nversion = \"1.0.0\"\nseq = 1\n[restart]\nhow = \"exit\"\n{further}"
        );
        fs::write(root.join("agent.toml"), config).unwrap();
        let clock_ms = Arc::new(AtomicU64::new(1_000_000));
        Self { dir, link: Link::new(Server::new(), clock_ms.clone()), clock_ms, agent: None }
    }

    /// The same with a limit to its transfers.
    pub(crate) fn with_rate(self, bytes_per_s: u64) -> Self {
        let config = fs::read_to_string(self.path("agent.toml")).unwrap();
        let config = format!("transfer_bytes_per_s_max = {bytes_per_s}\n{config}");
        fs::write(self.path("agent.toml"), config).unwrap();
        self
    }

    /// What the agent says of itself.
    pub(crate) fn status(&mut self) -> String {
        let dir = self.dir().to_owned();
        self.asked(move || ask_status(&dir)).unwrap()
    }

    /// Asks from another thread while the device takes turns.
    pub(crate) fn asked<T: Send + 'static>(&mut self, ask: impl FnOnce() -> T + Send + 'static) -> T {
        let asking = thread::spawn(ask);
        while !asking.is_finished() {
            self.turn();
        }
        asking.join().unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn uptime_ms(&self) -> u64 {
        self.clock_ms.load(Ordering::SeqCst) - 1_000_000
    }

    pub(crate) fn table(&self) -> SlotTable {
        SlotTable::decode(&self.records()).unwrap()
    }

    /// What the active slot holds.
    pub(crate) fn active_image(&self) -> Vec<u8> {
        fs::read(self.image(self.table().active)).unwrap()
    }

    pub(crate) fn image(&self, slot: Slot) -> PathBuf {
        self.path(&format!("slots/{}/image", slot.name()))
    }

    /// Runs the device until something is so.
    pub(crate) fn run_until(&mut self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        for _ in 0..TURNS_MAX {
            if done(self) {
                return;
            }
            self.turn();
        }
        panic!("{what} never came; heard: {:#?}", self.link.server(|server| server.events().to_vec()));
    }

    /// Runs the device for so long.
    pub(crate) fn run_for_ms(&mut self, time_ms: u64) {
        let end = self.uptime_ms() + time_ms;
        self.run_until("the end of time", |device| device.uptime_ms() >= end);
    }

    /// Pulls the plug between two turns.
    pub(crate) fn cut_power(&mut self) {
        self.agent = None;
    }

    /// One turn of the agent; the clock jumps to the next one.
    pub(crate) fn turn(&mut self) {
        if self.agent.is_none() {
            let slot = self.launch();
            self.agent = Some(self.start(slot));
        }
        match self.agent.as_mut().unwrap().turn().unwrap() {
            Turn::Wait(time) => {
                let time_ms = u64::try_from(time.as_millis()).unwrap();
                self.clock_ms.fetch_add(time_ms, Ordering::SeqCst);
            }
            Turn::Ended(Ended::Restart) => self.agent = None,
            Turn::Ended(Ended::Cancelled) => panic!("nobody cancelled"),
        }
    }

    pub(crate) fn agent(&mut self) -> &mut Agent {
        if self.agent.is_none() {
            self.turn();
        }
        self.agent.as_mut().unwrap()
    }

    /// An agent in `slot` after the slot table was destroyed.
    pub(crate) fn after_losing_the_table(&self, slot: Slot) -> Agent {
        fs::write(self.path("slot-table"), b"rubbish").unwrap();
        self.start(slot)
    }

    /// What the launcher does, with images that crash in their first instruction.
    fn launch(&self) -> Slot {
        for _ in 0..CRASHES_MAX {
            let start = self.table().start();
            if let Some(table) = start.store {
                let file = File::options().write(true).open(self.path("slot-table")).unwrap();
                table.store(|offset, record| file.write_all_at(record, offset)).unwrap();
            }
            if !fs::read(self.image(start.slot)).unwrap().starts_with(b"crash") {
                return start.slot;
            }
        }
        panic!("every start crashes");
    }

    fn start(&self, slot: Slot) -> Agent {
        let settings = AgentSettings::load(&self.path("agent.toml")).unwrap();
        let settings = AgentSettings { slot: Some(slot), ..settings };
        let (image, clock_ms) = (self.image(slot), self.clock_ms.clone());
        let health = move || match fs::read(&image).unwrap().starts_with(b"ill") {
            true => Health::Failing,
            false => Health::Good,
        };
        Agent::new(settings)
            .unwrap()
            .with_dial(Arc::new(self.link.clone()))
            .with_clock(Arc::new(move || clock_ms.load(Ordering::SeqCst)))
            .with_health_check(Box::new(health))
    }

    fn records(&self) -> [[u8; SLOT_RECORD_LEN]; 2] {
        let file = File::open(self.path("slot-table")).unwrap();
        SLOT_RECORD_OFFSETS.map(|offset| {
            let mut record = [0; SLOT_RECORD_LEN];
            file.read_exact_at(&mut record, offset).unwrap();
            record
        })
    }
}

/// Where flushing costs nothing, if there is such a place.
fn in_memory() -> &'static Path {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory } else { Path::new("/tmp") }
}

/// An image that behaves as `kind` says: code-like bytes, most of them the same for every number.
pub(crate) fn image(kind: &str, number: u8, size_bytes: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut bytes: Vec<u8> = kind.bytes().chain([b' ', number]).collect();
    while bytes.len() < size_bytes {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let byte = (state >> 24) as u8;
        bytes.push(if state >> 8 & 0xfff == 7 { byte ^ number } else { byte });
    }
    bytes
}
