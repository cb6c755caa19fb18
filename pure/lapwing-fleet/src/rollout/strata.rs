//! The parts of a group that may fare differently: cells, the strata they form, and what a first phase covers.
//!
//! Touches: `crate::rollout::place`. Counted once, when a rollout starts; a device of a kind that was not
//! there then is in the last cell, with everything else that is rare.
//! Never: a list of devices.

use super::place::BasisPoints;
use crate::filter::FilterFacts;
use crate::limits::{CELLS_MAX, COVERAGE_CELLS_MAX, COVERAGE_DEVICES};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What the devices of a group differ in, as far as an update may notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Dimension {
    /// Hardware class and revision.
    Hardware,
    /// Where it stands.
    Region,
    /// What it runs before the update.
    BaseVersion,
    /// How it is connected.
    Connectivity,
    /// How it is used.
    Use,
}

impl Dimension {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Hardware, Self::Region, Self::BaseVersion, Self::Connectivity, Self::Use];

    /// Its name for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Hardware => "hardware",
            Self::Region => "region",
            Self::BaseVersion => "version",
            Self::Connectivity => "connectivity",
            Self::Use => "use",
        }
    }
}

/// The kind of a device with these facts: what it does not say is `-`.
#[must_use]
pub fn kind(dimensions: &[Dimension], facts: &FilterFacts<'_>) -> Kind {
    let value = |name: &str| facts.iter().find(|(known, _)| *known == name).map_or("-", |(_, value)| *value);
    let said = |dimension: &Dimension| match dimension {
        Dimension::Hardware => match value("revision") {
            "-" => value("hardware").to_owned(),
            revision => format!("{}/{revision}", value("hardware")),
        },
        other => value(other.label()).to_owned(),
    };
    dimensions.iter().map(said).collect()
}

/// One value in every dimension, in the order of the census.
pub type Kind = Vec<String>;

/// A cell of a census: all devices of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cell(pub(super) usize);

impl Cell {
    /// The cell at this place.
    #[must_use]
    pub const fn at(index: usize) -> Self {
        Self(index)
    }

    /// Its place in lists with one entry per cell.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }
}

/// Some cells with a name: a stratum that is judged by itself, or a unit that a first phase shall cover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stratum {
    /// `hardware=rev-c`, or several of these.
    pub name: String,
    /// Its cells, in order.
    pub cells: Vec<Cell>,
    /// Devices in it when the census was taken.
    pub size: u32,
}

/// How many devices of each kind a group has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Counted", try_from = "Counted")]
pub struct Census {
    dimensions: Vec<Dimension>,
    kinds: BTreeMap<Kind, Cell>,
    sizes: Vec<u32>,
    strata: Vec<Stratum>,
    units: Vec<Stratum>,
}

/// What a census is made from: kinds in the order of their cells, and how many devices are of rarer ones.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Counted {
    dimensions: Vec<Dimension>,
    kinds: Vec<(Kind, u32)>,
    rare: u32,
}

impl From<Census> for Counted {
    fn from(census: Census) -> Self {
        let mut in_order: Vec<(Kind, Cell)> = census.kinds.into_iter().collect();
        in_order.sort_by_key(|(_, cell)| *cell);
        let mut sizes = census.sizes.into_iter();
        let kinds = in_order.into_iter().zip(&mut sizes).map(|((kind, _), size)| (kind, size)).collect();
        Self { dimensions: census.dimensions, kinds, rare: sizes.next().unwrap_or(0) }
    }
}

impl TryFrom<Counted> for Census {
    type Error = &'static str;

    fn try_from(counted: Counted) -> Result<Self, Self::Error> {
        let whole = |(kind, _): &(Kind, u32)| kind.len() == counted.dimensions.len();
        let different = counted.kinds.iter().map(|(kind, _)| kind).collect::<BTreeSet<_>>().len();
        let sound = counted.kinds.iter().all(whole) && different == counted.kinds.len();
        match sound && different <= CELLS_MAX {
            true => Ok(Self::of(counted)),
            false => Err("a census has each kind once, with a value in every dimension"),
        }
    }
}

impl Census {
    /// The census of a group with so many devices of each kind. The rarest kinds beyond
    /// [`CELLS_MAX`] share the last cell.
    #[must_use]
    pub fn new(dimensions: Vec<Dimension>, counted: &BTreeMap<Kind, u32>) -> Self {
        let mut by_size: Vec<(Kind, u32)> =
            counted.iter().map(|(kind, size)| (kind.clone(), *size)).collect();
        by_size.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
        let rare = by_size.split_off(by_size.len().min(CELLS_MAX));
        let rare = rare.iter().fold(0, |sum: u32, (_, size)| sum.saturating_add(*size));
        Self::of(Counted { dimensions, kinds: by_size, rare })
    }

    fn of(Counted { dimensions, kinds, rare }: Counted) -> Self {
        let sizes = kinds.iter().map(|(_, size)| *size).chain([rare]).collect();
        let kinds = kinds.into_iter().enumerate().map(|(at, (kind, _))| (kind, Cell(at))).collect();
        let mut census = Self { dimensions, kinds, sizes, strata: Vec::new(), units: Vec::new() };
        let whole = census.size();
        census.strata = census.crossed(1);
        // A stratum that is everybody is judged already.
        census.strata.retain(|stratum| stratum.size < whole);
        let crossings = if census.kinds.len() <= COVERAGE_CELLS_MAX { census.dimensions.len() } else { 2 };
        census.units = census.crossed(crossings);
        census
    }

    /// The kind of a device with these facts.
    #[must_use]
    pub fn kind(&self, facts: &FilterFacts<'_>) -> Kind {
        kind(&self.dimensions, facts)
    }

