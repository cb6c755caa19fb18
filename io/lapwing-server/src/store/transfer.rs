//! A whole store as a file, and a file as a store: between engines, and for the day when the disk is gone.
//!
//! Touches: an engine, a reader or writer of lines. The form is in `formats/store-export.md`. An export is one
//! moment of a store that may be in use. Never: writes into a store that has rows, or half of a file.

use super::engine::{Engine, Row};
use super::schema::{Table, define_up_to, newest_format, tables};
use super::value::Value;
use super::{Place, StoreError};
use crate::config::ConfigError;
use crate::limits::{EXPORT_LINE_BYTES_MAX, RESTORE_IDS_SKIPPED, RESTORE_OSCORE_NUMBERS_SKIPPED};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lapwing_core::Hasher;
use serde_json::{Map, Value as Json, json};
use std::io::{BufRead, Read, Write};

/// The version of the form.
const FORM: u64 = 1;

/// Why a store cannot be moved.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The configuration.
    #[error("the configuration is not usable")]
    Config(#[source] ConfigError),
    /// The store at the other end.
    #[error("the store is not usable")]
    Store(#[from] StoreError),
    /// There are rows already.
    #[error("there is a store already; name an empty place")]
    NotEmpty,
    /// The file is not whole, or was changed.
    #[error("line {0} is not what an export holds there; take the file from where it was made once more")]
    Unreadable(u64),
    /// The file, or where it is written to.
    #[error("the file is not usable")]
    Io(#[from] std::io::Error),
}

/// What a store is filled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The store that the file came from is given up: everything goes on where it was.
    Move,
    /// What happened since the file was written is lost: no id given then is given again, and no claim token
    /// is good any more.
    Restore,
}

/// Writes all rows of a store, and returns how many.
pub(crate) fn export(place: &Place, out: &mut dyn Write) -> Result<u64, TransferError> {
    let mut engine = place.reader()?;
    engine.begin_reading()?;
    let mut file = Lines { out, hasher: Hasher::new(), rows: 0 };
    let format = engine.format()?;
    file.line(&json!({ "lapwing_store": FORM, "format": format }))?;
    for table in tables(format) {
        // In the order of all columns, so that the same rows make the same file.
        let mut width = 0;
        engine.each(&format!("SELECT * FROM {} LIMIT 1", table.name), &[], &mut |row| {
            width = row.values.len();
            Ok(())
        })?;
        if width > 0 {
            let order: Vec<String> = (1..=width).map(|column| column.to_string()).collect();
            let statement = format!("SELECT * FROM {} ORDER BY {}", table.name, order.join(", "));
            let mut written = Ok(());
            engine.each(&statement, &[], &mut |row| {
                written = file.row(table.name, &row);
                if written.is_ok() { Ok(()) } else { Err(StoreError::Closed) }
            })?;
            written?;
        }
        if let Some(last) = table.counts_ids.then(|| engine.last_id(table.name)).transpose()? {
            file.line(&json!({ "last_id": last, "of": table.name }))?;
        }
    }
    engine.batch("COMMIT")?;
    let (rows, digest) = (file.rows, file.hasher.finish());
    writeln!(file.out, "{}", json!({ "rows": rows, "sha256": digest.to_string() }))?;
    file.out.flush()?;
    Ok(rows)
}

struct Lines<'a> {
    out: &'a mut dyn Write,
    hasher: Hasher,
    rows: u64,
}

impl Lines<'_> {
    fn line(&mut self, line: &Json) -> std::io::Result<()> {
        let line = format!("{line}\n");
        self.hasher.update(line.as_bytes());
        self.out.write_all(line.as_bytes())
    }

    fn row(&mut self, table: &str, row: &Row) -> std::io::Result<()> {
        self.rows = self.rows.saturating_add(1);
        let cells = row.columns.iter().cloned().zip(row.values.iter().map(spelled));
        self.line(&json!({ "in": table, "row": cells.collect::<Map<_, _>>() }))
    }
}

fn spelled(value: &Value<'_>) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Integer(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::Bytes(bytes) => json!({ "bytes": BASE64_STANDARD.encode(bytes) }),
    }
}

