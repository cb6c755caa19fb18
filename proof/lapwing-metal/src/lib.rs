//! The delta decoder on a Cortex-M4: the program that runs there, and who starts it.
//!
//! `main.rs` is the program: it has no operating system, and finds base and artifact where the machine
//! that plays the board has put them. `player` is that machine.

#![cfg_attr(target_os = "none", no_std)]

#[cfg(not(target_os = "none"))]
mod player;

#[cfg(not(target_os = "none"))]
pub use player::{Applied, PlayError, Player};
