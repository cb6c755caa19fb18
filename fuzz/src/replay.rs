//! Feeds a target its corpus, the golden vectors, and seeded mutations of both.
//!
//! Touches: `fuzz/corpus/TARGET` and `formats/vectors`, read only.

use crate::mutate::{INPUT_BYTES_MAX, Numbers, mutate};
use crate::targets::Target;
use std::path::{Path, PathBuf};

/// What to replay.
#[derive(Debug, Clone, Copy)]
pub struct Replay {
    /// Where the mutations begin.
    pub seed: u64,
    /// How many mutated inputs follow the recorded ones.
    pub mutations: u64,
}

/// An input that made a target panic.
#[derive(Debug)]
pub struct Failure {
    /// The whole input.
    pub input: Vec<u8>,
}

/// Runs the recorded inputs and then the mutated ones; returns how many there were.
///
/// # Errors
/// The first input at which the target panics.
pub fn replay(target: &Target, what: Replay) -> Result<u64, Failure> {
    let mut seeds = Vec::new();
    read_all(&corpus_folder(target), &mut seeds);
    read_all(&root().join("formats/vectors"), &mut seeds);
    seeds.sort();
    seeds.push(Vec::new());
    for input in &seeds {
        attempt(target, input)?;
    }
    let mut numbers = Numbers::seeded(what.seed);
    for _ in 0..what.mutations {
        let (input, other) = (&seeds[numbers.below(seeds.len())], &seeds[numbers.below(seeds.len())]);
        attempt(target, &mutate(input, other, &mut numbers))?;
    }
    Ok(what.mutations + seeds.len() as u64)
}

/// Where inputs of a target are kept, found ones among them.
#[must_use]
pub fn corpus_folder(target: &Target) -> PathBuf {
    root().join("fuzz/corpus").join(target.name)
}

fn attempt(target: &Target, input: &[u8]) -> Result<(), Failure> {
    std::panic::catch_unwind(|| (target.run)(input)).map_err(|_| Failure { input: input.to_vec() })
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Adds every file below `folder`; a folder that is not there holds none.
fn read_all(folder: &Path, inputs: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            read_all(&path, inputs);
        } else if let Ok(bytes) = std::fs::read(&path) {
            inputs.extend((bytes.len() <= INPUT_BYTES_MAX).then_some(bytes));
        }
    }
}
