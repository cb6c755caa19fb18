//! The tables, as numbered migrations that are only ever added to.
//!
//! Touches: an engine. A migration is a file in `migrations/`, written in SQLite's words, and a line here;
//! an engine with other words translates. Never: edits a migration that was released.

use super::StoreError;
use super::engine::Engine;

const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_fleet.sql"),
    include_str!("migrations/0002_names.sql"),
    include_str!("migrations/0003_rollouts.sql"),
];

/// Brings the tables up to this version of the program, all of it or nothing.
pub(super) fn migrate(engine: &mut dyn Engine) -> Result<(), StoreError> {
    engine.begin()?;
    let migrated = migrate_within(engine);
    engine.batch(if migrated.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    migrated
}

fn migrate_within(engine: &mut dyn Engine) -> Result<(), StoreError> {
    let held = engine.format()?;
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if held > known {
        return Err(StoreError::TooNew(held));
    }
    for (number, migration) in (1_u32..).zip(MIGRATIONS).skip_while(|(number, _)| *number <= held) {
        engine.define(migration, number)?;
    }
    Ok(())
}
