//! How rollouts and pushed releases share a device, one table a rule.

use super::*;
use crate::attempt::Outcome;
use crate::device::Standing;
use crate::filter::FilterFacts;
use crate::rollout::{
    BasisPoints, BuiltIn, Census, Charter, Evidence, History, HowMany, Order, Plan, Reason, Rule, Salt, Seen,
    State, Tally, Who,
};
use crate::rollout::{Command, Event, Preflight};
use crate::shelves::{NOW, app, catalogue, device, release, runs};
use crate::{Decision, Offsets, Windows, Zones, decide};
use lapwing_core::{Release, UnixSeconds};

/// A rollout of version `1.<seq>.0` that has just opened its first phase for this share.
fn rollout(seq: u64, group: &str, share: u16) -> Rollout {
    let mut plan = Plan { approvals: 0, ..BuiltIn::Gentle.plan() };
    plan.phases[0].how_many = HowMany::Share(BasisPoints::new(share));
    let charter = Charter {
        version: format!("1.{seq}.0").parse().unwrap(),
        group: group.parse().unwrap(),
        recall: None,
        approved: Approved::default(),
        author: "ann".to_owned(),
        plan,
        salt: Salt([3; 16]),
        census: Census::new(Vec::new(), &[(Vec::new(), 1_000)].into_iter().collect()),
        history: History::NONE,
        deadline_s: 21_600,
    };
    started(charter)
}

fn started(charter: Charter) -> Rollout {
    let submit = Event::Command(Command { expected: 0, order: Order::Submit });
    let rollout = Rollout::new(charter).step(NOW, submit).next;
    let rollout = rollout.step(NOW, Event::Checked(Preflight::Clear(NOW))).next;
    rollout.step(NOW, Event::Tick(&Tally::default())).next
}

fn with(rollout: &Rollout, change: impl FnOnce(&mut Charter)) -> Rollout {
    let mut charter = Charter::clone(&rollout.charter);
    change(&mut charter);
    Rollout { charter: Arc::new(charter), ..rollout.clone() }
}

fn in_state(rollout: &Rollout, state: State) -> Rollout {
    Rollout { state, ..rollout.clone() }
}

fn halted() -> State {
    let seen = Seen { judged: 1, failed: 1 };
    State::Halted(Evidence { rules: 1, rule: Rule::Signature, stratum: None, seen, phase: 0, at: NOW })
}

/// The releases of these seqs: those pushed to everyone, and those that wait for a rollout.
fn shelves(open: &[u64], held: &[u64]) -> Catalogue {
    let put = |seqs: &[u64], shelf| seqs.iter().map(move |seq| (release(*seq), shelf)).collect::<Vec<_>>();
    catalogue([put(open, Shelf::Open), put(held, Shelf::Held)].concat())
}

struct Asking<'a> {
    running: u64,
    named: &'a FilterFacts<'a>,
    attempts: &'a [PastAttempt],
}

const PLAIN: Asking<'static> = Asking { running: 1, named: &[], attempts: &[] };

#[track_caller]
fn check(asking: &Asking<'_>, catalogue: &Catalogue, rollouts: &[&Rollout], expected: &str) {
    let (components, standing) = ([app(runs(asking.running))], Standing::default());
    let facts =
        DeviceFacts { named: asking.named, attempts: asking.attempts, ..device(&components, &standing) };
    let rooms: Vec<Room> = rollouts.iter().map(|rollout| rollout.room(&empty(rollout))).collect();
    let zones = berlin();
    let bringing: Vec<Bringing<'_>> = (1..)
        .zip(rollouts.iter().zip(&rooms))
        .map(|(id, (rollout, room))| Bringing { id: RolloutId(id), rollout, room, zones: &zones })
        .collect();
    let found = match decide(&facts, catalogue, &bringing, NOW) {
        Decision::Nothing(blocker) => blocker.code().to_owned(),
        Decision::Offer(grant) => {
            let by = grant.brought.map(|(id, _)| format!(" by {id}")).unwrap_or_default();
            let towards = grant.towards.map(|version| format!(" towards {version}")).unwrap_or_default();
            format!("offer {}{by}{towards}", grant.entry.release.seq)
        }
    };
    assert_eq!(found, expected);
}

