//! Who this device is to its fleet: the secret that it made itself, and the token to claim with.
//!
//! The secret is made and durable before it is ever sent, so that the same claim can be repeated.
//! Touches: `durable`, the system's randomness. Never: logs either.

use crate::device_dir::DeviceDir;
use crate::durable::{self, Readers};
use lapwing_core::wire::claim::{ClaimToken, DeviceSecret};
use lapwing_core::{Digest, Nonce};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Two hexadecimal digits a byte, and some room for a line end.
const HEX_FILE_BYTES_MAX: u64 = 80;

/// Whether this device has ever prepared to talk.
pub(crate) fn has_secret(dir: &DeviceDir) -> bool {
    dir.secret().exists()
}

/// The device's secret, made now if it has none.
pub(crate) fn secret(dir: &DeviceDir) -> io::Result<DeviceSecret> {
    if let Some(text) = read_text(&dir.secret())? {
        let digits: Digest = text.parse().map_err(io::Error::other)?;
        return Ok(DeviceSecret(*digits.as_bytes()));
    }
    let mut secret = [0; Digest::LEN];
    getrandom::fill(&mut secret).map_err(io::Error::other)?;
    let text = format!("{}\n", Digest::from_bytes(secret));
    durable::write(&dir.secret(), text.as_bytes(), Readers::OwnerOnly)?;
    Ok(DeviceSecret(secret))
}

/// The token to claim with, until the claim was accepted.
pub(crate) fn claim_token(dir: &DeviceDir) -> io::Result<Option<ClaimToken>> {
    let Some(text) = read_text(&dir.claim_token())? else { return Ok(None) };
    let halves = text.split_at_checked(2 * size_of::<Nonce>());
    let (first, second) = halves.ok_or(ErrorKind::InvalidData)?;
    let half = |text: &str| text.parse::<Nonce>().map_err(io::Error::other);
    let mut token = [0; 16];
    token[..8].copy_from_slice(&half(first)?.0);
    token[8..].copy_from_slice(&half(second)?.0);
    Ok(Some(ClaimToken(token)))
}

/// The claim was accepted: its token is of no more use.
pub(crate) fn forget_claim_token(dir: &DeviceDir) -> io::Result<()> {
    durable::remove(&dir.claim_token())
}

fn read_text(path: &Path) -> io::Result<Option<String>> {
    let Some(bytes) = durable::read(path, HEX_FILE_BYTES_MAX)? else { return Ok(None) };
    let text = String::from_utf8(bytes).map_err(io::Error::other)?;
    Ok(Some(text.trim().to_owned()))
}
