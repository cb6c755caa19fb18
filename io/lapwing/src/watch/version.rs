//! Which version a dropped file is, when nobody wrote it down.
//!
//! Touches: nothing. What its name says, else the one after the highest known.

use lapwing_core::{Semver, Version};

/// The version inside a file's name: `pump-1.4.0`, `pump_v1.4.0-rc.1.bin`.
pub(crate) fn in_name(name: &str) -> Option<Version> {
    let without_ending = match name.rsplit_once('.') {
        Some((stem, ending)) if ending.starts_with(|c: char| c.is_ascii_alphabetic()) => stem,
        _ => name,
    };
    let starts = without_ending.char_indices().filter(|(at, c)| {
        let before = without_ending.get(..*at).and_then(|before| before.chars().next_back());
        c.is_ascii_digit() && before.is_none_or(|before| "-_v".contains(before))
    });
    let candidates = starts.filter_map(|(at, _)| {
        [without_ending, name].map(|text| text.get(at..)).into_iter().flatten().find_map(semver)
    });
    candidates.into_iter().next()
}

/// The version after the highest of `known`: its next patch level.
pub(crate) fn after<'a>(known: impl Iterator<Item = &'a str>) -> Option<Version> {
    let highest = known.filter_map(|text| Semver::of(&text.parse().ok()?)).max();
    let next = highest.map_or(Semver { major: 0, minor: 1, patch: 0 }, |highest| Semver {
        patch: highest.patch.saturating_add(1),
        ..highest
    });
    format!("{}.{}.{}", next.major, next.minor, next.patch).parse().ok()
}

fn semver(text: &str) -> Option<Version> {
    text.parse().ok().filter(|version| Semver::of(version).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_say_the_version() {
        let check = |name: &str, expected: Option<&str>| {
            assert_eq!(in_name(name).as_ref().map(Version::as_str), expected, "{name}");
        };
        check("pump-1.4.0", Some("1.4.0"));
        check("pump_v1.4.0.bin", Some("1.4.0"));
        check("pump-1.4.0-rc.1.img", Some("1.4.0-rc.1"));
        check("pump-1.4.0-rc.1", Some("1.4.0-rc.1"));
        check("x86_64-pump-2.0.1", Some("2.0.1"));
        check("1.0.0", Some("1.0.0"));
        check("pump", None);
        check("pump-1.4", None);
        check("pump2.0.0", None);
        check("pump-1.4.0.1", None);
    }

    #[test]
    fn without_a_name_the_next_patch_level_is_taken() {
        let next = |known: &[&str]| after(known.iter().copied()).unwrap().to_string();
        assert_eq!(next(&[]), "0.1.0");
        assert_eq!(next(&["1.2.9", "1.2.10", "1.1.99", "nightly"]), "1.2.11");
    }
}
