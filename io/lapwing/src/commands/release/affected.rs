//! `lapwing release affected`: who runs what holds this component.
//!
//! Touches: the management plane.

use crate::management::{ManagementArgs, path_part};
use crate::output::{Said, note, table, text};
use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;

/// Arguments of `release affected`.
#[derive(Args)]
pub(crate) struct AffectedArgs {
    /// The component's name, as bills of materials have it.
    #[arg(long, value_name = "NAME", required_unless_present = "licence")]
    component: Option<String>,
    /// Its versions: `<3.0.20`, or `>=1.1.0 <1.1.1k`. Those like 1.4.0 compare as semantic versions, all others as
    /// Debian's.
    #[arg(long, value_name = "RULE", requires = "component")]
    version: Option<String>,
    /// The SPDX name of a licence.
    #[arg(long, value_name = "NAME")]
    licence: Option<String>,
    #[command(flatten)]
    management: ManagementArgs,
}

/// Names releases and devices.
pub(crate) fn run(args: &AffectedArgs) -> Result<Said> {
    let asked = [("component", &args.component), ("version", &args.version), ("licence", &args.licence)];
    let query = asked.into_iter().filter_map(|(name, value)| Some((name, path_part(value.as_deref()?))));
    let query: Vec<String> = query.map(|(name, value)| format!("{name}={value}")).collect();
    let server = args.management.open()?;
    let affected = server.get(&format!("/api/v1/affected?{}", query.join("&"))).context("ask for bills")?;
    if affected["cut"] == true {
        note("more components fit than the server looks at in one answer; ask for less");
    }
    Ok(Said::new(in_words(&affected), affected))
}

fn in_words(affected: &Value) -> String {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut rows = Vec::new();
    let mut devices = String::new();
    for release in list(&affected["releases"]) {
        for part in list(&release["parts"]) {
            let of_part = [&part["name"], &part["version"], &part["licence"], &part["compared_as"]].map(text);
            let of_release =
                [&release["component"], &release["version"], &release["state"], &release["devices"]]
                    .map(text);
            rows.push(of_part.into_iter().chain(of_release).collect());
        }
        for device in list(&release["running"]) {
            let (component, version) = (text(&release["component"]), text(&release["version"]));
            devices += &format!("{} runs {component} {version}\n", text(&device));
        }
        let unnamed = release["devices"].as_u64().unwrap_or(0) - list(&release["running"]).len() as u64;
        if unnamed > 0 {
            devices += &format!("and {unnamed} more\n");
        }
    }
    let head = ["PART", "VERSION", "LICENCE", "COMPARED AS", "IN", "RELEASE", "STATE", "DEVICES"];
    table(&head, rows) + &devices
}