fn berlin() -> Zones {
    Zones::new([("Europe/Berlin".to_owned(), Offsets::new(3_600, Vec::new()))])
}

fn empty(rollout: &Rollout) -> Tally {
    Tally { cells: vec![Default::default(); rollout.charter.census.cells()], ..Tally::default() }
}

#[test]
fn what_is_held_comes_by_a_rollout_only() {
    let two = shelves(&[1], &[2]);
    let all = rollout(2, "everyone", 10_000);
    check(&PLAIN, &two, &[], "up-to-date");
    check(&PLAIN, &two, &[&all], "offer 2 by 1");
    check(&PLAIN, &two, &[&rollout(3, "everyone", 10_000)], "up-to-date");
    check(&PLAIN, &shelves(&[1, 2], &[]), &[&all], "offer 2");
    let withdrawn = catalogue(vec![(release(1), Shelf::Open), (release(2), Shelf::Withdrawn)]);
    check(&PLAIN, &withdrawn, &[&all], "up-to-date");
    check(&PLAIN, &two, &[&in_state(&all, State::Completed)], "offer 2 by 1");
    for state in [State::Paused, halted(), State::Cancelled, State::Superseded, State::Draft] {
        check(&PLAIN, &two, &[&in_state(&all, state)], "rollout-not-running");
    }
}

#[test]
fn only_its_group_is_asked_and_the_others_are_up_to_date() {
    let two = shelves(&[1], &[2]);
    let staging = rollout(2, "staging", 10_000);
    check(&PLAIN, &two, &[&staging], "up-to-date");
    check(&Asking { named: &[("group", "staging")], ..PLAIN }, &two, &[&staging], "offer 2 by 1");
}

#[test]
fn a_device_beyond_the_share_gets_what_is_for_everyone_and_learns_where_it_stands() {
    let one = rollout(3, "everyone", 100);
    check(&PLAIN, &shelves(&[1, 2], &[3]), &[&one], "offer 2");
    check(&PLAIN, &shelves(&[1], &[3]), &[&one], "place-beyond-share");
    let (components, standing) = ([app(runs(1))], Standing::default());
    let room = one.room(&empty(&one));
    let bringing = [Bringing { id: RolloutId(7), rollout: &one, room: &room, zones: &Zones::default() }];
    let decision = decide(&device(&components, &standing), &shelves(&[1], &[3]), &bringing, NOW);
    let Decision::Nothing(blocker) = decision else { panic!("{decision:?}") };
    assert_eq!(
        blocker.to_string(),
        "Rollout 7 brings version 1.3.0: phase 1 of 6 is open for 1 %; its place is 78.28 %."
    );
}

#[test]
fn security_overtakes_features_and_a_recall_overtakes_all() {
    let three = shelves(&[1], &[2, 3, 4]);
    let security = with(&rollout(2, "everyone", 10_000), |charter| {
        charter.plan.priority = Priority::Security;
    });
    let feature = rollout(3, "everyone", 10_000);
    check(&PLAIN, &three, &[&feature, &security], "offer 2 by 2");
    check(&Asking { running: 2, ..PLAIN }, &three, &[&feature, &security], "offer 3 by 1");
    let recalling = with(&feature, |charter| charter.recall = Some("1.4.0".parse().unwrap()));
    let recalled = in_state(&recalling, State::Recalled);
    let took = Asking { running: 3, ..PLAIN };
    check(&took, &three, &[&recalling], "up-to-date");
    check(&took, &three, &[&recalled], "offer 4");
    check(&took, &three, &[&in_state(&recalling, halted()), &security], "offer 4");
    check(&PLAIN, &three, &[&recalled], "rollout-not-running");
}

