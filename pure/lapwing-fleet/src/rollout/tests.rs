//! Rollouts by property: what must hold whatever is counted, in whatever order, on however many servers.

use super::*;
use lapwing_core::wire::cause::Cause;
use lapwing_core::{AttemptId, UnixSeconds};
use proptest::prelude::*;
use std::collections::BTreeMap;

use crate::attempt::{AttemptState, Outcome};

const DEADLINE_S: u64 = 6 * 3_600;
const START: UnixSeconds = UnixSeconds(1_800_000_000);
const DEVICES_PER_KIND: u32 = 500;

fn census() -> Census {
    let kinds = ["a", "b"]
        .iter()
        .flat_map(|hardware| ["eu", "us"].map(|region| vec![(*hardware).to_owned(), region.to_owned()]));
    let counted: BTreeMap<Kind, u32> = kinds.map(|kind| (kind, DEVICES_PER_KIND)).collect();
    Census::new(vec![Dimension::Hardware, Dimension::Region], &counted)
}

fn running(built_in: BuiltIn) -> Rollout {
    let plan = Plan { approvals: 0, ..built_in.plan() };
    let draft = Rollout::new(charter(plan));
    let submitted = ordered(draft, Order::Submit);
    let scheduled = submitted.step(START, Event::Checked(Preflight::Clear(START))).next;
    scheduled.step(START, Event::Tick(&tally(&[]))).next
}

fn charter(plan: Plan) -> Charter {
    Charter {
        version: "2.0.0".parse().expect("a plain name"),
        group: crate::EVERYONE.parse().expect("a plain name"),
        recall: None,
        approved: Approved::default(),
        author: "ann".to_owned(),
        plan,
        salt: Salt([3; 16]),
        census: census(),
        history: History::NONE,
        deadline_s: DEADLINE_S,
    }
}

fn ordered(rollout: Rollout, order: Order) -> Rollout {
    let step = rollout.clone().step(START, Event::Command(Command { expected: rollout.generation, order }));
    assert_eq!(step.refused, None);
    step.next
}

/// A tally with these counts, cell by cell.
fn tally(cells: &[Counts]) -> Tally {
    let mut all = cells.to_vec();
    all.resize(census().cells(), Counts::default());
    Tally { cells: all, reachable: 1, ..Tally::default() }
}

/// Counts of one cell that do not contradict each other.
fn any_counts() -> impl Strategy<Value = Counts> {
    (0..400_u32, 0..=100_u32, 0..=100_u32, 0..=30_u32).prop_map(|(granted, switched, judged, failed)| {
        let switched = granted * switched / 100;
        let judged = switched * judged / 100;
        let failed = (judged * failed / 100).min(judged);
        let seen = Seen { judged, failed };
        Counts { granted, switched, rolled_back: failed, early: seen, whole: seen, ..Counts::default() }
    })
}

fn any_tally() -> impl Strategy<Value = Tally> {
    let window =
        (0..2_000_u32, 0..40_u32).prop_map(|(judged, failed)| Seen { judged, failed: failed.min(judged) });
    (prop::collection::vec(any_counts(), 5), 1..2_000_u32, window, 0..20_u32).prop_map(
        |(cells, reachable, seen, odd)| Tally {
            reachable,
            first_boot_failures: odd / 19 * 2,
            window: Window { controls: seen, ..Window::default() },
            ..tally(&cells)
        },
    )
}

fn any_try() -> impl Strategy<Value = Try> {
    let states = proptest::sample::select(AttemptState::ALL);
    let causes = proptest::option::of(proptest::sample::select(Cause::ALL));
    let site = proptest::option::of(0..3_u64);
    (0..1_000_u64, 0..4_usize, site, states, causes, proptest::option::of(0..50_000_u64), 0..90_000_u64)
        .prop_map(|(attempt, cell, site, state, cause, switched_s, heard_s)| Try {
            attempt: AttemptId(attempt),
            cell: strata::Cell(cell),
            site: site.map(Site),
            outcome: Outcome { state, cause },
            granted_at: START,
            switched_at: switched_s.map(|s| START.after(s)),
            heard_at: START.after(heard_s),
        })
}

/// Whether it did anything but wait.
fn acted(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| !matches!(effect, Effect::Wake(_)))
}

