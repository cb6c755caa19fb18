//! Names of things: fleets, devices, components, attempts, keys, boots.
//!
//! Parsed at the edge, trusted inside. Text ids are plain ASCII so that they can stand
//! in a path, a log line or a URL without being escaped.

use crate::cbor::{DecodeError, NoRoom, Out, Wire};
use crate::digest::{Digest, parse_hex, write_hex};
use crate::limits::{
    BUILD_ID_BYTES_MAX, COMPONENT_NAME_BYTES_MAX, DEVICE_ID_BYTES_MAX, VARIANT_BYTES_MAX, VERSION_BYTES_MAX,
};
use core::fmt;
use core::str::FromStr;
use minicbor::Decoder;

/// The text is empty, too long, begins with a dot, or has a character outside `A-Z a-z 0-9 . _ - + ~`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name is 1 to {max} characters of A-Z a-z 0-9 . _ - + ~ and does not begin with a dot")]
pub struct ParseNameError {
    /// Most characters allowed.
    pub max: usize,
}

/// A short ASCII name of at most `N` bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name<const N: usize>(heapless::String<N>);

/// One updatable machine.
pub type DeviceId = Name<DEVICE_ID_BYTES_MAX>;
/// A separately updatable part of a device.
pub type ComponentName = Name<COMPONENT_NAME_BYTES_MAX>;
/// The label of a version, for people and for version rules.
pub type Version = Name<VERSION_BYTES_MAX>;
/// Which build made an image.
pub type BuildId = Name<BUILD_ID_BYTES_MAX>;
/// A flavour of a build, for example `debug`.
pub type Variant = Name<VARIANT_BYTES_MAX>;

impl<const N: usize> Name<N> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const N: usize> FromStr for Name<N> {
    type Err = ParseNameError;

    fn from_str(text: &str) -> Result<Self, ParseNameError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-+~".contains(&b);
        let good = !text.is_empty() && !text.starts_with('.') && text.bytes().all(plain);
        let error = ParseNameError { max: N };
        good.then_some(()).ok_or(error)?;
        heapless::String::try_from(text).map(Self).map_err(|_| error)
    }
}

impl<const N: usize> fmt::Display for Name<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const N: usize> fmt::Debug for Name<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<const N: usize> Wire<'_> for Name<N> {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        out.str(&self.0)?;
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        match input.str()? {
            long if long.len() > N => Err(DecodeError::OverLimit),
            text => text.parse().map_err(|_| DecodeError::BadValue),
        }
    }
}

/// Defines an id of a fixed number of bytes, written as hexadecimal digits for people.
macro_rules! byte_id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub [u8; $len]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write_hex(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let mut bytes = [0; $len];
                parse_hex(text, &mut bytes).then_some(Self(bytes)).ok_or(ParseIdError { digits: $len * 2 })
            }
        }

        impl Wire<'_> for $name {
            fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
                out.bytes(&self.0)?;
                Ok(())
            }

            fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
                crate::cbor::read_bytes(input).map(Self)
            }
        }
    };
}

/// The text is not the hexadecimal form of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {digits} hexadecimal digits")]
pub struct ParseIdError {
    /// Digits expected.
    pub digits: usize,
}

byte_id!(
    /// All devices under one root of trust.
    FleetId, 16
);
byte_id!(
    /// A number the device chose, so that an answer can be known to be fresh.
    Nonce, 8
);
byte_id!(
    /// The first four bytes of the SHA-256 of a public key.
    KeyId, 4
);
byte_id!(
    /// One boot of a device, chosen at random. Two of them alternating mean a clone.
    BootId, 8
);

impl KeyId {
    /// The id of this public key.
    #[must_use]
    pub fn of(public_key: &[u8]) -> Self {
        let [a, b, c, d, ..] = *Digest::of(public_key).as_bytes();
        Self([a, b, c, d])
    }
}

/// One device trying one release. Unique per rollout, device and retry; zero is no attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptId(pub u64);

impl AttemptId {
    /// Events that belong to no attempt, such as a check-in, carry this.
    pub const NONE: Self = Self(0);
}

/// The vendor and class ids that a release and a device must share exactly.
///
/// Both are RFC 9562 version 5 UUIDs: the vendor's from its domain name, the class's from the
/// vendor's id and the class name, as SUIT does. Source: RFC 9124 section 3.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HardwareClass {
    /// Who makes the hardware.
    pub vendor: [u8; 16],
    /// Which hardware it is.
    pub class: [u8; 16],
}

impl Wire<'_> for HardwareClass {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        out.array(2)?.bytes(&self.vendor)?.bytes(&self.class)?;
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        crate::cbor::read_array(input, 2)?;
        Ok(Self { vendor: crate::cbor::read_bytes(input)?, class: crate::cbor::read_bytes(input)? })
    }
}

impl fmt::Display for HardwareClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(&self.vendor, f)?;
        f.write_str("/")?;
        write_hex(&self.class, f)
    }
}

impl FromStr for HardwareClass {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let mut both = Self { vendor: [0; 16], class: [0; 16] };
        let parsed = text
            .split_once('/')
            .is_some_and(|(v, c)| parse_hex(v, &mut both.vendor) && parse_hex(c, &mut both.class));
        parsed.then_some(both).ok_or(ParseIdError { digits: 32 })
    }
}

impl Wire<'_> for Digest {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        out.bytes(self.as_bytes())?;
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        crate::cbor::read_bytes(input).map(Self::from_bytes)
    }
}

impl Wire<'_> for crate::digest::ShortDigest {
    fn write(&self, out: &mut Out<'_>) -> Result<(), NoRoom> {
        out.bytes(&self.0)?;
        Ok(())
    }

    fn read(input: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        crate::cbor::read_bytes(input).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_bounded() {
        for good in ["app", "1.2.3-rc.1+7", "a_b~c"] {
            assert_eq!(good.parse::<ComponentName>().unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", ".hidden", "a/b", "a b", "a:b", "é", "<script>", "seventeen-letters"] {
            assert!(bad.parse::<ComponentName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn ids_come_back_from_their_text() {
        let fleet = FleetId([7; 16]);
        assert_eq!(std::format!("{fleet}").parse(), Ok(fleet));
        let class = HardwareClass { vendor: [1; 16], class: [2; 16] };
        assert_eq!(std::format!("{class}").parse(), Ok(class));
        assert!("0102".parse::<FleetId>().is_err());
    }
}
