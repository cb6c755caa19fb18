//! What a command has to say: words for people, JSON for programs, from one value.
//!
//! Touches: standard output, once, when the command is done; standard error meanwhile.

use crate::calendar;
use indicatif::{ProgressBar, ProgressStyle};
use lapwing_core::UnixSeconds;
use serde_json::Value;
use std::io::Write;
use std::process::ExitCode;

/// The result of a command in both languages.
pub(crate) struct Said {
    words: String,
    json: Value,
}

impl Said {
    /// The same in words and in JSON.
    pub(crate) fn new(words: impl Into<String>, json: Value) -> Self {
        Self { words: words.into(), json }
    }

    /// Prints it. A reader that went away is no failure.
    pub(crate) fn print(&self, json: bool) -> ExitCode {
        let mut out = std::io::stdout().lock();
        let written =
            if json { writeln!(out, "{}", self.json) } else { writeln!(out, "{}", self.words.trim_end()) };
        match written {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
            _ => ExitCode::SUCCESS,
        }
    }
}

/// Tells people something on the side, while a command works.
pub(crate) fn note(text: &str) {
    eprintln!("lapwing: {text}");
}

/// A table without lines, for lists.
pub(crate) fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(head).add_rows(rows);
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// A time in JSON, as people read it.
pub(crate) fn moment(value: &Value) -> String {
    let known = value.as_u64().filter(|seconds| *seconds > 0);
    known.map_or("never".to_owned(), |seconds| calendar::from_now(UnixSeconds(seconds), calendar::now()))
}

/// A value in JSON as people read it.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        // What a device says of itself must not move the cursor of whoever reads it.
        Value::String(text) => text.chars().filter(|c| !c.is_control()).collect(),
        other => other.to_string(),
    }
}

/// A bar for work that is counted in bytes, where somebody watches.
pub(crate) fn progress_bar(size_bytes: u64, what: &str) -> ProgressBar {
    let bar = ProgressBar::new(size_bytes).with_message(what.to_owned());
    match ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
