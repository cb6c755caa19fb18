//! The rules of the decision, one table a rule.

use super::*;
use crate::Shelf;
use crate::attempt::Outcome;
use crate::device::Standing;
use crate::shelves::{CLASS, NOW, app, catalogue, device, image, open, release, runs};
use lapwing_core::wire::cause::Cause;
use lapwing_core::{Digest, Release, Requirement, ShortDigest, VersionRange};
use proptest::prelude::*;

/// What a decision comes to, in one word.
fn outcome(facts: &DeviceFacts<'_>, catalogue: &Catalogue) -> String {
    match decide(facts, catalogue, &[], NOW) {
        Decision::Offer(grant) => format!("offer {}", grant.entry.release.seq),
        Decision::Nothing(blocker) => blocker.code().to_owned(),
    }
}

#[track_caller]
fn check(running: ShortDigest, catalogue: &Catalogue, expected: &str) {
    let (components, standing) = ([app(running)], Standing::default());
    assert_eq!(outcome(&device(&components, &standing), catalogue), expected);
}

fn with(change: impl FnOnce(&mut Release)) -> (Release, Shelf) {
    let mut changed = release(2);
    change(&mut changed);
    (changed, Shelf::Open)
}

#[test]
fn the_highest_open_release_above_what_runs_is_offered() {
    check(runs(1), &open(&[1, 2, 3]), "offer 3");
    check(runs(3), &open(&[1, 2, 3]), "up-to-date");
    check(runs(3), &open(&[1, 2]), "offer 2");
    let unknown = Digest::of(b"factory").short();
    check(unknown, &open(&[1, 2]), "offer 2");
    check(runs(1), &open(&[]), "nothing-for-hardware");
}

#[test]
fn held_and_withdrawn_releases_are_not_offered() {
    let shelves = |shelf| catalogue(vec![(release(1), Shelf::Open), (release(2), shelf)]);
    check(runs(1), &shelves(Shelf::Held), "up-to-date");
    check(runs(1), &shelves(Shelf::Withdrawn), "up-to-date");
    check(runs(1), &shelves(Shelf::Open), "offer 2");
    let all_held = catalogue(vec![(release(2), Shelf::Held)]);
    check(Digest::of(b"factory").short(), &all_held, "nothing-open");
    let halted = catalogue(vec![(release(1), Shelf::Open), (release(2), Shelf::Withdrawn)]);
    check(runs(2), &halted, "up-to-date");
}

#[test]
fn an_old_image_under_a_new_seq_is_offered_once() {
    let again = Release { image: image(1), version: "1.1.1".parse().unwrap(), ..release(3) };
    let recall = catalogue(vec![(release(1), Shelf::Open), (release(2), Shelf::Open), (again, Shelf::Open)]);
    check(runs(2), &recall, "offer 3");
    check(runs(1), &recall, "up-to-date");
}

#[test]
fn a_release_for_other_hardware_or_another_component_is_not_seen() {
    let other = HardwareClass { class: [9; 16], ..CLASS };
    let elsewhere = catalogue(vec![with(|release| release.hardware = [other].into_iter().collect())]);
    check(runs(1), &elsewhere, "nothing-for-hardware");
    let both = catalogue(vec![with(|release| release.hardware = [other, CLASS].into_iter().collect())]);
    check(runs(1), &both, "offer 2");
    let config = catalogue(vec![with(|release| release.component = "config".parse().unwrap())]);
    check(runs(1), &config, "nothing-for-hardware");
}

#[test]
fn a_stepping_stone_is_offered_when_the_top_cannot_be_reached_at_once() {
    let at = |minor| Semver { major: 1, minor, patch: 0 };
    let from = |low, high| [VersionRange { from: at(low), below: at(high) }].into_iter().collect();
    let top = Release { installable_from: from(2, 9), ..release(3) };
    let stairs =
        |middle| catalogue(vec![(release(1), Shelf::Open), (release(2), middle), (top.clone(), Shelf::Open)]);
    check(runs(1), &stairs(Shelf::Open), "offer 2");
    check(runs(2), &stairs(Shelf::Open), "offer 3");
    check(runs(1), &stairs(Shelf::Held), "no-path");
    let unknown = Digest::of(b"factory").short();
    check(unknown, &catalogue(vec![(top.clone(), Shelf::Open)]), "no-path");
}