    /// All devices.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.sizes.iter().fold(0, |sum, size| sum.saturating_add(*size))
    }

    /// How many cells there are, the last one for everything else.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.sizes.len()
    }

    /// The cell of this kind.
    #[must_use]
    pub fn cell(&self, kind: &Kind) -> Cell {
        self.kinds.get(kind).copied().unwrap_or(Cell(self.kinds.len()))
    }

    /// What is judged by itself: every value of every dimension.
    #[must_use]
    pub fn strata(&self) -> &[Stratum] {
        &self.strata
    }

    /// What a first phase covers: every kind, or every pair of values when there are many kinds.
    #[must_use]
    pub fn units(&self) -> &[Stratum] {
        &self.units
    }

    /// For each cell the share that holds enough devices of each of its units, and at least `share`.
    #[must_use]
    pub fn covering(&self, share: BasisPoints) -> Vec<BasisPoints> {
        let mut shares = vec![share; self.cells()];
        for unit in &self.units {
            // Half as many again as needed: a share holds its count on average only.
            let wanted = BasisPoints::holding(needed(unit).saturating_mul(3) / 2, unit.size);
            raise(&mut shares, &unit.cells, |_| wanted);
        }
        shares
    }

    /// Every combination of values in `how_many` dimensions, with its cells.
    fn crossed(&self, how_many: usize) -> Vec<Stratum> {
        let mut found: BTreeMap<String, BTreeSet<Cell>> = BTreeMap::new();
        for (kind, cell) in &self.kinds {
            let values: Vec<String> = self.dimensions.iter().zip(kind).map(said).collect();
            for name in names(&values, how_many) {
                found.entry(name).or_default().insert(*cell);
            }
        }
        let size = |cells: &BTreeSet<Cell>| {
            cells
                .iter()
                .fold(0_u32, |sum, cell| sum.saturating_add(self.sizes.get(cell.0).copied().unwrap_or(0)))
        };
        found
            .into_iter()
            .map(|(name, cells)| Stratum { name, size: size(&cells), cells: cells.into_iter().collect() })
            .collect()
    }
}

/// Devices of a unit that a first phase must have judged.
#[must_use]
pub fn needed(unit: &Stratum) -> u32 {
    unit.size.min(COVERAGE_DEVICES)
}

/// Raises the shares of some cells to what `to` makes of them; never lowers one.
pub(super) fn raise(shares: &mut [BasisPoints], cells: &[Cell], to: impl Fn(BasisPoints) -> BasisPoints) {
    for cell in cells {
        if let Some(share) = shares.get_mut(cell.0) {
            *share = to(*share).max(*share);
        }
    }
}

fn said((dimension, value): (&Dimension, &String)) -> String {
    format!("{}={value}", dimension.label())
}

/// The names that `how_many` of these values make together, in order.
fn names(values: &[String], how_many: usize) -> Vec<String> {
    match (how_many, values) {
        (0, _) | (_, []) => Vec::new(),
        (1, _) => values.to_vec(),
        (_, [first, rest @ ..]) => {
            let with = names(rest, how_many - 1).into_iter().map(|name| format!("{first} {name}"));
            with.chain(names(rest, how_many)).collect()
        }
    }
}

impl fmt::Display for Stratum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} devices)", self.name, self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn census(hardware: &[&str], regions: &[&str], versions: &[&str]) -> Census {
        let mut counted = BTreeMap::new();
        for (at, hardware) in hardware.iter().enumerate() {
            for region in regions {
                for version in versions {
                    let kind = vec![(*hardware).to_owned(), (*region).to_owned(), (*version).to_owned()];
                    counted.insert(kind, if at == 0 { 1_000 } else { 10 });
                }
            }
        }
        Census::new(vec![Dimension::Hardware, Dimension::Region, Dimension::BaseVersion], &counted)
    }

    #[test]
    fn every_value_is_a_stratum_unless_it_is_everybody() {
        let census = census(&["a", "b"], &["eu", "us"], &["1.0"]);
        let names: Vec<_> = census.strata().iter().map(|stratum| stratum.name.as_str()).collect();
        assert_eq!(names, ["hardware=a", "hardware=b", "region=eu", "region=us"]);
        let sizes: Vec<_> = census.strata().iter().map(|stratum| stratum.size).collect();
        assert_eq!(sizes, [2_000, 20, 1_010, 1_010]);
    }

    #[test]
    fn few_kinds_are_covered_whole_and_many_in_pairs() {
        assert_eq!(census(&["a", "b"], &["eu", "us"], &["1.0", "1.1"]).units().len(), 8);
        let many = census(&["a", "b", "c", "d"], &["eu", "us", "in"], &["1", "2", "3", "4"]);
        assert_eq!(many.units().len(), 4 * 3 + 4 * 4 + 3 * 4);
    }

    #[test]
    fn a_rare_kind_gets_a_larger_share() {
        let census = census(&["a", "b"], &["eu"], &["1.0"]);
        let share = BasisPoints::new(100);
        let of = |hardware: &str| {
            let cell = census.cell(&vec![hardware.to_owned(), "eu".to_owned(), "1.0".to_owned()]);
            census.covering(share)[cell.index()]
        };
        assert_eq!((of("a"), of("b"), of("new")), (share, BasisPoints::new(7_000), share));
    }

    #[test]
    fn the_rarest_kinds_share_a_cell() {
        let kinds = (0..=CELLS_MAX).map(|number| (vec![format!("{number}")], u32::from(number > 0)));
        let census = Census::new(vec![Dimension::Hardware], &kinds.collect());
        assert_eq!(census.cells(), CELLS_MAX + 1);
        assert_eq!(census.cell(&vec!["0".to_owned()]).index(), CELLS_MAX);
    }
}
