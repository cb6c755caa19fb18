//! `lapwing release list`, `unhold` and `withdraw`: what the server has on its shelves.
//!
//! Touches: the management plane.

use crate::management::{Management, ManagementArgs, path_part};
use crate::output::{Said, moment, table, text};
use anyhow::{Context, Result};
use clap::Args;
use lapwing_core::{HardwareClass, Version};
use serde_json::{Value, json};

/// Arguments of `release list`.
#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    management: ManagementArgs,
}

/// Shows the version sets.
pub(crate) fn list(args: &ListArgs) -> Result<Said> {
    let sets = sets(&args.management.open()?)?;
    let mut rows = Vec::new();
    for set in &sets {
        for release in set["releases"].as_array().into_iter().flatten() {
            let fields = [&set["version"], &set["state"], &release["component"], &release["seq"]];
            let mut row: Vec<String> = fields.into_iter().map(text).collect();
            row.extend([hardware(release), moment(&set["pushed"]), text(&release["digest"])]);
            rows.push(row);
        }
    }
    let head = ["VERSION", "STATE", "COMPONENT", "SEQ", "HARDWARE", "PUSHED", "RELEASE"];
    Ok(Said::new(table(&head, rows), json!({ "version_sets": sets })))
}

/// The hardware classes of a release, by their names where they are known.
fn hardware(release: &Value) -> String {
    let list = |key: &str| release[key].as_array().into_iter().flatten();
    let names = list("hardware_names").chain(std::iter::repeat(&Value::Null));
    let one = |(id, name): (&Value, &Value)| text(if name.is_null() { id } else { name });
    list("hardware").zip(names).map(one).collect::<Vec<_>>().join(", ")
}

/// The version sets that the server has.
pub(super) fn sets(server: &Management) -> Result<Vec<Value>> {
    server.list("/api/v1/version-sets", "version_sets", usize::MAX).context("look at what is published")
}

/// What the server has already.
#[derive(Debug, Default)]
pub(crate) struct Published {
    /// The highest seq of a component on any of some hardware classes.
    pub(crate) highest_seq: Option<u64>,
    /// All versions, whatever they are for: each is published once and whole.
    pub(crate) versions: Vec<String>,
}

impl Published {
    /// Asks the server.
    pub(crate) fn ask(server: &Management, component: &str, hardware: &[HardwareClass]) -> Result<Self> {
        let sets = sets(server)?;
        let versions = sets.iter().filter_map(|set| set["version"].as_str()).map(str::to_owned).collect();
        Ok(Self { highest_seq: highest_seq(&sets, component, hardware), versions })
    }
}

fn highest_seq(sets: &[Value], component: &str, hardware: &[HardwareClass]) -> Option<u64> {
    let classes: Vec<String> = hardware.iter().map(ToString::to_string).collect();
    let shares = |release: &&Value| {
        let mut named = release["hardware"].as_array().into_iter().flatten().filter_map(Value::as_str);
        release["component"] == component && named.any(|class| classes.iter().any(|ours| ours == class))
    };
    let releases = sets.iter().flat_map(|set| set["releases"].as_array().into_iter().flatten());
    releases.filter(shares).filter_map(|release| release["seq"].as_u64()).max()
}

/// Arguments of `release unhold` and `release withdraw`.
#[derive(Args)]
pub(crate) struct MoveArgs {
    /// The version set's version.
    version: Version,
    #[command(flatten)]
    management: ManagementArgs,
}

/// Offers a held version set to devices.
pub(crate) fn unhold(args: &MoveArgs) -> Result<Said> {
    let path = format!("/api/v1/version-sets/{}/release", path_part(args.version.as_str()));
    let answer = args.management.open()?.post(&path, &Value::Null).context("lift the hold")?;
    Ok(Said::new(format!("version {} is offered from now on\n", args.version), answer))
}

/// Stops offering a version set; devices that did not switch yet keep what they run.
pub(crate) fn withdraw(args: &MoveArgs) -> Result<Said> {
    let path = format!("/api/v1/version-sets/{}/withdraw", path_part(args.version.as_str()));
    let answer = args.management.open()?.post(&path, &Value::Null).context("withdraw it")?;
    Ok(Said::new(format!("version {} is withdrawn\n", args.version), answer))
}