proptest! {
    /// Whatever is counted: a phase opens only after the one before it passed its gate on these very counts,
    /// nothing is ever closed again, a halt explains itself, and only a running rollout has room.
    #[test]
    fn phases_open_one_by_one_and_never_past_a_gate(
        tallies in prop::collection::vec((any_tally(), 1..200_000_u64), 1..40),
        which in 0..BuiltIn::ALL.len(),
    ) {
        let mut rollout = running(BuiltIn::ALL[which]);
        let mut now = START;
        for (tally, later_s) in &tallies {
            now = now.after(*later_s);
            let before = rollout.clone();
            let step = rollout.step(now, Event::Tick(tally));
            rollout = step.next;
            for (before, after) in before.open.iter().zip(&rollout.open) {
                if let (Open::Shares(before), Open::Shares(after)) = (before, after) {
                    prop_assert!(before.iter().zip(after).all(|(before, after)| before <= after));
                }
            }
            prop_assert!(rollout.open.len() - before.open.len() <= 1);
            if rollout.open.len() > before.open.len() {
                let pooled = tally.pooled();
                prop_assert_eq!(&before.state, &State::Running);
                prop_assert!(u64::from(pooled.in_flight()) * 100 <= u64::from(pooled.granted) * 6);
                prop_assert!(stopping::halt(&before, tally, now).is_none());
                let passed = before.phase.number;
                let said = step.effects.iter().find_map(|effect| match effect {
                    Effect::Announce(Notice::PhasePassed(number, proof)) => Some((*number, proof.clone())),
                    _ => None,
                });
                let (number, proof) = said.expect("a phase passes before the next opens");
                prop_assert_eq!(number, passed);
                if let Proof::Excluded(rate) = proof {
                    prop_assert!(excludes(pooled.whole, rate, History::NONE.allowed().whole));
                }
            }
            if let State::Halted(evidence) = &rollout.state {
                prop_assert!(evidence.replays(), "{}", evidence);
            }
            prop_assert!(rollout.halted_strata.iter().all(Evidence::replays));
        }
    }

    #[test]
    fn a_halt_is_final_without_a_person(
        tallies in prop::collection::vec((any_tally(), 1..2_000_000_u64), 1..20),
    ) {
        let bad = Counts { granted: 12, switched: 12, whole: Seen { judged: 12, failed: 6 }, ..Counts::default() };
        let mut rollout = running(BuiltIn::Delivery).step(START, Event::Tick(&tally(&[bad, bad, bad, bad]))).next;
        prop_assert!(matches!(rollout.state, State::Halted(_)));
        let halted = rollout.clone();
        let mut now = START;
        for (tally, later_s) in &tallies {
            now = now.after(*later_s);
            let step = rollout.step(now, Event::Tick(tally));
            prop_assert!(!acted(&step.effects));
            rollout = step.next;
        }
        prop_assert_eq!(&rollout, &halted);
        let resumed = ordered(rollout, Order::Resume(Reason::new("a bad batch of modems")?, tally(&[bad, bad, bad, bad])));
        let again = resumed.step(now, Event::Tick(&tally(&[bad, bad, bad, bad]))).next;
        prop_assert!(!matches!(again.state, State::Halted(_)));
    }

    /// No more devices go than there is room for, whoever asks and however often; and none beyond its share.
    #[test]
    fn shares_and_caps_are_never_exceeded(
        cells in prop::collection::vec(any_counts(), 4),
        asked in prop::collection::vec((0..4_usize, "[a-z]{4}"), 1..200),
    ) {
        let mut rollout = running(BuiltIn::Security);
        rollout.state = State::Running;
        let mut tally = tally(&cells);
        let mut room = rollout.room(&tally);
        let cap = |counts: &Counts| counts.whole.good().max(FIRST_DEVICES);
        let before = tally.clone();
        for (cell, name) in &asked {
            let device = name.parse().expect("a plain name");
            let place = Place::of(Salt([3; 16]), &device);
            let cell = strata::Cell(*cell);
            let candidate = Candidate { place, cell, tier: Tier::General, facts: &[], downloads_nearby: 0 };
            if rollout.admit(&mut room, &candidate).is_ok() {
                let Some(Open::Shares(shares)) = rollout.open.last() else { panic!("a share is open") };
                prop_assert!(place.is_within(shares[cell.index()]));
                tally.cells[cell.index()].granted += 1;
            }
        }
        let grew = |before: Counts, after: Counts| after.granted > before.granted;
        for stratum in rollout.charter.census.strata() {
            let (before, after) = (before.of(&stratum.cells), tally.of(&stratum.cells));
            prop_assert!(!grew(before, after) || after.in_flight() <= cap(&after));
        }
        let (before, after) = (before.pooled(), tally.pooled());
        prop_assert!(!grew(before, after) || after.in_flight() <= cap(&after));
    }

    #[test]
    fn every_attempt_ends(one in any_try(), away_s in 0..100_000_u64, from_s in 0..100_000_u64) {
        let from = START.after(from_s);
        let outages = [Outage { from, until: Some(from.after(away_s)) }];
        let horizons = Horizons { deadline_s: DEADLINE_S, outages: &outages };
        let late = START.after(FETCH_S_MAX + 50_000 + DEADLINE_S + 300_000);
        let counts = horizons.judge(&one, late);
        prop_assert_eq!(counts.in_flight(), 0, "{:?}", counts);
        prop_assert_eq!(counts.gone + counts.whole.judged, 1);
    }

    #[test]
    fn silence_is_never_good(mut one in any_try(), silent in 0..3_usize) {
        one.switched_at = Some(START);
        one.outcome.state = [AttemptState::Rebooting, AttemptState::Trial, AttemptState::TimedOut][silent];
        let counts = Horizons { deadline_s: DEADLINE_S, outages: &[] }.judge(&one, START.after(DEADLINE_S));
        prop_assert_eq!(counts.whole, Seen { judged: 1, failed: 1 });
    }

    #[test]
    fn counts_do_not_depend_on_the_order(tries in prop::collection::vec(any_try(), 0..60), at_s in 0..700_000_u64) {
        let horizons = Horizons { deadline_s: DEADLINE_S, outages: &[] };
        let now = START.after(at_s);
        let by_attempt: BTreeMap<AttemptId, Try> = tries.iter().map(|one| (one.attempt, *one)).collect();
        let there: Vec<Try> = by_attempt.values().copied().collect();
        let back: Vec<Try> = there.iter().rev().copied().collect();
        prop_assert_eq!(count(&census(), &there, &horizons, now), count(&census(), &back, &horizons, now));
    }

    /// Servers work on copies that may be old; what is saved over its own revision is what one server alone
    /// would have saved, and nothing is announced twice.
    #[test]
    fn several_servers_do_what_one_does(
        turns in prop::collection::vec((any_tally(), 0..3_usize, any::<bool>()), 1..40),
    ) {
        let mut alone = running(BuiltIn::Gentle);
        let mut saved = alone.clone();
        let mut copies = [saved.clone(), saved.clone(), saved.clone()];
        for (at, (tally, server, is_stale)) in turns.iter().enumerate() {
            let now = START.after(3_600 * at as u64);
            if !is_stale {
                copies[*server] = saved.clone();
            }
            let step = copies[*server].clone().step(now, Event::Tick(tally));
            let is_current = copies[*server].revision == saved.revision;
            if is_current {
                let expected = alone.step(now, Event::Tick(tally));
                prop_assert_eq!(&step, &expected);
                saved = step.next;
                alone = expected.next;
            } else {
                prop_assert!(!acted(&step.effects) || step.effects.first() == Some(&Effect::Save));
                copies[*server] = saved.clone();
            }
        }
        prop_assert_eq!(saved, alone);
    }
}

