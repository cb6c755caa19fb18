//! The real thing: what real programs did to real files, and what a power cut could leave of it.
//!
//! `trace` runs a program and notes every change below a folder; `crash_states` builds all that a power
//! cut could leave; `judge` says whether a device comes home from there.

mod changes;
mod tree;

mod trace;

mod crash_states;

mod judge;

pub use changes::{Change, NewNode, Operation, Place, Recording, Sync};
pub use crash_states::{Bad, Crash, Findings, Model, Plan, enumerate};
pub use judge::LapwingJudge;
pub use trace::{TraceError, Tracing, trace, tracing_possible};
pub use tree::{Content, Kind, Node, NodeId, Tree};
