//! Device-plane messages and artifact bytes over sockets.
//!
//! So far the device's end of HTTP/1.1 (`client`). Nothing here decides when to talk or what an
//! answer means; it carries bytes, authenticates the server, and says what went wrong.

#[cfg(feature = "client")]
pub mod client;