#[test]
fn many_failures_at_one_site_count_as_two() {
    let one = |number: u64, site: u64| Try {
        attempt: AttemptId(number),
        cell: strata::Cell(0),
        site: Some(Site(site)),
        outcome: Outcome { state: AttemptState::Trial, cause: None },
        granted_at: START,
        switched_at: Some(START),
        heard_at: START,
    };
    let tries: Vec<Try> = (0..10).map(|number| one(number, 1)).chain([one(10, 2)]).collect();
    let horizons = Horizons { deadline_s: DEADLINE_S, outages: &[] };
    let counts = count(&census(), &tries, &horizons, START.after(DEADLINE_S))[0];
    assert_eq!((counts.whole, counts.uncounted, counts.in_flight()), (Seen { judged: 3, failed: 3 }, 8, 0));
}

#[test]
fn the_clock_stands_still_while_the_network_is_away() {
    let outage = |from_s, until: Option<u64>| Outage {
        from: START.after(from_s),
        until: until.map(|s| START.after(s)),
    };
    let due = |outages: &[Outage]| {
        Horizons { deadline_s: 0, outages }.due(START, 10_000).map(|due| due.since(START))
    };
    assert_eq!(due(&[]), Some(10_000));
    assert_eq!(due(&[outage(20_000, Some(30_000))]), Some(10_000));
    assert_eq!(due(&[outage(2_000, Some(4_000))]), Some(12_000));
    assert_eq!(due(&[outage(9_000, Some(50_000))]), Some(53_600));
    assert_eq!(due(&[outage(9_000, None)]), None);
    assert_eq!(due(&[outage(11_000, None)]), Some(10_000));
}

