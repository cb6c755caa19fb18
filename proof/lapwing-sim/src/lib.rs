//! The real brains in a made-up world: one seed gives everything.
//!
//! A world is a device's disk, power and link, its launcher, and a server that signs. Checkers say what
//! must hold whatever happens. Never: real files, sockets or clocks.

mod rng;

mod maker;
mod program;

mod network;
mod storage;
mod supply;

mod server;
mod told;
mod world;

mod device;
mod exchange;
mod launch;
mod narrate;

mod chance;
mod checkers;
mod cuts;
mod faults;
mod scenario;
mod stories;
mod twist;

pub mod fleet;

pub use chance::any;
pub use cuts::{Expected, Failure, STORIES, Tally, cut_at_random, run_with};
pub use device::CHUNK_BYTES;
pub use faults::Fault;
pub use maker::{Image, artifact, name, release, trust};
pub use network::Network;
pub use program::Program;
pub use rng::Rng;
pub use scenario::play;
pub use server::{Attempt, Published, Server};
pub use storage::{Cut, Disk, DiskError, Loss, Moment};
pub use stories::{PATIENCE_MS, update, urgent_update};
pub use supply::Supply;
pub use told::Told;
pub use twist::{Flaw, Shipment, Twist, When};
pub use world::{Pace, World};
