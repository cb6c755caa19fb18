//! The server as its clients meet it: real listeners on loopback, real TLS, real signatures.
//!
//! Touches: temporary directories, ports chosen by the system. Never: the wall clock; time is a number.

mod client;
mod world;

mod artifacts;
mod check_ins;
mod hostile;
mod publishing;