#[test]
fn what_a_release_asks_of_a_device_must_be_there() {
    check(runs(1), &catalogue(vec![with(|release| release.bootloader_min = 1)]), "bootloader-too-old");
    let last = |not_after| catalogue(vec![with(|release| release.not_after = Some(not_after))]);
    check(runs(1), &last(UnixSeconds(NOW.0 - 1)), "expired");
    check(runs(1), &last(NOW), "offer 2");
    let needs = |seq_min| {
        let required = Requirement { component: "system".parse().unwrap(), seq_min };
        let system = Release { component: "system".parse().unwrap(), ..release(5) };
        let app = with(|release| release.requires = [required].into_iter().collect());
        catalogue(vec![(system, Shelf::Open), app])
    };
    let standing = Standing::default();
    let both = [app(runs(1)), Component { name: "system".parse().unwrap(), running: runs(5) }];
    assert_eq!(outcome(&device(&both, &standing), &needs(5)), "offer 2");
    assert_eq!(outcome(&device(&both, &standing), &needs(6)), "requires-unmet");
    check(runs(1), &needs(5), "requires-unmet");
}

#[test]
fn people_and_alarms_come_first() {
    let components = [app(runs(1))];
    let check = |standing: Standing, expected: &str| {
        assert_eq!(outcome(&device(&components, &standing), &open(&[1, 2, 3])), expected);
    };
    check(Standing { quarantined: true, ..Standing::default() }, "quarantined");
    let pinned = |version: &str| Standing { pinned: version.parse().ok(), ..Standing::default() };
    check(pinned("1.2.0"), "offer 2");
    check(pinned("1.1.0"), "pinned");
    check(pinned("9.9.9"), "pinned");
}

#[test]
fn a_device_that_has_said_nothing_is_asked() {
    let standing = Standing::default();
    let silent = DeviceFacts { hardware: None, ..device(&[], &standing) };
    assert_eq!(outcome(&silent, &open(&[1])), "facts-unknown");
    let behind = [app(runs(1))];
    let behind = DeviceFacts { delegation_version: 0, ..device(&behind, &standing) };
    assert_eq!(outcome(&behind, &open(&[1, 2])), "anchors-behind");
}

#[test]
fn gates_that_depend_on_the_offer_do_not_withhold_it() {
    let (components, standing) = ([app(runs(1))], Standing::default());
    let forced = catalogue(vec![with(|release| release.flags = ReleaseFlags::FORCED)]);
    for gate in Gate::ALL.iter().copied() {
        let gates = [gate];
        let facts = DeviceFacts { gates: &gates, ..device(&components, &standing) };
        let expected = match gate {
            Gate::OptedOut => "opted-out",
            Gate::TrialOpen | Gate::Watching => "gate",
            _ => "offer 2",
        };
        assert_eq!(outcome(&facts, &open(&[1, 2])), expected, "{gate:?}");
        let shown = decide(&facts, &open(&[1, 2]), &[], NOW).blocker(NOW).map(|blocker| blocker.code());
        assert_eq!(shown, Some(if gate == Gate::OptedOut { "opted-out" } else { "gate" }), "{gate:?}");
        if gate == Gate::OptedOut {
            assert_eq!(outcome(&facts, &forced), "offer 2", "forced overrides opting out");
        }
    }
}

#[test]
fn a_watch_ends_only_for_what_is_forced_or_asked_for_now() {
    let (components, standing) = ([app(runs(1))], Standing::default());
    let now = Standing { update_now: true, ..Standing::default() };
    let forced = catalogue(vec![with(|release| release.flags = ReleaseFlags::FORCED)]);
    let check = |gate, standing, catalogue: &Catalogue, expected: &str| {
        let gates = [gate];
        let facts = DeviceFacts { gates: &gates, ..device(&components, standing) };
        assert_eq!(outcome(&facts, catalogue), expected, "{gate:?}");
    };
    check(Gate::Watching, &standing, &open(&[1, 2]), "gate");
    check(Gate::Watching, &now, &open(&[1, 2]), "offer 2");
    check(Gate::Watching, &standing, &forced, "offer 2");
    check(Gate::TrialOpen, &now, &forced, "gate");
}

