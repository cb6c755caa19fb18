//! What an engine must do for the rooms of the store, and the handle that they hold while they do it.
//!
//! Touches: nothing itself. Statements are SQL that every engine understands: parameters are `$1`, a new id
//! comes by `RETURNING`, sums and parameters outside `VALUES` and comparisons are `CAST(.. AS BIGINT)`.
//! Never: a statement made of text from outside; each is written in the program.

use super::StoreError;
use super::value::{Bind, Column, Value};
use super::writer::Undone;
use std::cell::RefCell;
use std::sync::Arc;

/// A connection to where the rows are.
pub(super) trait Engine: Send {
    /// Opens a transaction that may write, once no other may.
    fn begin(&mut self) -> Result<(), StoreError>;
    /// Opens a transaction that sees the rows as they are now, whatever others write meanwhile.
    fn begin_reading(&mut self) -> Result<(), StoreError>;
    /// Why the transaction that was begun is gone, undone by the engine itself; nothing if it is not.
    fn gave_up(&self) -> Option<Undone>;
    /// Runs statements without parameters and answers.
    fn batch(&mut self, statements: &str) -> Result<(), StoreError>;
    /// Runs a statement, and says how many rows it changed.
    fn execute(&mut self, statement: &str, values: &[Value<'_>]) -> Result<u64, StoreError>;
    /// Runs a statement that answers with rows, and hands each of them over.
    fn each(
        &mut self,
        statement: &str,
        values: &[Value<'_>],
        take: &mut EachRow<'_>,
    ) -> Result<(), StoreError>;
    /// The highest id that a table which numbers its rows has given; 0 if none.
    fn last_id(&mut self, table: &str) -> Result<i64, StoreError>;
    /// Lets a table go on behind `id`.
    fn set_last_id(&mut self, table: &str, id: i64) -> Result<(), StoreError>;
    /// The number of the last migration that the tables have had.
    fn format(&mut self) -> Result<u32, StoreError>;
    /// Runs a migration and notes its number.
    fn define(&mut self, migration: &str, number: u32) -> Result<(), StoreError>;
}

/// Takes a row; an error ends the answer.
pub(super) type EachRow<'a> = dyn FnMut(Row) -> Result<(), StoreError> + 'a;

/// A row of an answer.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(super) columns: Arc<[String]>,
    pub(super) values: Vec<Value<'static>>,
}

impl Row {
    /// What stands in a column, by the name that the statement gave it.
    pub(crate) fn get<T: Column>(&self, column: &'static str) -> Result<T, StoreError> {
        let at = self.columns.iter().position(|name| name == column);
        let value = at.and_then(|at| self.values.get(at));
        value.and_then(T::read).ok_or(StoreError::Corrupt(column))
    }
}

/// What a job runs its statements on.
pub(crate) struct Sql {
    engine: RefCell<Box<dyn Engine>>,
}

impl Sql {
    pub(super) fn new(engine: Box<dyn Engine>) -> Self {
        Self { engine: RefCell::new(engine) }
    }

    /// The engine itself, for whoever runs transactions.
    pub(super) fn engine(&self) -> std::cell::RefMut<'_, Box<dyn Engine>> {
        self.engine.borrow_mut()
    }

    /// Runs a statement, and says how many rows it changed.
    pub(crate) fn execute(&self, statement: &'static str, values: &[&dyn Bind]) -> Result<u64, StoreError> {
        self.engine().execute(statement, &bound(values))
    }

    /// The rows that a statement answers with.
    pub(crate) fn rows(&self, statement: &'static str, values: &[&dyn Bind]) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        self.engine().each(statement, &bound(values), &mut |row| {
            rows.push(row);
            Ok(())
        })?;
        Ok(rows)
    }

    /// The first of them.
    pub(crate) fn row(
        &self,
        statement: &'static str,
        values: &[&dyn Bind],
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(statement, values)?.into_iter().next())
    }
}

fn bound<'a>(values: &'a [&'a dyn Bind]) -> Vec<Value<'a>> {
    values.iter().map(|value| value.bind()).collect()
}
