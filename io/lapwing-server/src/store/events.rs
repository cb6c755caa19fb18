//! The event log: append-only, oldest first, each row numbered.
//!
//! Touches: table `events`. A device's own events are unique by attempt and number, so a report may
//! come twice. Never: updates a row.

use super::StoreError;
use super::publishing::{number, seconds};
use lapwing_core::{AttemptId, Digest, UnixSeconds};
use rusqlite::{Connection, Row};
use serde::Serialize;

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
#[derive(Debug, Clone, Serialize)]
pub(crate) struct EventRow {
    id: i64,
    time: u64,
    device: Option<String>,
    attempt: Option<i64>,
    number: Option<u32>,
    name: String,
    cause: Option<String>,
    blame: Option<String>,
    release: Option<String>,
    detail: Option<String>,
}

/// Logs an event; says whether it is new.
pub(crate) fn log_event(connection: &Connection, said: &Said) -> Result<bool, StoreError> {
    let sql = "INSERT OR IGNORE INTO events
        (time, device, attempt, number, name, cause, blame, release, detail)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let attempt = said.attempt.map(|attempt| number(attempt.0));
    let release = said.release.as_ref().map(Digest::as_bytes);
    let rows = connection.prepare_cached(sql)?.execute((
        number(said.time.0),
        &said.device,
        attempt,
        said.number,
        said.name,
        said.cause,
        said.blame,
        release,
        &said.detail,
    ))?;
    Ok(rows == 1)
}

/// Lets a device's oldest event outside any attempt go.
pub(crate) fn drop_oldest_loose(connection: &Connection, device: &str) -> Result<(), StoreError> {
    let sql = "DELETE FROM events WHERE id =
        (SELECT min(id) FROM events WHERE device = ?1 AND attempt = ?2)";
    connection.prepare_cached(sql)?.execute((device, number(AttemptId::NONE.0)))?;
    Ok(())
}

/// How many events of a device's attempt are kept already.
pub(crate) fn events_of_attempt(
    connection: &Connection,
    device: &str,
    attempt: AttemptId,
) -> Result<u32, StoreError> {
    let sql = "SELECT count(*) FROM events WHERE device = ?1 AND attempt = ?2";
    Ok(connection.prepare_cached(sql)?.query_row((device, number(attempt.0)), |row| row.get(0))?)
}

/// Events after `after`, of one device or of all.
pub(crate) fn events_after(
    connection: &Connection,
    after: i64,
    device: Option<&str>,
    limit: u32,
) -> Result<Vec<EventRow>, StoreError> {
    let sql = match device {
        None => "SELECT * FROM events WHERE id > ?1 AND ?2 IS NULL ORDER BY id LIMIT ?3",
        Some(_) => "SELECT * FROM events WHERE id > ?1 AND device = ?2 ORDER BY id LIMIT ?3",
    };
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map((after, device, limit), event_from)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn event_from(row: &Row<'_>) -> Result<EventRow, rusqlite::Error> {
    Ok(EventRow {
        id: row.get(0)?,
        time: seconds(row, 1)?.0,
        device: row.get(2)?,
        attempt: row.get(3)?,
        number: row.get(4)?,
        name: row.get(5)?,
        cause: row.get(6)?,
        blame: row.get(7)?,
        release: row.get::<_, Option<Vec<u8>>>(8)?.map(|bytes| crate::key_file::hex(&bytes)),
        detail: row.get(9)?,
    })
}

/// Whether more events are kept than should be.
pub(crate) fn events_beyond(connection: &Connection, kept: u64) -> Result<bool, StoreError> {
    let sql = "SELECT coalesce(max(id) - min(id), 0) >= ?1 FROM events";
    Ok(connection.prepare_cached(sql)?.query_row([number(kept)], |row| row.get(0))?)
}

/// Lets the oldest events go, so that so many stay.
pub(crate) fn prune_events(connection: &Connection, kept: u64) -> Result<(), StoreError> {
    let sql = "DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?1";
    connection.execute(sql, [number(kept)])?;
    Ok(())
}
