//! Rules that are easier to see on a bench than in a story.
//!
//! Touches: single steps. Stories with a disk, a link and a launcher are in `proof/lapwing-sim`.

use crate::kit::{
    Bench, MINUTE_MS, first_table, image, later, record_at, staged_table, status_answer, stored, trial_table,
    watched_table,
};
use lapwing_core::wire::answer::{Answer, WaitReason};
use lapwing_core::wire::cause::Cause;
use lapwing_core::wire::check_in::Health;
use lapwing_core::wire::report::{Detail, EventKind};
use lapwing_core::{AttemptId, Booted, OldSlot, Return, Slot, SlotTable, StartLimits};
use lapwing_device::{
    Applied, Conditions, Effect, Event, Fetched, Ignored, Link, ResetCause, Stage, TrialLog, Trouble,
    TrustDocument,
};

const SWITCH: Effect =
    Effect::Switch { image: lapwing_core::Digest::from_bytes([0; 32]), limits: StartLimits::APP };

fn switches(bench: &Bench) -> bool {
    bench.effects.iter().any(|effect| core::mem::discriminant(effect) == core::mem::discriminant(&SWITCH))
}

fn fetching() -> Bench {
    let mut bench = Bench::booted(None, first_table(), Slot::A);
    bench.offer(|_, _| {});
    assert!(bench.fetches());
    bench
}

/// The image is in its slot, and the window is closed.
fn waiting() -> Bench {
    let mut bench = fetching();
    bench.step(Event::Conditions(Conditions { window_closed: true, ..Conditions::default() }));
    bench.step(Event::Fetched(Fetched::Whole));
    bench.step(Event::Applied(Applied::Staged(staged_table())));
    assert_eq!(bench.doing(), "staged");
    bench
}

fn on_trial() -> Bench {
    Bench::booted(Some(&record_at(Stage::Switching)), trial_table(), Slot::B)
}

fn last(bench: &Bench) -> (EventKind, Detail) {
    let event = bench.device.record().events.last().unwrap();
    (event.kind, event.detail)
}

#[test]
fn a_stale_offer_is_not_switched_on_but_asked_for_again() {
    let mut bench = waiting();
    bench.uptime = bench.uptime.after(3_601_000);
    bench.step(Event::Conditions(Conditions::default()));
    assert!(!switches(&bench));
    bench.offer(|_, offer| offer.now = later(3_700).now);
    assert!(switches(&bench), "{:?}", bench.effects);
}

#[test]
fn a_withdrawn_offer_is_not_switched_on() {
    let mut bench = waiting();
    bench.uptime = bench.uptime.after(3_601_000);
    bench.step(Event::Conditions(Conditions::default()));
    bench.answer(&status_answer(later(3_700)));
    assert!(!switches(&bench));
    assert_eq!(last(&bench), (EventKind::AttemptFailed, Detail::Cause(Cause::Withdrawn)));
}

#[test]
fn permission_for_another_release_is_not_asked_for_without_pause() {
    let mut bench = waiting();
    bench.step(Event::Conditions(Conditions { host_gate_closed: false, ..Conditions::default() }));
    let mut bench = Bench { uptime: bench.uptime, ..waiting() };
    bench.uptime = bench.uptime.after(3_601_000);
    bench.step(Event::Conditions(Conditions { room_bytes: Some(1), ..Conditions::default() }));
    let mut asked = 0;
    for _ in 0..20 {
        if bench.asks(Effect::CheckIn) {
            asked += 1;
            // A newer release, for which there is no room.
            bench.offer(|release, offer| {
                (release.seq, offer.attempt) = (43, AttemptId(8));
                offer.now = later(3_700).now;
            });
        } else {
            bench.acknowledge();
        }
    }
    assert!(asked <= 1, "{asked} check-ins at once");
}

