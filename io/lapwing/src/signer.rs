//! Private keys exist only here: as files, for trials, or behind an external signer.
//!
//! Touches: key files (mode 0600), the random source to make keys, the external signer's process.
//! Never: shows, logs or copies a secret.

mod key_file;
mod seal;

pub(crate) use key_file::{KeyRole, make_key_file, read_key_file};
pub(crate) use seal::{add_signatures, seal};

use crate::exit::{Code, Refusal};
use crate::hex;
use anyhow::{Context, Result, bail};
use ed25519_dalek::{Signer as _, SigningKey};
use lapwing_core::trust::{Algorithm, PublicKey};
use std::fmt;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Length of a signature, bytes.
pub(crate) const SIGNATURE_LEN: usize = 64;

/// Something that can sign, and the public key that its signatures answer to.
pub(crate) struct Key {
    public: PublicKey,
    hand: Hand,
}

enum Hand {
    File { secret: Box<SigningKey>, path: PathBuf },
    Command(String),
}

impl Key {
    /// A key behind a command that reads the message from standard input and writes the raw signature
    /// to standard output.
    pub(crate) fn behind_command(command: &str, public: PublicKey) -> Self {
        Self { public, hand: Hand::Command(command.to_owned()) }
    }

    /// The public half.
    pub(crate) fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Whether the secret lies in a file, which is good enough for trials only.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self.hand, Hand::File { .. })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hand {
            Hand::File { path, .. } => write!(f, "key {} in {}", self.public.id(), path.display()),
            Hand::Command(_) => write!(f, "key {} of the signer command", self.public.id()),
        }
    }
}

/// Signs `message`.
///
/// # Errors
/// If the external signer cannot be run, fails, or answers anything but 64 bytes.
pub(crate) fn sign(key: &Key, message: &[u8]) -> Result<[u8; SIGNATURE_LEN]> {
    match &key.hand {
        Hand::File { secret, .. } => Ok(secret.sign(message).to_bytes()),
        Hand::Command(command) => sign_by_command(command, message),
    }
}

fn sign_by_command(command: &str, message: &[u8]) -> Result<[u8; SIGNATURE_LEN]> {
    let mut signer = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("start the signer command")?;
    if let Some(mut input) = signer.stdin.take() {
        // A signer that does not read its input is judged by its answer.
        let _ = input.write_all(message);
    }
    let output = signer.wait_with_output().context("wait for the signer command")?;
    if !output.status.success() {
        bail!("sign: the signer command ended with {}", output.status);
    }
    let length = output.stdout.len();
    let wrong =
        || format!("sign: the signer command gave {length} bytes, a raw signature has {SIGNATURE_LEN}");
    output.stdout.try_into().ok().with_context(wrong)
}

/// Parses a public key: `ed25519:` and 64 hexadecimal digits, or these alone; or `esp256:` and the 66 of a
/// compressed point, for an external signer that has no Ed25519.
pub(crate) fn parse_public(text: &str) -> Result<PublicKey, String> {
    let key = match text.split_once(':').unwrap_or(("ed25519", text)) {
        ("esp256", digits) => hex::decode(digits).map(|point| PublicKey::esp256(&point)),
        ("ed25519", digits) => hex::decode(digits).map(|bytes| PublicKey::ed25519(&bytes)),
        _ => None,
    };
    key.ok_or_else(|| "a public key is ed25519: and 64 hexadecimal digits, or esp256: and 66".to_owned())
}

/// A public key as [`parse_public`] reads it.
pub(crate) fn public_in_words(key: &PublicKey) -> String {
    let algorithm = match key.algorithm {
        Algorithm::Ed25519 => "ed25519",
        Algorithm::Esp256 => "esp256",
    };
    format!("{algorithm}:{}", hex::encode(key.as_bytes()))
}

/// The complaint when nothing is there to sign with.
pub(crate) fn no_key(role: KeyRole) -> Refusal {
    Refusal::new(Code::NotFound, format!("sign: no {role} key is at hand"))
        .advice("name key files with --key, or an external signer with --signer-command and --signer-public")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_keys_are_read_as_they_are_written() {
        let check = |text: &str| assert_eq!(public_in_words(&parse_public(text).unwrap()), text);
        check(&format!("ed25519:{}", "0f".repeat(32)));
        check(&format!("esp256:02{}", "0f".repeat(32)));
        assert_eq!(parse_public(&"0f".repeat(32)), parse_public(&format!("ed25519:{}", "0f".repeat(32))));
        for wrong in ["", "ed25519:", "rsa:0f", &"0f".repeat(33), &format!("esp256:{}", "0f".repeat(32))] {
            assert!(parse_public(wrong).is_err(), "{wrong}");
        }
    }
}
