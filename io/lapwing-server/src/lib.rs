//! Fleet body: the device plane, the management plane, the store behind them.
//!
//! Touches: sockets, the data directory. What a device gets is decided in `lapwing_fleet`; what a
//! device believes is signed elsewhere, save for the time and offers. Never: holds a release key.

mod limits;

mod clock;
mod config;
mod logging;

mod durable;
mod key_file;
mod tls;

mod blobs;
mod journal;
mod store;

mod moving;
mod online;
mod trust;

mod access;
mod devices;
mod metrics;
mod mqtt;
mod publish;
mod throttle;
mod view;
mod zones;

mod app;
mod follow;
mod housekeeping;
mod orchestrator;
mod wake;
mod webhooks;

mod coap;
mod console;
mod device_plane;
mod heap_profile;
mod management;
mod problem;

mod listen;
mod start;

pub use clock::Clock;
pub use config::{Config, ConfigError};
pub use key_file::KeyError;
pub use logging::{LogControl, LogError};
pub use moving::{export_store, import_store};
pub use publish::{Worker, delta_worker};
pub use start::{Running, Server, StartError, Surroundings};
pub use store::{Purpose, StoreError, TransferError};
pub use tls::TlsError;
