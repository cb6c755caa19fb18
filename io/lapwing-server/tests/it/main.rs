//! The server as its clients meet it: real listeners on loopback, real TLS, real signatures.
//!
//! Touches: temporary directories, ports chosen by the system. Never: the wall clock; time is a number.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that fails says so")]

mod client;
mod cluster;
mod world;

mod amplification;
mod api;
mod artifacts;
mod bills;
mod brokers;
mod check_ins;
mod coap;
mod console;
mod databases;
mod facts;
mod first_contact;
mod hostile;
mod kills;
mod operating;
mod others_by_coap;
mod packets;
mod publishing;
mod reports;
mod roles;
mod rollout_kills;
mod rollouts;
mod throttling;
mod wake;
mod webhooks;
mod workers;
