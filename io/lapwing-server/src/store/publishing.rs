//! Rows of what was published: trust documents, blobs, version sets, releases, artifacts.
//!
//! Touches: their tables. Never: verifies; callers store only what they opened.

use super::changes::{What, count_change};
use super::{Row, Sql, StoreError};
use lapwing_core::{Digest, UnixSeconds};
use lapwing_fleet::Shelf;
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

/// All documents of a kind, oldest first.
pub(crate) fn trust_documents(sql: &Sql, kind: &'static str) -> Result<Vec<(u32, Vec<u8>)>, StoreError> {
    let statement = "SELECT version, envelope FROM trust_documents WHERE kind = $1 ORDER BY version";
    let rows = sql.rows(statement, &[&kind])?;
    rows.iter().map(|row| Ok((row.get("version")?, row.get("envelope")?))).collect()
}

/// Keeps a document. One that is there already stays as it is.
pub(crate) fn put_trust(
    sql: &Sql,
    kind: &'static str,
    version: u32,
    envelope: &[u8],
    now: UnixSeconds,
) -> Result<(), StoreError> {
    let statement = "INSERT INTO trust_documents (kind, version, envelope, stored)
        VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    sql.execute(statement, &[&kind, &version, &envelope, &now])?;
    count_change(sql, What::Published).map(drop)
}

/// The blob of this name.
pub(crate) fn blob(sql: &Sql, digest: Digest) -> Result<Option<BlobRow>, StoreError> {
    let row = sql.row("SELECT size FROM blobs WHERE digest = $1", &[&digest])?;
    row.map(|row| Ok(BlobRow { size_bytes: row.get("size")? })).transpose()
}

/// Notes that a blob is whole.
pub(crate) fn put_blob(
    sql: &Sql,
    digest: Digest,
    size_bytes: u64,
    now: UnixSeconds,
) -> Result<(), StoreError> {
    let statement = "INSERT INTO blobs (digest, size, stored) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    sql.execute(statement, &[&digest, &size_bytes, &now]).map(drop)
}

/// All of them.
pub(crate) fn blob_names(sql: &Sql) -> Result<HashSet<Digest>, StoreError> {
    sql.rows("SELECT digest FROM blobs", &[])?.iter().map(|row| row.get("digest")).collect()
}

/// Blobs stored before `before` that no release and no artifact names.
pub(crate) fn orphans(sql: &Sql, before: UnixSeconds) -> Result<Vec<Digest>, StoreError> {
    let statement = "SELECT digest FROM blobs WHERE stored < $1
        AND NOT EXISTS (SELECT 1 FROM releases WHERE releases.image = blobs.digest)
        AND NOT EXISTS (SELECT 1 FROM artifacts WHERE artifacts.digest = blobs.digest)
        AND NOT EXISTS (SELECT 1 FROM documents WHERE documents.digest = blobs.digest)";
    sql.rows(statement, &[&before])?.iter().map(|row| row.get("digest")).collect()
}

/// Forgets a blob, before its file goes.
pub(crate) fn forget_blob(sql: &Sql, digest: Digest) -> Result<(), StoreError> {
    sql.execute("DELETE FROM blobs WHERE digest = $1", &[&digest]).map(drop)
}

fn version_set_from(row: &Row) -> Result<VersionSetRow, StoreError> {
    let shelf: String = row.get("shelf")?;
    let shelf = Shelf::from_label(&shelf).ok_or(StoreError::Corrupt("shelf"))?;
    Ok(VersionSetRow {
        version: row.get("version")?,
        shelf,
        note: row.get("note")?,
        pushed: row.get("pushed")?,
    })
}

/// All version sets, oldest first.
pub(crate) fn version_sets(sql: &Sql) -> Result<Vec<VersionSetRow>, StoreError> {
    let statement = "SELECT version, shelf, note, pushed FROM version_sets ORDER BY pushed, version";
    sql.rows(statement, &[])?.iter().map(version_set_from).collect()
}