fn read(value: &Json) -> Option<Value<'static>> {
    Some(match value {
        Json::Null => Value::Null,
        Json::Number(number) => Value::Integer(number.as_i64()?),
        Json::String(text) => Value::Text(text.clone().into()),
        Json::Object(_) => Value::Bytes(BASE64_STANDARD.decode(value.get("bytes")?.as_str()?).ok()?.into()),
        Json::Bool(_) | Json::Array(_) => return None,
    })
}

/// Fills an empty store from a file, all of it or nothing, and returns how many rows.
pub(crate) fn import(place: &Place, input: &mut dyn BufRead, purpose: Purpose) -> Result<u64, TransferError> {
    let mut engine = place.writer()?;
    engine.begin()?;
    let filled = fill(engine.as_mut(), input, purpose);
    engine.batch(if filled.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    filled
}

fn fill(engine: &mut dyn Engine, input: &mut dyn BufRead, purpose: Purpose) -> Result<u64, TransferError> {
    if engine.format()? != 0 {
        return Err(TransferError::NotEmpty);
    }
    let (mut hasher, mut number, mut rows, mut text) = (Hasher::new(), 0, 0_u64, String::new());
    let mut held: Vec<Table> = Vec::new();
    loop {
        number += 1;
        text.clear();
        (&mut *input).take(EXPORT_LINE_BYTES_MAX).read_line(&mut text)?;
        let unreadable = || TransferError::Unreadable(number);
        let line: Json = serde_json::from_str(&text).map_err(|_| unreadable())?;
        if let Some(digest) = line.get("sha256") {
            let whole = *digest == json!(hasher.finish().to_string()) && line["rows"] == json!(rows);
            return if whole { finish(engine, purpose).map(|()| rows) } else { Err(unreadable()) };
        }
        hasher.update(text.as_bytes());
        if number == 1 {
            let format = line["format"].as_u64().filter(|_| line["lapwing_store"] == json!(FORM));
            let format = format.and_then(|format| u32::try_from(format).ok()).ok_or_else(unreadable)?;
            if format > newest_format() {
                return Err(StoreError::TooNew(format).into());
            }
            define_up_to(engine, format)?;
            held = tables(format).collect();
        } else if let Some(last) = line["last_id"].as_i64() {
            let table = held.iter().find(|table| table.counts_ids && line["of"] == json!(table.name));
            engine.set_last_id(table.ok_or_else(unreadable)?.name, last)?;
        } else {
            let table = held.iter().find(|table| line["in"] == json!(table.name)).ok_or_else(unreadable)?;
            insert(engine, table.name, &line["row"])?.ok_or_else(unreadable)?;
            rows += 1;
        }
    }
}

fn insert(engine: &mut dyn Engine, table: &str, row: &Json) -> Result<Option<u64>, StoreError> {
    let Some(cells) = row.as_object() else { return Ok(None) };
    let named = |name: &String| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let values: Option<Vec<_>> = cells.values().map(read).collect();
    let Some(values) = values.filter(|_| cells.keys().all(named)) else { return Ok(None) };
    let columns: Vec<&str> = cells.keys().map(String::as_str).collect();
    let places: Vec<String> = (1..=columns.len()).map(|at| format!("${at}")).collect();
    let statement = format!("INSERT INTO {table} ({}) VALUES ({})", columns.join(", "), places.join(", "));
    engine.execute(&statement, &values).map(Some)
}

fn finish(engine: &mut dyn Engine, purpose: Purpose) -> Result<(), TransferError> {
    define_up_to(engine, newest_format())?;
    if purpose == Purpose::Restore {
        for table in tables(newest_format()).filter(|table| table.counts_ids) {
            let last = engine.last_id(table.name)?;
            engine.set_last_id(table.name, last.saturating_add(RESTORE_IDS_SKIPPED))?;
        }
        engine.execute("UPDATE claim_tokens SET remaining = 0", &[])?;
        let skip = "UPDATE settings SET number = number + $1 WHERE name = 'oscore-number'";
        engine.execute(skip, &[Value::Integer(RESTORE_OSCORE_NUMBERS_SKIPPED)])?;
    }
    Ok(())
}
