//! CoAP, OSCORE and the windowed fetch: no sockets, no clock, no heap.
//!
//! A driver sends and receives datagrams, passes the time, and stores what comes. Messages are read where
//! they lie and written into buffers of the caller.

#![no_std]
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

#[cfg(test)]
extern crate std;

pub mod limits;

mod code;
mod options;

mod message;

mod block;
mod representation;

mod estimator;
mod exchange;
mod recent;

mod body;
mod echo;
mod observe;

mod bitmap;
mod pace;

mod fetch;

pub mod oscore;

pub use bitmap::{Bitmap, UNIT_BYTES, Unfit};
pub use block::{Block, BlockSize, More};
pub use body::{Assembled, Assembly, Sent, Upload};
pub use code::{Code, Kind, OptionNumber};
pub use echo::{ECHO_BYTES, EchoKey};
pub use estimator::{Estimator, FIRST_TIMER_MS_LTE_M, FIRST_TIMER_MS_NB_IOT};
pub use exchange::{Exchange, Heard, Turn};
pub use fetch::{Fetch, Next, Taken};
pub use message::{Message, MessageId, ParseError, Token, WriteError, Writer, empty, reset_for};
pub use observe::{Notified, Wish};
pub use options::Options;
pub use recent::{Entry, Peer, Recent};
pub use representation::{Etag, MAX_AGE_S_UNSAID, Part, Representation};