/// One of them.
pub(crate) fn version_set(sql: &Sql, version: &str) -> Result<Option<VersionSetRow>, StoreError> {
    let statement = "SELECT version, shelf, note, pushed FROM version_sets WHERE version = $1";
    sql.row(statement, &[&version])?.as_ref().map(version_set_from).transpose()
}

/// Adds a version set.
pub(crate) fn put_version_set(sql: &Sql, row: &VersionSetRow) -> Result<(), StoreError> {
    let statement = "INSERT INTO version_sets (version, shelf, note, pushed) VALUES ($1, $2, $3, $4)";
    sql.execute(statement, &[&row.version, &row.shelf.label(), &row.note, &row.pushed])?;
    count_change(sql, What::Published).map(drop)
}

/// Moves a version set to another shelf.
pub(crate) fn set_shelf(sql: &Sql, version: &str, shelf: Shelf) -> Result<(), StoreError> {
    let statement = "UPDATE version_sets SET shelf = $2 WHERE version = $1";
    sql.execute(statement, &[&version, &shelf.label()])?;
    count_change(sql, What::Published).map(drop)
}

/// A release as it was signed.
pub(crate) fn release_envelope(sql: &Sql, release: Digest) -> Result<Option<Vec<u8>>, StoreError> {
    let row = sql.row("SELECT envelope FROM releases WHERE digest = $1", &[&release])?;
    row.map(|row| row.get("envelope")).transpose()
}

/// All releases, in no order.
pub(crate) fn releases(sql: &Sql) -> Result<Vec<ReleaseRow>, StoreError> {
    let read = |row: &Row| {
        let (version, image, envelope) = (row.get("version")?, row.get("image")?, row.get("envelope")?);
        Ok(ReleaseRow { version, image, envelope })
    };
    sql.rows("SELECT version, image, envelope FROM releases", &[])?.iter().map(read).collect()
}

/// Adds a release of a version set.
pub(crate) fn put_release(sql: &Sql, row: &ReleaseRow) -> Result<(), StoreError> {
    let statement = "INSERT INTO releases (digest, version, image, envelope) VALUES ($1, $2, $3, $4)";
    sql.execute(statement, &[&Digest::of(&row.envelope), &row.version, &row.image, &row.envelope]).map(drop)
}

/// What people call hardware classes, by their ids.
pub(crate) type HardwareNames = HashMap<String, String>;

/// The names that operators gave.
pub(crate) fn hardware_names(sql: &Sql) -> Result<HardwareNames, StoreError> {
    let rows = sql.rows("SELECT class, name FROM hardware_names", &[])?;
    rows.iter().map(|row| Ok((row.get("class")?, row.get("name")?))).collect()
}

/// Notes what people call a hardware class.
pub(crate) fn put_hardware_name(sql: &Sql, class: &str, name: &str) -> Result<(), StoreError> {
    let statement = "INSERT INTO hardware_names (class, name) VALUES ($1, $2)
        ON CONFLICT (class) DO UPDATE SET name = excluded.name";
    sql.execute(statement, &[&class, &name]).map(drop)
}

/// The artifact that leads from `base`, or from nothing, to `target`.
pub(crate) fn artifact(
    sql: &Sql,
    target: Digest,
    base: Option<Digest>,
    profile: u8,
) -> Result<Option<ArtifactRow>, StoreError> {
    let statement = "SELECT * FROM artifacts WHERE target = $1 AND base = $2 AND profile = $3";
    let row = sql.row(statement, &[&target, &base_key(base.as_ref()), &profile])?;
    row.as_ref().map(artifact_from).transpose()
}

/// All artifacts, and when each was made.
pub(crate) fn artifacts(sql: &Sql) -> Result<Vec<(ArtifactRow, UnixSeconds)>, StoreError> {
    let statement = "SELECT artifacts.*, stored FROM artifacts JOIN blobs USING (digest)";
    let rows = sql.rows(statement, &[])?;
    rows.iter().map(|row| Ok((artifact_from(row)?, row.get("stored")?))).collect()
}

