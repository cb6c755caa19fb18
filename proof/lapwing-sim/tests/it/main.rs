//! The device brain against a made-up world.
//!
//! Touches: `lapwing_sim`. Never: the network, files, or a clock.

mod power_cuts;
mod seeds;
