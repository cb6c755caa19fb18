//! OSCORE: messages sealed end to end, whoever carries them.
//!
//! A sealed message is a CoAP message again, so everything else of the crate works on plain ones. One
//! algorithm: AES-CCM-16-64-128, which every device must have. Source: RFC 8613.

mod context;
mod header;
mod keys;
mod replay;
mod sequence;

pub use context::{Context, Freshness, OpenError, Opened, SealError, Ticket};
pub use header::{Header, HeaderError};
pub use keys::{IdContext, Keys, Kid, Master, TooLong};
pub use replay::{Replay, Verdict};
pub use sequence::{Reserve, Sequence};
