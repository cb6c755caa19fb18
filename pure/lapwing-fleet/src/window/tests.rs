//! Windows by hand-made tables of offsets; the real zones are tried where they are known, in `io/`.

use super::*;
use proptest::prelude::*;

const HOUR_S: u64 = 3_600;
/// A Thursday at 00:00 in Greenwich.
const THURSDAY: UnixSeconds = UnixSeconds(1_000 * 7 * 86_400);

fn windows(text: &str) -> Windows {
    serde_json::from_str(&format!(r#"{{ "zone": "Here", {text} }}"#)).unwrap()
}

/// A zone an hour east of Greenwich whose clocks go on by `by_s` on Friday at 01:00 in Greenwich.
fn here(by_s: i64) -> Zones {
    let change = (THURSDAY.after(25 * HOUR_S), 3_600 + by_s);
    Zones::new([("Here".to_owned(), Offsets::new(3_600, vec![change]))])
}

/// The hours after [`THURSDAY`], in hundredths, at which the next opening opens and closes.
fn next(text: &str, facts: &FilterFacts<'_>, zones: &Zones, now_h: u64) -> Result<(u64, u64), NoOpening> {
    let opening = windows(text).next(facts, zones, THURSDAY.after(now_h * HOUR_S))?;
    let hundredths = |at: UnixSeconds| at.since(THURSDAY) * 100 / HOUR_S;
    Ok((hundredths(opening.opens), hundredths(opening.closes)))
}

#[test]
fn a_window_opens_by_the_clocks_of_the_zone_and_a_filter_takes_the_place_of_the_rest() {
    let night = r#""open": [{ "name": "night", "from": "22:00", "to": "05:00" },
        { "name": "acme", "for": "tag == acme", "days": ["saturday"], "from": "10:00", "to": "12:30" }]"#;
    let check = |facts: &FilterFacts<'_>, now_h, expected| {
        assert_eq!(next(night, facts, &here(0), now_h), Ok(expected), "{facts:?} at {now_h}");
    };
    check(&[], 0, (0, 400));
    check(&[], 4, (2_100, 2_800));
    check(&[], 23, (2_100, 2_800));
    check(&[("tag", "acme")], 0, (5_700, 5_950));
    check(&[("zone", "Here"), ("tag", "other")], 4, (2_100, 2_800));
    assert_eq!(next(night, &[("zone", "There")], &here(0), 0), Err(NoOpening::ZoneUnknown));
    let only = r#""open": [{ "name": "acme", "for": "tag == acme", "from": "10:00", "to": "12:30" }]"#;
    assert_eq!(next(only, &[], &here(0), 0), Err(NoOpening::Never));
}

#[test]
fn hours_that_are_never_right_cut_what_is_open() {
    let business =
        r#""never": [{ "name": "work", "days": ["thursday", "friday"], "from": "08:00", "to": "18:00" }]"#;
    assert_eq!(next(business, &[], &here(0), 3), Ok((300, 700)));
    assert_eq!(next(business, &[], &here(0), 10), Ok((1_700, 3_100)));
    let both = r#""open": [{ "name": "day", "from": "06:00", "to": "20:00" }],
        "never": [{ "name": "work", "from": "08:00", "to": "18:00" }]"#;
    assert_eq!(next(both, &[], &here(0), 3), Ok((500, 700)));
    assert_eq!(next(both, &[], &here(0), 7), Ok((1_700, 1_900)));
    let through = r#""open": [{ "name": "night", "from": "22:00", "to": "05:00" }],
        "never": [{ "name": "always", "from": "00:00", "to": "24:00" }]"#;
    assert_eq!(next(through, &[], &here(0), 3), Err(NoOpening::Never));
    let all = r#""open": [{ "name": "day", "from": "06:00", "to": "20:00" }],
        "never": [{ "name": "work", "from": "00:00", "to": "24:00" }]"#;
    assert_eq!(next(all, &[], &here(0), 3), Err(NoOpening::Never));
}

#[test]
fn what_clocks_skip_moves_forward_and_what_they_show_twice_counts_once() {
    let window =
        |from: &str, to: &str| format!(r#""open": [{{ "name": "w", "from": "{from}", "to": "{to}" }}]"#);
    let check = |by_s, from, to, expected| {
        assert_eq!(next(&window(from, to), &[], &here(by_s), 20), Ok(expected), "{from}-{to} by {by_s}");
    };
    // From 02:00 to 03:00 on Friday, 01:00 in Greenwich.
    check(3_600, "01:30", "02:30", (2_450, 2_550));
    check(3_600, "02:30", "05:00", (2_550, 2_700));
    check(3_600, "02:15", "02:45", (2_525, 2_575));
    check(3_600, "02:30", "03:00", (2_550, 2_600));
    // From 02:00 back to 01:00.
    check(-3_600, "01:15", "01:45", (2_425, 2_475));
    check(-3_600, "01:30", "02:30", (2_450, 2_650));
    let after_the_first = next(&window("01:15", "01:45"), &[], &here(-3_600), 25);
    assert_eq!(after_the_first, Ok((4_925, 4_975)), "not again when clocks show 01:15 again");
    let work = r#""never": [{ "name": "work", "from": "00:30", "to": "01:30" }]"#;
    assert_eq!(
        next(work, &[], &here(-3_600), 24),
        Ok((2_550, 4_850)),
        "it lasts until 01:30 for the last time"
    );
}

#[test]
fn times_and_zones_are_spelled_one_way() {
    for wrong in ["", "7:00", "07:60", "24:01", "25:00", "+7:00", "07:00:00", "0700"] {
        assert_eq!(wrong.parse::<TimeOfDay>(), Err(WindowError::TimeOfDay), "{wrong}");
    }
    for wrong in ["", "Europe Berlin", "a\n", &"x".repeat(ZONE_CHARS_MAX + 1)] {
        assert_eq!(wrong.parse::<ZoneName>(), Err(WindowError::Zone), "{wrong}");
    }
    assert_eq!("24:00".parse::<TimeOfDay>().unwrap().to_string(), "24:00");
}

proptest! {
    /// Whatever clocks do, what opens is open then, lasts, is not over, and is never in hours that are not right.
    #[test]
    fn an_opening_is_open(by_s in -7_200..7_200_i64, now_h in 0..72_u64, from in 0..96_u16, to in 0..=96_u16,
                          never in 0..96_u16, lasts in 1..80_u16) {
        let at = |quarters: u16| TimeOfDay(quarters * 15);
        let window = |from, to| Window { name: "w".parse().unwrap(), whom: None, days: Vec::new(), from, to };
        let windows = Windows {
            zone: "Here".parse().unwrap(),
            open: vec![window(at(from), at(to))],
            never: vec![window(at(never), at((never + lasts) % 96))],
        };
        let (zones, now) = (here(by_s), THURSDAY.after(now_h * HOUR_S));
        if let Ok(next) = windows.next(&[], &zones, now) {
            prop_assert!(next.opens < next.closes && next.closes > now);
            let there = windows.next(&[], &zones, next.opens).unwrap();
            prop_assert_eq!(&there, &next, "the same is said when it opens");
            let offsets = zones.get("Here").unwrap();
            for never in windows.never[0].spans(offsets, now, Of::Last) {
                prop_assert!(next.closes <= never.opens || never.closes <= next.opens);
            }
        }
    }
}
