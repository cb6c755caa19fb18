//! Whether a signature was made by a key over a message: Ed25519 strictly, ESP256 if it is built in.
//!
//! Touches: `ed25519-dalek`; `p256` with the feature `esp256`. Source: RFC 8032, RFC 9864.
//! Never: knows what the message means; `envelope.rs` says what is signed.

#[cfg(test)]
mod tests;

use crate::trust::{Algorithm, PublicKey};

/// Length of a signature of either algorithm, bytes.
pub(crate) const SIGNATURE_LEN: usize = 64;

/// Whether `key` made this signature, the only one accepted for it if the key is Ed25519.
pub(crate) fn verify(key: &PublicKey, message: &[u8], signature: &[u8; SIGNATURE_LEN]) -> bool {
    match key.algorithm {
        Algorithm::Ed25519 => verify_ed25519(key.as_bytes(), message, signature).is_some(),
        Algorithm::Esp256 => verify_esp256(key.as_bytes(), message, signature).is_some(),
    }
}

/// No small-order keys, no small-order R, no S at or above the group order.
fn verify_ed25519(key: &[u8], message: &[u8], signature: &[u8; SIGNATURE_LEN]) -> Option<()> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(key.try_into().ok()?).ok()?;
    key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(signature)).ok()
}

/// Either of the two values of s: hardware makes both, and nothing here names an object by its signature
/// alone.
#[cfg(feature = "esp256")]
fn verify_esp256(key: &[u8], message: &[u8], signature: &[u8; SIGNATURE_LEN]) -> Option<()> {
    use p256::ecdsa::signature::Verifier as _;
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(key).ok()?;
    key.verify(message, &p256::ecdsa::Signature::from_slice(signature).ok()?).ok()
}

/// The format has room for it; a device that holds such a key refuses what it signed.
#[cfg(not(feature = "esp256"))]
const fn verify_esp256(_: &[u8], _: &[u8], _: &[u8; SIGNATURE_LEN]) -> Option<()> {
    None
}
