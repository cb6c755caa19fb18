//! What each change of the slot table allows, what survives a torn write, and the golden bytes.
//!
//! Touches: `formats/vectors/slot-table`.
//! Never: writes a vector. The format is frozen, so a test that wants other bytes is wrong.

use super::*;
use std::format;
use std::string::String;
use std::vec::Vec;

const A: Booted = Booted(Slot::A);
const B: Booted = Booted(Slot::B);

fn image(name: &str) -> Digest {
    Digest::of(name.as_bytes())
}

fn settled() -> SlotTable {
    SlotTable::first(Slot::A, image("old"), 3)
}

fn writing() -> SlotTable {
    settled().begin_write(A).unwrap()
}

fn staged() -> SlotTable {
    writing().staged(Slot::B, image("new"), 4).unwrap()
}

fn trial() -> SlotTable {
    staged().switch(Slot::B, StartLimits::APP).unwrap()
}

fn watched() -> SlotTable {
    trial().confirm(B).unwrap()
}

/// A slot whose image rotted while the trial in the other one was open.
fn trial_without_way_back() -> SlotTable {
    trial().mark_bad(Slot::A).unwrap()
}

/// `active phase state-a state-b silent/trial returned`, or the error.
fn short(result: Result<SlotTable, SlotTableError>) -> String {
    result.map_or_else(
        |error| format!("{error}"),
        |t| {
            let [a, b] = t.slots.map(|entry| entry.state);
            let why = t.returned.map_or(String::from("-"), |why| format!("{why:?}"));
            format!(
                "{} {:?} {a:?} {b:?} {}/{} {why}",
                t.active.name(),
                t.phase,
                t.starts_silent,
                t.starts_trial
            )
        },
    )
}

type Change = fn(SlotTable) -> Result<SlotTable, SlotTableError>;

fn check(name: &str, change: Change, expected: [&str; 5]) {
    let tables = [settled(), writing(), staged(), trial().start().store.unwrap(), watched()];
    for (table, expected) in tables.into_iter().zip(expected) {
        assert_eq!(short(change(table)), expected, "{name} on {}", short(Ok(table)));
    }
}

#[test]
fn every_change_is_allowed_exactly_where_it_is_safe() {
    const OPEN: &str = "a trial is open";
    const NONE: &str = "no trial is open";
    const OTHER: &str = "the running slot is not the active one";
    const WRONG: &str = "the slot is in the wrong state";
    const NO_WAY: &str = "the other slot holds nothing to start";
    let begun = "a Settled Confirmed Writing 0/0 -";
    let went_back = |why: &str| format!("a Settled Confirmed {why}");

    check("begin_write", |t| t.begin_write(A), [begun, begun, begun, OPEN, OPEN]);
    check("begin_write unrecorded", |t| t.begin_write(B), [OTHER, OTHER, OTHER, OPEN, OPEN]);
    let done = "a Settled Confirmed Staged 0/0 -";
    check("staged", |t| t.staged(Slot::B, image("n"), 1), [WRONG, done, WRONG, WRONG, WRONG]);
    check("staged active", |t| t.staged(t.active, image("n"), 1), [WRONG; 5]);
    let tried = "b Trial Confirmed Trial 0/0 -";
    check("switch", |t| t.switch(Slot::B, StartLimits::APP), [WRONG, WRONG, tried, OPEN, OPEN]);
    check("switch back", |t| t.switch(Slot::A, StartLimits::APP), [WRONG, WRONG, WRONG, OPEN, OPEN]);
    let alive = "b Trial Confirmed Trial 0/1 -";
    let quiet = "b Watched Confirmed Confirmed 0/0 -";
    check("sign_of_life", |t| t.sign_of_life(B), [OTHER, OTHER, OTHER, alive, quiet]);
    let same = "a Settled Confirmed Empty 0/0 -";
    check("sign_of_life of old", |t| t.sign_of_life(A), [same, begun, done, OTHER, OTHER]);
    check("confirm", |t| t.confirm(B), [NONE, NONE, NONE, "b Watched Confirmed Confirmed 0/1 -", NONE]);
    check("confirm by old", |t| t.confirm(A), [NONE, NONE, NONE, OTHER, NONE]);
    let kept = "b Settled Confirmed Confirmed 0/0 -";
    check("settle, keep", |t| t.settle(OldSlot::Keep), [NONE, NONE, NONE, NONE, kept]);
    let closed = "b Settled Bad Confirmed 0/0 -";
    check("settle, bad", |t| t.settle(OldSlot::MarkBad), [NONE, NONE, NONE, NONE, closed]);
    let blamed = [went_back("Bad 1/1 AgentAsked"), went_back("Bad 0/0 AgentAsked")];
    let spared = [went_back("Staged 1/1 AgentAsked"), went_back("Staged 0/0 AgentAsked")];
    check(
        "roll_back",
        |t| t.roll_back(Return::AgentAsked, OldSlot::MarkBad),
        [NONE, NONE, NONE, &blamed[0], &blamed[1]],
    );
    check(
        "roll_back without blame",
        |t| t.roll_back(Return::AgentAsked, OldSlot::Keep),
        [NONE, NONE, NONE, &spared[0], &spared[1]],
    );
    check("mark_bad", |t| t.mark_bad(Slot::B), [WRONG, WRONG, "a Settled Confirmed Bad 0/0 -", WRONG, WRONG]);
    let rotten = ["b Trial Bad Trial 1/1 -", "b Watched Bad Confirmed 0/0 -"];
    check("mark_bad old", |t| t.mark_bad(Slot::A), [WRONG, WRONG, WRONG, rotten[0], rotten[1]]);
    let left = [went_back("Bad 1/1 NotStartable"), went_back("Bad 0/0 NotStartable")];
    let rescued = "b Trial Bad Trial 0/0 NotStartable";
    check(
        "not_startable",
        |t| t.not_startable(Return::NotStartable),
        [NO_WAY, NO_WAY, rescued, &left[0], &left[1]],
    );
}

