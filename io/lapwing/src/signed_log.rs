//! What was signed here: one line a release, so that no seq is given to two releases.
//!
//! Touches: `signed.jsonl` in the signing directory. Only ever grows.
//! Never: is needed to verify anything; it is a memory, not a proof.

use crate::durable;
use crate::exit::{Code, Refusal};
use anyhow::{Context, Result};
use lapwing_core::{ComponentName, Digest, HardwareClass, Release};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// One signed release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SignedRelease {
    /// Its component.
    pub(crate) component: String,
    /// Its hardware classes, by their ids.
    pub(crate) hardware: Vec<String>,
    /// Its seq.
    pub(crate) seq: u64,
    /// Its version.
    pub(crate) version: String,
    /// Its security version.
    pub(crate) security_version: u32,
    /// The floor it raises devices to.
    pub(crate) raise_to: u32,
    /// Digest of its image.
    pub(crate) image: String,
    /// Digest of what was signed, so that the same statement is known again.
    pub(crate) payload: String,
}

impl SignedRelease {
    /// The line for a release and its payload.
    pub(crate) fn of(release: &Release, payload: &[u8]) -> Self {
        Self {
            component: release.component.to_string(),
            hardware: release.hardware.iter().map(HardwareClass::to_string).collect(),
            seq: release.seq,
            version: release.version.to_string(),
            security_version: release.security_version,
            raise_to: release.raise_to,
            image: release.image.to_string(),
            payload: Digest::of(payload).to_string(),
        }
    }

    /// Refuses another statement with the seq or the version of this one.
    ///
    /// # Errors
    /// A refusal with code `Conflict`.
    pub(crate) fn refuse_twice(&self, other: &Release) -> Result<()> {
        let (taken, advice) = if self.seq == other.seq {
            (format!("seq {}", self.seq), "create the release with a higher --seq, or without one")
        } else if self.version == other.version.as_str() {
            (format!("version {}", self.version), "create the release with a higher --release-version")
        } else {
            return Ok(());
        };
        let what = format!(
            "sign: {taken} of {} was given to another release, version {} seq {}",
            self.component, self.version, self.seq
        );
        Err(Refusal::new(Code::Conflict, what).advice(advice).into())
    }

    fn is_for(&self, component: &ComponentName, hardware: &[HardwareClass]) -> bool {
        let shares = |class: &HardwareClass| self.hardware.contains(&class.to_string());
        self.component == component.as_str() && hardware.iter().any(shares)
    }
}

/// The lines so far.
pub(crate) struct SignedLog {
    path: PathBuf,
    lines: Vec<SignedRelease>,
}

impl SignedLog {
    /// Reads the log; none yet is an empty one.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            other => other.with_context(|| format!("read {}", path.display()))?,
        };
        let parse = |(at, line): (usize, &str)| {
            serde_json::from_str(line).with_context(|| format!("read {}: line {}", path.display(), at + 1))
        };
        let lines = text.lines().enumerate().map(parse).collect::<Result<_>>()?;
        Ok(Self { path: path.to_owned(), lines })
    }

    /// The releases of a component that share a hardware class with `hardware`, oldest first.
    pub(crate) fn of<'a>(
        &'a self,
        component: &'a ComponentName,
        hardware: &'a [HardwareClass],
    ) -> impl DoubleEndedIterator<Item = &'a SignedRelease> {
        self.lines.iter().filter(|line| line.is_for(component, hardware))
    }

    /// Every version that was ever signed here.
    pub(crate) fn versions(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|line| line.version.as_str())
    }

    /// Notes a release, before its signature leaves this machine.
    ///
    /// # Errors
    /// A refusal with code `Conflict` if its seq or version was given to another statement.
    pub(crate) fn note(&mut self, release: &Release, payload: &[u8]) -> Result<()> {
        let _alone = durable::lock(&self.path)?;
        self.lines = Self::read(&self.path)?.lines;
        let line = SignedRelease::of(release, payload);
        if self.lines.contains(&line) {
            return Ok(());
        }
        self.of(&release.component, &release.hardware).try_for_each(|taken| taken.refuse_twice(release))?;
        self.lines.push(line);
        let lines = self.lines.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
        durable::write(&self.path, format!("{}\n", lines.join("\n")).as_bytes(), durable::PUBLIC)
    }
}
