//! Hardware classes by the names people give them: `vendor.example/class-name`.
//!
//! Touches: `uuid`. The name becomes two version 5 UUIDs as in SUIT: the vendor's from its domain, the
//! class's from the vendor's id and the class name. Source: RFC 9124 section 3.4, RFC 9562 section 5.5.

use lapwing_core::HardwareClass;
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// What stands for the slash where a name must be a folder's. A domain cannot contain it.
const FOLDER_SEPARATOR: char = '~';
const NAME_BYTES_MAX: usize = 128;

/// A hardware class, and its name where it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hardware {
    /// The ids that releases and devices compare.
    pub(crate) class: HardwareClass,
    /// What people call it.
    pub(crate) name: Option<String>,
}

/// Why a text names no hardware class.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a hardware class is written vendor.example/class-name (a lower-case domain, a slash, then letters, \
     digits, . _ - + ~), or as its two ids of 32 hexadecimal digits with a slash between"
)]
pub(crate) struct ParseHardwareError;

impl Hardware {
    /// The class that a folder's name stands for: `vendor.example~class-name`.
    pub(crate) fn from_folder(name: &str) -> Result<Self, ParseHardwareError> {
        let (vendor, class) = name.split_once(FOLDER_SEPARATOR).ok_or(ParseHardwareError)?;
        format!("{vendor}/{class}").parse()
    }

    fn named(vendor: &str, class: &str) -> Self {
        let vendor_id = Uuid::new_v5(&Uuid::NAMESPACE_DNS, vendor.as_bytes());
        let class_id = Uuid::new_v5(&vendor_id, class.as_bytes());
        let class_ids = HardwareClass { vendor: vendor_id.into_bytes(), class: class_id.into_bytes() };
        Self { class: class_ids, name: Some(format!("{vendor}/{class}")) }
    }
}

impl FromStr for Hardware {
    type Err = ParseHardwareError;

    fn from_str(text: &str) -> Result<Self, ParseHardwareError> {
        if let Ok(class) = text.parse() {
            return Ok(Self { class, name: None });
        }
        let (vendor, class) = text.split_once('/').ok_or(ParseHardwareError)?;
        let in_domain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b);
        let in_class = |b: u8| b.is_ascii_alphanumeric() || b"._-+~".contains(&b);
        let is_domain =
            !vendor.is_empty() && vendor.bytes().all(in_domain) && !vendor.starts_with(['.', '-']);
        let is_class = !class.is_empty() && class.bytes().all(in_class) && !class.starts_with('.');
        let good = is_domain && is_class && text.len() <= NAME_BYTES_MAX;
        good.then(|| Self::named(vendor, class)).ok_or(ParseHardwareError)
    }
}

impl fmt::Display for Hardware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => f.write_str(name),
            None => self.class.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_the_ids_that_suit_prescribes() {
        let hardware: Hardware = "example.com/product-x".parse().unwrap();
        // RFC 9562's v5 of "example.com" in the DNS namespace, then of the class in the vendor's.
        let vendor = Uuid::from_bytes(hardware.class.vendor);
        assert_eq!(vendor.to_string(), "cfbff0d1-9375-5685-968c-48ce8b15ae17");
        assert_eq!(hardware.class.class, Uuid::new_v5(&vendor, b"product-x").into_bytes());
        assert_eq!(hardware.to_string(), "example.com/product-x");
        let by_ids: Hardware = hardware.class.to_string().parse().unwrap();
        assert_eq!(by_ids.class, hardware.class);
    }

    #[test]
    fn a_folder_spells_the_slash_as_a_tilde() {
        let hardware = Hardware::from_folder("vendor.example~class-1").unwrap();
        assert_eq!(hardware, "vendor.example/class-1".parse().unwrap());
        assert_eq!(Hardware::from_folder("a.example~b~c"), "a.example/b~c".parse());
        assert!(Hardware::from_folder("vendor.example").is_err());
    }

    #[test]
    fn what_could_mean_two_things_is_refused() {
        for wrong in [
            "",
            "a",
            "/",
            "a.example/",
            "/b",
            "A.example/b",
            "a.example/b/c",
            "a.example/..",
            "-a/b",
            "a b/c",
        ] {
            assert!(wrong.parse::<Hardware>().is_err(), "{wrong}");
        }
    }
}
