//! Every state meets every event: nothing panics, nothing overflows, nothing falls asleep.
//!
//! Touches: every state reachable by hand, every effect that can fail, every trouble.

use crate::kit::{
    Bench, MINUTE_MS, first_table, image, later, offer_answer, record_at, staged_table, status_answer,
    trial_table, watched_table,
};
use lapwing_core::wire::answer::{Answer, Ask, WaitReason};
use lapwing_core::wire::check_in::Health;
use lapwing_core::{BootId, Digest, OldSlot, Return, Slot, StartLimits};
use lapwing_device::{
    Applied, Battery, Boot, Conditions, Effect, Event, Fetched, Install, Link, ResetCause, Stage, Transfer,
    TrialLog, Trouble, TrustDocument,
};

/// A device in each state, and what the body is at.
pub(crate) fn benches() -> Vec<Bench> {
    let idle = || {
        let mut bench = Bench::booted(None, first_table(), Slot::A);
        bench.status();
        bench
    };
    let fetching = || {
        let mut bench = Bench::booted(None, first_table(), Slot::A);
        bench.offer(|_, _| {});
        assert_eq!(bench.doing(), "fetching");
        bench
    };
    let mut applying = fetching();
    applying.step(Event::Fetched(Fetched::Whole));
    let mut staged = fetching();
    staged.step(Event::Conditions(Conditions { window_closed: true, ..Conditions::default() }));
    staged.step(Event::Fetched(Fetched::Whole));
    staged.step(Event::Applied(Applied::Staged(staged_table())));
    let mut restarting = staged.clone();
    restarting.step(Event::Conditions(Conditions::default()));
    let trial = Bench::booted(Some(&record_at(Stage::Switching)), trial_table(), Slot::B);
    let watching = Stage::Watching { follow_ups: 0, elapsed_ms: 0 };
    let watching = Bench::booted(Some(&record_at(watching)), watched_table(), Slot::B);
    let kept = trial_table().roll_back(Return::AgentAsked, OldSlot::Keep).unwrap();
    let judging = Bench::booted(Some(&record_at(Stage::Judging)), kept, Slot::A);
    let starting = Bench::new(crate::kit::settings(), None);
    let stranger = Bench::booted(None, watched_table(), Slot::B);
    let all =
        vec![starting, idle(), fetching(), applying, staged, restarting, trial, watching, judging, stranger];
    let words: Vec<_> = all.iter().map(Bench::doing).collect();
    let expected = [
        "starting",
        "idle",
        "fetching",
        "applying",
        "staged",
        "restarting",
        "trial",
        "watching",
        "judging",
        "idle",
    ];
    assert_eq!(words, expected);
    all
}

pub(crate) fn answers() -> Vec<Vec<u8>> {
    let spell = |answer: &Answer<'_>| crate::fleet::spell(answer);
    vec![
        Vec::new(),
        vec![0xff; 40],
        spell(&Answer::Nothing { next_check_in_s: u32::MAX }),
        spell(&Answer::Ask(Ask { nonce: true, facts: true })),
        spell(&Answer::Wait { after_s: u32::MAX, reason: WaitReason::Quarantined }),
        spell(&Answer::CatchUp { root: 1, delegation: 1 }),
        spell(&Answer::CatchUp { root: u32::MAX, delegation: u32::MAX }),
        status_answer(later(0)),
        offer_answer(|_, _| {}),
        offer_answer(|release, _| release.seq = 1),
        offer_answer(|release, offer| {
            release.seq = 50;
            offer.attempt = lapwing_core::AttemptId(8);
        }),
    ]
}

fn effects() -> Vec<Effect> {
    let transfer = Transfer { artifact: Digest::of(b"artifact"), artifact_size_bytes: 26_214 };
    let install = Install { transfer, image: image(), image_size_bytes: 524_288 };
    vec![
        Effect::Save,
        Effect::CheckIn,
        Effect::Report { up_to: 1 },
        Effect::FetchTrust(TrustDocument::Root(2)),
        Effect::KeepTrust(TrustDocument::Delegation),
        Effect::Fetch(transfer),
        Effect::Apply(install),
        Effect::DropArtifact,
        Effect::SignOfLife,
        Effect::Switch { image: image(), limits: StartLimits::APP },
        Effect::Restart,
        Effect::Confirm,
        Effect::Settle(OldSlot::Keep),
        Effect::RollBack(OldSlot::MarkBad),
    ]
}

