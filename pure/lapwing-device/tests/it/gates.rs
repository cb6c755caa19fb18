//! What holds an update back, what ends a watch early, and what the fleet hears of it.
//!
//! Touches: single steps, and the check-ins that would be sent.

use crate::kit::{
    Bench, MINUTE_MS, first_table, offer_answer, record_at, settings, staged_table, stored, watched_table,
};
use lapwing_core::cbor::decode;
use lapwing_core::wire::answer::Urgency;
use lapwing_core::wire::check_in::{CheckIn, Gate, Health, NamedFacts};
use lapwing_core::wire::report::{Detail, EventKind};
use lapwing_core::{AttemptId, OldSlot, ReleaseFlags, Slot, Uptime};
use lapwing_device::{
    Applied, Awake, Battery, Conditions, Effect, Event, Fetched, Link, ResetCause, Stage, Trouble,
};

/// The gates that a check-in names now.
fn told(bench: &Bench) -> Vec<Gate> {
    let mut buffer = [0; 2048];
    let bytes = bench.device.encode_check_in(NamedFacts::NONE, &mut buffer).unwrap();
    decode::<CheckIn<'_>>(bytes).unwrap().gates.to_vec()
}

fn deferred(bench: &Bench) -> Vec<Gate> {
    let gates = bench.device.record().events.iter().filter_map(|event| match event.detail {
        Detail::Gate(gate) => Some(gate),
        _ => None,
    });
    gates.collect()
}

/// Confirmed, healthy, follow-ups open.
fn watching() -> Bench {
    let stage = Stage::Watching { follow_ups: 0, elapsed_ms: 0 };
    let mut bench = Bench::booted(Some(&record_at(stage)), watched_table(), Slot::B);
    bench.step(Event::Health(Health::Good));
    bench.until_check_in();
    bench
}

/// An offer of the release after the one that is watched.
fn next_release(urgency: Urgency, flags: ReleaseFlags) -> Vec<u8> {
    offer_answer(|release, offer| {
        (release.seq, release.flags, release.version) = (43, flags, "1.4.3".parse().unwrap());
        release.image = lapwing_core::Digest::of(b"next");
        (offer.attempt, offer.urgency) = (AttemptId(8), urgency);
        offer.travel.from = None;
        offer.travel.artifact_size_bytes = 500_000;
    })
}

fn settles(bench: &Bench) -> bool {
    bench.effects.iter().any(|effect| matches!(effect, Effect::Settle(_)))
}

#[test]
fn a_newer_release_waits_for_the_last_follow_up_and_the_fleet_knows_why() {
    let mut bench = watching();
    assert_eq!(told(&bench), [Gate::Watching]);
    bench.step(Event::Answered(&next_release(Urgency::Routine, ReleaseFlags::default())));
    assert!(!settles(&bench) && !bench.fetches(), "{:?}", bench.effects);
    assert_eq!((bench.doing(), deferred(&bench)), ("watching", vec![Gate::Watching]));
}

#[test]
fn what_is_urgent_ends_the_watch_and_begins_when_the_spare_slot_is_free() {
    let urgent =
        |bench: &mut Bench| bench.step(Event::Answered(&next_release(Urgency::Now, ReleaseFlags::default())));
    let forced = |bench: &mut Bench| {
        bench.step(Event::Answered(&next_release(Urgency::Routine, ReleaseFlags::FORCED)))
    };
    let asked_for = |bench: &mut Bench| {
        bench.step(Event::Triggered);
        assert_eq!(told(bench), []);
        bench.step(Event::Answered(&next_release(Urgency::Routine, ReleaseFlags::default())));
    };
    for ends_it in [urgent, forced, asked_for] {
        let mut bench = watching();
        ends_it(&mut bench);
        assert_eq!(bench.effects[..2], [Effect::Save, Effect::Settle(OldSlot::Keep)], "{:?}", bench.effects);
        // The record says so too: a boot in between settles as well.
        let record = bench.device.record().clone();
        let rebooted = Bench::booted(Some(&record), watched_table(), Slot::B);
        assert!(settles(&rebooted), "{:?}", rebooted.effects);
        let settled = stored(watched_table().settle(OldSlot::Keep).unwrap());
        bench.step(Event::SlotTable(settled));
        assert_eq!((bench.doing(), bench.device.record().confirmed.seq), ("idle", 42));
        bench.answer(&next_release(Urgency::Routine, ReleaseFlags::default()));
        assert!(bench.uptime.0 < MINUTE_MS && bench.fetches(), "{:?} {:?}", bench.uptime, bench.effects);
    }
}

#[test]
fn an_image_that_is_not_healthy_keeps_its_way_back_whatever_is_urgent() {
    for health in [Health::Failing, Health::Unknown] {
        let mut bench = watching();
        bench.step(Event::Health(health));
        bench.step(Event::Answered(&next_release(Urgency::Now, ReleaseFlags::FORCED)));
        assert!(!settles(&bench), "{health:?} {:?}", bench.effects);
        assert_eq!(deferred(&bench).last(), Some(&Gate::Watching));
        bench.step(Event::Health(Health::Good));
        bench.answer(&next_release(Urgency::Now, ReleaseFlags::FORCED));
        assert!(bench.uptime.0 < MINUTE_MS && settles(&bench), "{:?}", bench.effects);
    }
}

