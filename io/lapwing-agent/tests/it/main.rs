//! The agent as a whole: real adapters in a temporary directory, a real HTTP client over a wire in
//! memory, a small server, and a clock that jumps. Nothing here sleeps.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it is surprised")]

mod device;
mod fleet;
mod server;
mod wire;

mod binary;
mod configuration;
mod control;
mod transfers;
mod trials;
mod updates;
