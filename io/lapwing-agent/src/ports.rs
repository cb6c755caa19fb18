//! What a host may put in: how healthy it is, what the world is like, how to restart.
//!
//! Each is a closure of the library's user or a command of the configuration file; both are called
//! from the loop's own thread and may block it, so they should be short.
//! Never: decides; what they say becomes events.

use lapwing_core::wire::check_in::Health;
use lapwing_device::Conditions;
use std::io;
use std::sync::Arc;

/// Says how the running program fares.
pub type HealthCheck = Box<dyn FnMut() -> Health + Send>;
/// Fills in what it knows of the world: gates, battery, link, an error counter.
pub type ConditionsHook = Box<dyn FnMut(&mut Conditions) + Send>;
/// Names facts about the device, asked once at the start.
pub type FactsHook = Box<dyn FnMut() -> Vec<(String, String)> + Send>;
/// Brings about a restart into whatever the slot table says. If it returns well the agent ends its run
/// with [`Ended::Restart`](crate::Ended::Restart).
pub type RestartHook = Box<dyn FnMut() -> io::Result<()> + Send>;
/// Milliseconds since the machine started, time asleep included. For hosts with a clock of their own,
/// and for tests that do not want to wait.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;
