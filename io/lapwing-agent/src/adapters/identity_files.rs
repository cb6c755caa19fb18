//! Who this device is to its fleet: the secret that it made itself and the token to claim with, or what it was
//! given instead, to talk CoAP.
//!
//! The secret is made and durable before it is ever sent, so that the same claim can be repeated.
//! Touches: `durable`, the system's randomness. Never: logs either.

use crate::device_dir::DeviceDir;
use crate::durable::{self, Readers};
use lapwing_core::wire::claim::{ClaimToken, DeviceSecret};
use lapwing_core::{Digest, Nonce};
use std::io::{self, ErrorKind};
use std::path::Path;

/// Two hexadecimal digits a byte, and some room for a line end and what else a context has; a login.
const HEX_FILE_BYTES_MAX: u64 = 128;

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
    match context(dir)? {
        Some(given) => secret = given.secret.0,
        None => getrandom::fill(&mut secret).map_err(io::Error::other)?,
    }
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

/// A security context as it was provisioned, and as far as its numbers are reserved.
pub(crate) struct Context {
    pub(crate) kid: Vec<u8>,
    pub(crate) secret: DeviceSecret,
    pub(crate) reserved: u64,
}

/// The security context, if this device was given one. A file that cannot be read is an error and never a beginning:
/// no number may be used twice.
pub(crate) fn context(dir: &DeviceDir) -> io::Result<Option<Context>> {
    let Some(text) = read_text(&dir.context())? else { return Ok(None) };
    let mut words = text.split(' ');
    let mut word = || words.next().ok_or(ErrorKind::InvalidData);
    let (kid, secret, reserved) = (word()?, word()?, word()?);
    let secret: Digest = secret.parse().map_err(io::Error::other)?;
    Ok(Some(Context {
        kid: bytes(kid).ok_or(ErrorKind::InvalidData)?,
        secret: DeviceSecret(*secret.as_bytes()),
        reserved: reserved.parse().map_err(io::Error::other)?,
    }))
}

/// Makes it durable that numbers below `reserved` may be used.
pub(crate) fn reserve(dir: &DeviceDir, context: &Context, reserved: u64) -> io::Result<()> {
    let kid: String = context.kid.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = format!("{kid} {} {reserved}\n", Digest::from_bytes(context.secret.0));
    durable::write(&dir.context(), text.as_bytes(), Readers::OwnerOnly)
}

/// `user:password` for the broker, if it wants them.
#[cfg(feature = "wake-mqtt")]
pub(crate) fn broker_login(dir: &DeviceDir) -> io::Result<Option<String>> {
    read_text(&dir.broker_login())
}

/// Two hexadecimal digits a byte.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let byte = |at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    (0..digits.len()).step_by(2).map(byte).collect()
}

fn read_text(path: &Path) -> io::Result<Option<String>> {
    let Some(bytes) = durable::read(path, HEX_FILE_BYTES_MAX)? else { return Ok(None) };
    let text = String::from_utf8(bytes).map_err(io::Error::other)?;
    Ok(Some(text.trim().to_owned()))
}
