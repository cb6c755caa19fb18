//! Where the bytes of an artifact go.
//!
//! Touches: `crate::header`. Never: decodes.

use crate::header::Header;

/// The parts of an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    /// What it makes of what.
    pub header_bytes: u64,
    /// Which stretches of the base are used again, encoded.
    pub map_bytes: u64,
    /// What is new, and where stretches differ, encoded.
    pub body_bytes: u64,
    /// How many stretches.
    pub map_records: u32,
}

impl Header {
    /// Where the bytes of the artifact behind this header go.
    #[must_use]
    pub fn parts(&self) -> Parts {
        let (map_bytes, body_bytes) = (self.map_encoded_bytes.into(), self.body_encoded_bytes.into());
        let header_bytes = self.artifact_bytes().saturating_sub(map_bytes).saturating_sub(body_bytes);
        Parts { header_bytes, map_bytes, body_bytes, map_records: self.map_records }
    }
}
