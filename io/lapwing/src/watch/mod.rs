//! Watching a folder: what lands there, when it is whole, and how it becomes a release.
//!
//! Touches: the folder, the signing directory, the management plane. Entered from: `release watch`.
//! Never: takes a half-copied file.

mod folder;
mod memory;
mod ship;
mod sight;
mod version;

pub(crate) use folder::Folder;
pub(crate) use memory::Memory;
pub(crate) use ship::{Event, EventKind, Shipper, Told};
