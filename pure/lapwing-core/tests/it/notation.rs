//! CBOR for people: the diagnostic notation of RFC 8949 section 8, one entry a line where it is long.
//!
//! Touches: `ciborium` (by way of `coset`), a decoder that is not ours, so that a vector's text says
//! what others read in it. Never: decides anything; texts are compared, not parsed.

use coset::cbor::Value;
use std::fmt::Write as _;

const LINE_CHARS: usize = 100;
/// Lengths of digests, ids, keys and signatures: bytes that only look like CBOR by chance.
const OPAQUE: [usize; 6] = [4, 8, 16, 32, 33, 64];

/// These bytes in diagnostic notation.
pub(crate) fn notation(bytes: &[u8]) -> String {
    show(&parse(bytes).expect("a vector is CBOR"), 0)
}

fn parse(mut bytes: &[u8]) -> Option<Value> {
    let value: Value = coset::cbor::de::from_reader(&mut bytes).ok()?;
    bytes.is_empty().then_some(value)
}

fn show(value: &Value, depth: usize) -> String {
    match value {
        Value::Integer(number) => i128::from(*number).to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Null => "null".into(),
        Value::Text(text) => format!("{text:?}"),
        Value::Bytes(bytes) => show_bytes(bytes, depth),
        Value::Array(items) => enclose(items.iter().map(|item| show(item, depth + 1)), ["[", "]"], depth),
        Value::Map(pairs) => {
            let pair = |(key, value): &(Value, Value)| {
                format!("{}: {}", show(key, depth + 1), show(value, depth + 1))
            };
            enclose(pairs.iter().map(pair), ["{", "}"], depth)
        }
        other => panic!("not in our formats: {other:?}"),
    }
}

fn show_bytes(bytes: &[u8], depth: usize) -> String {
    let nested = || parse(bytes).filter(|value| matches!(value, Value::Array(_) | Value::Map(_)));
    match nested().filter(|_| !OPAQUE.contains(&bytes.len())) {
        Some(nested) => format!("<<{}>>", show(&nested, depth)),
        None => format!("h'{}'", hex(bytes)),
    }
}

/// Lowercase hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// A list on one line if it fits, else one entry a line.
fn enclose(entries: impl Iterator<Item = String>, [open, close]: [&str; 2], depth: usize) -> String {
    let entries: Vec<_> = entries.collect();
    let line = entries.join(", ");
    if line.len() + 2 * depth <= LINE_CHARS && !line.contains('\n') {
        return format!("{open}{line}{close}");
    }
    let indent = "  ".repeat(depth + 1);
    let lines: Vec<_> = entries.iter().map(|entry| format!("{indent}{entry}")).collect();
    format!("{open}\n{}\n{}{close}", lines.join(",\n"), "  ".repeat(depth))
}