/// The slots that start one after another, every try written down.
fn starts(mut table: SlotTable, count: usize) -> String {
    let mut names = String::new();
    for _ in 0..count {
        let start = table.start();
        names.push_str(start.slot.name());
        table = start.store.unwrap_or(table);
    }
    names
}

#[test]
fn a_silent_image_gets_its_starts_and_no_more() {
    assert_eq!(starts(trial(), 5), "bbaaa");
    assert_eq!(starts(staged().switch(Slot::B, StartLimits::SYSTEM).unwrap(), 5), "bbbaa");
    assert_eq!(starts(watched(), 5), "bbaaa");
    assert_eq!(starts(settled(), 3), "aaa");
}

#[test]
fn signs_of_life_buy_starts_up_to_the_limit_of_the_trial() {
    let mut table = trial();
    for _ in 0..StartLimits::APP.trial_starts {
        let start = table.start();
        assert_eq!(start.slot, Slot::B);
        table = start.store.unwrap().sign_of_life(B).unwrap();
    }
    let last = table.start();
    assert_eq!(last.slot, Slot::A);
    assert_eq!(last.store.unwrap().returned, Some(Return::TrialStarts));
    assert_eq!(starts(table.confirm(B).unwrap(), 3), "bba", "under watch only silence counts");
}

#[test]
fn without_a_way_back_the_trial_goes_on() {
    assert_eq!(starts(trial_without_way_back(), 7), "bbbbbbb");
}

#[test]
fn a_settled_table_is_not_written_by_starts() {
    assert_eq!(settled().start(), Start { slot: Slot::A, store: None });
    assert_eq!(staged().start().store, None);
}

#[test]
fn a_try_that_cannot_be_written_starts_the_confirmed_slot() {
    let cases = [
        (settled(), Slot::A),
        (staged(), Slot::A),
        (trial(), Slot::A),
        (watched(), Slot::A),
        (watched().settle(OldSlot::Keep).unwrap(), Slot::B),
        (trial_without_way_back(), Slot::B),
    ];
    for (table, expected) in cases {
        assert_eq!(table.fallback(), expected, "{}", short(Ok(table)));
    }
}

#[test]
fn the_next_switch_forgets_the_last_return() {
    let back = trial().roll_back(Return::AgentAsked, OldSlot::Keep).unwrap();
    assert_eq!(back.returned, Some(Return::AgentAsked));
    assert_eq!(back.switch(Slot::B, StartLimits::APP).unwrap().returned, None);
}

#[test]
fn only_the_first_start_of_a_trial_is_the_first() {
    assert!(!staged().is_first_start());
    assert!(trial().is_first_start());
    assert!(!trial().start().store.unwrap().is_first_start());
    assert!(!watched().is_first_start());
}

