//! The crate from outside: published vectors, other people's codec, and machines against each other.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends loudly")]

mod bodies;
mod codec;
mod exchanges;
mod fetching;
mod oscore_messages;
mod oscore_vectors;
