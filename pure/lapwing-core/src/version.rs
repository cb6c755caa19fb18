//! Versions as people write them, ordered for rules and ranges.
//!
//! Touches: nothing. A [`Version`] is a label; what of it is semver can be compared here.
//! Never: used against rollback; that is what seq and security version are for.

use crate::cbor::{DecodeError, NoRoom, Out, Wire, read_array};
use crate::id::Version;
use minicbor::Decoder;

/// The numeric part of a semantic version. A pre-release sorts with its release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Semver {
    /// Breaking changes.
    pub major: u32,
    /// Compatible additions.
    pub minor: u32,
    /// Mendings.
    pub patch: u32,
}

/// How far one version is from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bump {
    /// Same major and minor.
    Patch,
    /// Same major.
    Minor,
    /// Another major.
    Major,
}

impl Semver {
    /// The numbers of `version`, if it is `MAJOR.MINOR.PATCH`, perhaps with `-` or `+` and more behind.
    #[must_use]
    pub fn of(version: &Version) -> Option<Self> {
        let text = version.as_str();
        let numbers = text.split(['-', '+']).next()?;
        let mut parts = numbers.split('.').map(number);
        let (major, minor, patch) = (parts.next()??, parts.next()??, parts.next()??);
        parts.next().is_none().then_some(Self { major, minor, patch })
    }

    /// How large the step to `other` is, in either direction.
    #[must_use]
    pub fn bump_to(self, other: Self) -> Bump {
        if self.major != other.major {
            Bump::Major
        } else if self.minor != other.minor {
            Bump::Minor
        } else {
            Bump::Patch
        }
    }
}

fn number(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    (plain && !leading_zero).then(|| text.parse().ok()).flatten()
}

impl Wire<'_> for Semver {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        out.array(3)?.u32(self.major)?.u32(self.minor)?.u32(self.patch)?;
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        read_array(input, 3)?;
        Ok(Self { major: input.u32()?, minor: input.u32()?, patch: input.u32()? })
    }
}

/// Versions from `from` on and below `below`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VersionRange {
    /// First version inside.
    pub from: Semver,
    /// First version outside.
    pub below: Semver,
}

impl VersionRange {
    /// Whether `version` is inside.
    #[must_use]
    pub fn contains(&self, version: Semver) -> bool {
        self.from <= version && version < self.below
    }
}

impl Wire<'_> for VersionRange {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        out.array(2)?;
        self.from.write(out)?;
        self.below.write(out)
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        read_array(input, 2)?;
        let range = Self { from: Semver::read(input)?, below: Semver::read(input)? };
        (range.from < range.below).then_some(range).ok_or(DecodeError::BadValue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semver_is_recognised_and_nothing_else() {
        let check = |text: &str, expected: Option<(u32, u32, u32)>| {
            let found = Semver::of(&text.parse().unwrap()).map(|v| (v.major, v.minor, v.patch));
            assert_eq!(found, expected, "{text}");
        };
        check("1.2.3", Some((1, 2, 3)));
        check("1.2.3-rc.1", Some((1, 2, 3)));
        check("1.2.3+build", Some((1, 2, 3)));
        check("1.2", None);
        check("1.2.3.4", None);
        check("01.2.3", None);
        check("v1.2.3", None);
        check("4294967296.0.0", None);
    }

    #[test]
    fn a_bump_is_the_first_number_that_differs() {
        let at = |major, minor, patch| Semver { major, minor, patch };
        assert_eq!(at(1, 2, 3).bump_to(at(1, 2, 9)), Bump::Patch);
        assert_eq!(at(1, 2, 3).bump_to(at(1, 0, 0)), Bump::Minor);
        assert_eq!(at(1, 2, 3).bump_to(at(2, 2, 3)), Bump::Major);
    }
}
