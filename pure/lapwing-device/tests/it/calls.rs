//! What a wake-up call does to a device, and what a flood of them does not.
//!
//! Touches: single steps, a clock that is set by hand.

use crate::kit::{Bench, first_table, later, status_answer};
use lapwing_core::Slot;
use lapwing_core::wire::answer::Status;
use lapwing_device::limits::{CALL_REST_MS, CALLS_MAX};
use lapwing_device::{Effect, Event, Trouble};

const DAY_S: u64 = 86_400;

/// Nothing to do, and no check-in for days.
fn rest(bench: &Bench) -> Vec<u8> {
    status_answer(Status { next_check_in_s: 6 * 86_400, ..later(bench.uptime.0 / 1_000) })
}

fn idle() -> Bench {
    let mut bench = Bench::booted(None, first_table(), Slot::A);
    bench.until_check_in();
    bench.step(Event::Answered(&rest(&bench)));
    bench.effects = lapwing_device::Effects::default();
    bench.asked = None;
    bench
}

#[test]
fn a_call_brings_one_check_in_at_once_and_nothing_else() {
    let mut bench = idle();
    let before = bench.device.record().clone();
    bench.step(Event::Called);
    assert_eq!(bench.effects[..], [Effect::CheckIn]);
    bench.step(Event::Answered(&rest(&bench)));
    assert!(bench.effects.is_empty(), "{:?}", bench.effects);
    assert_eq!(*bench.device.record(), before);
}

#[test]
fn a_call_in_the_middle_of_a_check_in_brings_another() {
    let mut bench = idle();
    bench.step(Event::Called);
    bench.step(Event::Called);
    assert!(bench.effects.is_empty(), "{:?}", bench.effects);
    bench.step(Event::Answered(&rest(&bench)));
    assert_eq!(bench.effects[..], [Effect::CheckIn]);
}

#[test]
fn no_call_is_stronger_than_back_off() {
    let mut bench = idle();
    bench.step(Event::Called);
    bench.step(Event::Failed(Effect::CheckIn, Trouble::Link { retry_after_ms: Some(60_000) }));
    let due = bench.device.wake_at(bench.uptime).unwrap();
    assert!(due.0 >= bench.uptime.0 + 60_000);
    bench.step(Event::Called);
    assert!(bench.effects.is_empty(), "{:?}", bench.effects);
    assert_eq!(bench.device.wake_at(bench.uptime), Some(due));
}

#[test]
fn a_flood_of_calls_brings_no_more_check_ins_than_the_limit_says() {
    let mut bench = idle();
    let (mut check_ins, mut last) = (0, bench.uptime);
    for _ in 0..DAY_S {
        bench.uptime = bench.uptime.after(1_000);
        for _ in 0..3 {
            bench.step(Event::Called);
            if bench.asks(Effect::CheckIn) {
                (check_ins, last) = (check_ins + 1, bench.uptime);
                bench.step(Event::Answered(&rest(&bench)));
                assert!(bench.effects.is_empty(), "{:?}", bench.effects);
            }
        }
    }
    assert_eq!(check_ins, CALLS_MAX + DAY_S * 1_000 / CALL_REST_MS - 1);
    // A call that came too soon is not lost: its check-in comes when its time does.
    let due = bench.device.wake_at(bench.uptime).unwrap();
    assert_eq!(due, last.after(CALL_REST_MS));
    // Who is left alone for long enough follows as many calls at once again.
    bench.uptime = bench.uptime.after(CALLS_MAX * CALL_REST_MS);
    bench.step(Event::Woke);
    bench.step(Event::Answered(&rest(&bench)));
    for _ in 1..CALLS_MAX {
        bench.step(Event::Called);
        assert!(bench.asks(Effect::CheckIn));
        bench.step(Event::Answered(&rest(&bench)));
    }
}
