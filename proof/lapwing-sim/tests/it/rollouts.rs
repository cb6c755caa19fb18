//! The fleet brain against made-up fleets: what it costs, and what it never does. The figures themselves are
//! those of `cargo xtask bench rollout`; here few seeds show that they still mean something.

use lapwing_sim::fleet::{CheckIns, Devices, Ending, Failing, Ruling, Story, Style, Trouble, narrate, play};

const DEVICES: u32 = 5_000;
const SEEDS: u64 = 8;

fn told(rate: u64, style: Style, only_rare: bool, trouble: Trouble) -> Vec<Ending> {
    let failing = Failing { rate, style, only_rare };
    let story = Story { failing, check_ins: CheckIns::Hourly, trouble, ruling: Ruling::Lapwing };
    (0..SEEDS).map(|seed| play(&Devices::made(seed, DEVICES), story, seed)).collect()
}

#[test]
fn a_good_release_reaches_everyone_whatever_else_goes_wrong() {
    for trouble in [Trouble::None, Trouble::Outages, Trouble::Clocks] {
        for ending in told(0, Style::Loud, false, trouble) {
            assert_eq!(ending.halted_h, None, "{trouble:?}");
            assert!(ending.everyone_h.is_some() || ending.person_needed, "{trouble:?}");
        }
    }
}

#[test]
fn a_release_that_kills_every_device_in_silence_takes_a_dozen() {
    for ending in told(10_000, Style::Silent, false, Trouble::None) {
        assert!(ending.hurt <= 15 && ending.halted_h.is_some(), "{ending:?}");
    }
}

/// Alone, unless the others look suspicious by chance too: then everyone waits for a person.
#[test]
fn one_bad_revision_is_halted_and_the_others_go_on() {
    let endings = told(10_000, Style::Silent, true, Trouble::None);
    assert!(endings.iter().all(|ending| ending.hurt <= 15 && ending.halted_h.is_some()));
    let alone: Vec<&Ending> = endings.iter().filter(|ending| !ending.strata.is_empty()).collect();
    assert!(alone.len() * 2 > endings.len());
    assert!(alone.iter().all(|ending| ending.strata == ["hardware=rev-c"] && ending.everyone_h.is_some()));
}

#[test]
fn the_same_seed_tells_the_same_story() {
    assert_eq!(narrate(5), narrate(5));
    assert_eq!(
        told(500, Style::Half, false, Trouble::Outages),
        told(500, Style::Half, false, Trouble::Outages)
    );
}
