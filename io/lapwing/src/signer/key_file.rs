//! The private key file: one readable text, mode 0600, with its role written on it.
//!
//! Touches: files, the random source. The server knows the format too, and refuses to start
//! where it can reach such a file of any role but `online`.

use super::{Hand, Key};
use crate::exit::{Code, Refusal};
use crate::{durable, hex, output};
use anyhow::{Context, Result, anyhow};
use ed25519_dalek::SigningKey;
use lapwing_core::trust::PublicKey;
use serde::Deserialize;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

const FIRST_LINE: &str = "lapwing-private-key 1";
const KEY_FILE_BYTES_MAX: usize = 4096;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KeyRole {
    /// Signs root documents.
    Root,
    /// Signs releases.
    Release,
    /// Signs delegations.
    Delegator,
    /// Signs offers and statuses; the server's.
    Online,
}

impl fmt::Display for KeyRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Root => "root",
            Self::Release => "release",
            Self::Delegator => "delegator",
            Self::Online => "online",
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    role: KeyRole,
    algorithm: String,
    public: String,
    secret: String,
}

/// Makes a key and its file, which must not be there yet.
pub(crate) fn make_key_file(path: &Path, role: KeyRole) -> Result<PublicKey> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| anyhow!("make a key: no randomness to be had: {error}"))?;
    let secret = SigningKey::from_bytes(&seed);
    let public = PublicKey::ed25519(secret.verifying_key().as_bytes());
    let text = format!(
        "{FIRST_LINE}\nrole = \"{role}\"\nalgorithm = \"ed25519\"\npublic = \"{}\"\nsecret = \"{}\"\n",
        hex::encode(public.as_bytes()),
        hex::encode(&seed),
    );
    let attempt = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(durable::PRIVATE).open(path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        durable::sync_parent(path)
    };
    attempt().with_context(|| format!("make the key file {}", path.display()))?;
    Ok(public)
}

/// Reads a key file, if nobody but its owner can.
///
/// # Errors
/// A refusal with code `Policy` if group or others have any access; the secret is then not read.
pub(crate) fn read_key_file(path: &Path) -> Result<(KeyRole, Key)> {
    let reading = || format!("read the key file {}", path.display());
    let mode = fs::metadata(path)
        .map_err(|_| {
            Refusal::new(Code::NotFound, format!("find the key file {}", path.display()))
                .advice("`lapwing key new` makes one, `lapwing key show` lists those at hand")
        })?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        let what = format!("read the key file {}: its mode is {:03o}", path.display(), mode & 0o777);
        let advice = format!("if nobody can have copied it: chmod 600 {}", path.display());
        return Err(Refusal::new(Code::Policy, what).advice(advice).into());
    }
    let text = String::from_utf8(durable::read_at_most(path, KEY_FILE_BYTES_MAX)?).with_context(reading)?;
    parse(&text, path).with_context(reading)
}

/// Says once per command what keys in files are good for.
pub(crate) fn warn_of_files(keys: &[Key]) {
    if keys.iter().any(Key::is_file) {
        output::note(
            "signing with a key file, which is for trials: whoever reads it can sign too. \
             Keep the keys of real devices in an HSM behind --signer-command",
        );
    }
}

fn parse(text: &str, path: &Path) -> Result<(KeyRole, Key)> {
    let fields =
        text.strip_prefix(FIRST_LINE).with_context(|| format!("its first line is not `{FIRST_LINE}`"))?;
    // The parser's own message could show the secret's line.
    let Fields { role, algorithm, public, secret } =
        toml::from_str(fields).map_err(|_| anyhow!("its fields are not those of a key file"))?;
    if algorithm != "ed25519" {
        return Err(anyhow!("its algorithm is not ed25519"));
    }
    let seed = hex::decode::<32>(&secret).context("its secret is not 64 hexadecimal digits")?;
    let secret = SigningKey::from_bytes(&seed);
    if hex::decode(&public).as_ref() != Some(secret.verifying_key().as_bytes()) {
        return Err(anyhow!("its public and its secret half do not belong together"));
    }
    let public = PublicKey::ed25519(secret.verifying_key().as_bytes());
    Ok((role, Key { public, hand: Hand::File { secret: Box::new(secret), path: path.to_owned() } }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_private_and_comes_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("release.key");
        let public = make_key_file(&path, KeyRole::Release).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let (role, key) = read_key_file(&path).unwrap();
        assert_eq!((role, key.public()), (KeyRole::Release, &public));
        assert!(make_key_file(&path, KeyRole::Root).is_err(), "a key is never overwritten");
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("release.key");
        make_key_file(&path, KeyRole::Release).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let error = read_key_file(&path).err().unwrap();
        assert_eq!(error.downcast_ref::<Refusal>().unwrap().code(), Code::Policy);
    }

    #[test]
    fn damaged_key_files_are_refused_without_showing_the_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("release.key");
        make_key_file(&path, KeyRole::Release).unwrap();
        let good = fs::read_to_string(&path).unwrap();
        let secret = good.lines().find(|line| line.starts_with("secret")).unwrap().to_owned();
        for bad in [
            good.replace("lapwing-private-key 1", "lapwing-private-key 2"),
            good.replace("ed25519", "rot13"),
            good.replace("public = \"", "public = \"00"),
            good.replace("secret = \"", "secret = \"\n"),
            good.replace("role", "rule"),
        ] {
            let error = parse(&bad, &path).err().unwrap();
            assert!(!format!("{error:#}").contains(&secret[10..]), "{error:#}");
        }
    }
}
