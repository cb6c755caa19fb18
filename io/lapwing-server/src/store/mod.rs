//! The store: one thread that writes, a few connections that read, an engine underneath.
//!
//! Touches: the data directory. Write jobs that wait together share one commit, each in its own
//! savepoint; an answer is given only after the commit is on the disk.
//! Never: decides; rows in, rows out.

#[cfg(test)]
mod contract;
mod engine;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "postgres")]
mod postgres_tls;
mod schema;
mod sqlite;
mod transfer;
mod value;
mod writer;

mod access;
mod audit;
mod bills;
mod changes;
mod claims;
mod contexts;
mod devices;
mod events;
mod publishing;
mod rollouts;
mod settings;
mod tokens;
mod webhooks;

pub(crate) use access::{AccessQuery, AccessRow, access_rows, put_access};
pub(crate) use audit::{audit_head, commands_after, log_command};
pub(crate) use bills::{
    DocumentKind, PartRow, attestations, devices_running, parts_licensed, parts_named, put_document,
    put_parts,
};
pub(crate) use changes::{Changed, What, changed_devices, changes};
pub(crate) use claims::{
    ClaimRefused, TokenRow, claim, forget_device, forgotten, new_token, remember_again, revoke_token, tokens,
};
pub(crate) use contexts::{context_owner, new_context, reserve_numbers};
pub(crate) use devices::{
    AttemptRow, Device, device, devices_page, downloads_by_cell, downloads_in, new_attempt, put_attempt,
    put_device, put_seen, running_counts, to_be_ended,
};
use engine::Engine;
pub(crate) use engine::{Row, Sql};
pub(crate) use events::{
    EventRow, Said, drop_oldest_loose, event_ids, events_after, events_beyond, events_of_attempt, log_event,
    prune_events,
};
pub(crate) use publishing::{
    ArtifactRow, BlobRow, HardwareNames, ReleaseRow, VersionSetRow, artifact, artifacts, artifacts_bytes,
    blob, blob_names, downloads, drop_artifact, forget_blob, hardware_names, offered_artifacts, orphans,
    put_artifact, put_blob, put_hardware_name, put_release, put_trust, put_version_set, release_envelope,
    releases, set_shelf, trust_documents, version_set, version_sets,
};
pub(crate) use rollouts::{
    HistoryRow, RolloutRow, Told, completed_rollouts, drop_group, groups, history, live_rollouts,
    new_rollout, plan, plans, put_group, put_history, put_plan, put_rollout, rollout, rollouts_before,
    take_place, tries,
};
pub(crate) use settings::{Setting, get_setting, put_setting};
pub(crate) use tokens::{
    AccessTokenRow, access_token, access_tokens, put_access_token, revoke_access_token, use_access_token,
};
pub use transfer::{Purpose, TransferError};
pub(crate) use transfer::{export, import};
pub(crate) use webhooks::{
    DeadLetter, WebhookRow, dead_letters, drop_dead_letter, drop_webhook, last_event, lease_webhook,
    move_webhook, new_webhook, pause_webhook, put_dead_letter, webhook, webhooks,
};
pub(crate) use writer::{Store, Undone};

use std::path::PathBuf;

/// Where the rows are.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// In a file of SQLite's.
    File(PathBuf),
    /// In PostgreSQL.
    #[cfg(feature = "postgres")]
    Database(postgres::Database),
}

impl Place {
    /// What `address` says, with a password that stands elsewhere and the certificates, PEM, that must vouch for
    /// whoever answers there; none if it cannot be used.
    pub(crate) fn database(
        address: &str,
        password: Option<&str>,
        authorities: Option<&[u8]>,
    ) -> Option<Self> {
        #[cfg(feature = "postgres")]
        return postgres::Database::at(address, password, authorities).map(Self::Database);
        #[cfg(not(feature = "postgres"))]
        return Option::<Self>::None
            .filter(|_| address.is_empty() || password.is_some() || authorities.is_some());
    }

    /// Whether other servers may write there.
    pub(crate) fn is_shared(&self) -> bool {
        !matches!(self, Self::File(_))
    }

    fn writer(&self) -> Result<Box<dyn Engine>, StoreError> {
        Ok(match self {
            Self::File(path) => Box::new(sqlite::Sqlite::writer(path)?),
            #[cfg(feature = "postgres")]
            Self::Database(database) => Box::new(database.connection(postgres::Role::Writer)),
        })
    }

    fn reader(&self) -> Result<Box<dyn Engine>, StoreError> {
        Ok(match self {
            Self::File(path) => Box::new(sqlite::Sqlite::reader(path)?),
            #[cfg(feature = "postgres")]
            Self::Database(database) => Box::new(database.connection(postgres::Role::Reader)),
        })
    }
}

/// Why the store could not answer.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The engine says so.
    #[error("the store failed")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// No room is left on the disk. Nothing was changed.
    #[error("the disk is full")]
    Full,
    /// The database cannot be reached. Whether a change was made that was under way is not known.
    #[error("the database is away")]
    Away,
    /// What was to be written had been changed since it was read. Read again, it can be.
    #[error("changed by somebody else meanwhile")]
    Stale,
    /// The server is going down.
    #[error("the store is closed")]
    Closed,
    /// A table or column that does not decode. The store was changed by something else, or by a newer version.
    #[error("unreadable {0} in the store")]
    Corrupt(&'static str),
    /// The store was written by a newer version of this program.
    #[error("the store has format {0}, which this version does not know")]
    TooNew(u32),
    /// Some other reason, for example a thread that could not be started.
    #[error("the store could not be opened")]
    Io(#[source] std::io::Error),
}

impl From<std::io::Error> for StoreError {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::StorageFull { Self::Full } else { Self::Io(error) }
    }
}
