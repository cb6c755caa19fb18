//! The directory of the signing side: key files, root documents, delegations, what was signed.
//!
//! Touches: `keys/ROLE.key`, `trust/root-N.cbor`, `trust/delegation-N.cbor`, `fleet`, `hardware`,
//! `signed.jsonl`.
//! Never: lies where the server can read; the server refuses to start if it does.

use crate::durable::{self, PUBLIC};
use crate::exit::{Code, Refusal};
use crate::hardware::Hardware;
use crate::signed_log::SignedLog;
use crate::signer::{self, Key, KeyRole};
use crate::trust_chain::{TrustChain, peek_delegation};
use anyhow::{Context, Result};
use lapwing_core::FleetId;
use lapwing_core::limits::ENVELOPE_BYTES_MAX;
use lapwing_core::trust::{PublicKey, RoleName};
use std::fs;
use std::path::{Path, PathBuf};

const HARDWARE_FILE: &str = "hardware";
const HARDWARE_FILE_BYTES_MAX: usize = 64 * 1024;
const DIR_MODE: u32 = 0o700;
/// Key files of one role that are looked for.
const KEY_FILES_MAX: usize = 16;

/// The directory.
pub(crate) struct SigningDir {
    path: PathBuf,
    fleet: FleetId,
}

impl SigningDir {
    /// Makes the directory for a fleet, or opens it if it is this fleet's already.
    pub(crate) fn make(path: &Path, fleet: Option<FleetId>) -> Result<Self> {
        if path.join("fleet").exists() {
            let dir = Self::open(path)?;
            let what = || format!("make {}: it belongs to fleet {}", path.display(), dir.fleet);
            return match fleet.is_none_or(|fleet| fleet == dir.fleet) {
                true => Ok(dir),
                false => Err(Refusal::new(Code::Conflict, what())
                    .advice("choose another --dir for this fleet")
                    .into()),
            };
        }
        let fleet = match fleet {
            Some(fleet) => fleet,
            None => random_fleet()?,
        };
        durable::make_dir(&path.join("keys"), DIR_MODE)?;
        durable::make_dir(&path.join("trust"), DIR_MODE)?;
        durable::write(&path.join("fleet"), format!("{fleet}\n").as_bytes(), PUBLIC)?;
        Ok(Self { path: path.to_owned(), fleet })
    }

    /// Opens a directory that was made before.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let missing = || {
            Refusal::new(Code::NotFound, format!("find the signing directory {}", path.display()))
                .advice("make it with `lapwing key init --dir DIR`, or name yours with --dir or LAPWING_DIR")
        };
        let text = fs::read_to_string(path.join("fleet")).map_err(|_| missing())?;
        let fleet = text.trim().parse().with_context(|| format!("read {}/fleet", path.display()))?;
        Ok(Self { path: path.to_owned(), fleet })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whose keys it holds.
    pub(crate) fn fleet(&self) -> FleetId {
        self.fleet
    }

    /// Makes one more key of a role in a file.
    pub(crate) fn make_key(&self, role: KeyRole) -> Result<(PathBuf, PublicKey)> {
        let path = self.key_paths(role).find(|path| !path.exists());
        let path = path.context("make a key: this role has all the key files it may have")?;
        let public = signer::make_key_file(&path, role)?;
        Ok((path, public))
    }

    /// The keys of a role that lie here as files.
    pub(crate) fn keys(&self, role: KeyRole) -> Result<Vec<Key>> {
        let files = self.key_paths(role).filter(|path| path.exists());
        files.map(|path| signer::read_key_file(&path).map(|(_, key)| key)).collect()
    }

    /// The root documents.
    pub(crate) fn chain(&self) -> Result<TrustChain> {
        let paths: Vec<PathBuf> = (1..).map(|n| self.root_path(n)).take_while(|path| path.exists()).collect();
        if paths.is_empty() {
            let what = format!("find a root document in {}", self.path.display());
            let advice = "make it with `lapwing key root create`, or in one go with `lapwing key enroll`";
            return Err(Refusal::new(Code::NotFound, what).advice(advice).into());
        }
        TrustChain::read(&paths)
    }

    /// Whether there is a root document.
    pub(crate) fn has_root(&self) -> bool {
        self.root_path(1).exists()
    }

    /// Whether the newest root document knows this key as a delegator's.
    pub(crate) fn delegates(&self, key: &PublicKey) -> bool {
        let known = |chain: TrustChain| chain.newest().keys_of(RoleName::Delegator).any(|held| held == key);
        self.chain().is_ok_and(known)
    }

    /// Where root document `version` lies.
    pub(crate) fn root_path(&self, version: u32) -> PathBuf {
        self.path.join(format!("trust/root-{version}.cbor"))
    }

    /// Where root document `version` waits for more signatures.
    pub(crate) fn partial_root_path(&self, version: u32) -> PathBuf {
        self.path.join(format!("trust/root-{version}.partial.cbor"))
    }

    /// Where delegation `version` lies.
    pub(crate) fn delegation_path(&self, version: u32) -> PathBuf {
        self.path.join(format!("trust/delegation-{version}.cbor"))
    }

    /// The newest delegation, believed or not.
    pub(crate) fn newest_delegation(&self) -> Result<Option<Vec<u8>>> {
        let newest = (1..).map(|n| self.delegation_path(n)).take_while(|path| path.exists()).last();
        newest.map(|path| durable::read_at_most(&path, ENVELOPE_BYTES_MAX)).transpose()
    }

    /// Version of the newest delegation, zero if there is none.
    pub(crate) fn delegation_version(&self) -> Result<u32> {
        let newest = self.newest_delegation()?;
        newest.map_or(Ok(0), |bytes| peek_delegation(&bytes).map(|delegation| delegation.version))
    }

    /// Keeps a signed document.
    pub(crate) fn keep(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        durable::write(path, bytes, PUBLIC)
    }

    /// What was signed here.
    pub(crate) fn log(&self) -> Result<SignedLog> {
        SignedLog::read(&self.path.join("signed.jsonl"))
    }

    /// The hardware classes whose names were used here.
    pub(crate) fn hardware(&self) -> Result<Vec<Hardware>> {
        let path = self.path.join(HARDWARE_FILE);
        if !path.exists() {
            return Ok(Vec::new());
        }
        let text = String::from_utf8(durable::read_at_most(&path, HARDWARE_FILE_BYTES_MAX)?)?;
        let read = || format!("read {}", path.display());
        text.lines().map(str::parse).collect::<Result<_, _>>().with_context(read)
    }

    /// Remembers the names of hardware classes: releases carry their ids only.
    pub(crate) fn know_hardware(&self, hardware: &[Hardware]) -> Result<()> {
        let mut known = self.hardware()?;
        let before = known.len();
        for one in hardware.iter().filter(|hardware| hardware.name.is_some()) {
            if !known.contains(one) {
                known.push(one.clone());
            }
        }
        if known.len() == before {
            return Ok(());
        }
        let text: String = known.iter().map(|hardware| format!("{hardware}\n")).collect();
        durable::write(&self.path.join(HARDWARE_FILE), text.as_bytes(), PUBLIC)
    }

    fn key_paths(&self, role: KeyRole) -> impl Iterator<Item = PathBuf> {
        let keys = self.path.join("keys");
        (1..=KEY_FILES_MAX).map(move |n| match n {
            1 => keys.join(format!("{role}.key")),
            n => keys.join(format!("{role}-{n}.key")),
        })
    }
}

fn random_fleet() -> Result<FleetId> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("choose a fleet id: {error}"))?;
    Ok(FleetId(bytes))
}
