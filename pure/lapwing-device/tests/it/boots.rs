//! Whatever was saved, and whatever the slot table says, a boot goes on: it talks, or it restarts.
//!
//! Touches: every stage, every table, both slots. Never: assumes that the pair can arise; it must not matter.

use crate::kit::{
    Bench, base, first_table, image, record_at, staged_table, stored, trial_table, watched_table,
};
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::report::EventKind;
use lapwing_core::{OldSlot, Return, Slot, SlotTable};
use lapwing_device::{Effect, Event, Record, ResetCause, Stage, TrialLog, Trouble};

fn stages() -> Vec<Stage> {
    let mut log = TrialLog { elapsed_ms: 90_000, ..TrialLog::default() };
    log.reboots.extend_from_slice(&[0, 1, 2, 3]).unwrap();
    let mut stages = vec![
        Stage::Fetching,
        Stage::Staged,
        Stage::Switching,
        Stage::Trial(TrialLog::default()),
        Stage::Trial(log),
        Stage::Watching { follow_ups: 0, elapsed_ms: 0 },
        Stage::Watching { follow_ups: 3, elapsed_ms: 86_400_000 },
        Stage::Judging,
    ];
    stages.extend(Cause::ALL.iter().map(|cause| Stage::Returning(*cause)));
    stages
}

pub(crate) fn tables() -> Vec<SlotTable> {
    let back = |why, old| trial_table().roll_back(why, old).unwrap();
    let all = [Return::SilentStarts, Return::TrialStarts, Return::NotStartable, Return::ImageDiffers];
    let mut tables = vec![
        first_table(),
        first_table().begin_write(lapwing_core::Booted(Slot::A)).unwrap(),
        staged_table(),
        trial_table(),
        watched_table(),
        watched_table().settle(OldSlot::Keep).unwrap(),
        watched_table().settle(OldSlot::MarkBad).unwrap(),
        // The old image cannot be started either: there is no way back.
        staged_table().not_startable(Return::NotStartable).unwrap().start().store.unwrap(),
    ];
    tables.extend(all.map(|why| back(why, OldSlot::MarkBad)));
    tables.push(back(Return::AgentAsked, OldSlot::Keep));
    tables.push(back(Return::AgentAsked, OldSlot::MarkBad));
    tables
}

pub(crate) fn records() -> Vec<Option<Record>> {
    let mut records: Vec<_> = stages().into_iter().map(|stage| Some(record_at(stage))).collect();
    records.push(None);
    records
}

/// Does what is asked on the table, as a body would, until the device restarts or talks.
fn goes_on(bench: &mut Bench, mut table: SlotTable, slot: Slot) -> bool {
    for _ in 0..8 {
        let booted = lapwing_core::Booted(slot);
        for effect in &bench.effects.clone() {
            let changed = match effect {
                Effect::CheckIn | Effect::Report { .. } | Effect::Restart => return true,
                Effect::RollBack(old) => table.roll_back(Return::AgentAsked, *old),
                Effect::Confirm => table.confirm(booted),
                Effect::Settle(old) => table.settle(*old),
                Effect::SignOfLife => table.sign_of_life(booted),
                _ => continue,
            };
            match changed {
                Ok(changed) => {
                    table = stored(changed);
                    bench.step(Event::SlotTable(table));
                }
                Err(_) => bench.step(Event::Failed(*effect, Trouble::SlotTable)),
            }
        }
    }
    false
}

#[test]
fn every_saved_state_answers_a_boot() {
    let mut boots = 0;
    for record in records() {
        for table in tables() {
            for slot in Slot::ALL {
                for reset in [ResetCause::Unknown, ResetCause::PowerOn, ResetCause::Watchdog] {
                    let mut bench = Bench::new(crate::kit::settings(), record.as_ref());
                    bench.boot(table, slot, reset);
                    let what = format!("{record:?}\n{table:?}\n{slot:?} {reset:?}\n{:?}", bench.effects);
                    assert!(goes_on(&mut bench, table, slot), "{what}");
                    boots += 1;
                }
            }
        }
    }
    println!("{boots} boots");
}

#[test]
fn a_record_that_cannot_be_read_is_reported_and_the_confirmed_slot_stays() {
    let mut bench = Bench::new(crate::kit::settings(), None);
    let anchor = crate::fleet::small_anchor();
    for bytes in [&b""[..], b"\xff", &[0x8c, 0x02]] {
        let stored = lapwing_device::StoredRecord::Bytes(bytes);
        bench.device = lapwing_device::Device::new(crate::kit::settings(), anchor.clone(), stored);
        bench.boot(first_table(), Slot::A, ResetCause::Unknown);
        assert_eq!((bench.doing(), bench.kinds()), ("idle", vec![EventKind::AttemptFailed]));
        assert!(!bench.asks(Effect::Restart));
    }
}