fn artifact_from(row: &Row) -> Result<ArtifactRow, StoreError> {
    let base: Vec<u8> = row.get("base")?;
    let named =
        |base: Vec<u8>| base.try_into().map(Digest::from_bytes).map_err(|_| StoreError::Corrupt("base"));
    Ok(ArtifactRow {
        target: row.get("target")?,
        base: Some(base).filter(|base| !base.is_empty()).map(named).transpose()?,
        is_delta: row.get("is_delta")?,
        profile: row.get("profile")?,
        codec: row.get("codec")?,
        digest: row.get("digest")?,
        size_bytes: row.get("size")?,
    })
}

/// How much all artifacts take; those that are the same bytes count once.
pub(crate) fn artifacts_bytes(sql: &Sql) -> Result<u64, StoreError> {
    let statement = "SELECT CAST(coalesce(sum(size), 0) AS BIGINT) AS bytes
        FROM (SELECT DISTINCT digest, size FROM artifacts) AS different";
    let row = sql.row(statement, &[])?;
    row.map_or(Ok(0), |row| row.get("bytes"))
}

/// The artifacts that open attempts name.
pub(crate) fn offered_artifacts(sql: &Sql) -> Result<HashSet<Digest>, StoreError> {
    let rows = sql.rows("SELECT DISTINCT artifact FROM attempts WHERE ended IS NULL", &[])?;
    rows.iter().map(|row| row.get("artifact")).collect()
}

/// How many attempts fetched a full image and how many a delta, as far as attempts are kept.
pub(crate) fn downloads(sql: &Sql) -> Result<(u64, u64), StoreError> {
    let statement = "SELECT count(*) - count(delta_from) AS full_images, count(delta_from) AS deltas FROM attempts
        WHERE state IN ('downloaded', 'waiting-window', 'installing', 'rebooting', 'trial', 'confirmed', 'rolled-back')";
    let row = sql.row(statement, &[])?;
    row.map_or(Ok((0, 0)), |row| Ok((row.get("full_images")?, row.get("deltas")?)))
}

/// Lets an artifact go, unless a device was offered it meanwhile; says whether its blob is nobody's now.
pub(crate) fn drop_artifact(sql: &Sql, row: &ArtifactRow) -> Result<bool, StoreError> {
    let statement = "DELETE FROM artifacts WHERE target = $1 AND base = $2 AND profile = $3 AND NOT EXISTS
        (SELECT 1 FROM attempts WHERE attempts.artifact = artifacts.digest AND ended IS NULL)";
    sql.execute(statement, &[&row.target, &base_key(row.base.as_ref()), &row.profile])?;
    let statement = "DELETE FROM blobs WHERE digest = $1
        AND NOT EXISTS (SELECT 1 FROM releases WHERE releases.image = blobs.digest)
        AND NOT EXISTS (SELECT 1 FROM artifacts WHERE artifacts.digest = blobs.digest)";
    Ok(sql.execute(statement, &[&row.digest])? == 1)
}

/// Notes an artifact whose blob is whole.
pub(crate) fn put_artifact(sql: &Sql, row: &ArtifactRow) -> Result<(), StoreError> {
    let statement = "INSERT INTO artifacts (target, base, profile, codec, digest, size, is_delta)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (target, base, profile) DO UPDATE SET
        codec = excluded.codec, digest = excluded.digest, size = excluded.size, is_delta = excluded.is_delta";
    let base = base_key(row.base.as_ref());
    sql.execute(
        statement,
        &[&row.target, &base, &row.profile, &row.codec, &row.digest, &row.size_bytes, &row.is_delta],
    )
    .map(drop)
}

/// A full image has an empty base, so that it can be part of the key.
fn base_key(base: Option<&Digest>) -> &[u8] {
    base.map_or(&[], |base| base.as_bytes().as_slice())
}
