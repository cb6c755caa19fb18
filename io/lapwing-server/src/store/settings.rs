//! Numbers that outlive a restart.
//!
//! Touches: table `settings`. Never: configuration; that is the operator's.

use super::StoreError;
use rusqlite::{Connection, OptionalExtension};

/// What is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    /// The last time that was signed, seconds since 1970.
    SignedTime,
    /// When that was on the steady clock, seconds.
    SteadyTime,
    /// In which run of the machine.
    MachineRun,
    /// That a write was tried after one had failed. It means nothing.
    WriteTried,
}

impl Setting {
    const fn name(self) -> &'static str {
        match self {
            Self::SignedTime => "last-signed",
            Self::SteadyTime => "last-signed-steady",
            Self::MachineRun => "last-signed-boot",
            Self::WriteTried => "write-tried",
        }
    }
}

/// The number, if it was ever set.
pub(crate) fn get_setting(connection: &Connection, setting: Setting) -> Result<Option<u64>, StoreError> {
    let sql = "SELECT number FROM settings WHERE name = ?1";
    let number: Option<i64> = connection.query_row(sql, [setting.name()], |row| row.get(0)).optional()?;
    Ok(number.and_then(|number| u64::try_from(number).ok()))
}

/// Remembers a number.
pub(crate) fn put_setting(connection: &Connection, setting: Setting, number: u64) -> Result<(), StoreError> {
    let sql = "INSERT INTO settings VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET number = ?2";
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    connection.prepare_cached(sql)?.execute((setting.name(), number))?;
    Ok(())
}
