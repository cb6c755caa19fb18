//! The words of the field and how they are spelled and trusted.
//!
//! No heap, no clock, no IO. Everything that crosses a wire or survives a power cut
//! is defined here, byte for byte; `formats/` says the same for other languages.

#![no_std]
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

#[cfg(test)]
extern crate std;

pub mod limits;

mod digest;
mod id;
mod slot_table;
mod time;
mod version;

pub mod cbor;

mod release;

mod signature;

pub mod trust;

pub mod envelope;

mod anchor;

mod rotation;

pub mod wire;

pub use anchor::{OpenError, TrustAnchor, Verified};
pub use cbor::{DecodeError, NoRoom, Wire};
pub use digest::{Digest, Hasher, ParseDigestError, ShortDigest};
pub use id::{
    AttemptId, BootId, BuildId, ComponentName, DeviceId, FleetId, HardwareClass, KeyId, Name, Nonce,
    ParseIdError, ParseNameError, Variant, Version,
};
pub use release::{Compatibility, Release, ReleaseFlags, Requirement};
pub use rotation::{OVERLAP_DAYS, RotationError, may_follow};
pub use slot_table::{
    Booted, OldSlot, Phase, Return, SLOT_RECORD_LEN, SLOT_RECORD_OFFSETS, SLOT_TABLE_LEN, Slot, SlotEntry,
    SlotState, SlotTable, SlotTableError, SlotTableUnreadable, Start, StartLimits,
};
pub use time::{UnixSeconds, Uptime};
pub use version::{Bump, Semver, VersionRange};
