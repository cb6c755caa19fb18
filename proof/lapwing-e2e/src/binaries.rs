//! Where the programs under test are: beside this one, built by `cargo xtask` in one profile.
//!
//! Touches: nothing but paths. Never: builds anything.

use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};

/// The folder of the programs under test.
#[derive(Debug, Clone)]
pub struct Binaries(PathBuf);

impl Binaries {
    /// The programs that were built with this one.
    ///
    /// # Errors
    /// When they were not built: `cargo xtask` does it before it starts whoever asks.
    pub fn find() -> Result<Self> {
        let me = std::env::current_exe().context("find this program")?;
        let folder = me.ancestors().skip(1).find(|folder| folder.join("lapwing").is_file());
        let folder = folder.context("find the program `lapwing`: `cargo xtask test --only e2e` builds it")?;
        Ok(Self(folder.to_owned()))
    }

    /// The program of this name.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The example program, built as this version.
    ///
    /// # Errors
    /// When that version was not built.
    pub fn beacon(&self, version: &str) -> Result<PathBuf> {
        let path = self.0.join("beacons").join(version);
        ensure!(path.is_file(), "no beacon {version} in {}", path.display());
        Ok(path)
    }

    /// The folder itself.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.0
    }
}
