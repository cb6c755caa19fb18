//! Stories from `scenarios/`: each holds what it expects, and reads as its golden transcript says.
//!
//! Touches: `scenarios/*.txt` and `*.golden`; writes the latter only when `LAPWING_REGENERATE` is set. A changed
//! transcript is a changed behaviour: read the difference.

use lapwing_sim::play;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios")
}

fn scripts() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut scripts: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == "txt")).collect();
    scripts.sort();
    scripts
}

#[test]
fn every_story_ends_as_expected_and_reads_as_before() {
    for script in scripts() {
        let name = script.file_stem().unwrap().display().to_string();
        let text = std::fs::read_to_string(&script).unwrap();
        let world = play(&text).unwrap_or_else(|wrong| panic!("{name}: {wrong}"));
        let again = format!("repeat it: cargo xtask sim scenario {name}");
        assert!(world.violations.is_empty(), "{again}\n{:#?}", world.violations);
        let mut told = world.transcript.unwrap_or_default().join("\n");
        told.push('\n');
        let golden = script.with_extension("golden");
        if std::env::var_os("LAPWING_REGENERATE").is_some() {
            std::fs::write(&golden, &told).unwrap();
        }
        let kept = std::fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(told, kept, "{again}");
    }
    println!("{} stories", scripts().len());
}

#[test]
fn every_transcript_has_its_story() {
    let stories: Vec<_> = scripts().iter().map(|path| path.with_extension("golden")).collect();
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let alone: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|e| e == "golden") && !stories.contains(path))
        .collect();
    assert!(alone.is_empty(), "{alone:?}");
}
