//! `lapwing webhook`: endpoints that the server tells of events.
//!
//! Touches: the management plane. Never: shows a secret but once, to whoever made the webhook.

use crate::durable;
use crate::management::{Management, ManagementArgs, path_part};
use crate::output::{Said, moment, table, text};
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;

/// More than any login has.
const LOGIN_BYTES_MAX: usize = 1_024;

/// The commands.
#[derive(Subcommand)]
pub(crate) enum WebhookCommand {
    /// Tell an endpoint of events from now on, and show the secret of its signatures this once.
    Add(AddArgs),
    /// List webhooks and how they fare.
    List(ListArgs),
    /// Tell it nothing until it is resumed.
    Pause(OneArgs),
    /// Go on where it was paused, or try at once what it did not take.
    Resume(OneArgs),
    /// Send it a message of the type lapwing.webhook.test now.
    Test(OneArgs),
    /// List the events that it would not take.
    DeadLetters(OneArgs),
    /// Send it once more what it would not take.
    Redeliver(OneArgs),
    /// Take it away, with what was set aside for it.
    Remove(OneArgs),
}

/// Does what the command says.
pub(crate) fn run(command: WebhookCommand) -> Result<Said> {
    match command {
        WebhookCommand::Add(args) => add(&args),
        WebhookCommand::List(args) => list(&args),
        WebhookCommand::Pause(args) => steer(&args, "pause", "is told nothing until it is resumed"),
        WebhookCommand::Resume(args) => steer(&args, "resume", "goes on"),
        WebhookCommand::Test(args) => test(&args),
        WebhookCommand::DeadLetters(args) => dead_letters(&args),
        WebhookCommand::Redeliver(args) => redeliver(&args),
        WebhookCommand::Remove(args) => remove(&args),
    }
}

/// Arguments of `webhook add`.
#[derive(Args)]
pub(crate) struct AddArgs {
    /// What to call it.
    name: String,
    /// Where messages go: https, or plain http on the server's machine; or a broker, mqtts, or plain mqtt on the
    /// server's machine, with the beginning of their topics as its path.
    #[arg(long)]
    url: String,
    /// The file with a broker's login, `user:password` on its only line.
    #[arg(long, value_name = "FILE")]
    login_file: Option<PathBuf>,
    /// Only events of this name, or whose names begin with it and a dot: `update.confirmed`, `rollout`. May be
    /// given several times; without it all.
    #[arg(long = "event", value_name = "NAME")]
    events: Vec<String>,
    #[command(flatten)]
    management: ManagementArgs,
}

fn add(args: &AddArgs) -> Result<Said> {
    let read = |path: &PathBuf| {
        let text =
            String::from_utf8(durable::read_at_most(path, LOGIN_BYTES_MAX)?).context("read the login")?;
        Ok::<_, anyhow::Error>(text.trim_end().to_owned())
    };
    let login = args.login_file.as_ref().map(read).transpose()?;
    let order = json!({ "name": args.name, "url": args.url, "login": login, "events": args.events });
    let made = args.management.open()?.post("/api/v1/webhooks", &order).context("add the webhook")?;
    if made["secret"].is_null() {
        let words = format!("the broker is told from now on\nNext: `lapwing webhook test {}`.\n", args.name);
        return Ok(Said::new(words, made));
    }
    let words = format!(
        "{0}\n  verifies the signatures of webhook {1} (Standard Webhooks); it is not shown again\nNext: `lapwing \
         webhook test {1}`.\n",
        text(&made["secret"]),
        args.name,
    );
    Ok(Said::new(words, made))
}

/// Arguments of `webhook list`.
#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    management: ManagementArgs,
}

fn list(args: &ListArgs) -> Result<Said> {
    let webhooks = args.management.open()?.list("/api/v1/webhooks", "webhooks", usize::MAX)?;
    let row = |webhook: &Value| {
        let state = match (webhook["paused"] == true, webhook["failures"].as_u64()) {
            (true, _) => "paused".to_owned(),
            (false, Some(0) | None) => "good".to_owned(),
            (false, Some(failures)) => format!("{failures} failed, again {}", moment(&webhook["due"])),
        };
        let (behind, dead) = (text(&webhook["behind"]), text(&webhook["dead_letters"]));
        vec![text(&webhook["name"]), state, behind, dead, text(&webhook["last"]), text(&webhook["url"])]
    };
    let head = ["WEBHOOK", "STATE", "BEHIND", "SET ASIDE", "LAST TRY", "URL"];
    let words = table(&head, webhooks.iter().map(row).collect());
    Ok(Said::new(words, json!({ "webhooks": webhooks })))
}

/// Which webhook.
#[derive(Args)]
pub(crate) struct OneArgs {
    /// Its name, as `lapwing webhook list` shows it.
    name: String,
    #[command(flatten)]
    management: ManagementArgs,
}

impl OneArgs {
    fn open(&self, below: &str) -> Result<(Management, String)> {
        Ok((self.management.open()?, format!("/api/v1/webhooks/{}{below}", path_part(&self.name))))
    }
}

fn steer(args: &OneArgs, how: &str, words: &str) -> Result<Said> {
    let (server, path) = args.open(&format!("/{how}"))?;
    server.post(&path, &json!({})).with_context(|| format!("{how} the webhook"))?;
    Ok(Said::new(format!("webhook {} {words}\n", args.name), json!({ "name": args.name })))
}

fn test(args: &OneArgs) -> Result<Said> {
    let (server, path) = args.open("/test")?;
    let answer = server.post(&path, &json!({})).context("test the webhook")?;
    let taken = if answer["taken"] == true { "took the message" } else { "did not take the message" };
    Ok(Said::new(format!("{} {taken}: {}\n", args.name, text(&answer["outcome"])), answer))
}

fn dead_letters(args: &OneArgs) -> Result<Said> {
    let (server, path) = args.open("/dead-letters")?;
    let answer = server.get(&path).context("list what was set aside")?;
    let letters = answer["dead_letters"].as_array().cloned().unwrap_or_default();
    let row = |letter: &Value| {
        let event = &letter["event"];
        vec![
            text(&event["id"]),
            text(&event["name"]),
            text(&event["device"]),
            moment(&letter["time"]),
            text(&letter["last"]),
        ]
    };
    let words = table(&["EVENT", "NAME", "DEVICE", "SET ASIDE", "WHY"], letters.iter().map(row).collect());
    Ok(Said::new(words, answer))
}

fn redeliver(args: &OneArgs) -> Result<Said> {
    let (server, path) = args.open("/dead-letters/redeliver")?;
    let answer = server.post(&path, &json!({})).context("send again what was set aside")?;
    let words = format!("{} took {}, {} are left\n", args.name, answer["taken"], answer["left"]);
    Ok(Said::new(words, answer))
}

fn remove(args: &OneArgs) -> Result<Said> {
    let (server, path) = args.open("")?;
    server.delete(&path).context("take the webhook away")?;
    Ok(Said::new(format!("webhook {} is told nothing any more\n", args.name), json!({ "name": args.name })))
}
