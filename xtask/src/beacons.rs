//! Builds the example program `beacon` in the versions that the demo and the tests ship.
//!
//! Touches: cargo, the folder of built programs. Versions are real builds: each differs in its code, as
//! releases do, and deltas between them are real ones.

use crate::child;
use crate::house::{House, PROFILE};
use crate::suite_bodies;
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
        // The same packages as for the other programs: alone, its dependencies would be built once more.
        let mut command = suite_bodies::build_programs(house, &["--example", "beacon"]);
        command.env("LAPWING_BEACON_VERSION", version).env("LAPWING_BEACON_BEHAVIOUR", behaviour);
        child::run(&mut command)?;
        // Without symbols, as a release would be: they would be most of the image.
        let (built, image) = (programs.join("examples/beacon"), folder.join(version));
        child::run(child::program(house, "strip", &["-o"]).arg(image).arg(built))?;
    }
    Ok(())
}
