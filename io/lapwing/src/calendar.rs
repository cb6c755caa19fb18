//! Moments as people write them: `2026-11-21`, `2026-11-21T08:30:00Z`, or seconds since 1970.
//!
//! Touches: the clock in [`now`] only, and the environment for `SOURCE_DATE_EPOCH`.
//! Source: Howard Hinnant, "chrono-compatible low-level date algorithms".

use lapwing_core::UnixSeconds;
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds in a day.
pub(crate) const DAY_S: u64 = 86_400;

/// What the clock of this machine says. Signing is the only trade here that needs one.
pub(crate) fn now() -> UnixSeconds {
    UnixSeconds(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
}

/// The time that reproducible builds agree on, if it is set.
pub(crate) fn source_date_epoch() -> Option<UnixSeconds> {
    std::env::var("SOURCE_DATE_EPOCH").ok()?.parse().ok().map(UnixSeconds)
}

/// The moment as [`parse`] reads it. Source: RFC 3339.
pub(crate) fn in_words(time: UnixSeconds) -> String {
    let (days, second) = (time.0 / DAY_S, time.0 % DAY_S);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// The moment, and how far it is from `now`.
pub(crate) fn from_now(time: UnixSeconds, now: UnixSeconds) -> String {
    let (ahead, behind) = (time.since(now), now.since(time));
    let distance = match ahead.max(behind) {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds if seconds < 2 * 3600 => format!("{} min", seconds / 60),
        seconds if seconds < 2 * DAY_S => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / DAY_S),
    };
    let when = if ahead > 0 { format!("in {distance}") } else { format!("{distance} ago") };
    format!("{} ({when})", in_words(time))
}

/// Parses a moment; a day alone is its first second.
pub(crate) fn parse(text: &str) -> Result<UnixSeconds, String> {
    let wrong =
        || format!("`{text}` is neither seconds since 1970, nor YYYY-MM-DD, nor YYYY-MM-DDThh:mm:ssZ");
    if let Ok(seconds) = text.parse() {
        return Ok(UnixSeconds(seconds));
    }
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, time.strip_suffix('Z').ok_or_else(wrong)?),
        None => (text, "00:00:00"),
    };
    let [year, month, day] = numbers(date, '-').ok_or_else(wrong)?;
    let [hour, minute, second] = numbers(time, ':').ok_or_else(wrong)?;
    let days = days_since_1970(year, month, day).ok_or_else(wrong)?;
    let in_day = (hour < 24 && minute < 60 && second < 60).then_some(hour * 3600 + minute * 60 + second);
    Ok(UnixSeconds(days * DAY_S + in_day.ok_or_else(wrong)?))
}

/// A moment as an argument or in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(pub(crate) UnixSeconds);

impl std::str::FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text).map(Self)
    }
}

fn numbers(text: &str, separator: char) -> Option<[u64; 3]> {
    let parts: Vec<u64> = text.split(separator).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    parts.try_into().ok()
}

fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || day == 0 {
        return None;
    }
    let year_from_march = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leap_days = year_from_march / 4 - year_from_march / 100 + year_from_march / 400;
    let days = year_from_march * 365 + leap_days + day_of_year - 719_468;
    (civil(days) == (year, month, day)).then_some(days)
}

fn civil(days_since_1970: u64) -> (u64, u64, u64) {
    let days = days_since_1970 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_they_are_written() {
        let check = |text: &str, seconds: u64| assert_eq!(parse(text), Ok(UnixSeconds(seconds)), "{text}");
        check("0", 0);
        check("1970-01-01", 0);
        check("2000-02-29", 951_782_400);
        check("2026-11-21T08:30:05Z", 1_795_249_805);
        assert_eq!(in_words(UnixSeconds(1_795_249_805)), "2026-11-21T08:30:05Z");
        for wrong in
            ["", "yesterday", "2026-02-29", "2026-13-01", "2026-11-21T24:00:00Z", "2026-11-21T08:30:05"]
        {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_distance_is_said_in_the_unit_that_fits() {
        let check = |seconds: u64, expected: &str| {
            let said = from_now(UnixSeconds(seconds), UnixSeconds(1_000_000));
            assert!(said.ends_with(&format!("Z ({expected})")), "{said}");
        };
        check(1_000_000, "0 s ago");
        check(999_820, "3 min ago");
        check(1_000_090, "in 90 s");
        check(1_000_000 + 5 * 3600, "in 5 h");
        check(1_000_000 - 9 * DAY_S, "9 days ago");
    }

    #[test]
    fn every_day_of_four_centuries_comes_back() {
        for days in 0..146_097 * 2 {
            let (year, month, day) = civil(days);
            assert_eq!(days_since_1970(year, month, day), Some(days));
        }
    }
}
