//! The client against servers in memory: whom it believes, whom it tells its secret, what it makes of answers.
//!
//! Touches: memory only; a wire ends in a small server, with or without TLS on it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends where it is surprised")]

mod answers;
mod believing;
mod secrets;
mod server;
