//! Turns a good input into a bad one, the same way for the same seed.
//!
//! Never: reads a clock or a random source; a failure must come back by its seed.

/// No mutated input is longer.
pub(crate) const INPUT_BYTES_MAX: usize = 8192;
const MUTATIONS_MAX: usize = 6;

/// Bytes that mean something: lengths at their edges, CBOR heads of every kind, breaks and floats.
const TELLING: &[u8] = &[
    0x00, 0x01, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x20, 0x3b, 0x40, 0x58, 0x5b, 0x5f, 0x60, 0x7b, 0x7f, 0x80,
    0x84, 0x9b, 0x9f, 0xa0, 0xa1, 0xbb, 0xbf, 0xc0, 0xd2, 0xdb, 0xf4, 0xf5, 0xf6, 0xf7, 0xf9, 0xfb, 0xff,
];

/// A small generator of numbers (xorshift64*): good enough to choose what to break.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `bound`; zero if `bound` is.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap_or(0).checked_rem(bound).unwrap_or(0)
    }
}

/// `input` with a few things broken, `other` being a source of foreign parts.
pub(crate) fn mutate(input: &[u8], other: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=numbers.below(MUTATIONS_MAX) {
        mutate_once(&mut bytes, other, numbers);
        bytes.truncate(INPUT_BYTES_MAX);
    }
    bytes
}

fn mutate_once(bytes: &mut Vec<u8>, other: &[u8], numbers: &mut Numbers) {
    let at = numbers.below(bytes.len());
    let end = at + numbers.below(bytes.len() - at + 1);
    let telling = TELLING[numbers.below(TELLING.len())];
    match numbers.below(8) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..end)),
        2 => bytes.insert(at, telling),
        3 => {
            let part = bytes[at..end].to_vec();
            bytes.splice(at..at, part);
        }
        4 => {
            let from = numbers.below(other.len());
            let part = other[from..].iter().take(1 + numbers.below(64)).copied();
            drop(bytes.splice(at..end, part));
        }
        5 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = telling),
        6 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = byte.wrapping_add(1)),
        _ => {
            let bit = 1 << numbers.below(8);
            bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= bit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_breaks_the_same_things() {
        let run = |seed| {
            let mut numbers = Numbers::seeded(seed);
            (0..100).map(|_| mutate(b"lapwing", b"other", &mut numbers)).collect::<Vec<_>>()
        };
        assert_eq!(run(7), run(7));
        assert_ne!(run(7), run(8));
    }

    #[test]
    fn nothing_is_too_short_to_break() {
        let mut numbers = Numbers::seeded(1);
        for _ in 0..10_000 {
            assert!(mutate(b"", b"", &mut numbers).len() <= INPUT_BYTES_MAX);
        }
    }
}
