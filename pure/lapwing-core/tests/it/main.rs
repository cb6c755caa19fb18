//! Proof of the formats: what the core spells, believes and refuses, against `formats/vectors`.
//!
//! Touches: `formats/vectors`, read always and written only when `LAPWING_REGENERATE` is set.
//! Never: asks for luck; all keys come from fixed seeds and all random input from fixed runs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends loudly")]
#![allow(clippy::disallowed_methods, reason = "vectors are files")]

mod cbor;
mod cose;
mod esp256;
mod fleet;
mod golden;
mod hostile;
mod kept;
mod largest;
mod made_up;
mod notation;
mod properties;
mod talk;
mod trust_chain;
mod vectors;
