//! Builds the example program `beacon` in the versions that the demo and the tests ship.
//!
//! Touches: cargo, the folder of built programs. Versions are real builds: each differs in its code, as
//! releases do, and deltas between them are real ones.

use crate::child::{self, cargo};
use crate::house::{House, PROFILE};
use std::fs;

/// A version, and what its program does wrong.
const BEACONS: &[(&str, &str)] = &[
    ("1.0.0", "good"),
    ("1.1.0", "good"),
    ("1.2.0", "crash-at-start"),
    ("1.3.0", "unhealthy"),
    ("1.4.0", "good"),
];

/// Builds all versions into the folder `beacons` beside the other programs.
///
/// # Errors
/// When one does not build.
pub(crate) fn build(house: &House) -> Result<(), String> {
    let programs = house.target_folder().join(PROFILE);
    let folder = programs.join("beacons");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    for (version, behaviour) in BEACONS {
        let arguments =
            ["rustc", "--quiet", "--profile", PROFILE, "-p", "lapwing-agent", "--example", "beacon"];
        let mut command = cargo(house, &arguments);
        // As a release would be: without symbols, which would be most of the image.
        command.args(["--", "-C", "strip=symbols"]);
        command.env("LAPWING_BEACON_VERSION", version).env("LAPWING_BEACON_BEHAVIOUR", behaviour);
        child::run(&mut command)?;
        let built = programs.join("examples").join("beacon");
        fs::copy(&built, folder.join(version)).map_err(|error| format!("{}: {error}", built.display()))?;
    }
    Ok(())
}
