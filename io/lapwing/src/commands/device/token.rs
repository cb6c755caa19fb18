//! `lapwing device token`: what lets new devices in.
//!
//! Touches: the management plane. Never: shows a token but once, to whoever made it.

use crate::calendar;
use crate::management::{Management, ManagementArgs, path_part};
use crate::output::{Said, moment, table, text};
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// The commands.
#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a claim token, and show it this once.
    Make(MakeArgs),
    /// List claim tokens, by their names.
    List(ListArgs),
    /// Take a claim token back; devices that used it stay.
    Revoke(RevokeArgs),
}

/// Does what the command says.
pub(crate) fn run(command: TokenCommand) -> Result<Said> {
    match command {
        TokenCommand::Make(args) => make(&args),
        TokenCommand::List(args) => list(&args),
        TokenCommand::Revoke(args) => revoke(&args),
    }
}

/// Arguments of `device token make`.
#[derive(Args)]
pub(crate) struct MakeArgs {
    /// How many devices it lets in.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    count: u32,
    /// For how long it is good, days.
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=366))]
    days: u32,
    #[command(flatten)]
    management: ManagementArgs,
}

fn make(args: &MakeArgs) -> Result<Said> {
    let made = ask_for_one(&args.management.open()?, args.count, args.days)?;
    let words = format!(
        "{}\n  {} claims until {}; named {} in `lapwing device token list`\n  put it into a device's file \
         claim-token (mode 0600) and start its agent, or give it to `lapwing device provision --claim-token`\n",
        text(&made["token"]),
        args.count,
        moment(&made["expires"]),
        text(&made["name"]),
    );
    Ok(Said::new(words, made))
}

/// A new token, as the server shows it.
pub(super) fn ask_for_one(server: &Management, count: u32, days: u32) -> Result<Value> {
    let terms = json!({ "count": count, "expires_in_s": u64::from(days) * calendar::DAY_S });
    server.post("/api/v1/claim-tokens", &terms).context("get a claim token")
}

/// Arguments of `device token list`.
#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    management: ManagementArgs,
}

fn list(args: &ListArgs) -> Result<Said> {
    let tokens = args.management.open()?.list("/api/v1/claim-tokens", "claim_tokens", usize::MAX)?;
    let row = |token: &Value| {
        let good = if token["good"] == true { "good" } else { "over" };
        let left = format!("{} of {}", token["remaining"], token["count"]);
        vec![text(&token["name"]), good.to_owned(), left, moment(&token["made"]), moment(&token["expires"])]
    };
    let words = table(&["TOKEN", "IS", "CLAIMS LEFT", "MADE", "EXPIRES"], tokens.iter().map(row).collect());
    Ok(Said::new(words, json!({ "claim_tokens": tokens })))
}

/// Arguments of `device token revoke`.
#[derive(Args)]
pub(crate) struct RevokeArgs {
    /// The token's name, as `lapwing device token list` shows it.
    name: String,
    #[command(flatten)]
    management: ManagementArgs,
}

fn revoke(args: &RevokeArgs) -> Result<Said> {
    let path = format!("/api/v1/claim-tokens/{}", path_part(&args.name));
    args.management.open()?.delete(&path).context("take the token back")?;
    Ok(Said::new(
        format!("claim token {} lets nobody in any more\n", args.name),
        json!({ "name": args.name }),
    ))
}