/// Every table that any order of changes can reach, with small limits and without what only counts.
fn reachable() -> Vec<SlotTable> {
    const LIMITS: StartLimits = StartLimits { silent_starts: 2, trial_starts: 3 };
    let changes: [Change; 17] = [
        |t| t.begin_write(A),
        |t| t.begin_write(B),
        |t| t.staged(Slot::A, image("i"), 1),
        |t| t.staged(Slot::B, image("i"), 1),
        |t| t.switch(Slot::A, LIMITS),
        |t| t.switch(Slot::B, LIMITS),
        |t| t.sign_of_life(A),
        |t| t.sign_of_life(B),
        |t| t.confirm(Booted(t.active)),
        |t| t.settle(OldSlot::Keep),
        |t| t.settle(OldSlot::MarkBad),
        |t| t.roll_back(Return::AgentAsked, OldSlot::Keep),
        |t| t.roll_back(Return::AgentAsked, OldSlot::MarkBad),
        |t| t.mark_bad(Slot::A),
        |t| t.mark_bad(Slot::B),
        |t| t.not_startable(Return::NotStartable),
        |t| Ok(t.start().store.unwrap_or(t)),
    ];
    let mut found = std::vec![SlotTable { limits: LIMITS, ..SlotTable::first(Slot::A, image("i"), 1) }];
    let mut next = 0;
    while let Some(table) = found.get(next).copied() {
        for after in changes.iter().filter_map(|change| change(table).ok()) {
            let after = SlotTable { starts_total: 0, ..after };
            if !found.contains(&after) {
                found.push(after);
            }
        }
        next += 1;
    }
    found
}

#[test]
fn whatever_happens_there_is_an_image_to_start() {
    let tables = reachable();
    for table in &tables {
        let says = short(Ok(*table));
        let of_active = if table.phase == Phase::Trial { SlotState::Trial } else { SlotState::Confirmed };
        assert_eq!(table.slot(table.active).state, of_active, "{says}");
        assert_ne!(table.slot(table.active.other()).state, SlotState::Trial, "{says}");
        let start = table.start();
        let counted = start.store.unwrap_or(*table);
        assert_eq!(
            (start.slot, table.phase == Phase::Settled),
            (counted.active, start.store.is_none()),
            "{says}"
        );
        for slot in [start.slot, table.fallback()] {
            assert!(matches!(table.slot(slot).state, SlotState::Confirmed | SlotState::Trial), "{says}");
        }
        assert!(counted.starts_silent <= 2 && counted.starts_trial <= 3, "{says}");
        if table.phase != Phase::Settled {
            assert_eq!(table.begin_write(Booted(table.active)), Err(SlotTableError::TrialOpen), "{says}");
        }
    }
    assert!(tables.len() > 100, "only {} tables", tables.len());
}

type Records = [[u8; SLOT_RECORD_LEN]; 2];

fn store(table: SlotTable, records: &mut Records) -> SlotTable {
    table
        .store(|offset, bytes| {
            records[SLOT_RECORD_OFFSETS.iter().position(|o| *o == offset).unwrap()] = *bytes;
            Ok::<(), ()>(())
        })
        .unwrap()
}

/// Two whole records, `old` in the first place and `new` in the second.
fn two_records() -> (Records, SlotTable, SlotTable) {
    let mut records = [[0; SLOT_RECORD_LEN]; 2];
    let first = store(trial(), &mut records);
    let old = store(first.start().store.unwrap(), &mut records);
    let new = store(old.start().store.unwrap(), &mut records);
    (records, old, new)
}

#[test]
fn the_newest_whole_record_counts() {
    let (records, old, new) = two_records();
    assert_eq!(SlotTable::decode(&records), Ok(new));
    assert_eq!(SlotTable::decode(&[records[0], [0; SLOT_RECORD_LEN]]), Ok(old));
    assert_eq!(SlotTable::decode(&[[0xff; SLOT_RECORD_LEN], records[1]]), Ok(new));
    assert_eq!(SlotTable::decode(&[[0; SLOT_RECORD_LEN]; 2]), Err(SlotTableUnreadable));
    assert_eq!(SlotTable::decode(&[[0xff; SLOT_RECORD_LEN]; 2]), Err(SlotTableUnreadable));
}

#[test]
fn a_record_in_the_wrong_place_does_not_count() {
    let (records, old, new) = two_records();
    assert_eq!(SlotTable::decode(&[records[1], records[0]]), Err(SlotTableUnreadable));
    assert_eq!(SlotTable::decode(&[records[1], records[1]]), Ok(new));
    assert_eq!(SlotTable::decode(&[records[0], records[0]]), Ok(old));
}

