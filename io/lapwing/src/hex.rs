//! Bytes as hexadecimal digits, for what has no type of its own in `lapwing-core`.
//!
//! Touches: nothing.

/// The digits of `bytes`, lower case.
pub(crate) fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Exactly `N` bytes from twice as many digits.
pub(crate) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect::<Option<_>>()?;
    let bytes: Vec<u8> =
        digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    (digits.len() == N * 2).then(|| bytes.try_into().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_back_as_bytes() {
        assert_eq!(decode::<2>(&encode(&[0x0a, 0xff])), Some([0x0a, 0xff]));
        for wrong in ["", "0", "0aff0", "0aff00", "0ag0"] {
            assert_eq!(decode::<2>(wrong), None, "{wrong}");
        }
    }
}
