//! When a device may switch: windows by the clocks of its zone, less the hours that are never right.
//!
//! Touches: `crate::{filter, zones}`. A time that clocks skip moves forward, one that they show twice counts once.
//! Never: hurries a device; what a window lets pass still waits for its turn.

use crate::filter::{Filter, FilterFacts};
use crate::limits::{WINDOW_DAYS, WINDOWS_MAX, ZONE_CHARS_MAX};
use crate::zones::{Of, Offsets, Zones};
use lapwing_core::{Name, UnixSeconds};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

#[cfg(test)]
mod tests;

const DAY_S: i64 = 86_400;
/// How far ahead a window is looked for, seconds.
const REACH_S: u64 = WINDOW_DAYS as u64 * DAY_S.unsigned_abs();
/// The fact that names the zone of a device.
const ZONE: &str = "zone";

/// When devices may switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Windows {
    /// The zone of devices that do not name theirs.
    pub zone: ZoneName,
    /// Any of these; all the time if there are none. Those that mean a device by a filter take the place of
    /// those for everyone.
    #[serde(default)]
    pub open: Vec<Window>,
    /// In none of these, whatever is open.
    #[serde(default)]
    pub never: Vec<Window>,
}

/// A stretch of a day that comes again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// For people: maintenance, off-peak, night, or whose it is.
    #[serde(with = "crate::spelled")]
    pub name: Name<32>,
    /// For whom; everyone, if nothing is said.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub whom: Option<Filter>,
    /// The days on which it begins; every day, if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Weekday>,
    /// When it begins.
    pub from: TimeOfDay,
    /// When it ends: on the next day, if that is not later.
    pub to: TimeOfDay,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "they are what they are called")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// A time of day in whole minutes, spelled `HH:MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TimeOfDay(u16);

/// What an IANA zone is called, such as `Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ZoneName(String);

/// A stretch of time in which a device may switch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// From then on, be it past or to come.
    pub opens: UnixSeconds,
    /// Until then.
    pub closes: UnixSeconds,
    /// What the device's clocks show when it opens.
    pub shown: Shown,
}

/// A moment as local clocks show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    day: Weekday,
    at: TimeOfDay,
    zone: ZoneName,
}

/// Why a device has no opening.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoOpening {
    /// No clock is known that shows its time.
    #[error("the zone that it names is no IANA zone that this server knows")]
    ZoneUnknown,
    /// Nothing is open in [`WINDOW_DAYS`] days.
    #[error("no window opens for it within {WINDOW_DAYS} days")]
    Never,
}

/// A time of day or a zone that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// Not `HH:MM`.
    #[error("a time of day is spelled HH:MM, from 00:00 to 24:00")]
    TimeOfDay,
    /// Not the name of a zone.
    #[error("a zone has an IANA name of at most {ZONE_CHARS_MAX} characters, such as Europe/Berlin")]
    Zone,
}

impl Windows {
    /// Whether there are few enough, and not none.
    pub(crate) fn is_sound(&self) -> bool {
        (1..=WINDOWS_MAX).contains(&self.open.len().saturating_add(self.never.len()))
    }

    /// The first stretch in which a device with these facts may switch that is not over at `now`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn next(
        &self,
        facts: &FilterFacts<'_>,
        zones: &Zones,
        now: UnixSeconds,
    ) -> Result<Opening, NoOpening> {
        let named = facts.iter().find(|(name, _)| *name == ZONE);
        let zone = named.map_or(self.zone.0.as_str(), |(_, zone)| zone);
        let offsets = zones.get(zone).ok_or(NoOpening::ZoneUnknown)?;
        let mut open = self.open_spans(facts, offsets, now);
        for window in self.never.iter().filter(|window| window.means(facts).unwrap_or(true)) {
            for never in window.spans(offsets, now, Of::Last) {
                open = open.into_iter().flat_map(|span| span.without(never)).collect();
            }
        }
        let soon = now.after(REACH_S);
        let next = open.into_iter().find(|span| span.closes > now).filter(|span| span.opens <= soon);
        let next = next.ok_or(NoOpening::Never)?;
        let shown = Shown::of(offsets.local(next.opens), ZoneName(zone.to_owned()));
        Ok(Opening { opens: next.opens, closes: next.closes, shown })
    }

    /// When it is open for the device, in order, none touching the next.
    fn open_spans(&self, facts: &FilterFacts<'_>, offsets: &Offsets, now: UnixSeconds) -> Vec<Span> {
        if self.open.is_empty() {
            return vec![Span { opens: now, closes: now.after(REACH_S) }];
        }
        let own = self.open.iter().any(|window| window.means(facts) == Some(true));
        let meant = self.open.iter().filter(|window| window.means(facts) == own.then_some(true));
        let mut spans: Vec<Span> = meant.flat_map(|window| window.spans(offsets, now, Of::First)).collect();
        spans.sort_by_key(|span| span.opens);
        let mut joined: Vec<Span> = Vec::new();
        for span in spans {
            match joined.last_mut() {
                Some(last) if last.closes >= span.opens => last.closes = last.closes.max(span.closes),
                _ => joined.push(span),
            }
        }
        joined
    }
}