fn attempt(catalogue: &Catalogue, seq: u64, state: AttemptState, cause: Option<Cause>) -> PastAttempt {
    let name = "app".parse().unwrap();
    let entry = catalogue.shelf(&name, CLASS).iter().find(|entry| entry.release.seq == seq).unwrap();
    let at = UnixSeconds(NOW.0 - 50);
    PastAttempt {
        release: entry.release.envelope(),
        outcome: Outcome { state, cause },
        brought: None,
        at,
        forgiven: false,
    }
}

#[test]
fn a_release_that_failed_with_blame_comes_back_only_by_retry_or_a_higher_seq() {
    use AttemptState::RolledBack;
    let (components, mut standing) = ([app(runs(1))], Standing::default());
    let two = open(&[1, 2]);
    let failed = attempt(&two, 2, RolledBack, Some(Cause::HealthFailed));
    let check = |attempts: &[PastAttempt], standing: &Standing, catalogue: &Catalogue, expected: &str| {
        let facts = DeviceFacts { attempts, ..device(&components, standing) };
        assert_eq!(outcome(&facts, catalogue), expected);
    };
    check(&[failed], &standing, &two, "failed-here");
    check(&[failed], &standing, &open(&[1, 2, 3]), "offer 3");
    check(&[PastAttempt { forgiven: true, ..failed }], &standing, &two, "offer 2");
    standing.update_now = true;
    check(&[failed], &standing, &two, "failed-here");
}

#[test]
fn a_release_that_failed_without_blame_waits_longer_each_time() {
    use AttemptState::{Downloading, Failed, TimedOut};
    let two = open(&[1, 2]);
    let components = [app(runs(1))];
    let check = |attempts: &[PastAttempt], expected: Option<u64>| {
        let standing = Standing::default();
        let facts = DeviceFacts { attempts, ..device(&components, &standing) };
        match (decide(&facts, &two, &[], NOW), expected) {
            (Decision::Nothing(Blocker::BackOff(_, Some(Cause::LinkDown), until)), Some(wait_s)) => {
                assert_eq!(until.0, NOW.0 - 50 + wait_s);
            }
            (Decision::Offer(_), None) => {}
            (decision, _) => panic!("{decision:?}"),
        }
        let now = Standing { update_now: true, ..Standing::default() };
        let facts = DeviceFacts { attempts, ..device(&components, &now) };
        assert!(matches!(decide(&facts, &two, &[], NOW), Decision::Offer(_)), "a person need not wait");
    };
    let failed = attempt(&two, 2, Failed, Some(Cause::LinkDown));
    check(&[failed], Some(100));
    check(&[failed; 2], Some(200));
    check(&[failed; 3], Some(400));
    check(&[failed; 9], Some(1_000));
    check(&[PastAttempt { at: UnixSeconds(1), ..failed }], None);
    check(&[attempt(&two, 2, Failed, Some(Cause::Withdrawn))], None);
    check(&[attempt(&two, 2, TimedOut, None)], None);
    check(&[attempt(&two, 2, Downloading, None), failed], None);
}

#[test]
fn the_first_component_that_can_have_something_gets_it() {
    let standing = Standing::default();
    let system = Release { component: "system".parse().unwrap(), ..release(2) };
    let both = catalogue(vec![(release(1), Shelf::Open), (system, Shelf::Open)]);
    let components = [app(runs(1)), Component { name: "system".parse().unwrap(), running: runs(1) }];
    assert_eq!(outcome(&device(&components, &standing), &both), "offer 2");
    let odd = [app(runs(1)), Component { name: "odd".parse().unwrap(), running: runs(1) }];
    assert_eq!(outcome(&device(&odd, &standing), &both), "nothing-for-hardware");
}

