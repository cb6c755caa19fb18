//! Who the made-up devices are: kinds, sites, and places in the order of one rollout.
//!
//! Touches: `lapwing_fleet`. The rarest hardware is one in a hundred; sites have about two hundred devices.
//! Never: changes during a story.

use crate::rng::Rng;
use lapwing_core::DeviceId;
use lapwing_fleet::rollout::{Cell, Census, Dimension, Place, Salt};
use std::collections::BTreeMap;

/// Values and how many of a hundred devices have them.
type Values = &'static [(&'static str, u64)];

const KINDS: &[(Dimension, Values)] = &[
    (Dimension::Hardware, &[("rev-a", 60), ("rev-b", 30), ("rev-d", 9), (RARE, 1)]),
    (Dimension::Region, &[("eu", 40), ("us", 30), ("in", 20), ("br", 10)]),
    (Dimension::BaseVersion, &[("1.4.0", 70), ("1.3.2", 20), ("1.2.0", 10)]),
    (Dimension::Connectivity, &[("lte-m", 80), ("wifi", 20)]),
];
/// The hardware revision that a story may have fail by itself.
const RARE: &str = "rev-c";
const SITE_DEVICES: u64 = 200;

/// A group of devices and their places in one rollout.
#[derive(Debug)]
pub struct Devices {
    pub(super) census: Census,
    pub(super) salt: Salt,
    pub(super) members: Vec<Member>,
    /// The members of each cell, in the order of their places.
    pub(super) by_cell: Vec<Vec<u32>>,
    pub(super) sites: u64,
}

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    pub(super) cell: Cell,
    pub(super) place: Place,
    pub(super) site: u16,
    /// When it checks in: this, modulo the steps of its interval.
    pub(super) phase: u32,
    pub(super) is_rare: bool,
}

impl Devices {
    /// So many devices, as this seed has them.
    #[must_use]
    pub fn made(seed: u64, count: u32) -> Self {
        let mut rng = Rng::new(seed);
        let salt = Salt(
            [rng.number().to_le_bytes(), rng.number().to_le_bytes()].concat().try_into().unwrap_or([0; 16]),
        );
        let sites = (u64::from(count) / SITE_DEVICES).max(1);
        let mut counted: BTreeMap<Vec<String>, u32> = BTreeMap::new();
        let kinds: Vec<Vec<String>> = (0..count).map(|_| kind(&mut rng)).collect();
        kinds.iter().for_each(|kind| *counted.entry(kind.clone()).or_default() += 1);
        let census = Census::new(KINDS.iter().map(|(dimension, _)| *dimension).collect(), &counted);
        let member = |(number, kind): (usize, &Vec<String>)| {
            let id: DeviceId =
                format!("device-{number}").parse().unwrap_or_else(|_| unreachable!("a plain name"));
            Member {
                cell: census.cell(kind),
                place: Place::of(salt, &id),
                site: u16::try_from(rng.below(sites)).unwrap_or(0),
                phase: u32::try_from(rng.below(1 << 30)).unwrap_or(0),
                is_rare: kind.first().is_some_and(|hardware| hardware == RARE),
            }
        };
        let members: Vec<Member> = kinds.iter().enumerate().map(member).collect();
        let mut by_cell = vec![Vec::new(); census.cells()];
        for (number, member) in (0..).zip(&members) {
            by_cell[member.cell.index()].push(number);
        }
        for cell in &mut by_cell {
            cell.sort_by_key(|number: &u32| members[*number as usize].place);
        }
        Self { census, salt, members, by_cell, sites }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.members.len()).unwrap_or(u32::MAX)
    }
}

fn kind(rng: &mut Rng) -> Vec<String> {
    let value = |values: Values, mut chance: u64| {
        for (value, percent) in values {
            match chance.checked_sub(*percent) {
                None => return (*value).to_owned(),
                Some(rest) => chance = rest,
            }
        }
        String::new()
    };
    KINDS.iter().map(|(_, values)| value(values, rng.below(100))).collect()
}