#[test]
fn a_switch_that_keeps_failing_ends_with_its_own_cause() {
    let mut bench = waiting();
    bench.step(Event::Conditions(Conditions::default()));
    for _ in 0..5 {
        assert!(switches(&bench), "{:?}", bench.effects);
        let switch = Effect::Switch { image: image(), limits: StartLimits::APP };
        bench.step(Event::Failed(switch, Trouble::ReadOnly));
        if bench.doing() == "staged" {
            bench.acknowledge();
            bench.pass(MINUTE_MS / 2);
        }
    }
    assert_eq!(last(&bench), (EventKind::AttemptFailed, Detail::Cause(Cause::StorageReadOnly)));
    assert_eq!(bench.device.record().seq_blamed, 0);
}

#[test]
fn a_staged_image_that_was_tampered_with_is_fetched_again() {
    let mut bench = waiting();
    bench.step(Event::Conditions(Conditions::default()));
    let switch = Effect::Switch { image: image(), limits: StartLimits::APP };
    bench.step(Event::Failed(switch, Trouble::Tampered));
    assert_eq!(last(&bench), (EventKind::AttemptFailed, Detail::Cause(Cause::SlotTampered)));
    bench.offer(|_, offer| offer.attempt = AttemptId(8));
    assert!(bench.fetches(), "{:?}", bench.effects);
}

#[test]
fn what_was_dropped_behind_a_failure_is_asked_for_again() {
    let mut bench = Bench::booted(None, first_table(), Slot::A);
    assert!(bench.asks(Effect::CheckIn));
    bench.step(Event::Failed(Effect::Save, Trouble::ReadOnly));
    assert!(bench.asks(Effect::CheckIn), "{:?}", bench.effects);

    let mut bench = fetching();
    bench.step(Event::Failed(Effect::DropArtifact, Trouble::Storage));
    bench.pass(MINUTE_MS);
    assert!(bench.fetches(), "{:?}", bench.effects);
}

#[test]
fn a_record_that_could_not_be_stored_is_stored_later() {
    let mut bench = Bench::booted(None, first_table(), Slot::A);
    bench.status();
    bench.step(Event::Failed(Effect::Save, Trouble::DiskFull));
    assert!(!bench.asks(Effect::Save));
    bench.pass(MINUTE_MS);
    assert!(bench.asks(Effect::Save));
    bench.pass(2 * MINUTE_MS);
    assert!(!bench.asks(Effect::Save));
}

#[test]
fn a_reboot_behind_the_stretched_deadline_is_no_verdict() {
    let stage = Stage::Trial(TrialLog { elapsed_ms: 40 * MINUTE_MS, ..TrialLog::default() });
    let mut bench = Bench::booted(Some(&record_at(stage)), trial_table(), Slot::B);
    assert_eq!(bench.doing(), "trial");
    bench.step(Event::Health(Health::Good));
    bench.status();
    bench.pass(9 * MINUTE_MS);
    assert_eq!(bench.doing(), "trial");
    bench.pass(MINUTE_MS);
    assert!(bench.asks(Effect::Confirm), "{:?}", bench.effects);
}

#[test]
fn a_boot_behind_the_deadline_that_is_never_healthy_goes_back() {
    let stage = Stage::Trial(TrialLog { elapsed_ms: 40 * MINUTE_MS, ..TrialLog::default() });
    let mut bench = Bench::booted(Some(&record_at(stage)), trial_table(), Slot::B);
    bench.pass(2 * MINUTE_MS);
    assert!(bench.asks(Effect::RollBack(OldSlot::MarkBad)), "{:?}", bench.effects);
}

#[test]
fn a_trust_document_that_does_not_follow_is_not_asked_for_without_growing_pauses() {
    let mut bench = Bench::booted(None, first_table(), Slot::A);
    let hint = crate::fleet::spell(&Answer::CatchUp { root: 2, delegation: 1 });
    for _ in 0..12 {
        bench.answer(&hint);
        bench.step(Event::TrustFetched(TrustDocument::Root(2), &[0]));
    }
    assert!(bench.uptime.0 > 10 * MINUTE_MS, "{:?}", bench.uptime);
    let said = bench.device.record().events.iter().filter(|event| event.kind == EventKind::VerifyFailed);
    assert!(said.count() <= 1);
}

