//! Endpoints that are told of events, how far each has come in the log, and what they would not take.
//!
//! Touches: their tables. Whoever moves an endpoint's place forward names the place and the time he found,
//! so that of two servers one does it.

use super::events::{EventRow, event_from};
use super::{Row, Sql, StoreError};
use lapwing_core::UnixSeconds;

/// An endpoint.
#[derive(Debug, Clone)]
pub(crate) struct WebhookRow {
    pub(crate) name: String,
    pub(crate) url: String,
    /// What signs its messages.
    pub(crate) secret: Vec<u8>,
    /// Names of events, or their beginnings up to a dot, with blanks between; none means all.
    pub(crate) events: String,
    /// The last event that it was told, or that was not for it.
    pub(crate) place: i64,
    /// Tries that failed since.
    pub(crate) failures: u32,
    /// Nothing is sent before.
    pub(crate) due: UnixSeconds,
    pub(crate) paused: bool,
    /// How the last try ended, for people.
    pub(crate) last: String,
    pub(crate) made: UnixSeconds,
    /// Events that were set aside for it.
    pub(crate) dead_letters: u64,
}

/// An event that an endpoint would not take.
#[derive(Debug, Clone)]
pub(crate) struct DeadLetter {
    pub(crate) event: EventRow,
    pub(crate) time: UnixSeconds,
    pub(crate) last: String,
}

/// All endpoints, by name.
pub(crate) fn webhooks(sql: &Sql) -> Result<Vec<WebhookRow>, StoreError> {
    let statement = "SELECT webhooks.*,
        (SELECT count(*) FROM dead_letters WHERE dead_letters.webhook = webhooks.name) AS dead_letters
        FROM webhooks ORDER BY name";
    sql.rows(statement, &[])?.iter().map(webhook_from).collect()
}

/// One of them.
pub(crate) fn webhook(sql: &Sql, name: &str) -> Result<Option<WebhookRow>, StoreError> {
    let statement = "SELECT webhooks.*,
        (SELECT count(*) FROM dead_letters WHERE dead_letters.webhook = webhooks.name) AS dead_letters
        FROM webhooks WHERE name = $1";
    sql.row(statement, &[&name])?.as_ref().map(webhook_from).transpose()
}

fn webhook_from(row: &Row) -> Result<WebhookRow, StoreError> {
    Ok(WebhookRow {
        name: row.get("name")?,
        url: row.get("url")?,
        secret: row.get("secret")?,
        events: row.get("events")?,
        place: row.get("place")?,
        failures: row.get("failures")?,
        due: row.get("due")?,
        paused: row.get("paused")?,
        last: row.get("last")?,
        made: row.get("made")?,
        dead_letters: row.get("dead_letters")?,
    })
}

/// Adds an endpoint that is told of what happens from now on; false if there is one of this name.
pub(crate) fn new_webhook(sql: &Sql, row: &WebhookRow) -> Result<bool, StoreError> {
    let place = last_event(sql)?;
    let statement =
        "INSERT INTO webhooks (name, url, secret, events, place, failures, due, paused, last, made)
        VALUES ($1, $2, $3, $4, $5, 0, 0, 0, '', $6) ON CONFLICT DO NOTHING";
    let values: &[&dyn super::value::Bind] =
        &[&row.name, &row.url, &row.secret, &row.events, &place, &row.made];
    Ok(sql.execute(statement, values)? == 1)
}

/// Forgets an endpoint; false if there is none of this name.
pub(crate) fn drop_webhook(sql: &Sql, name: &str) -> Result<bool, StoreError> {
    Ok(sql.execute("DELETE FROM webhooks WHERE name = $1", &[&name])? == 1)
}

/// Stops or starts an endpoint; what happened meanwhile it is told then. False if there is none.
pub(crate) fn pause_webhook(sql: &Sql, name: &str, paused: bool) -> Result<bool, StoreError> {
    let statement = "UPDATE webhooks SET paused = $2, failures = 0, due = 0 WHERE name = $1";
    Ok(sql.execute(statement, &[&name, &paused])? == 1)
}

/// Keeps everybody else from sending to this endpoint until then; false if somebody was faster.
pub(crate) fn lease_webhook(sql: &Sql, found: &WebhookRow, until: UnixSeconds) -> Result<bool, StoreError> {
    let statement = "UPDATE webhooks SET due = $4 WHERE name = $1 AND place = $2 AND due = $3 AND paused = 0";
    Ok(sql.execute(statement, &[&found.name, &found.place, &found.due, &until])? == 1)
}

/// Writes down how far an endpoint has come, by whoever has it on lease until `leased`.
pub(crate) fn move_webhook(sql: &Sql, now: &WebhookRow, leased: UnixSeconds) -> Result<(), StoreError> {
    let statement = "UPDATE webhooks SET place = $2, failures = $3, due = $4, paused = $5, last = $6
        WHERE name = $1 AND due = $7";
    let values: &[&dyn super::value::Bind] =
        &[&now.name, &now.place, &now.failures, &now.due, &now.paused, &now.last, &leased];
    sql.execute(statement, values).map(drop)
}

/// Sets an event aside.
pub(crate) fn put_dead_letter(
    sql: &Sql,
    webhook: &str,
    event: i64,
    time: UnixSeconds,
    last: &str,
) -> Result<(), StoreError> {
    let statement = "INSERT INTO dead_letters (webhook, event, time, last) VALUES ($1, $2, $3, $4)
        ON CONFLICT (webhook, event) DO UPDATE SET time = excluded.time, last = excluded.last";
    sql.execute(statement, &[&webhook, &event, &time, &last]).map(drop)
}

/// What was set aside for an endpoint, the oldest first, as far as the log still has it.
pub(crate) fn dead_letters(sql: &Sql, webhook: &str, limit: u32) -> Result<Vec<DeadLetter>, StoreError> {
    let statement = "SELECT events.*, dead_letters.time AS aside, dead_letters.last AS last
        FROM dead_letters JOIN events ON events.id = dead_letters.event
        WHERE dead_letters.webhook = $1 ORDER BY dead_letters.event LIMIT $2";
    let letter = |row: &Row| {
        Ok(DeadLetter { event: event_from(row)?, time: row.get("aside")?, last: row.get("last")? })
    };
    sql.rows(statement, &[&webhook, &limit])?.iter().map(letter).collect()
}

/// Takes one off the list.
pub(crate) fn drop_dead_letter(sql: &Sql, webhook: &str, event: i64) -> Result<(), StoreError> {
    sql.execute("DELETE FROM dead_letters WHERE webhook = $1 AND event = $2", &[&webhook, &event]).map(drop)
}

/// The newest event of the log; zero if there is none.
pub(crate) fn last_event(sql: &Sql) -> Result<i64, StoreError> {
    let row = sql.row("SELECT coalesce(max(id), 0) AS last FROM events", &[])?;
    row.map_or(Ok(0), |row| row.get("last"))
}