#[test]
fn a_step_on_the_way_is_offered_and_says_where_it_leads() {
    let at = |minor| Semver { major: 1, minor, patch: 0 };
    let range = lapwing_core::VersionRange { from: at(2), below: at(9) };
    let top = Release { installable_from: [range].into_iter().collect(), ..release(3) };
    let stairs =
        |shelf| catalogue(vec![(release(1), Shelf::Open), (release(2), shelf), (top.clone(), Shelf::Held)]);
    let rollout = rollout(3, "everyone", 10_000);
    check(&PLAIN, &stairs(Shelf::Open), &[&rollout], "offer 2 towards 1.3.0");
    check(&Asking { running: 2, ..PLAIN }, &stairs(Shelf::Open), &[&rollout], "offer 3 by 1");
    check(&PLAIN, &stairs(Shelf::Held), &[&rollout], "no-path");
}

#[test]
fn what_breaks_needs_somebody_who_agreed() {
    let major = Release { version: "2.0.0".parse().unwrap(), ..release(2) };
    let breaking = Release { compatibility: Compatibility::Breaking, ..release(2) };
    for (release_2, version) in [(major, "2.0.0"), (breaking, "1.2.0")] {
        let two = catalogue(vec![(release(1), Shelf::Open), (release_2, Shelf::Held)]);
        let one = with(&rollout(2, "everyone", 10_000), |charter| charter.version = version.parse().unwrap());
        check(&PLAIN, &two, &[&one], "not-approved");
        let agreed = with(&one, |charter| charter.approved.breaking = true);
        check(&PLAIN, &two, &[&agreed], "offer 2 by 1");
    }
}

#[test]
fn an_offer_stands_until_its_rollout_is_stopped() {
    let two = shelves(&[1], &[2]);
    let small = rollout(2, "everyone", 100);
    let entry = two.entries().find(|entry| entry.release.seq == 2).unwrap();
    let open = PastAttempt {
        release: entry.release.envelope(),
        outcome: Outcome::OFFERED,
        brought: Some((RolloutId(1), Cell::at(0))),
        at: UnixSeconds(NOW.0 - 10),
        forgiven: false,
    };
    let asking = Asking { attempts: &[open], ..PLAIN };
    let room = small.room(&empty(&small));
    for (state, stands) in [
        (State::Running, true),
        (State::Paused, true),
        (State::Completed, true),
        (halted(), false),
        (State::Cancelled, false),
        (State::Superseded, false),
        (State::Recalled, false),
    ] {
        let rollout = in_state(&small, state);
        // Its place is far beyond the share: it goes on because it has its offer.
        check(&asking, &two, &[&rollout], if stands { "offer 2 by 1" } else { "rollout-not-running" });
        let bringing =
            [Bringing { id: RolloutId(1), rollout: &rollout, room: &room, zones: &Zones::default() }];
        assert_eq!(open.stands(&two, &bringing), stands, "{}", rollout.state.label());
    }
    assert!(!open.stands(&two, &[]), "a rollout that is not there stands by nothing");
    assert!(open.stands(&shelves(&[1, 2], &[]), &[]), "it was given to everyone meanwhile");
}

#[test]
fn a_tier_or_a_filter_opens_a_phase_for_those_it_means() {
    let two = shelves(&[1], &[2]);
    let mut plan = BuiltIn::Tiers.plan();
    plan.phases[1].who = Who::Filter("region == eu".to_owned().try_into().unwrap());
    let first = with(&rollout(2, "everyone", 10_000), |charter| charter.plan = plan);
    check(&PLAIN, &two, &[&first], "phase-not-open");
    check(&Asking { named: &[("tier", "canary")], ..PLAIN }, &two, &[&first], "offer 2 by 1");
    check(&Asking { named: &[("tier", "opted-out")], ..PLAIN }, &two, &[&first], "opted-out");
    let mut second = first.clone();
    second.open.push(second.open[0].clone());
    check(&Asking { named: &[("region", "eu")], ..PLAIN }, &two, &[&second], "offer 2 by 1");
}

