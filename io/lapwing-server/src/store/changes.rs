//! What changed since: how one server notices what another one did to the rows that both keep in memory.
//!
//! Touches: table `changes`, a number for each kind of row that goes up with every change of one; and the
//! numbers that devices had. Never: says what changed in a row; whoever hears of it reads it again.

use super::{Sql, StoreError};
use crate::limits::CHANGES_AT_ONCE_MAX;
use lapwing_core::DeviceId;

/// What is kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Devices,
    /// Version sets, and the trust documents that say which are believed.
    Published,
}

impl What {
    const fn name(self) -> &'static str {
        match self {
            Self::Devices => "devices",
            Self::Published => "published",
        }
    }
}

/// Counts a change, and returns its number.
pub(super) fn count_change(sql: &Sql, what: What) -> Result<u64, StoreError> {
    let statement = "INSERT INTO changes (what, number) VALUES ($1, 1)
        ON CONFLICT (what) DO UPDATE SET number = changes.number + 1 RETURNING number";
    sql.row(statement, &[&what.name()])?.ok_or(StoreError::Corrupt("changes"))?.get("number")
}

/// How many changes there have been.
pub(crate) fn changes(sql: &Sql, what: What) -> Result<u64, StoreError> {
    let row = sql.row("SELECT number FROM changes WHERE what = $1", &[&what.name()])?;
    row.map_or(Ok(0), |row| row.get("number"))
}

/// A device that changed.
pub(crate) struct Changed {
    pub(crate) id: DeviceId,
    /// As it is now; none if it was forgotten.
    pub(crate) generation: Option<u64>,
    pub(crate) number: u64,
}

/// Devices that changed after change `after`, in that order, as many as are looked at together.
pub(crate) fn changed_devices(sql: &Sql, after: u64) -> Result<Vec<Changed>, StoreError> {
    let statement = "SELECT id, generation, changed FROM devices WHERE changed > $1
        UNION ALL SELECT id, NULL, changed FROM forgotten WHERE changed > $1 ORDER BY changed, id LIMIT $2";
    let rows = sql.rows(statement, &[&after, &CHANGES_AT_ONCE_MAX])?;
    rows.iter()
        .map(|row| {
            let (id, generation, number) = (row.get("id")?, row.get("generation")?, row.get("changed")?);
            Ok(Changed { id, generation, number })
        })
        .collect()
}
