//! `lapwing rollout watch`: a rollout as it goes, one screen that is drawn anew.
//!
//! Touches: the management plane, the terminal, the clock for its pace. Without a terminal, or with --json, it says
//! a line whenever something changed. Never: draws a screen that has not changed; SSH lines are thin.

use super::words;
use crate::management::ManagementArgs;
use crate::output::Said;
use anyhow::Result;
use clap::Args;
use serde_json::Value;
use std::io::{IsTerminal, Write};
use std::time::Duration;

/// Where it ends by itself.
const OVER: [&str; 4] = ["completed", "cancelled", "superseded", "recalled"];
/// Where a person is needed, so that a script should not wait.
const NEEDS_A_PERSON: [&str; 3] = ["halted", "paused", "awaiting-approval"];

/// Arguments of `rollout watch`.
#[derive(Args)]
pub(crate) struct WatchArgs {
    /// The rollout's number.
    id: u64,
    /// How often to ask, milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(50..))]
    every_ms: u64,
    #[command(flatten)]
    management: ManagementArgs,
}

/// Watches until the rollout is over or needs a person.
pub(crate) fn run(args: &WatchArgs, json: bool) -> Result<Said> {
    let server = args.management.open()?;
    let path = format!("/api/v1/rollouts/{}", args.id);
    let drawn = std::io::stdout().is_terminal() && !json;
    let mut before = String::new();
    loop {
        let rollout = server.get(&path)?;
        let words = words::rollout(&rollout);
        let state = rollout["state"].as_str().unwrap_or_default();
        if OVER.contains(&state) || NEEDS_A_PERSON.contains(&state) {
            return Ok(Said::new(if drawn { cleared(&words) } else { words }, rollout));
        }
        let frame = if json { rollout.to_string() } else { words };
        if frame != before {
            let mut out = std::io::stdout().lock();
            match drawn {
                true => write!(out, "{}", cleared(&frame))?,
                false => writeln!(out, "{}", line(&rollout, &frame, json))?,
            }
            out.flush()?;
            before = frame;
        }
        std::thread::sleep(Duration::from_millis(args.every_ms));
    }
}

/// From the top of an empty screen.
fn cleared(words: &str) -> String {
    format!("\x1b[H\x1b[2J{words}")
}

fn line(rollout: &Value, frame: &str, json: bool) -> String {
    if json {
        return frame.to_owned();
    }
    let phases = rollout["phases"].as_array().into_iter().flatten();
    let present = phases.enumerate().filter(|(_, phase)| phase["stage"] != "pending").last();
    let phase = present.map(|(number, phase)| format!("phase {} {}", number + 1, phase["stage"]));
    format!("{} {}, {}", rollout["state"], phase.unwrap_or_default(), words::progress(rollout))
        .replace('"', "")
}