#[test]
fn a_late_acknowledgement_does_not_stand_for_a_newer_report() {
    let reports = |bench: &Bench| {
        bench.effects.iter().find_map(|effect| match effect {
            Effect::Report { up_to } => Some(*up_to),
            _ => None,
        })
    };
    let mut bench = fetching();
    let first = reports(&bench).unwrap();
    bench.step(Event::Failed(Effect::Report { up_to: first }, Trouble::Link { retry_after_ms: None }));
    bench.step(Event::Fetched(Fetched::Whole));
    bench.step(Event::Applied(Applied::TooLarge));
    assert!(last(&bench).0.is_outcome());
    bench.pass(MINUTE_MS);
    let second = reports(&bench).unwrap();
    let kept = bench.device.record().events.clone();
    for late in
        [Event::Reported { up_to: first }, Event::Failed(Effect::Report { up_to: first }, Trouble::Refused)]
    {
        bench.step(late);
        assert_eq!((bench.ignored, &bench.device.record().events), (Some(Ignored::Late), &kept));
    }
    bench.step(Event::Reported { up_to: second });
    assert!(bench.device.record().events.is_empty());
}

#[test]
fn a_try_that_was_not_recorded_is_rolled_back_even_if_that_cannot_be_stored() {
    let mut bench =
        Bench::booted(Some(&record_at(Stage::Trial(TrialLog::default()))), trial_table(), Slot::A);
    assert!(bench.asks(Effect::Save) && bench.asks(Effect::RollBack(OldSlot::Keep)), "{:?}", bench.effects);
    bench.step(Event::Failed(Effect::Save, Trouble::DiskFull));
    assert!(bench.asks(Effect::RollBack(OldSlot::Keep)) && !bench.asks(Effect::Save), "{:?}", bench.effects);
    let back = trial_table().roll_back(Return::AgentAsked, OldSlot::Keep).unwrap();
    bench.step(Event::SlotTable(stored(back)));
    assert_eq!(last(&bench), (EventKind::RollbackCompleted, Detail::Cause(Cause::TryNotRecorded)));
}

#[test]
fn a_switch_dropped_behind_a_failed_removal_comes_again() {
    let mut bench = fetching();
    bench.step(Event::Fetched(Fetched::Whole));
    bench.step(Event::Applied(Applied::Staged(staged_table())));
    assert!(bench.asks(Effect::DropArtifact) && switches(&bench), "{:?}", bench.effects);
    bench.step(Event::Failed(Effect::DropArtifact, Trouble::Storage));
    bench.pass(MINUTE_MS);
    assert!(switches(&bench), "{:?}", bench.effects);
}

#[test]
fn what_the_table_must_hear_is_not_held_up_by_a_full_disk() {
    let mut bench = on_trial();
    bench.pass(MINUTE_MS);
    assert!(bench.asks(Effect::Save) && bench.asks(Effect::SignOfLife), "{:?}", bench.effects);
    bench.step(Event::Failed(Effect::Save, Trouble::DiskFull));
    assert!(bench.asks(Effect::SignOfLife) && !bench.asks(Effect::Save), "{:?}", bench.effects);
}

#[test]
fn an_exchange_that_nobody_ends_is_given_up() {
    let mut bench = Bench::booted(None, first_table(), Slot::A);
    assert!(bench.asks(Effect::CheckIn));
    bench.uptime = bench.device.wake_at(bench.uptime).unwrap();
    bench.step(Event::Woke);
    bench.until_check_in();
}

#[test]
fn the_sign_of_life_is_repeated_until_the_table_has_it() {
    let mut bench = on_trial();
    bench.pass(10_000);
    assert!(bench.asks(Effect::SignOfLife));
    bench.step(Event::Failed(Effect::SignOfLife, Trouble::Storage));
    bench.pass(MINUTE_MS);
    assert!(bench.asks(Effect::SignOfLife));
    let alive = stored(trial_table().sign_of_life(Booted(Slot::B)).unwrap());
    bench.step(Event::SlotTable(alive));
    bench.pass(MINUTE_MS);
    assert!(!bench.asks(Effect::SignOfLife));
}

