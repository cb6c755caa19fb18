//! Fetches on bad air: they end whole, cost no more than they must, and are the same for a seed.

use lapwing_coap::BlockSize;
use lapwing_link::{Air, Awake, Outcome, fetch_https, fetch_one_at_a_time, fetch_windowed};

const SEEDS: u64 = 10;

fn every_seed(air: &Air, size_bytes: u32) -> Vec<Outcome> {
    let outcomes: Vec<_> = (0..SEEDS).map(|seed| fetch_windowed(air.clone(), size_bytes, seed)).collect();
    assert!(outcomes.iter().all(|outcome| outcome.is_whole), "{outcomes:?}");
    assert!(outcomes.iter().all(|outcome| outcome.largest_packet_bytes <= 1280));
    outcomes
}

#[test]
fn a_clean_link_is_used_to_its_end_and_no_block_is_asked_twice() {
    let outcome = fetch_windowed(Air::nb_iot(20_000, 1_500, 0), 100_000, 0);
    assert!(outcome.is_whole);
    assert_eq!((outcome.uplink_messages, outcome.repeated_requests, outcome.late_answers), (98, 0, 0));
    let on_air_s = outcome.air_bytes as f64 * 8.0 / 20_000.0;
    assert!(outcome.seconds < on_air_s + 1.5 + 1.0, "{} s for {on_air_s} s of air", outcome.seconds);
}

#[test]
fn losses_cost_requests_but_no_timer_gives_up_an_answer_that_comes() {
    for loss_permille in [10, 50] {
        for outcome in every_seed(&Air::nb_iot(20_000, 1_500, loss_permille), 100_000) {
            assert_eq!(outcome.late_answers, 0);
            assert!(outcome.repeated_requests < 30, "{outcome:?}");
        }
    }
}

#[test]
fn sleep_and_power_cuts_cost_at_most_a_window() {
    let awake = Some(Awake { awake_ms: 10_000, asleep_ms: 50_000 });
    for outcome in every_seed(&Air { awake, ..Air::nb_iot(20_000, 1_500, 50) }, 100_000) {
        assert!(outcome.cuts >= 5, "{outcome:?}");
        assert!(outcome.repeated_per_cut_max <= 32, "{outcome:?}");
    }
}

#[test]
fn jitter_reordering_duplicates_a_shared_cell_and_new_addresses_are_survived() {
    let air = Air {
        jitter_ms: 400,
        reorder_permille: 50,
        duplicate_permille: 50,
        cell_devices: 3,
        rebind_ms: Some(20_000),
        ..Air::nb_iot(60_000, 1_500, 20)
    };
    every_seed(&air, 50_000);
}

#[test]
fn a_link_that_loses_a_fifth_still_ends() {
    every_seed(&Air::nb_iot(20_000, 1_500, 200), 50_000);
}

#[test]
fn one_seed_gives_one_story() {
    let run = || fetch_windowed(Air::nb_iot(60_000, 3_000, 50), 50_000, 7);
    assert_eq!(format!("{:?}", run()), format!("{:?}", run()));
}

#[test]
fn the_others_end_too_and_one_block_at_a_time_is_slow() {
    let air = Air::nb_iot(20_000, 1_500, 10);
    let windowed = fetch_windowed(air.clone(), 25_000, 3);
    for size in [BlockSize::B256, BlockSize::B512, BlockSize::B1024] {
        let alone = fetch_one_at_a_time(air.clone(), 25_000, size, 3);
        assert!(alone.is_whole);
        assert!(alone.seconds > 3.0 * windowed.seconds, "{} s", alone.seconds);
    }
    assert!(fetch_https(air, 25_000, 3).seconds > windowed.seconds);
}
