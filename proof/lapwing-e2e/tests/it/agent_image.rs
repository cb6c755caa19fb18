//! Images of any size that are the agent: a script that becomes it, and noise that is never read.
//!
//! Touches: files in a folder of the test.

use anyhow::Result;
use lapwing_e2e::{Binaries, Fleet};
use std::fs;
use std::path::{Path, PathBuf};

/// Makes and publishes one; no two versions have anything in common that a delta could use.
pub(crate) fn push(
    fleet: &Fleet,
    binaries: &Binaries,
    folder: &Path,
    (version, image_bytes): (&str, usize),
) -> Result<PathBuf> {
    let agent = binaries.program("lapwing-agent");
    let line = format!("exec {} run --config \"$LAPWING_ROOT/agent.toml\"", agent.display());
    let mut image = format!("#!/bin/sh\n# {version}\n{line}\n").into_bytes();
    let mut state = image.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add((*byte).into()));
    while image.len() < image_bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        image.push((state >> 56) as u8);
    }
    let path = folder.join(version);
    fs::write(&path, image)?;
    fleet.push_image(&path, version)?;
    Ok(path)
}