#[test]
fn a_boot_does_not_use_a_number_twice() {
    let mut bench = Bench::booted(Some(&record_at(Stage::Fetching)), first_table(), Slot::A);
    let stored = bench.device.record().clone();
    bench.offer(|_, _| {});
    bench.step(Event::Fetched(Fetched::Part { have_bytes: 20_000 }));
    let said = bench.device.record().next_event;
    assert!(said > stored.next_event);
    let again = Bench::booted(Some(&stored), first_table(), Slot::A);
    assert!(again.device.record().next_event >= said);
}

#[test]
fn an_offer_cannot_bring_back_what_the_verdict_on_the_link_burns() {
    let table = trial_table().roll_back(Return::AgentAsked, OldSlot::Keep).unwrap();
    let mut bench = Bench::booted(Some(&record_at(Stage::Judging)), table, Slot::A);
    assert_eq!(bench.doing(), "judging");
    bench.offer(|_, _| {});
    assert_eq!(bench.device.record().seq_blamed, 42);
    assert!(bench.device.record().attempt.is_none(), "{:?}", bench.effects);
    bench.offer(|_, offer| offer.attempt = AttemptId(8));
    assert_eq!(last(&bench), (EventKind::AttemptFailed, Detail::Cause(Cause::SeqNotNewer)));
}

#[test]
fn an_offer_refused_on_trial_is_contact_and_ends_nothing() {
    let mut bench = on_trial();
    bench.offer(|release, _| release.seq = 1);
    let record = bench.device.record();
    assert!(record.events.iter().all(|event| !event.kind.is_outcome()));
    let Some(Stage::Trial(log)) = record.attempt.as_ref().map(|attempt| &attempt.stage) else { panic!() };
    assert!(log.checked_in);
}

#[test]
fn an_attempt_under_another_id_gets_its_own_outcome() {
    let mut bench = waiting();
    bench.uptime = bench.uptime.after(3_601_000);
    bench.step(Event::Conditions(Conditions::default()));
    bench.offer(|_, offer| (offer.attempt, offer.now) = (AttemptId(8), later(3_700).now));
    let superseded = bench.device.record().events.iter().find(|event| event.kind.is_outcome()).unwrap();
    assert_eq!((superseded.attempt, superseded.detail), (AttemptId(7), Detail::Cause(Cause::Superseded)));
    assert_eq!(bench.device.record().attempt.as_ref().unwrap().id, AttemptId(8));
}

#[test]
fn nobody_can_keep_a_device_quiet_for_longer_than_a_status_may_be_old() {
    for answer in [
        Answer::Wait { after_s: u32::MAX, reason: WaitReason::Busy },
        Answer::Wait { after_s: u32::MAX, reason: WaitReason::Quarantined },
    ] {
        let mut bench = Bench::booted(None, first_table(), Slot::A);
        bench.answer(&crate::fleet::spell(&answer));
        assert!(bench.device.wake_at(bench.uptime).unwrap().0 <= 7 * 86_400_000 + 1_000);
    }
}

#[test]
fn a_hint_that_leads_nowhere_is_not_followed_without_pause() {
    let delegation = crate::kept::read("delegation/small.cbor");
    let mut bench = Bench::booted(None, first_table(), Slot::A);
    bench.answer(&crate::fleet::spell(&Answer::CatchUp { root: 1, delegation: 9 }));
    assert!(bench.asks(Effect::FetchTrust(TrustDocument::Delegation)));
    bench.step(Event::TrustFetched(TrustDocument::Delegation, &delegation));
    assert_eq!(bench.ignored, Some(Ignored::Undecodable));
    assert!(bench.effects.is_empty(), "{:?}", bench.effects);
}

#[test]
fn a_transfer_that_does_not_get_on_waits() {
    let mut bench = fetching();
    bench.step(Event::Fetched(Fetched::Part { have_bytes: 1_000 }));
    assert!(bench.fetches());
    bench.step(Event::Fetched(Fetched::Part { have_bytes: 1_000 }));
    assert!(!bench.fetches());
}

