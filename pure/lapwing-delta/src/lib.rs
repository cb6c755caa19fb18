//! Base and delta into target (`apply`), and a small delta found (`make`, by feature).
//!
//! Touches: `lapwing_core` for digests; `lzma-rust2` in `make` only. The format is in
//! `formats/delta.md`.
//! Never: allocates in `apply`; all that it holds lies in one piece of memory that the caller gives.

#![no_std]
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

#[cfg(feature = "make")]
extern crate std;

mod limits;
mod ports;

mod header;
mod memory;
mod plan;
mod range;

mod layout;
mod map;
mod window;

mod predict;
mod reference;

mod body;
mod correction;
mod history;
mod lzma;
mod mixing;

mod apply;

#[cfg(feature = "make")]
mod account;
#[cfg(feature = "make")]
mod fuzz;
#[cfg(feature = "make")]
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "reads trusted images only")]
mod make;

pub use apply::{ApplyError, apply};
pub use header::{Header, HeaderError, Profile};
pub use ports::{Artifact, Base, NoBase, NoScratch, PortError, Ports, Scratch, Target};

#[cfg(feature = "make")]
pub use account::{Account, Entry};
#[cfg(feature = "make")]
#[doc(hidden)]
pub use fuzz::fuzz_apply;
#[cfg(feature = "make")]
#[doc(hidden)]
pub use make::make_by_codec;
#[cfg(feature = "make")]
pub use make::{MakeError, Progress, Stage, make, make_memory_bytes};
