//! SQLite in write-ahead mode: a file, and nothing else to look after.
//!
//! Touches: `rusqlite`. A commit is on the disk when it is answered.
//! Never: more than one connection that writes.

use super::StoreError;
use super::engine::{EachRow, Engine, Row};
use super::value::Value;
use super::writer::Undone;
use crate::limits::STATEMENTS_CACHED_MAX;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OpenFlags, Statement, ToSql};
use std::path::Path;
use std::sync::Arc;

/// A connection to the file.
pub(super) struct Sqlite(Connection);

impl Sqlite {
    /// The connection that writes. Makes the file if there is none.
    pub(super) fn writer(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        Ok(Self::of(connection))
    }

    /// One that can only read.
    pub(super) fn reader(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Ok(Self::of(Connection::open_with_flags(path, flags)?))
    }

    pub(super) fn of(connection: Connection) -> Self {
        connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED_MAX);
        Self(connection)
    }
}

impl Engine for Sqlite {
    fn begin(&mut self) -> Result<(), StoreError> {
        self.batch("BEGIN IMMEDIATE")
    }

    fn begin_reading(&mut self) -> Result<(), StoreError> {
        self.batch("BEGIN")
    }

    /// When the disk is full SQLite may undo the whole transaction in the midst.
    fn gave_up(&self) -> Option<Undone> {
        self.0.is_autocommit().then_some(Undone::Full)
    }

    fn batch(&mut self, statements: &str) -> Result<(), StoreError> {
        Ok(self.0.execute_batch(statements)?)
    }

    fn execute(&mut self, statement: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        let mut statement = self.0.prepare_cached(statement)?;
        bind(&mut statement, values)?;
        Ok(statement.raw_execute()? as u64)
    }

    fn each(
        &mut self,
        statement: &str,
        values: &[Value<'_>],
        take: &mut EachRow<'_>,
    ) -> Result<(), StoreError> {
        let mut statement = self.0.prepare_cached(statement)?;
        bind(&mut statement, values)?;
        let columns: Arc<[String]> = statement.column_names().map(str::to_owned).collect();
        let mut found = statement.raw_query();
        while let Some(row) = found.next()? {
            let values = (0..columns.len()).map(|at| row.get_ref(at).map(held)).collect::<Result<_, _>>()?;
            take(Row { columns: Arc::clone(&columns), values })?;
        }
        Ok(())
    }

    fn last_id(&mut self, table: &str) -> Result<i64, StoreError> {
        let statement = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?1";
        Ok(self.0.query_row(statement, [table], |row| row.get(0))?)
    }

    fn set_last_id(&mut self, table: &str, id: i64) -> Result<(), StoreError> {
        self.0.execute("DELETE FROM sqlite_sequence WHERE name = ?1", [table])?;
        self.0.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)", (table, id))?;
        Ok(())
    }

    fn format(&mut self) -> Result<u32, StoreError> {
        Ok(self.0.query_row("PRAGMA user_version", [], |row| row.get(0))?)
    }

    fn define(&mut self, migration: &str, number: u32) -> Result<(), StoreError> {
        self.batch(migration)?;
        Ok(self.0.pragma_update(None, "user_version", number)?)
    }
}

/// To SQLite `$2` is a name, and where a name stands first in the text says which parameter it is.
fn bind(statement: &mut Statement<'_>, values: &[Value<'_>]) -> Result<(), StoreError> {
    for (number, value) in (1_u32..).zip(values) {
        if let Some(at) = statement.parameter_index(&format!("${number}"))? {
            statement.raw_bind_parameter(at, value)?;
        }
    }
    Ok(())
}

fn held(value: ValueRef<'_>) -> Value<'static> {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        // No table has a column for such numbers.
        ValueRef::Real(_) => Value::Null,
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned().into()),
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec().into()),
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Self::Full,
            _ => Self::Engine(Box::new(error)),
        }
    }
}