#[test]
fn one_bad_stratum_is_halted_alone() {
    let good =
        Counts { granted: 60, switched: 60, whole: Seen { judged: 60, failed: 0 }, ..Counts::default() };
    let bad = Counts { whole: Seen { judged: 8, failed: 8 }, granted: 8, switched: 8, ..good };
    // Cells in the order of their kinds: hardware a in eu and us, hardware b in eu and us.
    let step = running(BuiltIn::Delivery).step(START, Event::Tick(&tally(&[good, good, bad, bad])));
    assert_eq!(step.next.state, State::Running);
    let halted: Vec<_> = step.next.halted_strata.iter().filter_map(|found| found.stratum.as_ref()).collect();
    assert_eq!(halted.iter().map(|stratum| stratum.name.as_str()).collect::<Vec<_>>(), ["hardware=b"]);
    let candidate = Candidate {
        place: Place::of(Salt([3; 16]), &"x".parse().expect("a plain name")),
        cell: strata::Cell(2),
        tier: Tier::General,
        facts: &[],
        downloads_nearby: 0,
    };
    assert_eq!(step.next.reaches(&candidate), Err(NotYet::StratumHalted));
}

#[test]
fn what_stops_a_rollout_takes_its_places_before_anybody_saved_that() {
    let rollout = running(BuiltIn::Delivery);
    let seen = |judged, failed| Counts {
        granted: judged,
        switched: judged,
        whole: Seen { judged, failed },
        ..Counts::default()
    };
    let left = |tally: &Tally| (rollout.room(tally).left() > 0, rollout.room_at(START, tally).left() > 0);
    let (good, bad) = (seen(60, 0), seen(8, 8));
    assert_eq!(left(&tally(&[good, good])), (true, true));
    // Everything halts, one stratum does, a brake holds.
    assert_eq!(left(&tally(&[bad, bad, bad, bad])), (true, false));
    assert_eq!(left(&tally(&[good, good, bad, bad])), (true, false));
    let away = Window { controls: Seen { judged: 100, failed: 40 }, ..Window::default() };
    assert_eq!(left(&Tally { window: away, ..tally(&[good]) }), (true, false));
}

#[test]
fn when_nobody_is_heard_it_is_the_network_and_it_comes_back_by_itself() {
    let window = |failed| Window { controls: Seen { judged: 100, failed }, ..Window::default() };
    let away = Tally { window: window(40), ..tally(&[]) };
    let back = Tally { window: window(1), ..tally(&[]) };
    let held = running(BuiltIn::Canary).step(START, Event::Tick(&away)).next;
    assert!(matches!(held.state, State::Held(Hold { brake: Brake::Network(_), person_needed: false, .. })));
    assert!(held.is_cut_off());
    let calm = held.step(START.after(7_200), Event::Tick(&back)).next;
    assert!(!calm.is_cut_off() && matches!(calm.state, State::Held(_)));
    let running = calm.step(START.after(7_200 + 3_600), Event::Tick(&back)).next;
    assert_eq!(running.state, State::Running);
    let from = UnixSeconds(START.0 - WINDOW_S);
    assert_eq!(running.outages, [Outage { from, until: Some(START.after(7_200)) }]);
}

#[test]
fn a_brake_lets_go_once_at_half_the_rate_and_a_critical_one_never() {
    let came_back = |switched, rolled_back| {
        tally(&[Counts { granted: switched, switched, rolled_back, ..Counts::default() }])
    };
    let braked = |plan, counts: &Tally| running(plan).step(START, Event::Tick(counts)).next;
    let person_needed = |rollout: &Rollout| match rollout.state {
        State::Held(Hold { person_needed, .. }) => person_needed,
        _ => panic!("{:?}", rollout.state),
    };
    let few = came_back(150, 3);
    assert!(!person_needed(&braked(BuiltIn::Delivery, &few)));
    assert!(person_needed(&braked(BuiltIn::Canary, &few)));
    assert!(person_needed(&braked(BuiltIn::Delivery, &came_back(40, 3))));
    assert_eq!(
        running(BuiltIn::Delivery).step(START, Event::Tick(&came_back(19, 3))).next.state,
        State::Running
    );
    let held = braked(BuiltIn::Delivery, &few).step(START.after(60), Event::Tick(&few)).next;
    let on = held.step(START.after(60 + 3_600), Event::Tick(&few)).next;
    assert_eq!((&on.state, on.rate_per_minute), (&State::Running, 1_000));
    let again = on.step(START.after(9_000), Event::Tick(&came_back(300, 6))).next;
    assert!(person_needed(&again));
}