const TROUBLES: [Trouble; 8] = [
    Trouble::Link { retry_after_ms: None },
    Trouble::Link { retry_after_ms: Some(u64::MAX) },
    Trouble::Refused,
    Trouble::DiskFull,
    Trouble::ReadOnly,
    Trouble::Storage,
    Trouble::SlotTable,
    Trouble::Tampered,
];

pub(crate) fn events(answers: &[Vec<u8>]) -> Vec<Event<'_>> {
    let mut events = vec![Event::Woke, Event::Triggered, Event::Called, Event::Reported { up_to: 1 }];
    events.extend(answers.iter().map(|bytes| Event::Answered(bytes)));
    events.extend(answers.iter().map(|bytes| Event::TrustFetched(TrustDocument::Delegation, bytes)));
    events.extend(answers.iter().map(|bytes| Event::TrustFetched(TrustDocument::Root(2), bytes)));
    events.extend([Health::Unknown, Health::Good, Health::Failing].map(Event::Health));
    let battery = Some(Battery { voltage_mv: 0, left_j: Some(0), needed_j: Some(u32::MAX) });
    events.push(Event::Conditions(Conditions { battery, link: Link::Down, ..Conditions::default() }));
    events.push(Event::Conditions(Conditions::default()));
    events.extend([0, 1, 26_214, u64::MAX].map(|have_bytes| Event::Fetched(Fetched::Part { have_bytes })));
    events.extend([Fetched::Whole, Fetched::WrongDigest].map(Event::Fetched));
    let applied = [Applied::Undecodable, Applied::WrongImage, Applied::TooLarge, Applied::BootChain];
    events.extend(applied.map(Event::Applied));
    let tables = [first_table(), staged_table(), trial_table(), watched_table()];
    for table in tables {
        events.extend([Event::Applied(Applied::Staged(table)), Event::SlotTable(table)]);
        let boot = Boot {
            id: BootId([2; 8]),
            table,
            slot: table.active,
            running: image(),
            reset: ResetCause::Watchdog,
            crashed: true,
        };
        events.push(Event::Booted(boot));
    }
    for effect in effects() {
        events.extend(TROUBLES.map(|trouble| Event::Failed(effect, trouble)));
    }
    events
}

/// Something is on its way, or it will ask for something by itself: an effect that failed is on its way no more.
fn is_awake(bench: &Bench, last: Event<'_>) -> bool {
    let failed = |waits: &str, by: fn(&Effect) -> bool| match last {
        Event::Failed(effect, _) => bench.doing() == waits && !by(&effect),
        _ => bench.doing() == waits,
    };
    bench.doing() == "starting"
        || failed("applying", |effect| matches!(effect, Effect::Save | Effect::Apply(_)))
        || failed("restarting", |_| true)
        || bench.clone().asks_in_time()
}

#[test]
fn every_state_takes_every_event() {
    let answers = answers();
    let mut pairs = 0_u64;
    for bench in benches() {
        for first in events(&answers) {
            let mut one = bench.clone();
            one.step(first);
            assert!(is_awake(&one, first), "{} {first:?}", bench.doing());
            one.uptime = one.uptime.after(MINUTE_MS);
            for second in events(&answers) {
                // Signatures are slow; the second answer says nothing new.
                if matches!(second, Event::Answered(bytes) if bytes.len() > 60) {
                    continue;
                }
                let mut two = one.clone();
                two.step(second);
                assert!(is_awake(&two, second), "{} {first:?} {second:?}", bench.doing());
                pairs += 1;
            }
        }
    }
    println!("{pairs} pairs of events");
}

#[test]
fn nothing_happens_before_the_boot() {
    let answers = answers();
    for event in events(&answers) {
        if matches!(event, Event::Booted(_)) {
            continue;
        }
        let mut bench =
            Bench::new(crate::kit::settings(), Some(&record_at(Stage::Trial(TrialLog::default()))));
        bench.step(event);
        assert!(bench.effects.is_empty(), "{event:?} {:?}", bench.effects);
        assert_eq!(bench.doing(), "starting", "{event:?}");
    }
}