#[test]
fn what_lies_below_a_withdrawn_failure_is_not_called_up_to_date() {
    use AttemptState::{Confirmed, RolledBack};
    let shelves = [(1, Shelf::Open), (2, Shelf::Open), (3, Shelf::Withdrawn)];
    let stairs = catalogue(shelves.map(|(seq, shelf)| (release(seq), shelf)).to_vec());
    let standing = Standing::default();
    let check = |running: u64, past: PastAttempt, expected: &str| {
        let (components, attempts) = ([app(runs(running))], [past]);
        let facts = DeviceFacts { attempts: &attempts, ..device(&components, &standing) };
        assert_eq!(outcome(&facts, &stairs), expected, "{running} {past:?}");
    };
    let failed = attempt(&stairs, 3, RolledBack, Some(Cause::HealthFailed));
    check(1, failed, "below-floor");
    check(1, PastAttempt { forgiven: true, ..failed }, "offer 2");
    check(2, failed, "up-to-date");
    check(1, attempt(&stairs, 3, Confirmed, None), "below-floor");
    check(1, attempt(&stairs, 2, RolledBack, Some(Cause::HealthFailed)), "failed-here");
}

#[test]
fn a_device_that_fails_at_everything_waits_unless_it_is_forced_or_a_person_asks() {
    let components = [app(runs(1))];
    let stairs = open(&[1, 2, 3, 4, 5]);
    let failed =
        [4, 3, 2].map(|seq| attempt(&stairs, seq, AttemptState::RolledBack, Some(Cause::HealthFailed)));
    let check = |catalogue: &Catalogue, update_now, expected: &str| {
        let standing = Standing { update_now, ..Standing::default() };
        let facts = DeviceFacts { attempts: &failed, ..device(&components, &standing) };
        assert_eq!(outcome(&facts, catalogue), expected);
    };
    check(&stairs, false, "penalised");
    check(&stairs, true, "offer 5");
    let forced = Release { flags: ReleaseFlags::FORCED, ..release(5) };
    let forced = [1, 2, 3, 4].map(release).into_iter().chain([forced]).map(|release| (release, Shelf::Open));
    check(&catalogue(forced.collect()), false, "offer 5");
}

#[test]
fn an_owner_who_has_to_agree_is_waited_for() {
    let (components, standing) = ([app(runs(1))], Standing::default());
    let forced = catalogue(vec![with(|release| release.flags = ReleaseFlags::FORCED)]);
    let check = |consent, catalogue: &Catalogue, expected: &str| {
        let named = [("consent", consent)];
        assert_eq!(
            outcome(&DeviceFacts { named: &named, ..device(&components, &standing) }, catalogue),
            expected
        );
    };
    check("needed", &open(&[1, 2]), "no-consent");
    check("given", &open(&[1, 2]), "offer 2");
    check("needed", &forced, "offer 2");
}

proptest! {
    /// Whatever is pushed, and however attempts end: what is offered is never below the security version that the
    /// device was raised to, nor below what it confirmed or what failed on it.
    #[test]
    fn no_device_is_brought_below_its_security_version(
        pushed in prop::collection::vec((0..4_u32, 0..4_u32, any::<bool>()), 1..8),
        ends in prop::collection::vec(any::<bool>(), 8),
    ) {
        let releases = (1..).zip(&pushed).map(|(seq, (security_version, below, open))| {
            let raise_to = security_version.saturating_sub(*below);
            let release = Release { security_version: *security_version, raise_to, ..release(seq) };
            (release, if *open { Shelf::Open } else { Shelf::Withdrawn })
        });
        let catalogue = catalogue(releases.collect());
        let standing = Standing::default();
        let (mut running, mut attempts, mut floor, mut seq) = (runs(99), Vec::new(), 0, 0);
        for good in ends {
            let components = [app(running)];
            let facts = DeviceFacts { attempts: &attempts, ..device(&components, &standing) };
            let Decision::Offer(grant) = decide(&facts, &catalogue, &[], NOW) else { break };
            let release = &grant.entry.release;
            prop_assert!(release.security_version >= floor && release.seq > seq, "{release:?}");
            seq = release.seq;
            let state = if good { AttemptState::Confirmed } else { AttemptState::RolledBack };
            attempts.insert(0, attempt(&catalogue, seq, state, (!good).then_some(Cause::HealthFailed)));
            if good {
                (running, floor) = (release.image.short(), floor.max(release.raise_to));
            }
        }
    }
}
