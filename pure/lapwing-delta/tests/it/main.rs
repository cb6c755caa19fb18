//! What `make` and `apply` promise together, from the outside.
//!
//! Touches: the public doors of the crate and `formats/vectors/delta`.
//! Never: looks inside.

mod round_trip;
mod support;
