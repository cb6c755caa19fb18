//! What local clocks show: the offsets of every zone, as a table around one moment.
//!
//! Touches: nothing; whoever may know today's rules of time zones fills the table.
//! Never: asks a clock, or knows a rule for daylight saving itself.

use lapwing_core::UnixSeconds;
use std::collections::BTreeMap;

/// The offsets of one zone from UTC, in seconds: each holds from its moment until the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offsets {
    first: i64,
    changes: Vec<(UnixSeconds, i64)>,
}

/// The zones there are, by their IANA names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Zones(BTreeMap<String, Offsets>);

/// Which of two moments is meant at which local clocks show the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    First,
    Last,
}

impl Offsets {
    /// This offset, and those that take its place, the earliest first.
    #[must_use]
    pub fn new(first: i64, changes: Vec<(UnixSeconds, i64)>) -> Self {
        Self { first, changes }
    }

    /// What local clocks show at `time`, in seconds since 1970 as if there were no zones.
    pub(crate) fn local(&self, time: UnixSeconds) -> i64 {
        let past = self.changes.iter().take_while(|(from, _)| *from <= time);
        signed(time).saturating_add(past.last().map_or(self.first, |(_, offset)| *offset))
    }

    /// The moment at which local clocks show `local`. A time that clocks skip moves forward by as much as
    /// they skip; of a time that they show twice `of` says which is meant.
    pub(crate) fn moment(&self, local: i64, of: Of) -> UnixSeconds {
        let from = self.changes.iter().map(|(from, _)| signed(*from));
        let offsets = [self.first].into_iter().chain(self.changes.iter().map(|(_, offset)| *offset));
        let moments: Vec<i64> = offsets.map(|offset| local.saturating_sub(offset)).collect();
        // By the offset before a change it is past the change already.
        let passed = from.zip(&moments).map(|(from, moment)| *moment >= from);
        // By the offset after a change it is not before the change.
        let reached =
            self.changes.iter().zip(moments.iter().skip(1)).map(|((from, _), m)| *m >= signed(*from));
        let changes = match of {
            Of::First => passed.zip(reached).take_while(|(passed, reached)| *passed && *reached).count(),
            Of::Last => reached.take_while(|reached| *reached).count(),
        };
        let moment = moments.get(changes).copied().unwrap_or(local);
        UnixSeconds(u64::try_from(moment).unwrap_or(0))
    }
}

impl Zones {
    /// These.
    #[must_use]
    pub fn new(zones: impl IntoIterator<Item = (String, Offsets)>) -> Self {
        Self(zones.into_iter().collect())
    }

    /// The offsets of the zone of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Offsets> {
        self.0.get(name)
    }
}

fn signed(time: UnixSeconds) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}
