//! What `release watch` saw and did, so that a restart neither ships again nor forgets.
//!
//! Touches: `watch.json` in the signing directory.

use super::sight::Sight;
use crate::durable;
use crate::hex;
use anyhow::{Context, Result};
use lapwing_core::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// One file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remembered {
    /// How it looked last.
    pub(crate) last: Sight,
    /// What was begun with it.
    pub(crate) begun: Option<Begun>,
    /// What became of it.
    pub(crate) done: Option<Done>,
}

/// A release in the making, written down before its seq is given away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Begun {
    /// How the file looked.
    pub(crate) sight: Sight,
    /// The signed release, in digits, once there is one: what is tried again is this very release.
    pub(crate) release: Option<String>,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Done {
    /// How it looked.
    pub(crate) sight: Sight,
    /// Its digest, in digits.
    pub(crate) image: String,
    /// What became of it, for people.
    pub(crate) outcome: String,
}

/// All files that are there, by their places.
#[derive(Debug)]
pub(crate) struct Memory {
    path: PathBuf,
    files: BTreeMap<String, Remembered>,
    changed: bool,
}

impl Memory {
    /// Reads what was remembered; nothing yet is an empty memory.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let files = match fs::read(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
            Ok(bytes) => {
                serde_json::from_slice(&bytes).with_context(|| format!("read {}", path.display()))?
            }
        };
        Ok(Self { path: path.to_owned(), files, changed: false })
    }

    /// What is remembered of the file at `place`.
    pub(crate) fn of(&self, place: &str) -> Option<&Remembered> {
        self.files.get(place)
    }

    /// Remembers how the file at `place` looks now.
    pub(crate) fn saw(&mut self, place: &str, sight: &Sight) {
        let (begun, done) =
            self.files.get(place).map_or((None, None), |file| (file.begun.clone(), file.done.clone()));
        self.put(place, Remembered { last: sight.clone(), begun, done });
    }

    /// Remembers that a release of the file at `place` is in the making, or made.
    pub(crate) fn began(&mut self, place: &str, sight: &Sight, release: Option<&[u8]>) {
        let done = self.files.get(place).and_then(|file| file.done.clone());
        let begun = Begun { sight: sight.clone(), release: release.map(hex::encode) };
        self.put(place, Remembered { last: sight.clone(), begun: Some(begun), done });
    }

    /// Remembers what became of the file at `place`.
    pub(crate) fn dealt_with(&mut self, place: &str, sight: &Sight, image: Digest, outcome: &str) {
        let done = Done { sight: sight.clone(), image: image.to_string(), outcome: outcome.to_owned() };
        self.put(place, Remembered { last: sight.clone(), begun: None, done: Some(done) });
    }

    /// Forgets the files that are not there any more.
    pub(crate) fn keep_only(&mut self, is_there: impl Fn(&str) -> bool) {
        let before = self.files.len();
        self.files.retain(|place, _| is_there(place));
        self.changed |= self.files.len() != before;
    }

    /// Writes down what changed.
    pub(crate) fn save(&mut self) -> Result<()> {
        if self.changed {
            durable::write(&self.path, &serde_json::to_vec_pretty(&self.files)?, durable::PUBLIC)?;
            self.changed = false;
        }
        Ok(())
    }

    fn put(&mut self, place: &str, file: Remembered) {
        if self.files.get(place) != Some(&file) {
            self.files.insert(place.to_owned(), file);
            self.changed = true;
        }
    }
}
