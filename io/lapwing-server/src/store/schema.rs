//! The tables, as numbered migrations that are only ever added to.
//!
//! Touches: an engine. A migration is a file in `migrations/`, written in SQLite's words, and a line here;
//! an engine with other words translates. Rows that a store of that format held go to `migrations/rows/`.
//! Never: edits a migration that was released.

use super::StoreError;
use super::engine::Engine;

const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_fleet.sql"),
    include_str!("migrations/0002_names.sql"),
    include_str!("migrations/0003_audit.sql"),
    include_str!("migrations/0004_generations.sql"),
    include_str!("migrations/0005_webhooks.sql"),
    include_str!("migrations/0006_rollouts.sql"),
    include_str!("migrations/0007_noted.sql"),
    include_str!("migrations/0008_bills.sql"),
    include_str!("migrations/0009_oscore.sql"),
];

/// Brings the tables up to this version of the program, all of it or nothing.
pub(super) fn migrate(engine: &mut dyn Engine) -> Result<(), StoreError> {
    engine.begin()?;
    let migrated = define_up_to(engine, newest_format());
    engine.batch(if migrated.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    migrated
}

/// Brings the tables up to a format, within a transaction.
pub(super) fn define_up_to(engine: &mut dyn Engine, format: u32) -> Result<(), StoreError> {
    let held = engine.format()?;
    if held > newest_format() {
        return Err(StoreError::TooNew(held));
    }
    for (number, migration) in (1..=format).zip(MIGRATIONS).skip_while(|(number, _)| *number <= held) {
        engine.define(migration, number)?;
    }
    Ok(())
}

/// The format of this version of the program.
pub(super) fn newest_format() -> u32 {
    u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX)
}

/// A table, as the migrations made it.
pub(super) struct Table {
    pub(super) name: &'static str,
    /// It numbers its rows, and no number is used twice.
    pub(super) counts_ids: bool,
}

/// The tables of a format, in an order in which rows can be written: what a row names stands before it.
pub(super) fn tables(format: u32) -> impl Iterator<Item = Table> {
    let made =
        (1..=format).zip(MIGRATIONS).flat_map(|(_, migration)| migration.split("CREATE TABLE ").skip(1));
    made.filter_map(|text| {
        let (name, rest) = text.split_once(' ')?;
        let counts_ids = rest.split(';').next()?.contains("AUTOINCREMENT");
        Some(Table { name, counts_ids })
    })
}
