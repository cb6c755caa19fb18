//! Every reason there is, as people read it: docs/reference/reasons.md is this list, and cannot lie.

use super::*;
use crate::rollout::{BasisPoints, Place, Salt};
use crate::window::Windows;
use crate::zones::{Offsets, Zones};
use std::fmt::Write;

const PAGE: &str = include_str!("../../../../docs/reference/reasons.md");

/// One of each kind, in the order in which they are asked.
fn all() -> Vec<Blocker> {
    let version = || "1.2.0".parse::<Version>().unwrap();
    let night =
        r#"{ "zone": "Europe/Berlin", "open": [{ "name": "night", "from": "22:00", "to": "05:00" }] }"#;
    let windows: Windows = serde_json::from_str(night).unwrap();
    let zones = Zones::new([("Europe/Berlin".to_owned(), Offsets::new(3_600, Vec::new()))]);
    let opening = windows.next(&[], &zones, UnixSeconds(40_000)).unwrap();
    let place = Place::of(Salt([7; 16]), &"dev-1".parse().unwrap());
    let share = BasisPoints::new(500);
    let gates = Gate::ALL.iter().copied().filter(|gate| *gate != Gate::OptedOut);
    let mut all = vec![
        Blocker::Quarantined,
        Blocker::FactsUnknown,
        Blocker::NothingForHardware(HardwareClass { vendor: [1; 16], class: [2; 16] }),
        Blocker::NothingOpen,
        Blocker::Pinned(version()),
        Blocker::UpToDate,
        Blocker::BelowFloor(version(), "1.3.0".parse().unwrap()),
        Blocker::SecurityTooLow(version()),
        Blocker::BootloaderTooOld(3),
        Blocker::NoPath(version()),
        Blocker::NotApproved(version()),
        Blocker::RequiresUnmet("modem".parse().unwrap()),
        Blocker::Expired(version()),
        Blocker::Penalised(3, Some(Cause::HealthFailed), UnixSeconds(0)),
        Blocker::FailedHere(version(), Some(Cause::HealthFailed)),
        Blocker::BackOff(version(), Some(Cause::LinkDown), UnixSeconds(0)),
        Blocker::OptedOut,
        Blocker::NoConsent,
        Blocker::AnchorsBehind,
    ];
    all.extend(gates.map(Blocker::Gate));
    let turns = [
        NotYet::NotRunning("halted"),
        NotYet::NoWindow(NoOpening::ZoneUnknown),
        NotYet::NoWindow(NoOpening::Never),
        NotYet::Window(opening),
        NotYet::StratumHalted,
        NotYet::PhaseNotOpen { phase: 1, phases: 5 },
        NotYet::PlaceBeyondShare { phase: 2, phases: 5, share, place },
        NotYet::Rate(500),
        NotYet::InFlight(12),
        NotYet::StratumInFlight,
        NotYet::RadioCell(2),
    ];
    all.extend(turns.map(|turn| Blocker::Turn(RolloutId(7), version(), turn)));
    all
}

/// A reason that is not in the list does not compile here, or is missed below.
fn number(blocker: &Blocker) -> usize {
    match blocker {
        Blocker::Quarantined => 0,
        Blocker::FactsUnknown => 1,
        Blocker::NothingForHardware(_) => 2,
        Blocker::NothingOpen => 3,
        Blocker::Pinned(_) => 4,
        Blocker::UpToDate => 5,
        Blocker::BelowFloor(..) => 6,
        Blocker::SecurityTooLow(_) => 7,
        Blocker::BootloaderTooOld(_) => 8,
        Blocker::NoPath(_) => 9,
        Blocker::NotApproved(_) => 10,
        Blocker::RequiresUnmet(_) => 11,
        Blocker::Expired(_) => 12,
        Blocker::Penalised(..) => 13,
        Blocker::FailedHere(..) => 14,
        Blocker::BackOff(..) => 15,
        Blocker::OptedOut => 16,
        Blocker::NoConsent => 17,
        Blocker::AnchorsBehind => 18,
        Blocker::Gate(_) => 19,
        Blocker::Turn(_, _, turn) => match turn {
            NotYet::NotRunning(_) => 20,
            NotYet::NoWindow(NoOpening::ZoneUnknown) => 21,
            NotYet::NoWindow(NoOpening::Never) => 22,
            NotYet::Window(_) => 23,
            NotYet::StratumHalted => 24,
            NotYet::PhaseNotOpen { .. } => 25,
            NotYet::PlaceBeyondShare { .. } => 26,
            NotYet::Rate(_) => 27,
            NotYet::InFlight(_) => 28,
            NotYet::StratumInFlight => 29,
            NotYet::RadioCell(_) => 30,
        },
    }
}

#[test]
fn the_page_of_reasons_has_every_one_as_it_reads() {
    let mut numbers: Vec<usize> = all().iter().map(number).collect();
    numbers.dedup();
    assert_eq!(numbers, (0..=30).collect::<Vec<_>>(), "each of them, in order");
    let mut table = String::new();
    for blocker in all() {
        let advice = blocker.advice().unwrap_or("-");
        writeln!(table, "| `{}` | {blocker} | {advice} |", blocker.code()).unwrap();
    }
    let (_, rest) = PAGE.split_once("| --- | --- | --- |\n").expect("a table");
    let (found, _) = rest.split_once("\n\n").unwrap_or((rest, ""));
    assert_eq!(format!("{}\n", found.trim_end()), table, "docs/reference/reasons.md should have:\n{table}");
}
