//! The tokens of people and their tools.
//!
//! Touches: table `tokens`. Never: holds a token, only its hash: 256 random bits need no slow one.

use super::{Row, Sql, StoreError};
use lapwing_core::{Digest, UnixSeconds};

/// A token.
#[derive(Debug, Clone)]
pub(crate) struct AccessTokenRow {
    pub(crate) name: String,
    pub(crate) hash: Digest,
    pub(crate) role: String,
    pub(crate) made: UnixSeconds,
    pub(crate) expires: Option<UnixSeconds>,
    pub(crate) last_used: Option<UnixSeconds>,
}

/// The token with this hash.
pub(crate) fn access_token(sql: &Sql, hash: Digest) -> Result<Option<AccessTokenRow>, StoreError> {
    sql.row("SELECT * FROM tokens WHERE hash = $1", &[&hash])?.as_ref().map(token_from).transpose()
}

/// All of them, by name.
pub(crate) fn access_tokens(sql: &Sql) -> Result<Vec<AccessTokenRow>, StoreError> {
    sql.rows("SELECT * FROM tokens ORDER BY name", &[])?.iter().map(token_from).collect()
}

/// Adds one; false if its name is taken.
pub(crate) fn put_access_token(sql: &Sql, row: &AccessTokenRow) -> Result<bool, StoreError> {
    let statement = "INSERT INTO tokens (name, hash, role, made, expires) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (name) DO NOTHING";
    Ok(sql.execute(statement, &[&row.name, &row.hash, &row.role, &row.made, &row.expires])? == 1)
}

/// Notes that one was used.
pub(crate) fn use_access_token(sql: &Sql, hash: Digest, now: UnixSeconds) -> Result<(), StoreError> {
    sql.execute("UPDATE tokens SET last_used = $2 WHERE hash = $1", &[&hash, &now]).map(drop)
}

/// Takes one back, and says which it was.
pub(crate) fn revoke_access_token(sql: &Sql, name: &str) -> Result<Option<AccessTokenRow>, StoreError> {
    let row = sql.row("SELECT * FROM tokens WHERE name = $1", &[&name])?;
    sql.execute("DELETE FROM tokens WHERE name = $1", &[&name])?;
    row.as_ref().map(token_from).transpose()
}

fn token_from(row: &Row) -> Result<AccessTokenRow, StoreError> {
    Ok(AccessTokenRow {
        name: row.get("name")?,
        hash: row.get("hash")?,
        role: row.get("role")?,
        made: row.get("made")?,
        expires: row.get("expires")?,
        last_used: row.get("last_used")?,
    })
}
