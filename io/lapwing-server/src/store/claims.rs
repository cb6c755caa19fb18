//! Who is let in: claim tokens, first claims, and devices that were forgotten.
//!
//! Touches: their tables. Never: holds a token or a secret, only their hashes.

use super::StoreError;
use super::devices::{Device, device, put_device};
use super::publishing::{digest_from, number, seconds};
use crate::limits::FORGOTTEN_MAX;
use lapwing_core::{DeviceId, Digest, UnixSeconds};
use rusqlite::{Connection, OptionalExtension};

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
pub(crate) fn tokens(connection: &Connection) -> Result<Vec<TokenRow>, StoreError> {
    let sql = "SELECT hash, count, remaining, made, expires FROM claim_tokens ORDER BY made, hash";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, Vec<u8>>(0)?, row.get(1)?, row.get(2)?, seconds(row, 3)?, seconds(row, 4)?))
    })?;
    rows.map(|row| {
        let (hash, count, remaining, made, expires) = row?;
        Ok(TokenRow { hash: digest_from(&hash, "claim_tokens")?, count, remaining, made, expires })
    })
    .collect()
}

/// Adds a claim token, and lets those go that expired.
pub(crate) fn new_token(connection: &Connection, row: &TokenRow) -> Result<(), StoreError> {
    connection.execute("DELETE FROM claim_tokens WHERE expires < ?1", [number(row.made.0)])?;
    let sql = "INSERT INTO claim_tokens (hash, count, remaining, made, expires) VALUES (?1, ?2, ?3, ?4, ?5)";
    let (made, expires) = (number(row.made.0), number(row.expires.0));
    connection.execute(sql, (row.hash.as_bytes(), row.count, row.remaining, made, expires))?;
    Ok(())
}

/// Takes a token back; false if there is none of this name.
pub(crate) fn revoke_token(connection: &Connection, name: &str) -> Result<bool, StoreError> {
    let Some(row) = tokens(connection)?.into_iter().find(|row| row.name() == name) else { return Ok(false) };
    connection.execute("DELETE FROM claim_tokens WHERE hash = ?1", [row.hash.as_bytes()])?;
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

impl From<rusqlite::Error> for ClaimRefused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Lets a device in: its first claim spends the token, the same claim again costs nothing.
pub(crate) fn claim(connection: &Connection, token: Digest, claimed: &Device) -> Result<(), ClaimRefused> {
    let known = device(connection, &claimed.id)?;
    match &known {
        Some(known) if known.secret == claimed.secret && known.replaceable => {
            let freed = Device { quarantine: None, replaceable: false, ..known.clone() };
            return Ok(put_device(connection, &freed)?);
        }
        Some(known) if known.secret == claimed.secret => return Ok(()),
        _ => {}
    }
    let sql = "SELECT 1 FROM claim_tokens WHERE hash = ?1 AND remaining > 0 AND expires > ?2";
    let key = (token.as_bytes(), number(claimed.last_seen.0));
    if connection.query_row(sql, key, |_| Ok(())).optional()?.is_none() {
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
            put_device(connection, &replaced)?;
        }
        None => {
            put_device(connection, claimed)?;
            remember_again(connection, &claimed.id)?;
        }
    }
    connection
        .execute("UPDATE claim_tokens SET remaining = remaining - 1 WHERE hash = ?1", [token.as_bytes()])?;
    Ok(())
}

/// Removes a device and its attempts; its events stay, and the hash of its secret, so that a person can
/// let it in again.
pub(crate) fn forget_device(
    connection: &Connection,
    id: &DeviceId,
    now: UnixSeconds,
) -> Result<bool, StoreError> {
    let sql = "INSERT OR REPLACE INTO forgotten SELECT id, secret, ?2 FROM devices WHERE id = ?1";
    connection.execute(sql, (id.as_str(), number(now.0)))?;
    let sql = "DELETE FROM forgotten WHERE id NOT IN (SELECT id FROM forgotten ORDER BY time DESC LIMIT ?1)";
    connection.execute(sql, [FORGOTTEN_MAX])?;
    Ok(connection.execute("DELETE FROM devices WHERE id = ?1", [id.as_str()])? == 1)
}

/// The hash of the secret that a forgotten device had.
pub(crate) fn forgotten(connection: &Connection, id: &DeviceId) -> Result<Option<Digest>, StoreError> {
    let sql = "SELECT secret FROM forgotten WHERE id = ?1";
    let secret = connection.query_row(sql, [id.as_str()], |row| row.get::<_, Vec<u8>>(0)).optional()?;
    secret.map(|secret| digest_from(&secret, "forgotten")).transpose()
}

/// A forgotten device is known again.
pub(crate) fn remember_again(connection: &Connection, id: &DeviceId) -> Result<(), StoreError> {
    connection.execute("DELETE FROM forgotten WHERE id = ?1", [id.as_str()])?;
    Ok(())
}
