//! Who is asking, as HTTP spells it. Source: RFC 7617, RFC 4648.
//!
//! Touches: nothing. Entered from: `exchange`, which decides where this may be sent.
//! Never: prints the secret.

use lapwing_core::DeviceId;
use lapwing_core::wire::claim::DeviceSecret;
use std::fmt::Write;

/// Who is asking.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Its name.
    pub device: DeviceId,
    /// What only it and, hashed, the server know.
    pub secret: DeviceSecret,
}

/// `Basic` credentials: the device's id, and its secret in hexadecimal digits.
pub(super) fn basic(who: &Credentials) -> String {
    let mut pair = format!("{}:", who.device);
    for byte in who.secret.0 {
        // Writing to a string cannot fail.
        let _ = write!(pair, "{byte:02x}");
    }
    format!("Basic {}", base64(pair.as_bytes()))
}

/// RFC 4648 section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for piece in bytes.chunks(3) {
        let group = [0, 1, 2].map(|at| u32::from(piece.get(at).copied().unwrap_or(0)));
        let bits = group[0] << 16 | group[1] << 8 | group[2];
        for digit in 0..4 {
            let index = bits >> (18 - 6 * digit) & 63;
            let letter = ALPHABET.get(index as usize).copied().unwrap_or(b'=');
            text.push(if digit > piece.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_as_in_its_specification() {
        for (plain, spelled) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("a?>", "YT8+")]
        {
            assert_eq!(base64(plain.as_bytes()), spelled);
        }
    }
}
