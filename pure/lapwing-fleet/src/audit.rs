//! The audit's chain: every command holds the digest of the one before, so that none can be changed, taken
//! out, put in or moved without all later digests changing.
//!
//! Touches: `lapwing_core::Digest`. The bytes that are hashed stand in formats/audit.md.
//! Never: says who may look; that a chain ends too early shows only against a head that was noted elsewhere.

use lapwing_core::{Digest, UnixSeconds};

/// Something that a person or their tool told the server, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Its place in the chain, from one.
    pub number: u64,
    /// When.
    pub time: UnixSeconds,
    /// The name of the token.
    pub who: String,
    /// Its role then.
    pub role: String,
    /// What was done, `device.pin` for example.
    pub action: String,
    /// To what.
    pub subject: String,
    /// Why, if it was said.
    pub why: Option<String>,
    /// What was there before, as JSON.
    pub before: Option<String>,
    /// What was there afterwards, as JSON.
    pub after: Option<String>,
}

/// Where a chain ends: noted elsewhere, it shows that nothing was cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The number of the last command, zero of an empty chain.
    pub number: u64,
    /// Its digest.
    pub digest: Digest,
}

impl Head {
    /// Of a chain without commands.
    pub const EMPTY: Self = Self { number: 0, digest: Digest::from_bytes([0; Digest::LEN]) };
}

/// Why a chain is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// Another number should stand here.
    #[error("command {expected} is missing; {found} stands in its place")]
    Missing {
        /// The one that should.
        expected: u64,
        /// The one that does.
        found: u64,
    },
    /// Its digest is not that of its bytes behind those before it.
    #[error("command {0} or one before it was changed")]
    Changed(u64),
    /// The chain ends before the command that was noted.
    #[error("the chain ends before command {0}, which was noted elsewhere")]
    CutOff(u64),
}

impl Command {
    /// The same, with what was there before.
    #[must_use]
    pub fn before(self, was: impl ToString) -> Self {
        Self { before: Some(was.to_string()), ..self }
    }

    /// The same, with what is there now.
    #[must_use]
    pub fn after(self, is: impl ToString) -> Self {
        Self { after: Some(is.to_string()), ..self }
    }

    /// The digest of this command behind the one with `previous`.
    #[must_use]
    pub fn digest(&self, previous: Digest) -> Digest {
        let mut bytes = vec![0x8b, 0x01];
        head(&mut bytes, UNSIGNED, self.number);
        head(&mut bytes, UNSIGNED, self.time.0);
        for said in [&self.who, &self.role, &self.action, &self.subject] {
            text(&mut bytes, said);
        }
        for said in [&self.why, &self.before, &self.after] {
            match said {
                Some(said) => text(&mut bytes, said),
                None => bytes.push(NULL),
            }
        }
        head(&mut bytes, BYTES, Digest::LEN as u64);
        bytes.extend(previous.as_bytes());
        Digest::of(&bytes)
    }
}

/// Follows a chain from its beginning, each command with the digest that was kept with it, and past `noted`
/// if that is given. Returns where it ends.
///
/// # Errors
/// The first place at which it is broken.
pub fn follow<'a>(
    chain: impl IntoIterator<Item = (&'a Command, Digest)>,
    noted: Option<Head>,
) -> Result<Head, ChainError> {
    let mut last = Head::EMPTY;
    let mut seen = noted.is_none_or(|noted| noted == last);
    for (command, digest) in chain {
        let expected = last.number.saturating_add(1);
        if command.number != expected {
            return Err(ChainError::Missing { expected, found: command.number });
        }
        if command.digest(last.digest) != digest {
            return Err(ChainError::Changed(expected));
        }
        last = Head { number: expected, digest };
        match noted {
            Some(noted) if noted.number == expected && noted.digest != digest => {
                return Err(ChainError::Changed(expected));
            }
            Some(noted) => seen |= noted == last,
            None => {}
        }
    }
    match noted {
        Some(noted) if !seen => Err(ChainError::CutOff(noted.number)),
        _ => Ok(last),
    }
}

const UNSIGNED: u8 = 0;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const NULL: u8 = 0xf6;

fn text(bytes: &mut Vec<u8>, said: &str) {
    head(bytes, TEXT, said.len() as u64);
    bytes.extend(said.as_bytes());
}