#[test]
fn a_command_for_an_older_rollout_is_refused() {
    let rollout = running(BuiltIn::Delivery);
    let stale = Command { expected: rollout.generation + 1, order: Order::Pause };
    let step = rollout.clone().step(START, Event::Command(stale));
    assert_eq!((step.refused, &step.next), (Some(Refused::Stale(rollout.generation)), &rollout));
    let paused = ordered(rollout, Order::Pause);
    let twice = Command { expected: paused.generation, order: Order::Pause };
    assert_eq!(paused.step(START, Event::Command(twice)).refused, Some(Refused::NotNow("paused")));
    assert_eq!(Reason::new("  "), Err(ReasonError));
}

#[test]
fn approvals_come_before_the_start_and_cancelling_waits_for_nobody() {
    let checked = ordered(Rollout::new(charter(BuiltIn::Canary.plan())), Order::Submit);
    let back = checked.clone().step(START, Event::Checked(Preflight::Findings)).next;
    assert_eq!(back.state, State::Draft);
    let waiting = checked.step(START, Event::Checked(Preflight::Clear(START))).next;
    assert_eq!(waiting.state, State::AwaitingApproval(0));
    let scheduled = ordered(waiting, Order::Approve("bob".to_owned()));
    assert_eq!(
        (&scheduled.state, &scheduled.approvers[..]),
        (&State::Scheduled(START), &["bob".to_owned()][..])
    );
    let cancelled = ordered(scheduled.step(START, Event::Tick(&tally(&[]))).next, Order::Cancel);
    assert!(cancelled.state.is_final());
}

#[test]
fn nobody_approves_alone_what_is_beyond_the_usual() {
    let waiting = |plan_wants, approved| {
        let plan = Plan { approvals: plan_wants, ..BuiltIn::Gentle.plan() };
        let draft = Rollout::new(Charter { approved, ..charter(plan) });
        ordered(draft, Order::Submit).step(START, Event::Checked(Preflight::Clear(START))).next
    };
    let refused = |rollout: &Rollout, who: &str| {
        let command = Command { expected: rollout.generation, order: Order::Approve(who.to_owned()) };
        let step = rollout.clone().step(START, Event::Command(command));
        assert_eq!(&step.next, rollout, "it changed nothing");
        step.refused
    };
    assert_eq!(waiting(0, Approved::default()).state, State::Scheduled(START));
    for approved in [Approved { breaking: true, variant: false }, Approved { breaking: false, variant: true }]
    {
        let one = waiting(0, approved);
        assert_eq!((&one.state, refused(&one, "ann")), (&State::AwaitingApproval(0), Some(Refused::OwnWork)));
        assert_eq!(ordered(one, Order::Approve("bob".to_owned())).state, State::Scheduled(START));
    }
    let two = ordered(waiting(2, Approved::default()), Order::Approve("bob".to_owned()));
    assert_eq!(refused(&two, "bob"), Some(Refused::AgreedAlready));
    assert_eq!(refused(&two, "ann"), Some(Refused::OwnWork));
    assert_eq!(ordered(two, Order::Approve("eve".to_owned())).state, State::Scheduled(START));
}

#[test]
fn what_good_releases_had_raises_what_is_allowed_up_to_a_bound() {
    let seen = |judged, failed| Seen { judged, failed };
    let of = |judged, early, whole| History::of(seen(judged, early), seen(judged, whole));
    assert_eq!(of(0, 0, 0), History::NONE);
    assert_eq!(of(199, 20, 40), History::NONE, "too few to say");
    assert_eq!(of(1_000, 1, 2), History::NONE, "never stricter than without a history");
    let had = of(1_000, 5, 15);
    assert_eq!((had.early, had.whole), (Rate::basis_points(50), Rate::basis_points(150)));
    assert_eq!(had.allowed().whole, Rate::basis_points(300));
    let bad = of(1_000, 500, 900);
    assert_eq!(bad.allowed(), of(1_000, 999, 999).allowed(), "a fleet does not get used to it");
    assert_eq!(bad.allowed().whole, Rate::basis_points(400));
}