#[test]
fn another_closed_gate_keeps_the_way_back_too() {
    let mut bench = watching();
    bench.step(Event::Conditions(Conditions { window_closed: true, ..Conditions::default() }));
    bench.step(Event::Answered(&next_release(Urgency::Now, ReleaseFlags::default())));
    assert!(!settles(&bench), "{:?}", bench.effects);
    assert_eq!(deferred(&bench), [Gate::Window]);
}

#[test]
fn nothing_is_switched_to_while_the_link_is_gone() {
    let mut bench = Bench::booted(None, first_table(), Slot::A);
    bench.offer(|_, _| {});
    bench.step(Event::Fetched(Fetched::Whole));
    bench.step(Event::Conditions(Conditions { link: Link::Down, ..Conditions::default() }));
    bench.step(Event::Applied(Applied::Staged(staged_table())));
    assert_eq!((bench.doing(), deferred(&bench)), ("staged", vec![Gate::Link]));
    bench.step(Event::Conditions(Conditions { link: Link::Up, ..Conditions::default() }));
    assert_eq!(bench.doing(), "restarting");
}

#[test]
fn nothing_is_switched_to_after_the_last_word_with_the_fleet_failed() {
    let mut bench = Bench::booted(None, first_table(), Slot::A);
    bench.offer(|_, _| {});
    bench.step(Event::Fetched(Fetched::Whole));
    let report = bench.asked.unwrap();
    bench.step(Event::Failed(report, Trouble::Link { retry_after_ms: None }));
    bench.step(Event::Applied(Applied::Staged(staged_table())));
    assert_eq!(bench.doing(), "staged");
    bench.until_check_in();
    bench.offer(|_, _| {});
    assert_eq!(bench.doing(), "restarting");
}

#[test]
fn a_gate_that_takes_over_is_told_early_and_not_too_often() {
    let no_room = Conditions { room_bytes: Some(1), ..Conditions::default() };
    let battery = Some(Battery { voltage_mv: 3_000, left_j: None, needed_j: None });
    let empty = Conditions { battery, ..Conditions::default() };
    let mut bench = Bench::booted(None, first_table(), Slot::A);
    bench.step(Event::Conditions(no_room));
    bench.offer(|_, _| {});
    assert_eq!((told(&bench), deferred(&bench)), (vec![Gate::Room], vec![Gate::Room]));

    bench.step(Event::Conditions(empty));
    bench.until_check_in();
    assert!(bench.uptime.0 < MINUTE_MS, "{:?}", bench.uptime);
    assert_eq!((told(&bench), deferred(&bench)), (vec![Gate::Battery], vec![]));
    assert_eq!(bench.device.view(bench.uptime).deferred, Some(Gate::Battery));
    bench.step(Event::Answered(&offer_answer(|_, _| {})));

    let mut early = 0;
    for at in 0..40 {
        bench.step(Event::Conditions(if at % 2 == 0 { no_room } else { empty }));
        early += usize::from(bench.asks(Effect::CheckIn));
        bench.acknowledge();
        if bench.asks(Effect::CheckIn) {
            bench.step(Event::Answered(&offer_answer(|_, _| {})));
        }
    }
    assert_eq!(early, 0, "it was early once in this interval");
    assert!(bench.device.record().events.len() <= 1);
}

#[test]
fn a_gate_that_opens_asks_the_fleet_at_once() {
    let mut bench = Bench::booted(None, first_table(), Slot::A);
    bench.step(Event::Conditions(Conditions { room_bytes: Some(1), ..Conditions::default() }));
    bench.offer(|_, _| {});
    bench.acknowledge();
    bench.step(Event::Conditions(Conditions::default()));
    assert!(bench.asks(Effect::CheckIn), "{:?}", bench.effects);
    assert_eq!(told(&bench), []);
    bench.offer(|_, _| {});
    assert!(bench.fetches());
}

#[test]
fn a_confirmed_update_says_how_long_its_way_back_stays_open() {
    let mut bench = Bench::booted(Some(&record_at(Stage::Switching)), crate::kit::trial_table(), Slot::B);
    bench.step(Event::SlotTable(watched_table()));
    let event = bench.device.record().events.last().copied().unwrap();
    assert_eq!((event.kind, event.detail), (EventKind::Confirmed, Detail::Amount(21_600)));
}

#[test]
fn a_device_that_sleeps_uses_its_link_while_it_is_awake_and_not_before() {
    let mut settings = settings();
    settings.talking.awake = Some(Awake { awake_ms: 10_000, every_ms: 60_000 });
    let mut bench = Bench::new(settings, None);
    bench.boot(first_table(), Slot::A, ResetCause::Unknown);
    bench.offer(|_, _| {});
    assert!(bench.fetches());
    bench.pass(10_000);
    bench.step(Event::Fetched(Fetched::Part { have_bytes: 1_000 }));
    assert!(bench.effects.is_empty(), "{:?}", bench.effects);
    assert_eq!(bench.device.wake_at(bench.uptime), Some(Uptime(60_000)));
    bench.uptime = Uptime(60_000);
    bench.step(Event::Woke);
    assert!(bench.fetches() && bench.device.awake_left_ms(bench.uptime) == 10_000);
}
