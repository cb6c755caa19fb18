//! The record keeps its bytes, fits its buffer, and refuses what it is not.
//!
//! Touches: `formats/vectors/record`. A changed file is a changed format: devices in the field hold these bytes.

use crate::kept::{keep, keep_only};
use crate::kit::{candidate, installed, record_at};
use crate::notation::notation;
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::check_in::{Health, HealthRow};
use lapwing_core::wire::report::{Detail, Event, EventKind};
use lapwing_core::{AttemptId, DecodeError, Digest, KeyId, ShortDigest, UnixSeconds};
use lapwing_device::limits::{BOOTS_MAX, EVENTS_MAX, RECORD_BYTES_MAX, REFUSED_MAX};
use lapwing_device::{Attempt, Floor, Installed, Ledger, Record, Refusal, Stage, TrialLog};

fn largest() -> Record {
    let text = "v".repeat(32);
    let installed = Installed { version: text.parse().unwrap(), seq: u64::MAX, security_version: u32::MAX };
    let moments = || core::iter::repeat_n(u64::MAX, BOOTS_MAX).collect();
    let log = TrialLog { elapsed_ms: u64::MAX, checked_in: true, reboots: moments(), watchdogs: moments() };
    let mut candidate = candidate();
    candidate.installed = installed.clone();
    (candidate.raise_to, candidate.image_size_bytes) = (u32::MAX, u64::MAX);
    candidate.trial_s_max = Some(u32::MAX);
    let attempt = AttemptId(u64::MAX);
    let event = Event {
        attempt,
        number: u32::MAX,
        kind: EventKind::AttemptFailed,
        running: ShortDigest([7; 8]),
        detail: Detail::Amount(u64::MAX),
    };
    let row = HealthRow {
        running: ShortDigest([7; 8]),
        boots: u32::MAX,
        watchdog_resets: u32::MAX,
        crashes: u32::MAX,
        health: Health::Failing,
        errors: u32::MAX,
    };
    Record {
        previous: Some(installed.clone()),
        confirmed: installed,
        seq_blamed: u64::MAX,
        security_floor: u32::MAX,
        floor: Some(Floor { time: UnixSeconds(u64::MAX), key: KeyId([0xff; 4]) }),
        attempt: Some(Attempt { id: attempt, candidate, stage: Stage::Trial(log) }),
        excused_once: Some(Digest::of(b"release")),
        refused: core::iter::repeat_n(Refusal { attempt, digest: Digest::of(b"x") }, REFUSED_MAX).collect(),
        events: core::iter::repeat_n(event, EVENTS_MAX).collect(),
        health: core::iter::repeat_n(row, 4).collect(),
        next_event: u32::MAX,
        ledger: Some(Ledger { day: u64::MAX, day_bytes: u64::MAX, month_bytes: u64::MAX }),
    }
}

fn vectors() -> Vec<(&'static str, &'static str, Record)> {
    let returning = Stage::Returning(Cause::HealthFailed);
    let watching = Stage::Watching { follow_ups: 2, elapsed_ms: 3_600_000 };
    let trial = Stage::Trial(TrialLog { elapsed_ms: 60_000, checked_in: true, ..TrialLog::default() });
    vec![
        ("fresh", "A device that has done nothing yet.", Record::new(installed("1.4.1", 41))),
        ("fetching", "Fetching or applying.", record_at(Stage::Fetching)),
        ("staged", "The spare slot holds the image.", record_at(Stage::Staged)),
        ("switching", "The switch was asked for.", record_at(Stage::Switching)),
        ("trial", "On trial for a minute, checked in.", record_at(trial)),
        ("watching", "Confirmed, two follow-ups done.", record_at(watching)),
        ("returning", "Going back because health failed.", record_at(returning)),
        ("judging", "Back, waiting for a verdict on the lost link.", record_at(Stage::Judging)),
        ("largest", "Every limit reached.", largest()),
    ]
}

fn encode(record: &Record) -> Vec<u8> {
    record.encode(&mut [0; RECORD_BYTES_MAX]).unwrap().to_vec()
}

#[test]
fn records_are_spelled_as_they_always_were() {
    let mut names = Vec::new();
    for (name, story, record) in vectors() {
        let bytes = encode(&record);
        let text = format!("record/{name}: {} bytes\n{story}\n\n{}\n", bytes.len(), notation(&bytes));
        keep(&format!("record/{name}.cbor"), &bytes);
        keep(&format!("record/{name}.txt"), text.as_bytes());
        names.extend([format!("{name}.cbor"), format!("{name}.txt")]);
    }
    keep_only("record", names);
}

#[test]
fn a_record_comes_back_from_its_bytes_and_from_nothing_less() {
    for (name, _, record) in vectors() {
        let bytes = encode(&record);
        assert_eq!(Record::decode(&bytes).as_ref(), Ok(&record), "{name}");
        for end in 0..bytes.len() {
            assert!(Record::decode(&bytes[..end]).is_err(), "{name} cut at {end}");
        }
        assert_eq!(Record::decode(&[&bytes[..], &[0]].concat()), Err(DecodeError::TrailingBytes), "{name}");
    }
    assert_eq!(Record::decode(&[0; RECORD_BYTES_MAX + 1]), Err(DecodeError::OverLimit));
}

#[test]
fn a_record_of_another_format_is_not_guessed_at() {
    let mut bytes = encode(&Record::new(installed("1.4.1", 41)));
    bytes[1] = 2;
    assert_eq!(Record::decode(&bytes), Err(DecodeError::UnknownVersion(2)));
}
