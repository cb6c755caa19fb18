//! The machines on thin air, and clients of other people on a real socket.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test ends loudly")]

mod air;
mod budgets;
mod third_party;
