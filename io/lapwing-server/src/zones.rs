//! What the clocks of all IANA zones show, as a table for the days around one moment.
//!
//! Touches: the time zones that are built in, never those of the machine: every server decides alike.
//! Never: decides when a window is open.

use jiff::Timestamp;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use lapwing_core::UnixSeconds;
use lapwing_fleet::limits::WINDOW_DAYS;
use lapwing_fleet::{Offsets, Zones};

const DAY_S: i64 = 86_400;
/// A table is good for so long, seconds.
pub(crate) const GOOD_S: u64 = 86_400;

/// All zones around `now`: from before any window that may still be open until after the last that is asked for.
pub(crate) fn zones_around(now: UnixSeconds) -> Zones {
    let at = |days: i64| {
        let seconds = i64::try_from(now.0).unwrap_or(i64::MAX).saturating_add(days.saturating_mul(DAY_S));
        Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
    };
    let (from, until) = (at(-3), at(i64::from(WINDOW_DAYS) + 4));
    let known = TimeZoneDatabase::bundled();
    let offsets = known.available().filter_map(|name| {
        let zone = known.get(name.as_str()).ok()?;
        Some((name.as_str().to_owned(), offsets(&zone, from, until)))
    });
    Zones::new(offsets)
}

fn offsets(zone: &TimeZone, from: Timestamp, until: Timestamp) -> Offsets {
    let changes = zone.following(from).take_while(|change| change.timestamp() < until);
    let change = |at: Timestamp| UnixSeconds(u64::try_from(at.as_second()).unwrap_or(0));
    let changes = changes.map(|c| (change(c.timestamp()), c.offset().seconds().into())).collect();
    Offsets::new(zone.to_offset(from).seconds().into(), changes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lapwing_fleet::Windows;

    /// A window that opens every day from `from` to `to` is open from then until then, in UTC.
    #[track_caller]
    fn check(zone: &str, (from, to): (&str, &str), (opens, closes): (&str, &str)) {
        let time = |text: &str| UnixSeconds(text.parse::<Timestamp>().unwrap().as_second().unsigned_abs());
        let windows =
            format!(r#"{{ "zone": "{zone}", "open": [{{ "name": "w", "from": "{from}", "to": "{to}" }}] }}"#);
        let windows: Windows = serde_json::from_str(&windows).unwrap();
        let expected = (time(&format!("{opens}:00Z")), time(&format!("{closes}:00Z")));
        let now = UnixSeconds(expected.0.0 - 6 * 3_600);
        let next = windows.next(&[], &zones_around(now), now).unwrap();
        assert_eq!((next.opens, next.closes), expected, "{zone} {from}-{to}");
    }

    #[test]
    fn windows_keep_to_local_clocks_when_these_change() {
        // Europe/Berlin: from +1 to +2 on 29 March, 02:00 to 03:00; back on 25 October, 03:00 to 02:00.
        let berlin = |case, expected| check("Europe/Berlin", case, expected);
        berlin(("22:00", "05:00"), ("2026-03-28T21:00", "2026-03-29T03:00"));
        berlin(("02:30", "05:00"), ("2026-03-29T01:30", "2026-03-29T03:00"));
        berlin(("02:00", "03:00"), ("2026-03-29T01:00", "2026-03-29T02:00"));
        berlin(("02:30", "03:30"), ("2026-10-25T00:30", "2026-10-25T02:30"));
        berlin(("02:15", "02:45"), ("2026-10-25T00:15", "2026-10-25T00:45"));
        berlin(("02:15", "02:45"), ("2026-10-26T01:15", "2026-10-26T01:45"));
        // America/New_York: from -5 to -4 on 8 March, 02:00 to 03:00; back on 1 November, 02:00 to 01:00.
        let new_york = |case, expected| check("America/New_York", case, expected);
        new_york(("02:30", "03:00"), ("2026-03-08T07:30", "2026-03-08T08:00"));
        new_york(("01:00", "04:00"), ("2026-03-08T06:00", "2026-03-08T08:00"));
        new_york(("01:30", "02:00"), ("2026-11-01T05:30", "2026-11-01T07:00"));
        new_york(("01:30", "01:45"), ("2026-11-01T05:30", "2026-11-01T05:45"));
        // Australia/Lord_Howe, by half an hour: from +11 to +10:30 on 5 April, 02:00 to 01:30; from +10:30 to +11
        // on 4 October, 02:00 to 02:30.
        let lord_howe = |case, expected| check("Australia/Lord_Howe", case, expected);
        lord_howe(("01:45", "02:15"), ("2026-04-04T14:45", "2026-04-04T15:45"));
        lord_howe(("02:15", "02:45"), ("2026-10-03T15:45", "2026-10-03T16:15"));
        lord_howe(("02:00", "04:00"), ("2026-10-03T15:30", "2026-10-03T17:00"));
        // America/Santiago, in the south: from -3 to -4 on 5 April, 00:00 to 23:00 the day before; from -4 to -3 on
        // 6 September, 00:00 to 01:00.
        let santiago = |case, expected| check("America/Santiago", case, expected);
        santiago(("23:30", "02:00"), ("2026-04-05T02:30", "2026-04-05T06:00"));
        santiago(("00:30", "03:00"), ("2026-09-06T04:30", "2026-09-06T06:00"));
        santiago(("22:00", "00:00"), ("2026-09-06T02:00", "2026-09-06T04:00"));
        // Asia/Kolkata, +5:30 all the year.
        check("Asia/Kolkata", ("02:30", "05:00"), ("2026-03-28T21:00", "2026-03-28T23:30"));
        check("Asia/Kolkata", ("02:30", "05:00"), ("2026-10-24T21:00", "2026-10-24T23:30"));
        // America/Mexico_City: it changed its clocks until October 2022, and stays at -6 since.
        let mexico = |case, expected| check("America/Mexico_City", case, expected);
        mexico(("02:30", "05:00"), ("2022-04-03T08:30", "2022-04-03T10:00"));
        mexico(("01:30", "03:00"), ("2022-10-30T06:30", "2022-10-30T09:00"));
        mexico(("02:30", "05:00"), ("2023-04-02T08:30", "2023-04-02T11:00"));
    }

    #[test]
    fn a_table_is_good_for_all_that_is_asked_of_it_while_it_is_good() {
        let made = UnixSeconds(1_774_200_000);
        let windows = r#"{ "zone": "Europe/Berlin", "open": [{ "name": "w", "days": ["sunday"], "from": "02:30", "to": "04:30" }] }"#;
        let windows: Windows = serde_json::from_str(windows).unwrap();
        let table = zones_around(made);
        for now in (0..GOOD_S).step_by(3_600).map(|later| made.after(later)) {
            assert_eq!(windows.next(&[], &table, now), windows.next(&[], &zones_around(now), now));
        }
        assert!(table.get("UTC").is_some() && table.get("Mars/Olympus").is_none());
    }
}
