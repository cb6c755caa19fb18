//! Who is let in: claim tokens, first claims, and devices that were forgotten.
//!
//! Touches: their tables. Never: holds a token or a secret, only their hashes.

use super::changes::{What, count_change};
use super::devices::{Device, device, put_device};
use super::{Sql, StoreError};
use crate::limits::FORGOTTEN_MAX;
use lapwing_core::{DeviceId, Digest, UnixSeconds};

/// A token that lets devices in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenRow {
    pub(crate) hash: Digest,
    /// Claims it was made for.
    pub(crate) count: u32,
    /// Claims it is still good for.
    pub(crate) remaining: u32,
    pub(crate) made: UnixSeconds,
    pub(crate) expires: UnixSeconds,
}

impl TokenRow {
    /// What people call it: the token itself is shown once and not kept.
    pub(crate) fn name(&self) -> String {
        self.hash.short().to_string()
    }
}

/// All tokens, the oldest first.
pub(crate) fn tokens(sql: &Sql) -> Result<Vec<TokenRow>, StoreError> {
    let statement = "SELECT hash, count, remaining, made, expires FROM claim_tokens ORDER BY made, hash";
    let rows = sql.rows(statement, &[])?;
    rows.into_iter()
        .map(|row| {
            Ok(TokenRow {
                hash: row.get("hash")?,
                count: row.get("count")?,
                remaining: row.get("remaining")?,
                made: row.get("made")?,
                expires: row.get("expires")?,
            })
        })
        .collect()
}

/// Adds a claim token, and lets those go that expired.
pub(crate) fn new_token(sql: &Sql, row: &TokenRow) -> Result<(), StoreError> {
    sql.execute("DELETE FROM claim_tokens WHERE expires < $1", &[&row.made])?;
    let statement =
        "INSERT INTO claim_tokens (hash, count, remaining, made, expires) VALUES ($1, $2, $3, $4, $5)";
    sql.execute(statement, &[&row.hash, &row.count, &row.remaining, &row.made, &row.expires]).map(drop)
}

/// Takes a token back; false if there is none of this name.
pub(crate) fn revoke_token(sql: &Sql, name: &str) -> Result<bool, StoreError> {
    let Some(row) = tokens(sql)?.into_iter().find(|row| row.name() == name) else { return Ok(false) };
    sql.execute("DELETE FROM claim_tokens WHERE hash = $1", &[&row.hash])?;
    Ok(true)
}

/// Why a claim is not accepted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClaimRefused {
    #[error("the token is unknown, expired or used up")]
    Token,
    #[error("the device is known with another secret")]
    OtherSecret,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Lets a device in: its first claim spends the token, the same claim again costs nothing.
pub(crate) fn claim(sql: &Sql, token: Digest, claimed: &Device) -> Result<(), ClaimRefused> {
    let known = device(sql, &claimed.id)?;
    match &known {
        Some(known) if known.secret == claimed.secret && known.replaceable => {
            let freed = Device { quarantine: None, replaceable: false, ..known.clone() };
            return Ok(put_device(sql, &freed)?);
        }
        Some(known) if known.secret == claimed.secret => return Ok(()),
        _ => {}
    }
    let statement = "SELECT hash FROM claim_tokens WHERE hash = $1 AND remaining > 0 AND expires > $2";
    if sql.row(statement, &[&token, &claimed.last_seen])?.is_none() {
        return Err(ClaimRefused::Token);
    }
    match known {
        Some(known) if !known.replaceable => return Err(ClaimRefused::OtherSecret),
        Some(known) => {
            let replaced = Device {
                secret: claimed.secret,
                said: claimed.said.clone(),
                boot_before: None,
                quarantine: None,
                replaceable: false,
                ..known
            };
            put_device(sql, &replaced)?;
        }
        None => {
            put_device(sql, claimed)?;
            remember_again(sql, &claimed.id)?;
        }
    }
    sql.execute("UPDATE claim_tokens SET remaining = remaining - 1 WHERE hash = $1", &[&token])?;
    Ok(())
}

/// Removes a device and its attempts; its events stay, and the hash of its secret, so that a person can
/// let it in again.
pub(crate) fn forget_device(sql: &Sql, id: &DeviceId, now: UnixSeconds) -> Result<bool, StoreError> {
    let statement = "INSERT INTO forgotten (id, secret, time, changed)
        SELECT id, secret, CAST($2 AS BIGINT), CAST($3 AS BIGINT) FROM devices WHERE id = $1
        ON CONFLICT (id) DO UPDATE SET secret = excluded.secret, time = excluded.time, changed = excluded.changed";
    sql.execute(statement, &[id, &now, &count_change(sql, What::Devices)?])?;
    let statement =
        "DELETE FROM forgotten WHERE id NOT IN (SELECT id FROM forgotten ORDER BY time DESC LIMIT $1)";
    sql.execute(statement, &[&FORGOTTEN_MAX])?;
    Ok(sql.execute("DELETE FROM devices WHERE id = $1", &[id])? == 1)
}

/// The hash of the secret that a forgotten device had.
pub(crate) fn forgotten(sql: &Sql, id: &DeviceId) -> Result<Option<Digest>, StoreError> {
    let row = sql.row("SELECT secret FROM forgotten WHERE id = $1", &[id])?;
    row.map(|row| row.get("secret")).transpose()
}

/// A forgotten device is known again.
pub(crate) fn remember_again(sql: &Sql, id: &DeviceId) -> Result<(), StoreError> {
    sql.execute("DELETE FROM forgotten WHERE id = $1", &[id]).map(drop)
}
