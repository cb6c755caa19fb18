//! What every bench writes beside its rows: on which machine, at which commit, which goals hold.
//!
//! Touches: `/proc/cpuinfo`, git, the file of the figures.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The figures of one bench, as docs/benchmarks keeps them.
#[must_use]
pub fn figures(command: &str, rows: &[Value], goals: &[Value]) -> Value {
    json!({
        "command": command,
        "commit": git(&["rev-parse", "--short", "HEAD"]),
        "machine": machine(),
        "rows": rows,
        "goals": goals,
    })
}

/// Prints the goals and whether they hold.
pub fn print_goals(figures: &Value) {
    for goal in figures["goals"].as_array().into_iter().flatten() {
        let word = if goal["holds"] == true { "holds" } else { "DOES NOT HOLD" };
        let unit = goal["unit"].as_str().unwrap_or_default();
        println!("{} {word}: {} of {} {unit}", goal["id"], goal["value"], goal["goal"]);
    }
}

/// Writes the figures to `out`.
///
/// # Errors
/// When it cannot be written.
pub fn write_figures(figures: &Value, out: &Path) -> Result<()> {
    if let Some(parent) = out.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(out, format!("{figures:#}\n")).with_context(|| format!("write {}", out.display()))
}

fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or("unknown");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores, {}", model.trim_start_matches([' ', '\t', ':']))
}

fn git(arguments: &[&str]) -> String {
    let output = Command::new("git").args(arguments).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}
