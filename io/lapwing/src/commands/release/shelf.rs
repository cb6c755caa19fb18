//! `lapwing release list`, `unhold` and `withdraw`: what the server has on its shelves.
//!
//! Touches: the management plane.

use crate::management::{Management, ManagementArgs, path_part};
use crate::output::{Said, table};
use anyhow::{Context, Result};
use clap::Args;
use lapwing_core::{HardwareClass, Version};
use serde_json::Value;

/// Arguments of `release list`.
#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    management: ManagementArgs,
}

/// Shows the version sets.
pub(crate) fn list(args: &ListArgs) -> Result<Said> {
    let answer = args.management.open()?.get("/api/v1/version-sets")?;
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut rows = Vec::new();
    for set in sets(&answer) {
        for release in set["releases"].as_array().into_iter().flatten() {
            let fields =
                [&set["version"], &set["state"], &release["component"], &release["seq"], &release["digest"]];
            rows.push(fields.into_iter().map(text).collect());
        }
    }
    Ok(Said::new(table(&["VERSION", "STATE", "COMPONENT", "SEQ", "RELEASE"], rows), answer))
}

/// The version sets in the server's answer.
pub(super) fn sets(answer: &Value) -> impl Iterator<Item = &Value> {
    answer.as_array().or(answer["version_sets"].as_array()).into_iter().flatten()
}

/// The highest seq that the server has for a component and a hardware class.
pub(crate) fn highest_seq(
    server: &Management,
    component: &str,
    hardware: &[HardwareClass],
) -> Result<Option<u64>> {
    let answer = server.get("/api/v1/version-sets").context("look at what is published")?;
    let classes: Vec<String> = hardware.iter().map(ToString::to_string).collect();
    let shares = |release: &&Value| {
        let mut named = release["hardware"].as_array().into_iter().flatten().filter_map(Value::as_str);
        release["component"] == component && named.any(|class| classes.iter().any(|ours| ours == class))
    };
    let releases = sets(&answer).flat_map(|set| set["releases"].as_array().into_iter().flatten());
    Ok(releases.filter(shares).filter_map(|release| release["seq"].as_u64()).max())
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
