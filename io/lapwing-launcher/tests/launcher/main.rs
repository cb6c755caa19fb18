//! The real launcher starting real images: good ones, broken ones, and with the power cut anywhere.
//!
//! Touches: processes, a temporary directory each. `LAPWING_LAUNCHER` names another binary to test.
//! Never: sleeps; every wait is for a process or a pipe.

#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod broken_images;
mod device;
mod flags;
mod kept_pid;
mod power;
mod supervised;
mod table_trouble;
