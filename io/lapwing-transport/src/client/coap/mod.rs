//! The device's end of CoAP: the same questions as over HTTP, every message sealed with OSCORE.
//!
//! Touches: UDP sockets, `lapwing_coap`. No socket is open between two calls but that of a transfer,
//! and that on which a device listens.
//! Never: sends anything unsealed, or believes an answer that does not open. Source: formats/coap.md.

mod fetch;
mod listen;
mod question;
mod seal;
mod socket;

pub(super) use fetch::Fetching;
pub use listen::Listening;
pub(super) use question::{Ask, ask};
pub use seal::{ReserveNumbers, SecurityContext};
