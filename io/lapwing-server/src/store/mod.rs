//! The store: SQLite in write-ahead mode, one thread that writes, a few connections that read.
//!
//! Touches: `rusqlite`, the data directory. Write jobs that wait together share one commit, each in
//! its own savepoint; an answer is given only after the commit is on the disk.
//! Never: decides; rows in, rows out.

mod devices;
mod events;
mod publishing;
mod schema;
mod settings;
mod writer;

pub(crate) use devices::{
    AttemptRow, ClaimRefused, Device, claim, device, devices_page, forget_device, new_attempt, new_token,
    overdue, put_attempt, put_device, put_seen, running_counts,
};
pub(crate) use events::{
    Said, drop_oldest_loose, events_after, events_beyond, events_of_attempt, log_event, prune_events,
};
pub(crate) use publishing::{
    ArtifactRow, BlobRow, ReleaseRow, VersionSetRow, artifact, blob, blob_names, forget_blob, orphans,
    put_artifact, put_blob, put_release, put_trust, put_version_set, releases, set_shelf, trust_documents,
    version_set, version_sets,
};
pub(crate) use settings::{Setting, get_setting, put_setting};
pub(crate) use writer::Store;

/// Why the store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite says so.
    #[error("the store failed")]
    Sqlite(#[from] rusqlite::Error),
    /// The server is going down.
    #[error("the store is closed")]
    Closed,
    /// A row does not decode. The store was changed by something else, or by a newer version.
    #[error("unreadable row in {0}")]
    Corrupt(&'static str),
    /// The store was written by a newer version of this program.
    #[error("the store has format {0}, which this version does not know")]
    TooNew(u32),
    /// Some other reason, for example a thread that could not be started.
    #[error("the store could not be opened")]
    Io(#[from] std::io::Error),
}
