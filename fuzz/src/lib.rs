//! Hostile input for every decoder below `pure/`.
//!
//! A target is a plain `fn(&[u8])` that must neither panic nor loop. The same targets are replayed with
//! seeded mutations on any toolchain, and driven by libFuzzer where a nightly exists.

mod mutate;
mod replay;
mod targets;

pub use replay::{Failure, Replay, corpus_folder, replay};
pub use targets::{TARGETS, Target, find};
