//! Documents that releases name, and what their bills of materials list.
//!
//! Touches: their tables. A bill that several releases name is listed once.
//! Never: reads a document; whoever stores one has read it.

use super::{Row, Sql, StoreError};
use crate::publish::{Part, sought};
use lapwing_core::{DeviceId, Digest, ShortDigest};

/// What a document is to the release that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DocumentKind {
    /// What the image is made of.
    Bill,
    /// For people.
    Notes,
    /// What a build system says of its image, by predicate type: the last one of each counts.
    Attestation(String),
}

/// What the kinds of attestations begin with.
const ATTESTED: &str = "attested:";

impl DocumentKind {
    fn label(&self) -> String {
        match self {
            Self::Bill => "sbom".into(),
            Self::Notes => "notes".into(),
            Self::Attestation(predicate_type) => format!("{ATTESTED}{predicate_type}"),
        }
    }
}

/// A part and the bill that lists it.
#[derive(Debug, Clone)]
pub(crate) struct PartRow {
    pub(crate) bill: Digest,
    pub(crate) part: Part,
}

/// Notes that a release names a document, so that it is kept.
pub(crate) fn put_document(
    sql: &Sql,
    release: Digest,
    kind: &DocumentKind,
    document: Digest,
) -> Result<(), StoreError> {
    let statement = "INSERT INTO documents (release, kind, digest) VALUES ($1, $2, $3)
        ON CONFLICT (release, kind) DO UPDATE SET digest = excluded.digest";
    sql.execute(statement, &[&release, &kind.label(), &document]).map(drop)
}

/// What is attested of a release's image, by predicate type, and the documents that say so.
pub(crate) fn attestations(sql: &Sql, release: Digest) -> Result<Vec<(String, Digest)>, StoreError> {
    let statement = "SELECT kind, digest FROM documents WHERE release = $1 ORDER BY kind";
    let mut attested = Vec::new();
    for row in sql.rows(statement, &[&release])? {
        let kind: String = row.get("kind")?;
        if let Some(predicate_type) = kind.strip_prefix(ATTESTED) {
            attested.push((predicate_type.to_owned(), row.get("digest")?));
        }
    }
    Ok(attested)
}

/// Lists the parts of a bill, unless they are listed already.
pub(crate) fn put_parts(sql: &Sql, bill: Digest, parts: &[Part]) -> Result<(), StoreError> {
    let statement = "INSERT INTO parts (bill, number, name, version, licence, sought, purl)
        VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (bill, number) DO NOTHING";
    for (number, part) in (0_u32..).zip(parts) {
        let sought = sought(&part.licence);
        let values: &[&dyn super::value::Bind] =
            &[&bill, &number, &part.name, &part.version, &part.licence, &sought, &part.purl];
        sql.execute(statement, values)?;
    }
    Ok(())
}

/// Parts of this name, at most so many.
pub(crate) fn parts_named(sql: &Sql, name: &str, limit: u32) -> Result<Vec<PartRow>, StoreError> {
    let statement = "SELECT * FROM parts WHERE name = $1 ORDER BY bill, number LIMIT $2";
    sql.rows(statement, &[&name, &limit])?.iter().map(part_from).collect()
}

/// Parts whose licence names this one, at most so many.
pub(crate) fn parts_licensed(sql: &Sql, licence: &str, limit: u32) -> Result<Vec<PartRow>, StoreError> {
    let statement = "SELECT * FROM parts WHERE sought LIKE $1 ORDER BY bill, number LIMIT $2";
    let pattern = format!("%{}%", sought(licence));
    sql.rows(statement, &[&pattern, &limit])?.iter().map(part_from).collect()
}

fn part_from(row: &Row) -> Result<PartRow, StoreError> {
    let part = Part {
        name: row.get("name")?,
        version: row.get("version")?,
        licence: row.get("licence")?,
        purl: row.get("purl")?,
    };
    Ok(PartRow { bill: row.get("bill")?, part })
}

/// Devices that run an image, in order, at most so many; and how many there are.
pub(crate) fn devices_running(
    sql: &Sql,
    image: ShortDigest,
    limit: u32,
) -> Result<(Vec<DeviceId>, u64), StoreError> {
    let statement = "SELECT DISTINCT device FROM running WHERE image = $1 ORDER BY device LIMIT $2";
    let rows = sql.rows(statement, &[&image, &limit])?;
    let shown = rows.iter().map(|row| row.get("device")).collect::<Result<_, _>>()?;
    let statement = "SELECT count(DISTINCT device) AS count FROM running WHERE image = $1";
    let count = sql.row(statement, &[&image])?.map_or(Ok(0), |row| row.get("count"))?;
    Ok((shown, count))
}
