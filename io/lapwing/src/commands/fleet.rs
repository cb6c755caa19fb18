//! `lapwing fleet`: what stands in the field, counted.
//!
//! Touches: the management plane. Never: decides; it passes on and shows.

use crate::management::{ManagementArgs, path_part};
use crate::output::{Said, moment, table, text};
use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::Value;

/// The commands.
#[derive(Subcommand)]
pub(crate) enum FleetCommand {
    /// Count the configurations in the field: hardware, region, version, connectivity, use.
    Configurations(ConfigurationsArgs),
    /// Count the devices that did not come up with a new image, by release, hardware and bootloader.
    BootFailures(BootFailuresArgs),
}

/// Does what the command says.
pub(crate) fn run(command: FleetCommand) -> Result<Said> {
    match command {
        FleetCommand::Configurations(args) => configurations(&args),
        FleetCommand::BootFailures(args) => boot_failures(&args),
    }
}

/// Arguments of `fleet configurations`.
#[derive(Args)]
pub(crate) struct ConfigurationsArgs {
    /// So many of the most frequent ones.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    top: u16,
    /// Of the devices in this group only.
    #[arg(long, value_name = "GROUP", default_value = "everyone")]
    group: String,
    #[command(flatten)]
    management: ManagementArgs,
}

fn configurations(args: &ConfigurationsArgs) -> Result<Said> {
    let path = format!("/api/v1/fleet/configurations?top={}&group={}", args.top, path_part(&args.group));
    let answer = args.management.open()?.get(&path)?;
    let shown: Vec<&Value> = answer["configurations"].as_array().into_iter().flatten().collect();
    let row = |one: &&Value| {
        let is = ["hardware", "region", "version", "connectivity", "use"].map(|name| text(&one["is"][name]));
        [text(&one["devices"])].into_iter().chain(is).collect()
    };
    let rows = shown.iter().map(row).collect();
    let words = format!(
        "{}{} of {} configurations, {} devices in all\n",
        table(&["DEVICES", "HARDWARE", "REGION", "VERSION", "CONNECTIVITY", "USE"], rows),
        shown.len(),
        answer["kinds"],
        answer["devices"]
    );
    Ok(Said::new(words, answer))
}

/// Arguments of `fleet boot-failures`.
#[derive(Args)]
pub(crate) struct BootFailuresArgs {
    /// Attempts of so many days.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=366))]
    days: u16,
    #[command(flatten)]
    management: ManagementArgs,
}

fn boot_failures(args: &BootFailuresArgs) -> Result<Said> {
    let answer = args.management.open()?.get(&format!("/api/v1/fleet/boot-failures?days={}", args.days))?;
    let row = |one: &Value| {
        let hardware = if one["hardware_name"].is_null() { &one["hardware"] } else { &one["hardware_name"] };
        vec![
            text(&one["version"]),
            text(hardware),
            text(&one["bootloader"]),
            format!("{} of {}", one["failed"], one["switched"]),
        ]
    };
    let rows = answer["boot_failures"].as_array().into_iter().flatten().map(row).collect();
    let words = format!(
        "{}attempts since {}\n",
        table(&["VERSION", "HARDWARE", "BOOTLOADER", "DID NOT COME UP"], rows),
        moment(&answer["since"])
    );
    Ok(Said::new(words, answer))
}