#[test]
fn links_that_failed_do_not_count_as_refusals() {
    let mut bench = fetching();
    let fetch = bench.effects.iter().copied().find(|effect| matches!(effect, Effect::Fetch(_))).unwrap();
    for _ in 0..20 {
        bench.step(Event::Failed(fetch, Trouble::Link { retry_after_ms: None }));
        bench.pass(15 * MINUTE_MS);
    }
    bench.step(Event::Failed(fetch, Trouble::Refused));
    assert_eq!(bench.doing(), "fetching");
}

/// The table of a device whose confirmed image could not be executed any more: the staged one is all there is.
pub(crate) fn rescued() -> SlotTable {
    stored(staged_table().not_startable(Return::NotStartable).unwrap().start().store.unwrap())
}

#[test]
fn a_sick_rescue_without_a_way_back_stays_and_can_be_updated() {
    let mut bench = Bench::booted(Some(&record_at(Stage::Staged)), rescued(), Slot::B);
    assert_eq!(bench.doing(), "trial");
    bench.step(Event::Health(Health::Failing));
    bench.pass(2 * MINUTE_MS);
    assert!(!bench.asks(Effect::Restart), "{:?}", bench.effects);
    assert_eq!(last(&bench), (EventKind::AttemptFailed, Detail::Cause(Cause::HealthFailed)));
    let mut table = rescued();
    for _ in 0..4 {
        for effect in &bench.effects.clone() {
            table = match effect {
                Effect::Confirm => table.confirm(Booted(Slot::B)).unwrap(),
                Effect::Settle(old) => table.settle(*old).unwrap(),
                _ => continue,
            };
            table = stored(table);
            bench.step(Event::SlotTable(table));
        }
    }
    assert_eq!(table.phase, lapwing_core::Phase::Settled);
    assert_eq!(bench.device.record().confirmed.seq, 42);
}

#[test]
fn a_lost_link_is_judged_by_the_old_image() {
    let mut bench = on_trial();
    bench.step(Event::Conditions(Conditions { link: Link::Down, ..Conditions::default() }));
    bench.step(Event::Health(Health::Good));
    bench.pass(30 * MINUTE_MS);
    assert!(bench.asks(Effect::RollBack(OldSlot::Keep)), "{:?}", bench.effects);
    let record = bench.device.record().clone();
    let back = trial_table().roll_back(Return::AgentAsked, OldSlot::Keep).unwrap();

    let mut linked = Bench::booted(Some(&record), back, Slot::A);
    linked.status();
    assert_eq!(last(&linked), (EventKind::RollbackCompleted, Detail::Cause(Cause::LinkLostByImage)));
    assert_eq!(linked.device.record().seq_blamed, 42);

    let mut alone = Bench::booted(Some(&record), back, Slot::A);
    alone.pass(31 * MINUTE_MS);
    assert_eq!(last(&alone), (EventKind::RollbackCompleted, Detail::Cause(Cause::LinkLost)));
    assert_eq!(alone.device.record().seq_blamed, 0);
}

#[test]
fn a_reason_that_could_not_be_stored_blames_nobody_who_was_kept() {
    let trial = Stage::Trial(TrialLog::default());
    let kept = trial_table().roll_back(Return::AgentAsked, OldSlot::Keep).unwrap();
    let bench = Bench::booted(Some(&record_at(trial)), kept, Slot::A);
    assert_eq!(bench.device.record().seq_blamed, 0);
}

#[test]
fn a_watched_image_that_falls_ill_is_left_and_the_old_release_counts_again() {
    let watching = Stage::Watching { follow_ups: 1, elapsed_ms: 0 };
    let mut bench = Bench::booted(Some(&record_at(watching)), watched_table(), Slot::B);
    bench.step(Event::Health(Health::Failing));
    bench.pass(2 * MINUTE_MS);
    assert!(bench.asks(Effect::RollBack(OldSlot::MarkBad)));
    let back = watched_table().roll_back(Return::AgentAsked, OldSlot::MarkBad).unwrap();
    let mut old = Bench::new(crate::kit::settings(), Some(&bench.device.record().clone()));
    old.boot(back, Slot::A, ResetCause::Software);
    assert_eq!((old.device.record().confirmed.seq, old.device.record().seq_blamed), (41, 42));
}
