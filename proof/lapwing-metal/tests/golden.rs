//! The golden artifacts make on a Cortex-M what they make everywhere, within the stack that they may use.
//!
//! Touches: `formats/vectors/delta`, QEMU, a temporary folder.

#![allow(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use lapwing_metal::{PlayError, Player};
use std::fs;
use std::path::Path;

/// What `apply` promises; the ports of the board take some of it.
const STACK_BYTES_MAX: u64 = 3072;

#[test]
fn golden_artifacts_make_their_images_on_a_cortex_m() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../formats/vectors/delta");
    let (player, desk) = (Player::find().unwrap(), tempfile::tempdir().unwrap());
    let mut made = 0;
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.extension().is_none_or(|extension| extension != "delta") {
            continue;
        }
        // Artifacts of several ways share their images: `NAME.WAY.delta`.
        let name = path.file_name().unwrap().to_str().unwrap().split('.').next().unwrap();
        let image = |kind| fs::read(path.with_file_name(format!("{name}.{kind}"))).unwrap();
        let [base, target] = ["old", "new"].map(image);
        match player.apply(&base, &fs::read(&path).unwrap(), desk.path()) {
            // The profile without a bound is not for boards.
            Err(PlayError::Failed(reason)) if reason == "too much memory" => {}
            applied => {
                let applied = applied.unwrap();
                assert!(applied.target == target, "{}", path.display());
                assert!(applied.stack_bytes <= STACK_BYTES_MAX, "{} bytes of stack", applied.stack_bytes);
                made += 1;
            }
        }
    }
    assert!(made >= 38, "{made} golden artifacts");
}

#[test]
fn a_damaged_artifact_is_refused_on_a_cortex_m() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../formats/vectors/delta");
    let (player, desk) = (Player::find().unwrap(), tempfile::tempdir().unwrap());
    let [base, mut artifact] = ["edit.old", "edit.delta"].map(|name| fs::read(folder.join(name)).unwrap());
    *artifact.last_mut().unwrap() ^= 1;
    let refused = player.apply(&base, &artifact, desk.path());
    assert!(matches!(refused, Err(PlayError::Failed(_))), "{refused:?}");
}
