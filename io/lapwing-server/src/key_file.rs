//! Private key files: the online key this server may hold, and the others it must not come near.
//!
//! Touches: files below the data directory and those the configuration names.
//! Never: starts, or lets start, a server that could read a root, release or delegator key.

use crate::durable::{read_if_there, write_file};
use crate::limits::{KEY_SEARCH_DEPTH_MAX, KEY_SEARCH_FILES_MAX};
use ed25519_dalek::SigningKey;
use hmac::{Hmac, KeyInit, Mac};
use lapwing_core::wire::claim::DeviceSecret;
use lapwing_core::{DeviceId, Digest};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The first line of every private key file.
const MAGIC: &str = "lapwing-private-key 1";

/// Why the server's keys are not as they must be.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file could not be read or written.
    #[error("reading or writing {0}")]
    Io(PathBuf, #[source] io::Error),
    /// A file with the first line of a key file says nothing sensible after it.
    #[error("{0} is not a readable key file")]
    Unreadable(PathBuf),
    /// A key that this server must not be able to read.
    #[error("{path} holds a private key of role {role:?}, which a server must not be able to read")]
    ForbiddenRole {
        /// Where.
        path: PathBuf,
        /// Which.
        role: String,
    },
    /// No random numbers.
    #[error("no random numbers: {0}")]
    NoRandomness(getrandom::Error),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    role: String,
    algorithm: String,
    public: String,
    secret: String,
}

/// The online key in `path`, made now if there is none.
///
/// # Errors
/// See [`KeyError`].
pub(crate) fn online_key(path: &Path) -> Result<SigningKey, KeyError> {
    let io_error = |error| KeyError::Io(path.to_owned(), error);
    if let Some(text) = read_if_there(path).map_err(io_error)? {
        return parse_online(&text, path);
    }
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(KeyError::NoRandomness)?;
    let key = SigningKey::from_bytes(&secret);
    let text = format!(
        "{MAGIC}\nrole = \"online\"\nalgorithm = \"ed25519\"\npublic = \"{}\"\nsecret = \"{}\"\n",
        hex(key.verifying_key().as_bytes()),
        hex(&secret)
    );
    write_file(path, text.as_bytes(), 0o600).map_err(io_error)?;
    Ok(key)
}

/// What the secrets of devices that talk CoAP are derived from.
#[derive(Clone)]
pub(crate) struct OscoreKey([u8; 32]);

impl OscoreKey {
    /// The key in `path`, made now if there is none.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub(crate) fn load(path: &Path) -> Result<Self, KeyError> {
        let io_error = |error| KeyError::Io(path.to_owned(), error);
        if let Some(text) = read_if_there(path).map_err(io_error)? {
            let digits: Digest = text.trim().parse().map_err(|_| KeyError::Unreadable(path.to_owned()))?;
            return Ok(Self(*digits.as_bytes()));
        }
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(KeyError::NoRandomness)?;
        write_file(path, format!("{}\n", hex(&secret)).as_bytes(), 0o600).map_err(io_error)?;
        Ok(Self(secret))
    }

    /// The secret of the device that has the context of this number.
    pub(crate) fn secret(&self, number: u64, device: &DeviceId) -> DeviceSecret {
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.0);
        let mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
        let mac = mac.chain_update(number.to_be_bytes()).chain_update(device.as_str());
        DeviceSecret(mac.finalize().into_bytes().into())
    }
}

fn parse_online(text: &str, path: &Path) -> Result<SigningKey, KeyError> {
    let unreadable = || KeyError::Unreadable(path.to_owned());
    let file = parse(text).ok_or_else(unreadable)?;
    if file.role != "online" {
        return Err(KeyError::ForbiddenRole { path: path.to_owned(), role: file.role });
    }
    let secret: Digest = file.secret.parse().map_err(|_| unreadable())?;
    let key = SigningKey::from_bytes(secret.as_bytes());
    let same = file.algorithm == "ed25519" && hex(key.verifying_key().as_bytes()) == file.public;
    same.then_some(key).ok_or_else(unreadable)
}

fn parse(text: &str) -> Option<KeyFile> {
    let rest = text.strip_prefix(MAGIC)?;
    toml::from_str(rest).ok()
}

/// Refuses if a private key of another role than `online` lies in one of these files or below one of
/// these directories. Blobs are passed over: they are named by digest and were sent by others.
///
/// # Errors
/// [`KeyError::ForbiddenRole`] for the first one found.
pub(crate) fn refuse_foreign_keys(places: &[&Path], skip: &Path) -> Result<(), KeyError> {
    let mut files = KEY_SEARCH_FILES_MAX;
    places.iter().try_for_each(|place| search(place, skip, KEY_SEARCH_DEPTH_MAX, &mut files))
}

fn search(place: &Path, skip: &Path, depth: u8, files: &mut usize) -> Result<(), KeyError> {
    let io_error = |error| KeyError::Io(place.to_owned(), error);
    if place == skip || depth == 0 || *files == 0 || !place.exists() {
        return Ok(());
    }
    if place.is_dir() {
        for entry in std::fs::read_dir(place).map_err(io_error)? {
            search(&entry.map_err(io_error)?.path(), skip, depth - 1, files)?;
        }
        return Ok(());
    }
    *files -= 1;
    if !place.is_file() || !begins_with_magic(place).map_err(io_error)? {
        return Ok(());
    }
    let text = std::fs::read_to_string(place).map_err(io_error)?;
    let role = parse(&text).map_or_else(|| "unreadable".to_owned(), |file| file.role);
    if role == "online" {
        return Ok(());
    }
    Err(KeyError::ForbiddenRole { path: place.to_owned(), role })
}

fn begins_with_magic(path: &Path) -> io::Result<bool> {
    let mut head = Vec::with_capacity(MAGIC.len());
    File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut head)?;
    Ok(head == MAGIC.as_bytes())
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_online_key_is_made_once_and_only_its_owner_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("online.key");
        let made = online_key(&path).unwrap();
        assert_eq!(online_key(&path).unwrap().to_bytes(), made.to_bytes());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(refuse_foreign_keys(&[dir.path()], Path::new("")).is_ok());
    }

    #[test]
    fn a_release_key_in_reach_is_refused_however_deep() {
        for role in ["release", "root", "delegator"] {
            let dir = tempfile::tempdir().unwrap();
            std::fs::create_dir_all(dir.path().join("a/b")).unwrap();
            let text = format!(
                "{MAGIC}\nrole = \"{role}\"\nalgorithm = \"ed25519\"\npublic = \"\"\nsecret = \"\"\n"
            );
            std::fs::write(dir.path().join("a/b/key"), text).unwrap();
            let refused = refuse_foreign_keys(&[dir.path()], Path::new(""));
            assert!(matches!(refused, Err(KeyError::ForbiddenRole { role: found, .. }) if found == role));
        }
    }
}
