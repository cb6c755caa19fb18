//! Rows of what was published: trust documents, blobs, version sets, releases, artifacts.
//!
//! Touches: their tables. Never: verifies; callers store only what they opened.

use super::StoreError;
use lapwing_core::{Digest, UnixSeconds};
use lapwing_fleet::Shelf;
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::{HashMap, HashSet};

/// A version set.
#[derive(Debug, Clone)]
pub(crate) struct VersionSetRow {
    pub(crate) version: String,
    pub(crate) shelf: Shelf,
    pub(crate) note: String,
    pub(crate) pushed: UnixSeconds,
}

/// A release of one.
#[derive(Debug, Clone)]
pub(crate) struct ReleaseRow {
    pub(crate) version: String,
    pub(crate) image: Digest,
    pub(crate) envelope: Vec<u8>,
}

/// A blob that is whole on the disk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BlobRow {
    pub(crate) size_bytes: u64,
}

/// An artifact that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ArtifactRow {
    pub(crate) target: Digest,
    /// For devices that run this; none for all others.
    pub(crate) base: Option<Digest>,
    /// It needs the base. A delta that would not have been smaller is a full image instead.
    pub(crate) is_delta: bool,
    pub(crate) profile: u8,
    pub(crate) codec: u8,
    pub(crate) digest: Digest,
    pub(crate) size_bytes: u64,
}

pub(super) fn digest_from(bytes: &[u8], table: &'static str) -> Result<Digest, StoreError> {
    bytes.try_into().map(Digest::from_bytes).map_err(|_| StoreError::Corrupt(table))
}

pub(super) fn seconds(row: &Row<'_>, column: usize) -> Result<UnixSeconds, rusqlite::Error> {
    row.get::<_, i64>(column).map(|seconds| UnixSeconds(u64::try_from(seconds).unwrap_or(0)))
}

pub(super) fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// All documents of a kind, oldest first.
pub(crate) fn trust_documents(
    connection: &Connection,
    kind: &'static str,
) -> Result<Vec<(u32, Vec<u8>)>, StoreError> {
    let sql = "SELECT version, envelope FROM trust_documents WHERE kind = ?1 ORDER BY version";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([kind], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Keeps a document. One that is there already stays as it is.
pub(crate) fn put_trust(
    connection: &Connection,
    kind: &'static str,
    version: u32,
    envelope: &[u8],
    now: UnixSeconds,
) -> Result<(), StoreError> {
    let sql = "INSERT OR IGNORE INTO trust_documents VALUES (?1, ?2, ?3, ?4)";
    connection.execute(sql, (kind, version, envelope, number(now.0)))?;
    Ok(())
}

/// The blob of this name.
pub(crate) fn blob(connection: &Connection, digest: Digest) -> Result<Option<BlobRow>, StoreError> {
    let sql = "SELECT size FROM blobs WHERE digest = ?1";
    let size: Option<i64> =
        connection.prepare_cached(sql)?.query_row([digest.as_bytes()], |row| row.get(0)).optional()?;
    Ok(size.map(|size| BlobRow { size_bytes: u64::try_from(size).unwrap_or(0) }))
}

/// Notes that a blob is whole.
pub(crate) fn put_blob(
    connection: &Connection,
    digest: Digest,
    size_bytes: u64,
    now: UnixSeconds,
) -> Result<(), StoreError> {
    let sql = "INSERT OR IGNORE INTO blobs VALUES (?1, ?2, ?3)";
    connection.execute(sql, (digest.as_bytes(), number(size_bytes), number(now.0)))?;
    Ok(())
}

/// All of them.
pub(crate) fn blob_names(connection: &Connection) -> Result<HashSet<Digest>, StoreError> {
    let mut statement = connection.prepare("SELECT digest FROM blobs")?;
    let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
    rows.map(|row| digest_from(&row?, "blobs")).collect()
}

/// Blobs stored before `before` that no release and no artifact names.
pub(crate) fn orphans(connection: &Connection, before: UnixSeconds) -> Result<Vec<Digest>, StoreError> {
    let sql = "SELECT digest FROM blobs WHERE stored < ?1
        AND NOT EXISTS (SELECT 1 FROM releases WHERE releases.image = blobs.digest)
        AND NOT EXISTS (SELECT 1 FROM artifacts WHERE artifacts.digest = blobs.digest)";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([number(before.0)], |row| row.get::<_, Vec<u8>>(0))?;
    rows.map(|row| digest_from(&row?, "blobs")).collect()
}

/// Forgets a blob, before its file goes.
pub(crate) fn forget_blob(connection: &Connection, digest: Digest) -> Result<(), StoreError> {
    connection.execute("DELETE FROM blobs WHERE digest = ?1", [digest.as_bytes()])?;
    Ok(())
}

fn version_set_from(row: &Row<'_>) -> Result<(String, String, String, UnixSeconds), rusqlite::Error> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, seconds(row, 3)?))
}

fn checked(row: (String, String, String, UnixSeconds)) -> Result<VersionSetRow, StoreError> {
    let (version, shelf, note, pushed) = row;
    let shelf = Shelf::from_label(&shelf).ok_or(StoreError::Corrupt("version_sets"))?;
    Ok(VersionSetRow { version, shelf, note, pushed })
}

/// All version sets, oldest first.
pub(crate) fn version_sets(connection: &Connection) -> Result<Vec<VersionSetRow>, StoreError> {
    let sql = "SELECT version, shelf, note, pushed FROM version_sets ORDER BY rowid";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], version_set_from)?;
    rows.map(|row| checked(row?)).collect()
}

