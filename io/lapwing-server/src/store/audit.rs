//! The audit: what people told this server, chained, and never changed.
//!
//! Touches: table `audit`. A command is written in the transaction that does it.
//! Never: updates or deletes a row.

use super::{Row, Sql, StoreError};
use lapwing_core::Digest;
use lapwing_fleet::audit::{Command, Head};

/// Adds a command to the end of the chain; its number is given to it here.
pub(crate) fn log_command(sql: &Sql, command: &Command) -> Result<(), StoreError> {
    let last = audit_head(sql)?;
    let command = Command { number: last.number + 1, ..command.clone() };
    let statement = "INSERT INTO audit (number, time, who, role, action, subject, why, was, became, digest)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let digest = command.digest(last.digest);
    let Command { number, time, who, role, action, subject, why, before, after } = &command;
    sql.execute(statement, &[number, time, who, role, action, subject, why, before, after, &digest]).map(drop)
}

/// Where the chain ends.
pub(crate) fn audit_head(sql: &Sql) -> Result<Head, StoreError> {
    let row = sql.row("SELECT number, digest FROM audit ORDER BY number DESC LIMIT 1", &[])?;
    row.map_or(Ok(Head::EMPTY), |row| Ok(Head { number: row.get("number")?, digest: row.get("digest")? }))
}

/// Commands after `after`, in order, each with its digest.
pub(crate) fn commands_after(
    sql: &Sql,
    after: u64,
    limit: u32,
) -> Result<Vec<(Command, Digest)>, StoreError> {
    let statement = "SELECT * FROM audit WHERE number > $1 ORDER BY number LIMIT $2";
    sql.rows(statement, &[&after, &limit])?.iter().map(command_from).collect()
}

fn command_from(row: &Row) -> Result<(Command, Digest), StoreError> {
    let command = Command {
        number: row.get("number")?,
        time: row.get("time")?,
        who: row.get("who")?,
        role: row.get("role")?,
        action: row.get("action")?,
        subject: row.get("subject")?,
        why: row.get("why")?,
        before: row.get("was")?,
        after: row.get("became")?,
    };
    Ok((command, row.get("digest")?))
}
