//! `lapwing device list`, `show`, `why`, and what an operator may ask of one device.
//!
//! Touches: the management plane. Never: decides; it passes on and shows.

use crate::management::{Management, ManagementArgs, path_part};
use crate::output::{Said, moment, table, text};
use anyhow::Result;
use clap::Args;
use lapwing_core::{DeviceId, Version};
use serde_json::{Value, json};

/// Characters of a digest that are enough to tell images apart by eye.
const SHORT_DIGEST: usize = 12;

/// Arguments of `device list`.
#[derive(Args)]
pub(crate) struct ListArgs {
    /// Show those that this filter holds for, `version < 1.4.0` for example.
    #[arg(long, value_name = "FILTER")]
    filter: Option<String>,
    /// Show at most so many.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    management: ManagementArgs,
}

/// Lists devices.
pub(crate) fn list(args: &ListArgs) -> Result<Said> {
    let wanted = args.limit.unwrap_or(usize::MAX);
    let devices = all_devices(&args.management.open()?, args.filter.as_deref(), wanted)?;
    let rows = devices.iter().map(row).collect();
    let words = format!(
        "{}{} devices\n",
        table(&["DEVICE", "RUNS", "HEALTH", "LAST SEEN", "WHY NOT UPDATING"], rows),
        devices.len()
    );
    Ok(Said::new(words, json!({ "devices": devices })))
}

/// The devices that the server knows and that the filter holds for, at most so many.
pub(crate) fn all_devices(server: &Management, filter: Option<&str>, wanted: usize) -> Result<Vec<Value>> {
    let filter = filter.map(|filter| format!("?filter={}", path_part(filter))).unwrap_or_default();
    server.list(&format!("/api/v1/devices{filter}"), "devices", wanted)
}

fn row(device: &Value) -> Vec<String> {
    vec![
        text(&device["id"]),
        running(device),
        health(device),
        moment(&device["last_seen"]),
        text(&device["why"]["sentence"]),
    ]
}

/// One entry a component: its version where the server knows it, else the beginning of its digest.
fn running(device: &Value) -> String {
    let one = |running: &Value| {
        let version = running["version"].as_str().map_or_else(|| short(&running["digest"]), str::to_owned);
        format!("{} {version}", text(&running["component"]))
    };
    device["running"].as_array().into_iter().flatten().map(one).collect::<Vec<_>>().join(", ")
}

/// What the device said last of what it runs. Health rows name an image by the beginning of its digest.
fn health(device: &Value) -> String {
    let list = |name: &str| device[name].as_array().into_iter().flatten();
    let runs = |row: &&Value| {
        let image = text(&row["running"]);
        list("running").any(|running| text(&running["digest"]).starts_with(&image))
    };
    list("health").find(runs).map_or("-".to_owned(), |row| text(&row["health"]))
}

fn short(digest: &Value) -> String {
    text(digest).chars().take(SHORT_DIGEST).collect()
}

/// Arguments of the commands that speak of one device.
#[derive(Args)]
pub(crate) struct OneArgs {
    /// The device.
    id: DeviceId,
    #[command(flatten)]
    management: ManagementArgs,
}

impl OneArgs {
    fn ask(&self, what: impl FnOnce(&Management, &str) -> Result<Value>) -> Result<Value> {
        let server = self.management.open()?;
        what(&server, &format!("/api/v1/devices/{}", path_part(self.id.as_str())))
    }
}

/// Shows all that is known of a device.
pub(crate) fn show(args: &OneArgs) -> Result<Said> {
    let device = args.ask(|server, path| server.get(path))?;
    let mut words = format!("device {}\n", text(&device["id"]));
    let mut line = |name: &str, value: String| words += &format!("  {name:<12}{value}\n");
    let name = device["hardware_name"].as_str().map(|name| format!("{name} = ")).unwrap_or_default();
    line("hardware", format!("{name}{}", text(&device["hardware"])));
    line("runs", running(&device));
    line("health", health(&device));
    line("last seen", moment(&device["last_seen"]));
    line("trust", format!("root {}, delegation {}", device["root_version"], device["delegation_version"]));
    for (name, value) in device["facts"].as_object().into_iter().flatten() {
        line("fact", format!("{} = {}", text(&json!(name)), text(value)));
    }
    for (name, value) in device["noted"].as_object().into_iter().flatten() {
        line("set", format!("{} = {}", text(&json!(name)), text(value)));
    }
    for gate in device["gates"].as_array().into_iter().flatten() {
        line("held by", text(gate));
    }
    for name in ["quarantined", "pinned"] {
        if !device[name].is_null() {
            line(name, text(&device[name]));
        }
    }
    for attempt in device["attempts"].as_array().into_iter().flatten() {
        line("attempt", attempt_in_words(attempt));
    }
    words += &reason_in_words(&device["why"]);
    Ok(Said::new(words, device))
}

