//! The device brain against a made-up world.
//!
//! Touches: `lapwing_sim`. Never: the network, files, or a clock.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends loudly")]

mod faults;
mod power_cuts;
mod rollouts;
mod scenarios;
mod seeds;
