//! Facts of a device that people set: its tier, its owner's consent, its zone, and whatever else they tell it apart by.
//!
//! Touches: `crate::{limits, rollout::plan}`. What people set takes the place of what the device reports.
//! Never: says what only the device or the server can know.

use crate::decide::{CONSENT_GIVEN, CONSENT_NEEDED, OPTED_OUT};
use crate::limits::{NOTED_CHARS_MAX, NOTED_MAX};
use crate::rollout::Tier;
use crate::window::ZoneName;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Facts that people set, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Noted(BTreeMap<String, String>);

/// Why a fact cannot be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Only the device or the server knows it.
    #[error("nobody can set that: the device or the server knows it")]
    Known,
    /// Not a name.
    #[error("a fact is called by 1 to {NOTED_CHARS_MAX} small letters, digits, and . _ -")]
    Name,
    /// Empty, too long, or with control characters.
    #[error("a fact has 1 to {NOTED_CHARS_MAX} characters")]
    Value,
    /// No such tier.
    #[error("a tier is canary, internal, pilot, general or opted-out")]
    Tier,
    /// No such consent.
    #[error("consent is needed or given")]
    Consent,
    /// Not spelled like a zone.
    #[error("a zone has an IANA name, such as Europe/Berlin")]
    Zone,
    /// See [`NOTED_MAX`].
    #[error("people set at most {NOTED_MAX} facts of a device")]
    TooMany,
}

/// Facts that nobody can set.
const KNOWN: [&str; 7] = ["device", "hardware", "revision", "version", "variant", "bootloader", "group"];

impl Noted {
    /// Sets a fact; what is said again takes the place of what was said before.
    ///
    /// # Errors
    /// See [`NoteError`]; nothing has changed then.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), NoteError> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        let short = |text: &str| (1..=NOTED_CHARS_MAX).contains(&text.chars().count());
        match name {
            known if KNOWN.contains(&known) => return Err(NoteError::Known),
            name if !short(name) || !name.chars().all(plain) => return Err(NoteError::Name),
            _ if !short(value) || value.chars().any(char::is_control) => return Err(NoteError::Value),
            "tier" if Tier::from_label(value).is_none() && value != OPTED_OUT => return Err(NoteError::Tier),
            "consent" if value != CONSENT_GIVEN && value != CONSENT_NEEDED => return Err(NoteError::Consent),
            "zone" if value.parse::<ZoneName>().is_err() => return Err(NoteError::Zone),
            _ if self.0.len() >= NOTED_MAX && !self.0.contains_key(name) => return Err(NoteError::TooMany),
            _ => {}
        }
        self.0.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    /// Forgets a fact; what the device reports counts again.
    pub fn unset(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether people set this one.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_set_what_neither_device_nor_server_knows() {
        let check = |name: &str, value: &str, expected| {
            let mut noted = Noted::default();
            assert_eq!(noted.set(name, value), expected, "{name}={value}");
            assert_eq!(noted.iter().next(), expected.is_ok().then_some((name, value)));
        };
        check("tier", "pilot", Ok(()));
        check("tier", "opted-out", Ok(()));
        check("tier", "vip", Err(NoteError::Tier));
        check("consent", "needed", Ok(()));
        check("consent", "yes", Err(NoteError::Consent));
        check("zone", "America/New_York", Ok(()));
        check("zone", "New York", Err(NoteError::Zone));
        check("customer", "Müller & Söhne", Ok(()));
        check("customer", "", Err(NoteError::Value));
        check("customer", "a\nb", Err(NoteError::Value));
        check("customer", &"x".repeat(NOTED_CHARS_MAX + 1), Err(NoteError::Value));
        check("Customer", "x", Err(NoteError::Name));
        check("", "x", Err(NoteError::Name));
        for known in KNOWN {
            check(known, "x", Err(NoteError::Known));
        }
    }

    #[test]
    fn as_many_as_fit_can_be_set_and_set_again() {
        let mut noted = Noted::default();
        (0..NOTED_MAX).for_each(|number| noted.set(&format!("fact-{number}"), "x").unwrap());
        assert_eq!(noted.set("one-more", "x"), Err(NoteError::TooMany));
        noted.set("fact-0", "y").unwrap();
        noted.unset("fact-1");
        noted.set("one-more", "x").unwrap();
        assert!(noted.has("one-more") && !noted.has("fact-1"));
    }
}