#[test]
fn a_halt_reads_like_a_reason() {
    let bad =
        Counts { granted: 12, switched: 12, whole: Seen { judged: 12, failed: 2 }, ..Counts::default() };
    let step = running(BuiltIn::Delivery).step(START, Event::Tick(&tally(&[bad, bad, bad, bad])));
    let State::Halted(evidence) = &step.next.state else { panic!("{:?}", step.next.state) };
    let said = evidence.to_string();
    assert!(
        said.starts_with(
            "8 of 48 devices had failed or were silent 6 h after their switch; 1.00 % may. Odds "
        )
    );
    assert!(said.ends_with(" to 1, 250.0 to 1 needed. Halted for everyone, phase 1, rules 1."), "{said}");
    assert!(step.effects.contains(&Effect::Recall) && step.effects.first() == Some(&Effect::Save));
}

proptest! {
    /// A rollout is what was saved of it, wherever it was saved; and what is cut or unknown is refused.
    #[test]
    fn what_was_saved_comes_back_whole_or_not_at_all(
        tallies in prop::collection::vec((any_tally(), 1..200_000_u64), 0..20),
        which in 0..BuiltIn::ALL.len(),
        cut in 0..100_usize,
    ) {
        let mut rollout = running(BuiltIn::ALL[which]);
        let mut now = START;
        for (tally, later_s) in &tallies {
            now = now.after(*later_s);
            rollout = rollout.step(now, Event::Tick(tally)).next;
        }
        let saved = rollout.to_saved()?;
        prop_assert_eq!(&Rollout::from_saved(&saved)?, &rollout);
        let short = saved.len() * cut / 100;
        prop_assert!(Rollout::from_saved(&saved[..short]).is_err());
    }
}

#[test]
fn a_saved_rollout_that_is_newer_or_contradicts_itself_is_refused() {
    let rollout = running(BuiltIn::Delivery);
    let check = |from: &str, to: &str, expected: &str| {
        let saved = rollout.to_saved().expect("it can be said");
        assert!(saved.contains(from), "{from} in {saved}");
        let refused = Rollout::from_saved(&saved.replacen(from, to, 1)).expect_err(expected);
        assert_eq!(refused.to_string(), expected);
    };
    check(
        "\"format\":1",
        "\"format\":2",
        "the rollout was saved in format 2, which this version does not know",
    );
    check("\"generation\"", "\"new\":1,\"generation\"", "the saved rollout cannot be read");
    check("\"generation\":1,", "", "the saved rollout cannot be read");
    check("\"number\":0", "\"number\":9", "the saved rollout contradicts itself");
    check("\"number\":0", "\"number\":1", "the saved rollout contradicts itself");
    check("[10000,10000", "[10000", "the saved rollout contradicts itself");
    check("\"rate_per_minute\":2000", "\"rate_per_minute\":0", "the plan of the saved rollout is not one");
}

#[test]
fn devices_are_called_when_a_rollout_begins_opens_more_goes_on_or_calls_back_and_not_otherwise() {
    let rollout = running(BuiltIn::Delivery);
    let check = |before: &Rollout, now: &Rollout, expected| {
        assert_eq!(crate::brings_more(Some(before), now), expected, "{:?} {:?}", before.state, now.state);
    };
    assert!(crate::brings_more(None, &rollout));
    check(&rollout, &rollout, false);
    let more = Rollout { open: [rollout.open.clone(), rollout.open.clone()].concat(), ..rollout.clone() };
    check(&rollout, &more, true);
    let paused = ordered(rollout.clone(), Order::Pause);
    check(&rollout, &paused, false);
    check(&paused, &Rollout { state: State::Running, ..paused.clone() }, true);
    let recall = Some("0.9.0".parse().expect("a plain name"));
    let charter = Charter { recall, ..Charter::clone(&rollout.charter) };
    let recallable = Rollout { charter: charter.into(), ..rollout };
    let recalled = Rollout { state: State::Recalled, ..recallable.clone() };
    check(&recallable, &recalled, true);
    check(&recalled, &recalled, false);
}
