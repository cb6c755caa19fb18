//! The web console: what is committed is what its sources build, and its story is told in a real browser.
//!
//! Touches: npm, Chromium, the programs in `PROGRAMS`; the folder `console`.
//! Never: writes what is committed; it compares.

use crate::child::{self, cargo};
use crate::house::{House, PROFILE};
use crate::set_up;
use crate::suites::Outcome;
use std::fs;

const CHROMIUM: &str = "/usr/bin/chromium";
/// Devices of the story; `LAPWING_SWARM` asks for others.
const DEVICES: &str = "500";
/// The server, and what speaks to it as devices do.
const PROGRAMS: [&str; 4] = ["lapwing", "lapwing-sim", "lapwing-agent", "lapwing-launcher"];
const TYPES: &str = "console/src/schema.d.ts";

pub(crate) fn suite(house: &House) -> Outcome {
    let had = set_up::node(house)
        .and_then(|()| set_up::debian_package(house, CHROMIUM, "chromium"))
        .and_then(|()| npm(house, &["ci"]));
    if let Err(reason) = had {
        return Outcome::Skipped(reason);
    }
    match types_are_the_description(house)
        .and_then(|()| npm(house, &["run", "check"]))
        .and_then(|()| told(house))
    {
        Ok(()) => Outcome::Passed(format!("{DEVICES} devices unless LAPWING_SWARM says otherwise")),
        Err(reason) => Outcome::Failed(reason),
    }
}

fn types_are_the_description(house: &House) -> Result<(), String> {
    let held = || fs::read(house.root.join(TYPES)).map_err(|error| format!("{TYPES}: {error}"));
    let before = held()?;
    npm(house, &["run", "types"])?;
    match held()? == before {
        true => Ok(()),
        false => Err(format!("{TYPES} was not what the API's description makes; now it is")),
    }
}

fn told(house: &House) -> Result<(), String> {
    npm(house, &["run", "verify"])?;
    let mut build = cargo(house, &["build", "--quiet", "--profile", PROFILE, "--bins"]);
    child::run(build.args(PROGRAMS.iter().flat_map(|program| ["-p", program])))?;
    let mut story = child::program(house, "npm", &["--prefix", "console", "test"]);
    if std::env::var_os("LAPWING_SWARM").is_none() {
        story.env("LAPWING_SWARM", DEVICES);
    }
    let programs = house.target_folder().join(PROFILE);
    child::run(story.env("LAPWING_PROGRAMS", programs).env("LAPWING_CHROMIUM", CHROMIUM))
}

fn npm(house: &House, arguments: &[&str]) -> Result<(), String> {
    let arguments: Vec<&str> = ["--prefix", "console"].iter().chain(arguments).copied().collect();
    child::run(&mut child::program(house, "npm", &arguments))
}
