//! `lapwing release retention`: what the server keeps ready for devices, and what it would let go.
//!
//! Touches: the management plane. Images are never let go; an artifact is made again when it is asked for.

use crate::management::ManagementArgs;
use crate::output::{Said, moment, table, text};
use anyhow::{Context, Result};
use clap::Args;
use serde_json::{Value, json};

/// Arguments of `release retention`.
#[derive(Args)]
pub(crate) struct RetentionArgs {
    /// Let go now what is beyond the budget, instead of at the server's next round.
    #[arg(long)]
    apply: bool,
    #[command(flatten)]
    management: ManagementArgs,
}

/// Explains, and does so if told.
pub(crate) fn run(args: &RetentionArgs) -> Result<Said> {
    let server = args.management.open()?;
    let path = "/api/v1/retention";
    let asked = if args.apply { server.post(path, &json!({})) } else { server.get(path) };
    let answer = asked.context("look at what is kept")?;
    let row = |artifact: &Value| {
        let from = if artifact["is_delta"] == true { text(&artifact["from"]) } else { "anything".to_owned() };
        let fate = if artifact["goes"] == true { "goes" } else { "stays" };
        let (to, size, why) = (text(&artifact["to"]), text(&artifact["size_bytes"]), text(&artifact["why"]));
        vec![fate.to_owned(), from, to, size, moment(&artifact["made"]), why]
    };
    let rows = answer["artifacts"].as_array().into_iter().flatten().map(row).collect();
    let downloads = &answer["downloads"];
    let words = format!(
        "{}{} of {} bytes are kept, {} would go\n{} full images and {} deltas were fetched\n",
        table(&["IT", "FROM", "TO", "BYTES", "MADE", "BECAUSE"], rows),
        answer["artifacts_bytes"],
        answer["budget_bytes"],
        answer["going_bytes"],
        downloads["full"],
        downloads["delta"],
    );
    Ok(Said::new(words, answer))
}