/// The head of a CBOR item in its shortest spelling.
fn head(bytes: &mut Vec<u8>, major: u8, argument: u64) {
    let major = major << 5;
    let [.., a, b, c, d] = argument.to_be_bytes();
    match argument {
        0..=23 => bytes.push(major | d),
        24..=0xff => bytes.extend([major | 24, d]),
        0x100..=0xffff => bytes.extend([major | 25, c, d]),
        0x1_0000..=0xffff_ffff => bytes.extend([major | 26, a, b, c, d]),
        _ => {
            bytes.push(major | 27);
            bytes.extend(argument.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(length: u64) -> Vec<(Command, Digest)> {
        let mut previous = Head::EMPTY.digest;
        let link = |number: u64| {
            let command = Command {
                number,
                time: UnixSeconds(1_800_000_000 + number),
                who: "ann".to_owned(),
                role: "operator".to_owned(),
                action: "device.pin".to_owned(),
                subject: format!("d{number}"),
                why: number.is_multiple_of(2).then(|| "field test".to_owned()),
                before: None,
                after: Some("\"1.2.3\"".to_owned()),
            };
            previous = command.digest(previous);
            (command, previous)
        };
        (1..=length).map(link).collect()
    }

    fn check(chain: &[(Command, Digest)], noted: Option<Head>) -> Result<Head, ChainError> {
        follow(chain.iter().map(|(command, digest)| (command, *digest)), noted)
    }

    fn head_of(chain: &[(Command, Digest)]) -> Head {
        chain.last().map_or(Head::EMPTY, |(command, digest)| Head { number: command.number, digest: *digest })
    }

    #[test]
    fn a_whole_chain_ends_at_its_head() {
        let whole = chain(30);
        assert_eq!(check(&whole, None), Ok(head_of(&whole)));
        assert_eq!(check(&whole, Some(head_of(&whole[..7]))), Ok(head_of(&whole)));
        assert_eq!(check(&[], None), Ok(Head::EMPTY));
        assert_eq!(check(&whole, Some(Head::EMPTY)), Ok(head_of(&whole)));
    }

    #[test]
    fn every_change_of_every_command_shows() {
        let whole = chain(5);
        let changes: [fn(&mut Command); 9] = [
            |c| c.number += 1,
            |c| c.time.0 += 1,
            |c| c.who.push('x'),
            |c| c.role = "admin".to_owned(),
            |c| c.action.push('x'),
            |c| c.subject.push('x'),
            |c| c.why = Some("another".to_owned()),
            |c| c.before = Some("null".to_owned()),
            |c| c.after = None,
        ];
        for at in 0..whole.len() {
            for change in changes {
                let mut changed = whole.clone();
                change(&mut changed[at].0);
                assert!(check(&changed, None).is_err(), "command {at}");
            }
        }
        // A word does not move from one field into the next.
        let mut moved = whole.clone();
        (moved[0].0.who, moved[0].0.role) = ("anno".to_owned(), "perator".to_owned());
        assert_eq!(check(&moved, None), Err(ChainError::Changed(1)));
    }

    #[test]
    fn what_is_taken_out_moved_or_cut_off_shows() {
        let whole = chain(6);
        for at in 0..whole.len() - 1 {
            let mut shorter = whole.clone();
            shorter.remove(at);
            let (expected, found) = (at as u64 + 1, at as u64 + 2);
            assert_eq!(check(&shorter, None), Err(ChainError::Missing { expected, found }));
            let mut moved = whole.clone();
            moved.swap(at, at + 1);
            assert!(check(&moved, None).is_err());
        }
        let head = head_of(&whole);
        assert_eq!(check(&whole[..5], Some(head)), Err(ChainError::CutOff(6)));
        assert_eq!(check(&[], Some(head)), Err(ChainError::CutOff(6)));
        // Written anew from the beginning it is whole again, but not the one that was noted.
        let mut anew = chain(7);
        anew[0].0.who = "bob".to_owned();
        let mut previous = Head::EMPTY.digest;
        for (command, digest) in &mut anew {
            previous = command.digest(previous);
            *digest = previous;
        }
        assert!(check(&anew, None).is_ok());
        assert_eq!(check(&anew, Some(head)), Err(ChainError::Changed(6)));
    }

    #[test]
    fn the_bytes_are_those_of_the_format() {
        let [(command, digest)] = &chain(1)[..] else { unreachable!() };
        let mut expected = vec![0x8b, 1, 1, 0x1a, 0x6b, 0x49, 0xd2, 0x01];
        for said in ["ann", "operator", "device.pin", "d1"] {
            expected.push(0x60 | said.len() as u8);
            expected.extend(said.as_bytes());
        }
        expected.extend([0xf6, 0xf6, 0x67]);
        expected.extend(b"\"1.2.3\"");
        expected.extend([0x58, 32]);
        expected.extend([0; 32]);
        assert_eq!((*digest, command.number), (Digest::of(&expected), 1));
    }
}
