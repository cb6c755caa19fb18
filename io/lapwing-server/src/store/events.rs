//! The event log: append-only, oldest first, each row numbered.
//!
//! Touches: table `events`. A device's own events are unique by attempt and number, so a report may
//! come twice. Never: updates a row.

use super::{Row, Sql, StoreError};
use lapwing_core::{AttemptId, Digest, UnixSeconds};
use serde::Serialize;
use utoipa::ToSchema;

/// An event to be logged.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) time: UnixSeconds,
    pub(crate) device: Option<String>,
    pub(crate) attempt: Option<AttemptId>,
    /// The device's own number; none for what the server noticed itself.
    pub(crate) number: Option<u32>,
    pub(crate) name: &'static str,
    pub(crate) cause: Option<&'static str>,
    pub(crate) blame: Option<&'static str>,
    pub(crate) release: Option<Digest>,
    pub(crate) detail: Option<String>,
}

impl Said {
    /// Something that the server noticed about a device.
    pub(crate) fn of_device(time: UnixSeconds, device: &str, name: &'static str) -> Self {
        Self { device: Some(device.to_owned()), ..Self::of_server(time, name) }
    }

    /// Something that the server did.
    pub(crate) fn of_server(time: UnixSeconds, name: &'static str) -> Self {
        Self {
            time,
            device: None,
            attempt: None,
            number: None,
            name,
            cause: None,
            blame: None,
            release: None,
            detail: None,
        }
    }
}

/// An event as it was logged.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventRow {
    /// Its place in the log.
    pub(crate) id: i64,
    time: u64,
    device: Option<String>,
    attempt: Option<i64>,
    /// The device's own number for it; none for what the server noticed itself.
    number: Option<u32>,
    pub(crate) name: String,
    cause: Option<String>,
    blame: Option<String>,
    release: Option<String>,
    detail: Option<String>,
}

impl EventRow {
    pub(crate) fn time(&self) -> UnixSeconds {
        UnixSeconds(self.time)
    }

    pub(crate) fn device(&self) -> Option<&str> {
        self.device.as_deref()
    }
}

/// Logs an event; says whether it is new.
pub(crate) fn log_event(sql: &Sql, said: &Said) -> Result<bool, StoreError> {
    let statement = "INSERT INTO events (time, device, attempt, number, name, cause, blame, release, detail)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING";
    let rows = sql.execute(
        statement,
        &[
            &said.time,
            &said.device,
            &said.attempt,
            &said.number,
            &said.name,
            &said.cause,
            &said.blame,
            &said.release,
            &said.detail,
        ],
    )?;
    Ok(rows == 1)
}

/// Lets a device's oldest event outside any attempt go.
pub(crate) fn drop_oldest_loose(sql: &Sql, device: &str) -> Result<(), StoreError> {
    let statement = "DELETE FROM events WHERE id =
        (SELECT min(id) FROM events WHERE device = $1 AND attempt = $2)";
    sql.execute(statement, &[&device, &AttemptId::NONE]).map(drop)
}

/// How many events of a device's attempt are kept already.
pub(crate) fn events_of_attempt(sql: &Sql, device: &str, attempt: AttemptId) -> Result<u32, StoreError> {
    let statement = "SELECT count(*) AS count FROM events WHERE device = $1 AND attempt = $2";
    sql.row(statement, &[&device, &attempt])?.map_or(Ok(0), |row| row.get("count"))
}

/// The ids of the oldest event that is kept and of the newest, zero if there is none.
pub(crate) fn event_ids(sql: &Sql) -> Result<(i64, i64), StoreError> {
    let statement = "SELECT coalesce(min(id), 0) AS oldest, coalesce(max(id), 0) AS newest FROM events";
    let row = sql.row(statement, &[])?.ok_or(StoreError::Corrupt("events"))?;
    Ok((row.get("oldest")?, row.get("newest")?))
}

/// Events after `after`, of one device or of all.
pub(crate) fn events_after(
    sql: &Sql,
    after: i64,
    device: Option<&str>,
    limit: u32,
) -> Result<Vec<EventRow>, StoreError> {
    let rows = match device {
        None => sql.rows("SELECT * FROM events WHERE id > $1 ORDER BY id LIMIT $2", &[&after, &limit]),
        Some(device) => sql.rows(
            "SELECT * FROM events WHERE id > $1 AND device = $2 ORDER BY id LIMIT $3",
            &[&after, &device, &limit],
        ),
    };
    rows?.iter().map(event_from).collect()
}

pub(super) fn event_from(row: &Row) -> Result<EventRow, StoreError> {
    Ok(EventRow {
        id: row.get("id")?,
        time: row.get("time")?,
        device: row.get("device")?,
        attempt: row.get("attempt")?,
        number: row.get("number")?,
        name: row.get("name")?,
        cause: row.get("cause")?,
        blame: row.get("blame")?,
        release: row.get::<Option<Digest>>("release")?.map(|release| release.to_string()),
        detail: row.get("detail")?,
    })
}

/// Whether more events are kept than should be.
pub(crate) fn events_beyond(sql: &Sql, kept: u64) -> Result<bool, StoreError> {
    let row = sql.row("SELECT coalesce(max(id) - min(id), 0) AS span FROM events", &[])?;
    Ok(row.map_or(Ok(0), |row| row.get::<u64>("span"))? >= kept)
}

/// Lets the oldest events go, so that so many stay.
pub(crate) fn prune_events(sql: &Sql, kept: u64) -> Result<(), StoreError> {
    sql.execute("DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - $1", &[&kept]).map(drop)
}
