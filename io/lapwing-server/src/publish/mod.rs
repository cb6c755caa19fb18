//! How releases become something that devices can fetch.
//!
//! Touches: the trust anchor, blobs, the store, worker processes. Never: offers anything.

mod attestation;
mod bill;
mod craft;
mod deltas;
mod ingest;
mod maker;
mod prove;
mod retention;

pub(crate) use attestation::predicate_type;
pub(crate) use bill::{Part, sought};
pub(crate) use craft::profile_for;
pub use craft::{Worker, delta_worker};
pub(crate) use deltas::{Deltas, Readiness, Want};
pub(crate) use ingest::{IngestError, Pushed, ingest, read_document};
pub(crate) use retention::{keep_within_budget, plan};
