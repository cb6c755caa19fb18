//! Root documents and the delegation, as they were signed: `trust/root-N.cbor`, `trust/delegation.cbor`.
//!
//! Each document is checked again whenever it is read; the first one is what was provisioned.
//! Touches: `durable`, `lapwing_core::TrustAnchor`. Never: deletes a root document.

use crate::device_dir::DeviceDir;
use crate::durable::{self, Readers};
use crate::limits::ROOT_DOCUMENTS_MAX;
use lapwing_core::limits::ENVELOPE_BYTES_MAX;
use lapwing_core::{OpenError, TrustAnchor};
use lapwing_device::TrustDocument;
use std::io;
use std::path::Path;

/// Why there is nothing to believe.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// There is no root document.
    #[error("the trust directory has no root document")]
    NoRoot,
    /// The first root document is not one.
    #[error("the provisioned root document is not genuine: {0}")]
    Root(OpenError),
    /// It could not be read.
    #[error("the trust directory cannot be read")]
    Io(#[from] io::Error),
}

/// The anchor that all stored documents together make. What is damaged behind the first root
/// document is left out; the fleet hands it out again.
pub(crate) fn load(dir: &DeviceDir) -> Result<TrustAnchor, TrustError> {
    let document = |version| read(&dir.root_document(version));
    let mut versions = 1..=ROOT_DOCUMENTS_MAX;
    let first = versions.find_map(|version| document(version).transpose()).ok_or(TrustError::NoRoot)??;
    let mut anchor = TrustAnchor::provisioned(&first).map_err(TrustError::Root)?;
    while let Some(next) = document(anchor.root().version.saturating_add(1))? {
        match anchor.advance(&next) {
            Ok(advanced) => anchor = advanced,
            Err(error) => {
                log::error!("failed to follow root {}: {error}", anchor.root().version.saturating_add(1));
                break;
            }
        }
    }
    let Some(delegation) = read(&dir.delegation())? else { return Ok(anchor) };
    Ok(anchor.delegate(&delegation).unwrap_or_else(|error| {
        log::warn!("failed to believe the stored delegation: {error}");
        anchor
    }))
}

/// Stores a document that was verified, durably.
pub(crate) fn keep(
    dir: &DeviceDir,
    anchor: &TrustAnchor,
    which: TrustDocument,
    bytes: &[u8],
) -> io::Result<()> {
    let path = match which {
        TrustDocument::Root(_) => dir.root_document(anchor.root().version),
        TrustDocument::Delegation => dir.delegation(),
    };
    durable::write(&path, bytes, Readers::Everybody)
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    durable::read(path, ENVELOPE_BYTES_MAX as u64)
}
