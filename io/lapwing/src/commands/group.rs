//! `lapwing group`: which devices people speak of together.
//!
//! Touches: the management plane. Never: decides who is in a group; filters are asked by the server.

use crate::exit::{Code, Refusal};
use crate::management::{Management, ManagementArgs, path_part};
use crate::output::{Said, table, text};
use anyhow::Result;
use clap::{Args, Subcommand, ValueEnum};
use lapwing_core::DeviceId;
use serde_json::{Value, json};

/// The commands.
#[derive(Subcommand)]
pub(crate) enum GroupCommand {
    /// Make a group.
    Create(WriteArgs),
    /// List the groups.
    List(ListArgs),
    /// Show a group and the devices it lists.
    Show(OneArgs),
    /// Give a group other members or another purpose.
    Set(WriteArgs),
    /// Let a group go that no rollout is for.
    Delete(OneArgs),
}

/// Does what the command says.
pub(crate) fn run(command: GroupCommand) -> Result<Said> {
    match command {
        GroupCommand::Create(args) => write(&args, 0),
        GroupCommand::List(args) => list(&args),
        GroupCommand::Show(args) => show(&args),
        GroupCommand::Set(args) => set(&args),
        GroupCommand::Delete(args) => delete(&args),
    }
}

/// What the devices of a group are for.
#[derive(Clone, Copy, ValueEnum)]
enum Purpose {
    /// Somebody relies on them.
    Production,
    /// They are for trying things.
    Testing,
}

/// Arguments of `group create` and `group set`.
#[derive(Args)]
pub(crate) struct WriteArgs {
    /// The group.
    name: String,
    /// Whoever this filter means, asked at every check-in: docs/reference/filters.md.
    #[arg(long, value_name = "FILTER", required_unless_present = "devices", conflicts_with = "devices")]
    filter: Option<String>,
    /// These devices, separated by commas.
    #[arg(long, value_name = "ID,..", value_delimiter = ',')]
    devices: Vec<DeviceId>,
    /// What they are for.
    #[arg(long, value_enum, default_value = "production")]
    purpose: Purpose,
    #[command(flatten)]
    management: ManagementArgs,
}

fn write(args: &WriteArgs, revision: u64) -> Result<Said> {
    let purpose = match args.purpose {
        Purpose::Production => "production",
        Purpose::Testing => "testing",
    };
    let mut body = json!({ "purpose": purpose, "revision": revision });
    match &args.filter {
        Some(filter) => body["filter"] = json!(filter),
        None => body["devices"] = args.devices.iter().map(|id| json!(id.as_str())).collect(),
    }
    let group = args.management.open()?.put_json(&address(&args.name), &body)?;
    Ok(Said::new(format!("group {}: {}\n", text(&group["name"]), members(&group)), group))
}

fn set(args: &WriteArgs) -> Result<Said> {
    let now = args.management.open()?.get(&address(&args.name))?;
    let revision = now["revision"].as_u64().ok_or_else(|| {
        Refusal::new(Code::Failure, "read the group: it has no revision").advice("is the server newer?")
    })?;
    write(args, revision)
}

/// Arguments of `group list`.
#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    management: ManagementArgs,
}

fn list(args: &ListArgs) -> Result<Said> {
    let answer = args.management.open()?.get("/api/v1/groups")?;
    let row = |group: &Value| vec![text(&group["name"]), text(&group["purpose"]), members(group)];
    let rows = answer["groups"].as_array().into_iter().flatten().map(row).collect();
    Ok(Said::new(table(&["GROUP", "PURPOSE", "WHO"], rows), answer))
}

/// Arguments of the commands that speak of one group.
#[derive(Args)]
pub(crate) struct OneArgs {
    /// The group.
    name: String,
    #[command(flatten)]
    management: ManagementArgs,
}

impl OneArgs {
    fn ask(&self, what: impl FnOnce(&Management, &str) -> Result<Value>) -> Result<Value> {
        what(&self.management.open()?, &address(&self.name))
    }
}

fn show(args: &OneArgs) -> Result<Said> {
    let group = args.ask(|server, path| server.get(path))?;
    let mut words =
        format!("group {}, {}: {}\n", text(&group["name"]), text(&group["purpose"]), members(&group));
    for device in group["devices"].as_array().into_iter().flatten() {
        words += &format!("  {}\n", text(device));
    }
    Ok(Said::new(words, group))
}

fn delete(args: &OneArgs) -> Result<Said> {
    args.ask(|server, path| server.delete(path))?;
    Ok(Said::new(format!("group {} is gone; its devices stay\n", args.name), json!({ "name": args.name })))
}

fn address(name: &str) -> String {
    format!("/api/v1/groups/{}", path_part(name))
}

fn members(group: &Value) -> String {
    match group["filter"].as_str() {
        Some(_) => text(&group["filter"]),
        None => format!("{} devices, listed", group["listed"]),
    }
}
