//! `lapwing token`: who may ask the server what.
//!
//! Touches: the management plane. Never: shows a token but once, to whoever made it.

use crate::calendar;
use crate::management::{ManagementArgs, path_part};
use crate::output::{Said, moment, table, text};
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// The commands.
#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    /// Make a token, and show it this once.
    Make(MakeArgs),
    /// List the tokens, by their names.
    List(ListArgs),
    /// Take a token back.
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

/// Arguments of `token make`.
#[derive(Args)]
pub(crate) struct MakeArgs {
    /// What it is good for; docs/reference/roles.md says what each role may do.
    #[arg(long, value_name = "ROLE", value_parser = ["viewer", "operator", "release-manager", "admin"])]
    role: String,
    /// What it is called, in lists and in the audit.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// For how long it is good, days; for ever without it.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
    expires: Option<u32>,
    #[command(flatten)]
    management: ManagementArgs,
}

fn make(args: &MakeArgs) -> Result<Said> {
    let expires_in_s = args.expires.map(|days| u64::from(days) * calendar::DAY_S);
    let order = json!({ "name": args.name, "role": args.role, "expires_in_s": expires_in_s });
    let made = args.management.open()?.post("/api/v1/tokens", &order).context("make a token")?;
    let until = if made["expires"].is_null() { "for ever".to_owned() } else { moment(&made["expires"]) };
    let words = format!(
        "{}\n  {}, good until: {until}\n  put it into a file (mode 0600) and name that with --token-file\n",
        text(&made["token"]),
        args.role,
    );
    Ok(Said::new(words, made))
}

/// Arguments of `token list`.
#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    management: ManagementArgs,
}

fn list(args: &ListArgs) -> Result<Said> {
    let tokens = args.management.open()?.list("/api/v1/tokens", "tokens", usize::MAX)?;
    let until = |token: &Value| match &token["expires"] {
        Value::Null => "for ever".to_owned(),
        expires => moment(expires),
    };
    let row = |token: &Value| {
        let [name, role] = [&token["name"], &token["role"]].map(text);
        vec![name, role, moment(&token["made"]), until(token), moment(&token["last_used"])]
    };
    let rows = tokens.iter().map(row).collect();
    let words = table(&["TOKEN", "ROLE", "MADE", "GOOD UNTIL", "LAST USED"], rows);
    Ok(Said::new(words, json!({ "tokens": tokens })))
}

/// Arguments of `token revoke`.
#[derive(Args)]
pub(crate) struct RevokeArgs {
    /// The token's name, as `lapwing token list` shows it.
    name: String,
    #[command(flatten)]
    management: ManagementArgs,
}

fn revoke(args: &RevokeArgs) -> Result<Said> {
    let path = format!("/api/v1/tokens/{}", path_part(&args.name));
    args.management.open()?.delete(&path).context("take the token back")?;
    Ok(Said::new(format!("token {} is good for nothing any more\n", args.name), json!({ "name": args.name })))
}
