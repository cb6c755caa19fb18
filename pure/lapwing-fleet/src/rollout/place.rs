//! Where a device stands in a rollout: a place that follows from two names and is the same on every server.
//!
//! Touches: `lapwing_core`. No row is kept for a device that has nothing yet.
//! Never: moves a device back; opening a larger share only adds devices.

use lapwing_core::{DeviceId, Digest};
use serde::{Deserialize, Serialize};
use std::fmt;

/// All places, and the whole of a group.
pub const PLACES: u16 = 10_000;

/// A share of a group, in hundredths of a percent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u16")]
pub struct BasisPoints(u16);

impl BasisPoints {
    /// Everybody.
    pub const ALL: Self = Self(PLACES);

    /// So many hundredths of a percent, at most everybody.
    #[must_use]
    pub const fn new(points: u16) -> Self {
        if points > PLACES { Self::ALL } else { Self(points) }
    }

    /// The smallest share that holds `count` of `size` devices on average.
    #[must_use]
    pub fn holding(count: u32, size: u32) -> Self {
        let points = u64::from(count).saturating_mul(u64::from(PLACES)).div_ceil(u64::from(size.max(1)));
        Self::new(u16::try_from(points).unwrap_or(PLACES))
    }

    /// Half as much again, at least one point more.
    #[must_use]
    pub const fn widened(self) -> Self {
        let half = self.0 / 2;
        Self::new(self.0.saturating_add(if half == 0 { 1 } else { half }))
    }

    /// In hundredths of a percent.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// How many of `size` devices it holds on average, rounded down.
    #[must_use]
    pub fn part_of(self, size: u32) -> u32 {
        let part = u64::from(size).saturating_mul(u64::from(self.0)) / u64::from(PLACES);
        u32::try_from(part).unwrap_or(u32::MAX)
    }
}

impl TryFrom<u16> for BasisPoints {
    type Error = &'static str;

    fn try_from(points: u16) -> Result<Self, Self::Error> {
        let within = (points <= PLACES).then_some(Self(points));
        within.ok_or("a share has at most 10000 basis points, which are 100 %")
    }
}

impl fmt::Display for BasisPoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (percent, 0) => write!(f, "{percent} %"),
            (percent, rest) => write!(f, "{percent}.{rest:02} %"),
        }
    }
}

/// Mixed into every place of one rollout, so that the devices that go first are others each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Salt(pub [u8; 16]);

/// Where a device stands in the order of one rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place(u16);

impl Place {
    /// The place of `device` in the rollout with this salt: the first eight bytes of
    /// SHA-256(salt, device id), modulo the number of places.
    #[must_use]
    pub fn of(salt: Salt, device: &DeviceId) -> Self {
        let digest = Digest::of(&[&salt.0[..], device.as_str().as_bytes()].concat());
        let [a, b, c, d, e, f, g, h, ..] = *digest.as_bytes();
        let number = u64::from_be_bytes([a, b, c, d, e, f, g, h]) % u64::from(PLACES);
        Self(u16::try_from(number).unwrap_or(0))
    }

    /// Whether `share` reaches it.
    #[must_use]
    pub const fn is_within(self, share: BasisPoints) -> bool {
        self.0 < share.0
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02} %", self.0 / 100, self.0 % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn places(salt: u8, count: u32) -> Vec<Place> {
        let device = |number: u32| format!("device-{number}").parse().expect("a plain name");
        (0..count).map(|number| Place::of(Salt([salt; 16]), &device(number))).collect()
    }

    #[test]
    fn a_place_is_frozen() {
        let device = "dev-1".parse().expect("a plain name");
        assert_eq!(Place::of(Salt([7; 16]), &device), Place(6_142));
    }

    #[test]
    fn a_share_holds_about_its_share() {
        let places = places(1, 20_000);
        for points in [100, 500, 2_500, 10_000] {
            let share = BasisPoints::new(points);
            let held = places.iter().filter(|place| place.is_within(share)).count();
            let expected = usize::from(points) * 2;
            assert!(held.abs_diff(expected) <= expected / 8, "{held} instead of {expected}");
        }
    }

    #[test]
    fn another_salt_sends_others_first() {
        let first = BasisPoints::new(1_000);
        let both = places(1, 10_000).into_iter().zip(places(2, 10_000));
        let twice = both.filter(|(a, b)| a.is_within(first) && b.is_within(first)).count();
        assert!(twice < 200, "{twice} of about 1,000 were first both times");
    }

    proptest! {
        #[test]
        fn a_larger_share_adds_and_never_removes(place in 0..PLACES, points in 0..PLACES) {
            let share = BasisPoints::new(points);
            let wider = share.widened();
            prop_assert!(wider > share || share == BasisPoints::ALL);
            prop_assert!(!Place(place).is_within(share) || Place(place).is_within(wider));
        }

        #[test]
        fn a_share_made_to_hold_a_count_holds_it(count in 0..5_000_u32, size in 1..2_000_000_u32) {
            let share = BasisPoints::holding(count.min(size), size);
            prop_assert!(share.part_of(size) >= count.min(size));
        }
    }
}
