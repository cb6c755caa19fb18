//! How releases come in, and how their images are made ready to travel.
//!
//! Touches: `ingest.rs` and `deltas.rs`.

pub(crate) mod deltas;
pub(crate) mod ingest;