impl Window {
    /// Whether its filter means a device with these facts; none if it has no filter.
    fn means(&self, facts: &FilterFacts<'_>) -> Option<bool> {
        self.whom.as_ref().map(|filter| filter.holds(facts))
    }

    /// When it is, from two days before `now` on; `end` says which end is meant if clocks show it twice.
    fn spans(&self, offsets: &Offsets, now: UnixSeconds, end: Of) -> impl Iterator<Item = Span> {
        let today = offsets.local(now).div_euclid(DAY_S);
        let begins = move |day: &i64| self.days.is_empty() || self.days.contains(&Weekday::of(*day));
        let lasts = self.lasts_s();
        // What lasts a whole day opened with the one before it; what begins on the last day is cut by what begins
        // on the day after it.
        let days = today.saturating_sub(2)..=today.saturating_add(i64::from(WINDOW_DAYS) + 1);
        days.filter(begins).map(move |day| {
            let from = day.saturating_mul(DAY_S).saturating_add(self.from.seconds());
            let opens = offsets.moment(from, Of::First);
            let closes = offsets.moment(from.saturating_add(lasts), end);
            // What clocks skip whole comes later whole.
            let moved = opens.after(lasts.unsigned_abs());
            Span { opens, closes: if closes > opens { closes } else { moved } }
        })
    }

    fn lasts_s(&self) -> i64 {
        let lasts = self.to.seconds().saturating_sub(self.from.seconds());
        if lasts > 0 { lasts } else { lasts.saturating_add(DAY_S) }
    }
}

/// From one moment until before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    opens: UnixSeconds,
    closes: UnixSeconds,
}

impl Span {
    /// What is left of it without `other`.
    fn without(self, other: Self) -> impl Iterator<Item = Self> {
        let before = Self { opens: self.opens, closes: self.closes.min(other.opens) };
        let after = Self { opens: self.opens.max(other.closes), closes: self.closes };
        [before, after].into_iter().filter(|left| left.opens < left.closes)
    }
}

impl Weekday {
    const ALL: [Self; 7] = [
        Self::Monday,
        Self::Tuesday,
        Self::Wednesday,
        Self::Thursday,
        Self::Friday,
        Self::Saturday,
        Self::Sunday,
    ];

    /// That of a day counted from 1970-01-01, a Thursday.
    fn of(day: i64) -> Self {
        let number = usize::try_from(day.saturating_add(3).rem_euclid(7)).unwrap_or(0);
        Self::ALL.get(number).copied().unwrap_or(Self::Monday)
    }
}

impl TimeOfDay {
    fn seconds(self) -> i64 {
        i64::from(self.0).saturating_mul(60)
    }
}

impl Shown {
    fn of(local: i64, zone: ZoneName) -> Self {
        let minute = u16::try_from(local.rem_euclid(DAY_S) / 60).unwrap_or(0);
        Self { day: Weekday::of(local.div_euclid(DAY_S)), at: TimeOfDay(minute), zone }
    }
}

impl FromStr for TimeOfDay {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let number = |digits: &str| {
            let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            digits.parse::<u16>().ok().filter(|_| plain)
        };
        let (hour, minute) = text.split_once(':').ok_or(WindowError::TimeOfDay)?;
        let of_day = match (number(hour), number(minute)) {
            (Some(24), Some(0)) => Some(24 * 60),
            (Some(hour @ 0..24), Some(minute @ 0..60)) => Some(hour * 60 + minute),
            _ => None,
        };
        of_day.map(Self).ok_or(WindowError::TimeOfDay)
    }
}

impl FromStr for ZoneName {
    type Err = WindowError;

    fn from_str(text: &str) -> Result<Self, WindowError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/_-+".contains(c);
        let fits = (1..=ZONE_CHARS_MAX).contains(&text.len()) && text.chars().all(plain);
        fits.then(|| Self(text.to_owned())).ok_or(WindowError::Zone)
    }
}

impl TryFrom<String> for TimeOfDay {
    type Error = WindowError;

    fn try_from(text: String) -> Result<Self, WindowError> {
        text.parse()
    }
}

impl TryFrom<String> for ZoneName {
    type Error = WindowError;

    fn try_from(text: String) -> Result<Self, WindowError> {
        text.parse()
    }
}

impl From<TimeOfDay> for String {
    fn from(time: TimeOfDay) -> Self {
        time.to_string()
    }
}

impl From<ZoneName> for String {
    fn from(zone: ZoneName) -> Self {
        zone.0
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl fmt::Display for ZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "on {:?} at {} in {}", self.day, self.at, self.zone)
    }
}