/// One of them.
pub(crate) fn version_set(
    connection: &Connection,
    version: &str,
) -> Result<Option<VersionSetRow>, StoreError> {
    let sql = "SELECT version, shelf, note, pushed FROM version_sets WHERE version = ?1";
    let row = connection.prepare_cached(sql)?.query_row([version], version_set_from).optional()?;
    row.map(checked).transpose()
}

/// Adds a version set.
pub(crate) fn put_version_set(connection: &Connection, row: &VersionSetRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO version_sets VALUES (?1, ?2, ?3, ?4)";
    connection.execute(sql, (&row.version, row.shelf.label(), &row.note, number(row.pushed.0)))?;
    Ok(())
}

/// Moves a version set to another shelf.
pub(crate) fn set_shelf(connection: &Connection, version: &str, shelf: Shelf) -> Result<(), StoreError> {
    connection.execute("UPDATE version_sets SET shelf = ?2 WHERE version = ?1", (version, shelf.label()))?;
    Ok(())
}

/// All releases, in no order.
pub(crate) fn releases(connection: &Connection) -> Result<Vec<ReleaseRow>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT version, image, envelope FROM releases")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?, row.get(2)?)))?;
    rows.map(|row| {
        let (version, image, envelope) = row?;
        Ok(ReleaseRow { version, image: digest_from(&image, "releases")?, envelope })
    })
    .collect()
}

/// Adds a release of a version set.
pub(crate) fn put_release(connection: &Connection, row: &ReleaseRow) -> Result<(), StoreError> {
    let digest = Digest::of(&row.envelope);
    let sql = "INSERT INTO releases VALUES (?1, ?2, ?3, ?4)";
    connection.execute(sql, (digest.as_bytes(), &row.version, row.image.as_bytes(), &row.envelope))?;
    Ok(())
}

/// What people call hardware classes, by their ids.
pub(crate) type HardwareNames = HashMap<String, String>;

