//! Numbers of security contexts, and of what the server seals in them of its own accord.
//!
//! Touches: tables `contexts` and `settings`. Never: holds a key, or gives a number twice.

use super::settings::{Setting, get_setting, put_setting};
use super::{Sql, StoreError};
use lapwing_core::DeviceId;

/// Numbers a new context of a device; those that it had before stay its own.
pub(crate) fn new_context(sql: &Sql, device: &DeviceId) -> Result<u64, StoreError> {
    let row = sql.row("INSERT INTO contexts (device) VALUES ($1) RETURNING id", &[device])?;
    row.ok_or(StoreError::Corrupt("contexts"))?.get("id")
}

/// Whose context has this number.
pub(crate) fn context_owner(sql: &Sql, number: u64) -> Result<Option<DeviceId>, StoreError> {
    let row = sql.row("SELECT device FROM contexts WHERE id = $1", &[&number])?;
    row.map(|row| row.get("device")).transpose()
}

/// The first of `count` sequence numbers that nobody else is given.
pub(crate) fn reserve_numbers(sql: &Sql, count: u64) -> Result<u64, StoreError> {
    let first = get_setting(sql, Setting::OscoreNumber)?.unwrap_or(0);
    put_setting(sql, Setting::OscoreNumber, first.saturating_add(count))?;
    Ok(first)
}
