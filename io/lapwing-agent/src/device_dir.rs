//! The directory of a device: what lies where.
//!
//! Touches: nothing; it only knows names. Entered from: every adapter.
//! Never: opens a file.

use lapwing_core::Slot;
use std::path::{Path, PathBuf};

/// The directory that `lapwing device provision` made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeviceDir(PathBuf);

impl DeviceDir {
    pub(crate) const fn new(root: PathBuf) -> Self {
        Self(root)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.0
    }

    pub(crate) fn slot_table(&self) -> PathBuf {
        self.0.join("slot-table")
    }

    pub(crate) fn slot(&self, slot: Slot) -> PathBuf {
        self.0.join("slots").join(slot.name())
    }

    pub(crate) fn image(&self, slot: Slot) -> PathBuf {
        self.slot(slot).join("image")
    }

    /// For people only; nothing reads it.
    pub(crate) fn current(&self) -> PathBuf {
        self.0.join("current")
    }

    pub(crate) fn record(&self) -> PathBuf {
        self.0.join("record")
    }

    pub(crate) fn secret(&self) -> PathBuf {
        self.0.join("secret")
    }

    pub(crate) fn context(&self) -> PathBuf {
        self.0.join("context")
    }

    /// What a broker wants to be told.
    #[cfg(feature = "wake-mqtt")]
    pub(crate) fn broker_login(&self) -> PathBuf {
        self.0.join("broker-login")
    }

    pub(crate) fn claim_token(&self) -> PathBuf {
        self.0.join("claim-token")
    }

    pub(crate) fn root_document(&self, version: u32) -> PathBuf {
        self.0.join("trust").join(format!("root-{version}.cbor"))
    }

    pub(crate) fn delegation(&self) -> PathBuf {
        self.0.join("trust").join("delegation.cbor")
    }

    pub(crate) fn artifact(&self) -> PathBuf {
        self.0.join("artifact")
    }

    /// Says that an agent runs here, or did until it was cut off.
    pub(crate) fn running_mark(&self) -> PathBuf {
        self.0.join("running")
    }

    pub(crate) fn control_socket(&self) -> PathBuf {
        self.0.join("agent.sock")
    }
}