/// Records as they are when the power goes at that point, tables as the launcher leaves them.
#[test]
fn boots_tell_what_became_of_the_attempt() {
    let check = |stage: Stage, table: SlotTable, slot, reset, doing: &str, last: Option<EventKind>| {
        let mut bench = Bench::new(crate::kit::settings(), Some(&record_at(stage.clone())));
        bench.boot(stored(table), slot, reset);
        assert_eq!((bench.doing(), bench.kinds().last().copied()), (doing, last), "{stage:?} {table:?}");
        bench
    };
    let back = |why| trial_table().roll_back(why, OldSlot::MarkBad).unwrap();
    let (unknown, power) = (ResetCause::Unknown, ResetCause::PowerOn);
    check(Stage::Fetching, first_table(), Slot::A, unknown, "idle", None);
    check(Stage::Staged, staged_table(), Slot::A, unknown, "staged", None);
    check(Stage::Switching, staged_table(), Slot::A, unknown, "staged", None);
    check(Stage::Switching, trial_table(), Slot::B, unknown, "trial", Some(EventKind::RebootCompleted));
    let trial = || Stage::Trial(TrialLog::default());
    check(trial(), watched_table(), Slot::B, unknown, "watching", Some(EventKind::Confirmed));
    let completed = Some(EventKind::RollbackCompleted);
    let blamed = check(trial(), back(Return::SilentStarts), Slot::A, unknown, "idle", completed);
    assert_eq!(blamed.device.record().seq_blamed, 42);
    let excused = check(trial(), back(Return::SilentStarts), Slot::A, power, "idle", completed);
    assert_eq!(excused.device.record().seq_blamed, 0);
    let watching = || Stage::Watching { follow_ups: 1, elapsed_ms: 1 };
    let back_late = watched_table().roll_back(Return::SilentStarts, OldSlot::MarkBad).unwrap();
    let back_late = check(watching(), back_late, Slot::A, unknown, "idle", completed);
    assert_eq!(back_late.device.record().confirmed.seq, 41);
    let settled = watched_table().settle(OldSlot::Keep).unwrap();
    let settled = check(watching(), settled, Slot::B, unknown, "idle", None);
    assert_eq!(settled.device.record().confirmed.seq, 42);
}

#[test]
fn a_trial_that_the_table_settled_without_the_record_was_good() {
    let settled = watched_table().settle(OldSlot::Keep).unwrap();
    let stage = Stage::Trial(TrialLog::default());
    let bench = Bench::booted(Some(&record_at(stage)), settled, Slot::B);
    assert_eq!((bench.doing(), bench.kinds().last()), ("idle", Some(&EventKind::Confirmed)));
    assert_eq!(bench.device.record().confirmed.seq, 42);
    assert!(bench.device.record().attempt.is_none());
}

#[test]
fn a_cut_before_the_switch_is_not_taken_for_an_older_return() {
    // It came back from another image some time ago; then it staged this one.
    let older = trial_table().roll_back(Return::SilentStarts, OldSlot::MarkBad).unwrap();
    let booted = lapwing_core::Booted(Slot::A);
    let table = older.begin_write(booted).unwrap().staged(Slot::B, image(), 524_288).unwrap();
    let bench = Bench::booted(Some(&record_at(Stage::Switching)), table, Slot::A);
    assert_eq!((bench.doing(), bench.device.record().seq_blamed), ("staged", 0));
}

#[test]
fn an_image_modified_in_place_after_settling_is_not_taken_for_a_return() {
    let table = watched_table().settle(OldSlot::Keep).unwrap();
    let stage = Stage::Watching { follow_ups: 3, elapsed_ms: 86_400_000 };
    let mut bench = Bench::new(crate::kit::settings(), Some(&record_at(stage)));
    let boot = lapwing_device::Boot {
        id: lapwing_core::BootId([1; 8]),
        table,
        slot: Slot::B,
        running: base(),
        reset: ResetCause::Unknown,
        crashed: false,
    };
    bench.step(Event::Booted(boot));
    assert_eq!(bench.device.record().confirmed.seq, 42);
    assert!(bench.device.record().attempt.is_none());
}