#[test]
fn a_reason_is_needed_to_recall_and_a_recall_release() {
    let one = rollout(2, "everyone", 10_000);
    let order = Order::Recall(Reason::new("pumps stop").unwrap());
    let command = |rollout: &Rollout| Command { expected: rollout.generation, order: order.clone() };
    let refused = one.clone().step(NOW, Event::Command(command(&one)));
    assert_eq!(
        refused.refused.map(|why| why.to_string()).as_deref(),
        Some("it was made without a recall release; push an old image under a new version instead")
    );
    let able =
        with(&in_state(&one, State::Completed), |charter| charter.recall = Some("1.4.0".parse().unwrap()));
    let recalled = able.clone().step(NOW, Event::Command(command(&able)));
    assert_eq!((recalled.refused, recalled.next.state), (None, State::Recalled));
}

/// A rollout for everyone whose plan has these windows. It is Monday, 14:46 in Berlin.
fn with_windows(windows: &str) -> Rollout {
    let windows: Windows = serde_json::from_str(windows).unwrap();
    with(&rollout(2, "everyone", 10_000), |charter| charter.plan.windows = Some(windows))
}

fn open_on(day: &str) -> Rollout {
    with_windows(&format!(
        r#"{{ "zone": "Europe/Berlin", "open": [{{ "name": "night", "days": ["{day}"], "from": "02:00", "to": "05:00" }}] }}"#
    ))
}

#[test]
fn a_window_within_a_day_brings_the_offer_ahead_and_a_later_one_only_its_hour() {
    let two = shelves(&[1], &[2]);
    check(&PLAIN, &two, &[&open_on("tuesday")], "offer 2 by 1");
    check(&PLAIN, &two, &[&open_on("wednesday")], "window");
    check(
        &Asking { named: &[("zone", "Mars/Olympus")], ..PLAIN },
        &two,
        &[&open_on("tuesday")],
        "zone-unknown",
    );
    let never = r#"{ "zone": "Europe/Berlin", "open": [{ "name": "a", "from": "02:00", "to": "05:00" }],
        "never": [{ "name": "b", "from": "01:00", "to": "06:00" }] }"#;
    check(&PLAIN, &two, &[&with_windows(never)], "window-never");
    let halted = in_state(&open_on("wednesday"), halted());
    check(&PLAIN, &two, &[&halted], "rollout-not-running");
    let small = with(&open_on("tuesday"), |_| {});
    let small = Rollout { open: rollout(2, "everyone", 1).open, ..small };
    check(&PLAIN, &two, &[&small], "place-beyond-share");
}

#[test]
fn who_waits_for_a_window_says_when_it_opens_and_a_person_need_not_wait() {
    let (two, one) = (shelves(&[1], &[2]), open_on("tuesday"));
    let room = one.room(&empty(&one));
    let zones = berlin();
    let bringing = [Bringing { id: RolloutId(7), rollout: &one, room: &room, zones: &zones }];
    let components = [app(runs(1))];
    let window = |standing: &Standing| match decide(&device(&components, standing), &two, &bringing, NOW) {
        Decision::Offer(grant) => grant.window.clone().map(|window| (window, Decision::Offer(grant))),
        Decision::Nothing(blocker) => panic!("{blocker}"),
    };
    let (opening, decision) = window(&Standing::default()).unwrap();
    let midnight = UnixSeconds(NOW.0 / 86_400 * 86_400 + 86_400 - 3_600);
    assert_eq!((opening.opens, opening.closes), (midnight.after(7_200), midnight.after(5 * 3_600)));
    let blocker = decision.blocker(NOW).unwrap();
    assert_eq!(
        blocker.to_string(),
        "Rollout 7 brings version 1.2.0: its window opens on Tuesday at 02:00 in Europe/Berlin."
    );
    assert_eq!(blocker.until(), Some(opening.opens));
    assert_eq!(decision.blocker(opening.opens), None, "it is open");
    assert!(window(&Standing { update_now: true, ..Standing::default() }).is_none());
}
