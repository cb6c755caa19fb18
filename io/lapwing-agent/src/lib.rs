//! The device body: one loop that carries out what `lapwing-device` decides.
//!
//! Make an [`Agent`] from [`AgentSettings`], give it hooks, and [`run`](Agent::run) it in a thread of
//! its own, or call [`turn`](Agent::turn) from a loop that is already there. No globals: two agents may
//! live in one process. Linux.
//!
//! ```no_run
//! use lapwing_agent::{Agent, AgentSettings, Ended, Health, keep_over_restart};
//! use std::{net::TcpListener, os::fd::AsFd, path::Path, thread};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // What is marked stays open, under its number, in the image that follows a restart in place.
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! keep_over_restart(listener.as_fd())?;
//!
//! let settings = AgentSettings::load(Path::new("/var/lib/device/agent.toml"))?;
//! let mut agent = Agent::new(settings)?.with_health_check(Box::new(|| Health::Good));
//! let handle = agent.handle();
//! let updater = thread::spawn(move || agent.run());
//!
//! // ... what the program is for; then:
//! handle.cancel();
//! match updater.join() {
//!     Ok(ended) => assert_eq!(ended?, Ended::Cancelled),
//!     Err(_) => return Err("the agent's thread is gone".into()),
//! }
//! # Ok(())
//! # }
//! ```

mod limits;

mod config;

mod device_dir;
mod durable;
mod os;

mod ports;

mod adapters;
mod apply;

mod command;
mod measuring;
mod pace;
mod talking;
mod wake;

mod control;
mod handle;
mod program;
mod restart;
mod status;

mod body;
mod boot;
mod run;

pub use adapters::slots_app::SlotsError;
pub use adapters::trust_files::TrustError;
pub use config::{
    AgentSettings, CommandLine, ConfigError, DEFAULT_CONFIG_NAME, MeasuringSettings, RestartSettings,
    SurroundingsError, WakeSettings,
};
pub use control::{ControlError, ask_status, ask_trigger};
pub use handle::Handle;
pub use os::keep_over_restart;
pub use ports::{Clock, ConditionsHook, FactsHook, HealthCheck, RestartHook};
pub use run::{Agent, Ended, RunError, Turn};

pub use lapwing_core::Slot;
pub use lapwing_core::wire::check_in::Health;
pub use lapwing_device::{Battery, Conditions, Link};