#[test]
fn a_write_torn_anywhere_leaves_the_table_before_or_after() {
    let (before, _, new) = two_records();
    let mut after = before;
    let next = store(new.confirm(B).unwrap(), &mut after);
    assert_eq!(before[1], after[1], "only the older record is written over");
    for cut in 0..=SLOT_RECORD_LEN {
        for rest in [&before[0][cut..], &[0; SLOT_RECORD_LEN][cut..], &[0xff; SLOT_RECORD_LEN][cut..]] {
            let mut torn = before;
            torn[0][..cut].copy_from_slice(&after[0][..cut]);
            torn[0][cut..].copy_from_slice(rest);
            let found = SlotTable::decode(&torn).unwrap();
            let expected = if torn[0] == after[0] { next } else { new };
            assert_eq!(found, expected, "cut after {cut} bytes");
        }
    }
}

#[test]
fn a_wrong_byte_or_bit_leaves_the_other_record() {
    let (records, old, new) = two_records();
    for (place, survivor) in [(0, new), (1, old)] {
        for at in 0..SLOT_RECORD_LEN {
            for flip in 1..=255 {
                let mut damaged = records;
                damaged[place][at] ^= flip;
                assert_eq!(
                    SlotTable::decode(&damaged),
                    Ok(survivor),
                    "place {place}, byte {at}, {flip:#04x}"
                );
            }
        }
    }
}

#[test]
fn unknown_values_under_a_right_sum_do_not_count() {
    let (records, old, _) = two_records();
    for (at, value) in [(0, b'X'), (4, 2), (6, 129), (20, 2), (21, 3), (22, 6), (27, 6), (28, 6)] {
        let mut damaged = records;
        damaged[1][at] = value;
        reseal(&mut damaged[1]);
        assert_eq!(SlotTable::decode(&damaged), Ok(old), "byte {at} = {value}");
    }
}

#[test]
fn bytes_without_a_meaning_are_handed_on() {
    let (mut records, ..) = two_records();
    records[1][29..44].copy_from_slice(b"kept for later!");
    reseal(&mut records[1]);
    let table = SlotTable::decode(&records).unwrap();
    store(table.confirm(B).unwrap(), &mut records);
    assert_eq!(&records[0][29..44], b"kept for later!");
}

fn reseal(record: &mut [u8; SLOT_RECORD_LEN]) {
    let crc = record::crc32(&record[..124]);
    record[124..].copy_from_slice(&crc.to_le_bytes());
}

#[test]
fn a_failed_write_is_told() {
    assert_eq!(settled().store(|_, _| Err("full")), Err("full"));
}

/// Name, records, what decoding says and which slot starts: one line a vector.
const VECTORS: &str = include_str!("../../../../formats/vectors/slot-table/table.txt");

macro_rules! vectors {
    ($($name:literal),*) => {
        [$(($name, &include_bytes!(concat!("../../../../formats/vectors/slot-table/", $name, ".bin"))[..])),*]
    };
}

#[test]
fn golden_records_read_as_the_table_of_vectors_says() {
    let files = vectors!(
        "first",
        "first-once",
        "writing",
        "staged",
        "trial",
        "trial-spent",
        "watched",
        "settled",
        "rolled-back",
        "torn",
        "both-damaged",
        "swapped",
        "erased"
    );
    let lines: Vec<&str> = VECTORS.lines().filter(|line| !line.starts_with('#')).collect();
    assert_eq!(lines.len(), files.len());
    for ((name, bytes), line) in files.into_iter().zip(lines) {
        let (even, odd) = bytes.split_at(SLOT_RECORD_LEN);
        let table = SlotTable::decode(&[even.try_into().unwrap(), odd.try_into().unwrap()]);
        assert_eq!(described(name, table), line);
        if let Ok(table) = table {
            assert!(bytes.chunks(SLOT_RECORD_LEN).any(|record| record == record::encode(&table)), "{name}");
        }
    }
}

fn described(name: &str, table: Result<SlotTable, SlotTableUnreadable>) -> String {
    let Ok(t) = table else { return format!("{name} unreadable") };
    let slots = t.slots.map(|s| format!("{:?}:{}:{}", s.state, s.image_size_bytes, s.image.short()));
    format!(
        "{name} generation={} total={} active={} phase={:?} returned={} silent={}/{} trial={}/{} a={} b={} starts={}",
        t.generation,
        t.starts_total,
        t.active.name(),
        t.phase,
        t.returned.map_or(String::from("-"), |why| format!("{why:?}")),
        t.starts_silent,
        t.limits.silent_starts,
        t.starts_trial,
        t.limits.trial_starts,
        slots[0],
        slots[1],
        t.start().slot.name(),
    )
}
