//! The device body: one loop that carries out what `lapwing-device` decides.
//!
//! Make an [`Agent`] from [`AgentSettings`], give it hooks, and [`run`](Agent::run) it in a thread of
//! its own, or call [`turn`](Agent::turn) from a loop that is already there. No globals: two agents may
//! live in one process. Linux.

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
mod talking;

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
};
pub use control::{ControlError, ask_status, ask_trigger};
pub use handle::Handle;
pub use os::keep_over_restart;
pub use ports::{Clock, ConditionsHook, FactsHook, HealthCheck, RestartHook};
pub use run::{Agent, Ended, RunError, Turn};

pub use lapwing_core::Slot;
pub use lapwing_core::wire::check_in::Health;
pub use lapwing_device::{Battery, Conditions, Link};
