//! The access log's rows, of which the newest are kept.
//!
//! Touches: table `access`. Never: keeps more than its limit.

use super::{Sql, StoreError};
use crate::limits::ACCESS_KEPT;
use lapwing_core::UnixSeconds;

/// A request of a device, and how it ended.
#[derive(Debug, Clone)]
pub(crate) struct AccessRow {
    pub(crate) time: UnixSeconds,
    /// Who it said it was.
    pub(crate) device: Option<String>,
    pub(crate) address: String,
    pub(crate) request: String,
    pub(crate) status: u16,
}

/// Which rows are looked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct AccessQuery {
    /// Those before this one; the newest come first.
    pub(crate) before: Option<u64>,
    pub(crate) device: Option<String>,
    pub(crate) status: Option<u16>,
    pub(crate) limit: u32,
}

/// Adds rows, and lets the oldest go.
pub(crate) fn put_access(sql: &Sql, rows: &[AccessRow]) -> Result<(), StoreError> {
    let statement = "INSERT INTO access (time, device, address, request, status) VALUES ($1, $2, $3, $4, $5)";
    for row in rows {
        sql.execute(statement, &[&row.time, &row.device, &row.address, &row.request, &row.status])?;
    }
    let statement = "DELETE FROM access WHERE id <= (SELECT max(id) FROM access) - CAST($1 AS BIGINT)";
    sql.execute(statement, &[&ACCESS_KEPT]).map(drop)
}

/// Rows with their ids, the newest first.
pub(crate) fn access_rows(sql: &Sql, query: &AccessQuery) -> Result<Vec<(u64, AccessRow)>, StoreError> {
    let statement = "SELECT * FROM access WHERE id < $1
        AND (CAST($2 AS TEXT) IS NULL OR device = $2)
        AND (CAST($3 AS BIGINT) IS NULL OR status = $3) ORDER BY id DESC LIMIT $4";
    let before = query.before.unwrap_or(i64::MAX.unsigned_abs());
    let rows = sql.rows(statement, &[&before, &query.device, &query.status, &query.limit])?;
    rows.iter()
        .map(|row| {
            let found = AccessRow {
                time: row.get("time")?,
                device: row.get("device")?,
                address: row.get("address")?,
                request: row.get("request")?,
                status: row.get("status")?,
            };
            Ok((row.get("id")?, found))
        })
        .collect()
}