fn attempt_in_words(attempt: &Value) -> String {
    let to = attempt["version"].as_str().map_or_else(|| short(&attempt["release"]), str::to_owned);
    let how = if attempt["delta"] == true { "delta" } else { "full image" };
    let mut words =
        format!("to {to} by {how} of {} bytes: {}", attempt["artifact_size_bytes"], text(&attempt["state"]));
    if !attempt["cause"].is_null() {
        words += &format!(" ({})", text(&attempt["cause"]));
    }
    let (what, when) = match &attempt["ended"] {
        Value::Null => ("opened", &attempt["opened"]),
        ended => ("ended", ended),
    };
    words + &format!(", {what} {}", moment(when))
}

/// The reason, until when, and what to do about it.
fn reason_in_words(why: &Value) -> String {
    let mut words = format!("  {:<12}{}\n", "why", text(&why["sentence"]));
    for name in ["until", "expected"] {
        if !why[name].is_null() {
            words += &format!("  {name:<12}{}\n", moment(&why[name]));
        }
    }
    if !why["advice"].is_null() {
        words += &format!("  {:<12}{}\n", "what to do", text(&why["advice"]));
    }
    words
}

/// Says the first of all reasons why a device is not updating.
pub(crate) fn why(args: &OneArgs) -> Result<Said> {
    let why = args.ask(|server, path| server.get(&format!("{path}/why")))?;
    Ok(Said::new(reason_in_words(&why), why))
}

/// Offers the device its update at its next check-in, whatever it waits for.
pub(crate) fn update_now(args: &OneArgs) -> Result<Said> {
    tell(args, "update-now", "is offered its update at its next check-in")
}

/// Lets the device try again what failed before.
pub(crate) fn retry(args: &OneArgs) -> Result<Said> {
    tell(args, "retry", "may try again")
}

/// Lets the device claim its place with a new secret.
pub(crate) fn replace(args: &OneArgs) -> Result<Said> {
    tell(
        args,
        "replace",
        "may claim its place once with a new secret. If it has claimed in vain already, it does so again by \
         itself; else provision it anew under its id: `lapwing device provision --id`",
    )
}

/// Lets a device out of quarantine, or back in after it was forgotten.
pub(crate) fn admit(args: &OneArgs) -> Result<Said> {
    tell(args, "admit", "is served again; it goes back into quarantine if two of it still alternate")
}

fn tell(args: &OneArgs, verb: &str, then: &str) -> Result<Said> {
    let answer = args.ask(|server, path| server.post(&format!("{path}/{verb}"), &Value::Null))?;
    Ok(done(args, then, answer))
}

fn done(args: &OneArgs, then: &str, answer: Value) -> Said {
    let answer = if answer.is_null() { json!({ "id": args.id.to_string() }) } else { answer };
    Said::new(format!("{} {then}\n", args.id), answer)
}

/// Removes a device and all that is known of it.
pub(crate) fn forget(args: &OneArgs) -> Result<Said> {
    let answer = args.ask(|server, path| server.delete(path))?;
    Ok(done(args, "is forgotten; `lapwing device admit` lets it back in with the secret that it has", answer))
}

/// Arguments of `device pin`.
#[derive(Args)]
pub(crate) struct PinArgs {
    #[command(flatten)]
    one: OneArgs,
    /// The version it stays at.
    #[arg(long = "to", value_name = "VERSION", required_unless_present = "off", conflicts_with = "off")]
    version: Option<Version>,
    /// Let it move again.
    #[arg(long)]
    off: bool,
}

/// Keeps a device at a version, or lets it move again.
pub(crate) fn pin(args: &PinArgs) -> Result<Said> {
    let version = args.version.as_ref().map(ToString::to_string);
    let body = json!({ "version": version });
    let answer = args.one.ask(|server, path| server.post(&format!("{path}/pin"), &body))?;
    let then =
        version.map_or("is not pinned any more".to_owned(), |version| format!("is pinned to {version}"));
    Ok(done(&args.one, &then, answer))
}

/// Arguments of `device set`.
#[derive(Args)]
pub(crate) struct SetArgs {
    #[command(flatten)]
    one: OneArgs,
    /// What is so: tier=pilot, consent=given, zone=Europe/Berlin, or any other fact. An empty value lets what the
    /// device reports count again.
    #[arg(required = true, value_name = "NAME=VALUE", value_parser = fact)]
    facts: Vec<(String, String)>,
}

fn fact(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("spelled NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Sets facts of a device.
pub(crate) fn set(args: &SetArgs) -> Result<Said> {
    let value = |value: &str| if value.is_empty() { Value::Null } else { json!(value) };
    let facts: Value = args.facts.iter().map(|(name, set)| (name.clone(), value(set))).collect();
    let body = json!({ "facts": facts });
    let answer = args.one.ask(|server, path| server.post(&format!("{path}/facts"), &body))?;
    Ok(done(&args.one, "is known so from now on", answer))
}
