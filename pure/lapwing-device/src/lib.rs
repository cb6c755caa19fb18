//! What a device does next.
//!
//! `Device::step(now, event)` gives the next device and a few effects; the body does them in order
//! and reports back. No heap, no clock, no IO; the same brain runs on a server, a sensor and in the simulator.

#![no_std]
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
#![cfg_attr(test, allow(clippy::indexing_slicing, clippy::arithmetic_side_effects))]

#[cfg(test)]
extern crate std;

pub mod limits;

mod settings;

mod effect;
mod event;

mod budget;
mod policy;
mod verify;

mod record;
mod state;

mod device;
mod failures;
mod gates;
mod states;
mod talk;

pub use device::{Device, Ignored, Step, StoredRecord, View};
pub use effect::{Effect, Effects, Install, Transfer};
pub use event::{
    Applied, Battery, Boot, Conditions, Event, Fetched, Link, Now, ResetCause, Trouble, TrustDocument,
};
pub use record::{Attempt, Candidate, Floor, Installed, Ledger, Record, Refusal, Stage, TrialLog};
pub use settings::{
    Awake, DataBudget, Identity, Provisioned, Settings, Talking, Trial, Tries, VersionPolicy,
};
