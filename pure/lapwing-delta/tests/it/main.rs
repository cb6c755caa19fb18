//! What `make` and `apply` promise together, from the outside.
//!
//! Touches: the public doors of the crate and `formats/vectors/delta`.
//! Never: looks inside.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod accounts;
mod heap;
mod hostile;
mod limits;
mod round_trip;
mod support;
mod vectors;
