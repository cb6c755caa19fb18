//! Numbers that outlive a restart.
//!
//! Touches: table `settings`. Never: configuration; that is the operator's.

use super::{Sql, StoreError};

/// What is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    /// The last time that was signed, seconds since 1970.
    SignedTime,
    /// When that was on the steady clock, seconds.
    SteadyTime,
    /// In which run of the machine.
    MachineRun,
    /// The first sequence number of a security context that no server has reserved.
    OscoreNumber,
    /// That a write was tried after one had failed. It means nothing.
    WriteTried,
}

impl Setting {
    const fn name(self) -> &'static str {
        match self {
            Self::SignedTime => "last-signed",
            Self::SteadyTime => "last-signed-steady",
            Self::MachineRun => "last-signed-boot",
            Self::OscoreNumber => "oscore-number",
            Self::WriteTried => "write-tried",
        }
    }
}

/// The number, if it was ever set.
pub(crate) fn get_setting(sql: &Sql, setting: Setting) -> Result<Option<u64>, StoreError> {
    let row = sql.row("SELECT number FROM settings WHERE name = $1", &[&setting.name()])?;
    row.map(|row| row.get("number")).transpose()
}

/// Remembers a number.
pub(crate) fn put_setting(sql: &Sql, setting: Setting, number: u64) -> Result<(), StoreError> {
    let statement = "INSERT INTO settings (name, number) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET number = excluded.number";
    sql.execute(statement, &[&setting.name(), &number]).map(drop)
}
