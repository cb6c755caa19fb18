//! The real thing: real programs on loopback, and every state that a power cut could leave of their files.
//!
//! `fleet` and `device` use the programs as a user would: by command lines, files and HTTP. `trace` notes
//! every change that a program makes below a folder, `crash_states` builds all that a power cut could
//! leave of them, and `judge` says whether a device comes home from there.

mod binaries;
mod figures;
mod process;

mod device;
mod fleet;

mod crowd;

mod mayhem;
mod story;

mod changes;
mod tree;

mod trace;

mod crash_states;

mod judge;

pub use binaries::Binaries;
pub use changes::{Change, NewNode, Operation, Place, Recording, Sync};
pub use crash_states::{Bad, Crash, Findings, Model, Plan, enumerate};
pub use crowd::{Crowd, Flooded};
pub use device::Device;
pub use figures::{figures, print_goals, write_figures};
pub use fleet::{Fleet, HARDWARE};
pub use judge::LapwingJudge;
pub use mayhem::{Toll, kill_at_random};
pub use process::{
    Process, children, end_waits_when_interrupted, field, internet_sockets, signal, wait_until,
};
pub use story::{Summary, tell};
pub use trace::{TraceError, Tracing, trace, tracing_possible};
pub use tree::{Content, Kind, Node, NodeId, Tree};
