//! Bytes as hexadecimal digits, for what has no type of its own in `lapwing-core`.
//!
//! Touches: nothing.

/// The digits of `bytes`, lower case.
pub(crate) fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Exactly `N` bytes from twice as many digits.
pub(crate) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    decode_all(text, N)?.try_into().ok()
}

/// At most `limit` bytes from twice as many digits.
pub(crate) fn decode_all(text: &str, limit: usize) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    let digit = |c: u8| char::from(c).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let byte = |pair: &[u8]| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    };
    (pairs.len() <= limit).then(|| pairs.map(byte).collect()).flatten()
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