/// The names that operators gave.
pub(crate) fn hardware_names(connection: &Connection) -> Result<HardwareNames, StoreError> {
    let mut statement = connection.prepare_cached("SELECT class, name FROM hardware_names")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Notes what people call a hardware class.
pub(crate) fn put_hardware_name(connection: &Connection, class: &str, name: &str) -> Result<(), StoreError> {
    connection.execute("INSERT OR REPLACE INTO hardware_names VALUES (?1, ?2)", (class, name))?;
    Ok(())
}

/// The artifact that leads from `base`, or from nothing, to `target`.
pub(crate) fn artifact(
    connection: &Connection,
    target: Digest,
    base: Option<Digest>,
    profile: u8,
) -> Result<Option<ArtifactRow>, StoreError> {
    let sql = "SELECT codec, digest, size, is_delta FROM artifacts WHERE target = ?1 AND base = ?2 AND profile = ?3";
    let key = (target.as_bytes(), base_key(base.as_ref()), profile);
    let read =
        |row: &Row<'_>| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, i64>(2)?, row.get(3)?));
    let Some((codec, digest, size, is_delta)) =
        connection.prepare_cached(sql)?.query_row(key, read).optional()?
    else {
        return Ok(None);
    };
    let digest = digest_from(&digest, "artifacts")?;
    let size_bytes = u64::try_from(size).unwrap_or(0);
    Ok(Some(ArtifactRow { target, base, profile, is_delta, codec, digest, size_bytes }))
}

/// All artifacts, and when each was made.
pub(crate) fn artifacts(connection: &Connection) -> Result<Vec<(ArtifactRow, UnixSeconds)>, StoreError> {
    let sql = "SELECT artifacts.target, base, profile, is_delta, codec, digest, artifacts.size, stored
        FROM artifacts JOIN blobs USING (digest)";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([], |row| {
        let bytes = |column| row.get::<_, Vec<u8>>(column);
        Ok((
            (bytes(0)?, bytes(1)?, bytes(5)?),
            (row.get(2)?, row.get(3)?, row.get(4)?),
            seconds(row, 6)?,
            seconds(row, 7)?,
        ))
    })?;
    rows.map(|row| {
        let ((target, base, digest), (profile, is_delta, codec), size, made) = row?;
        let named = |bytes: &[u8]| digest_from(bytes, "artifacts");
        let base = if base.is_empty() { None } else { Some(named(&base)?) };
        let (target, digest, size_bytes) = (named(&target)?, named(&digest)?, size.0);
        Ok((ArtifactRow { target, base, is_delta, profile, codec, digest, size_bytes }, made))
    })
    .collect()
}

/// How much all artifacts take.
pub(crate) fn artifacts_bytes(connection: &Connection) -> Result<u64, StoreError> {
    let sum = connection.query_row("SELECT coalesce(sum(size), 0) FROM artifacts", [], |row| seconds(row, 0));
    Ok(sum?.0)
}

/// The artifacts that open attempts name.
pub(crate) fn offered_artifacts(connection: &Connection) -> Result<HashSet<Digest>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT DISTINCT artifact FROM attempts WHERE ended IS NULL")?;
    let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0))?;
    rows.map(|row| digest_from(&row?, "attempts")).collect()
}

/// How many attempts fetched a full image and how many a delta, as far as attempts are kept.
pub(crate) fn downloads(connection: &Connection) -> Result<(u64, u64), StoreError> {
    let sql = "SELECT coalesce(sum(delta_from IS NULL), 0), coalesce(sum(delta_from IS NOT NULL), 0) FROM attempts
        WHERE state IN ('downloaded', 'waiting-window', 'installing', 'rebooting', 'trial', 'confirmed', 'rolled-back')";
    Ok(connection.query_row(sql, [], |row| Ok((seconds(row, 0)?.0, seconds(row, 1)?.0)))?)
}

/// Lets an artifact go, unless a device was offered it meanwhile; says whether its blob is nobody's now.
pub(crate) fn drop_artifact(connection: &Connection, row: &ArtifactRow) -> Result<bool, StoreError> {
    let sql = "DELETE FROM artifacts WHERE target = ?1 AND base = ?2 AND profile = ?3 AND NOT EXISTS
        (SELECT 1 FROM attempts WHERE attempts.artifact = artifacts.digest AND ended IS NULL)";
    connection.execute(sql, (row.target.as_bytes(), base_key(row.base.as_ref()), row.profile))?;
    let sql = "DELETE FROM blobs WHERE digest = ?1
        AND NOT EXISTS (SELECT 1 FROM releases WHERE releases.image = blobs.digest)
        AND NOT EXISTS (SELECT 1 FROM artifacts WHERE artifacts.digest = blobs.digest)";
    Ok(connection.execute(sql, [row.digest.as_bytes()])? == 1)
}

/// Notes an artifact whose blob is whole.
pub(crate) fn put_artifact(connection: &Connection, row: &ArtifactRow) -> Result<(), StoreError> {
    let sql = "INSERT OR REPLACE INTO artifacts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let base = base_key(row.base.as_ref());
    let (target, digest) = (row.target.as_bytes(), row.digest.as_bytes());
    connection
        .execute(sql, (target, base, row.profile, row.codec, digest, number(row.size_bytes), row.is_delta))?;
    Ok(())
}

/// A full image has an empty base, so that it can be part of the key.
fn base_key(base: Option<&Digest>) -> &[u8] {
    base.map_or(&[], |base| base.as_bytes().as_slice())
}
