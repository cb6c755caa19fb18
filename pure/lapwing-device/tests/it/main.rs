//! Proof of the device brain: every saved state, every pair of state and event, every refusal.
//!
//! Touches: `formats/vectors`, read always and written only when `LAPWING_REGENERATE` is set. Fleet and files
//! are those of the core's own tests. Whole stories are in `proof/lapwing-sim`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends loudly")]
#![allow(clippy::disallowed_methods, reason = "vectors are files")]

#[allow(dead_code, reason = "the core uses all of it")]
#[path = "../../../lapwing-core/tests/it/fleet.rs"]
mod fleet;
#[path = "../../../lapwing-core/tests/it/kept.rs"]
mod kept;
#[allow(dead_code, reason = "the core uses all of it")]
#[path = "../../../lapwing-core/tests/it/notation.rs"]
mod notation;

mod boots;
mod budget;
mod calls;
mod gates;
mod kit;
mod machine;
mod pairs;
mod record;
mod refusals;
mod rules;
