//! Every target survives its corpus, the vectors, and a fixed set of mutations of them.

use lapwing_fuzz::{Replay, TARGETS, Target, find, replay};

const QUICK: Replay = Replay { seed: 2026, mutations: 20_000 };

#[test]
fn no_recorded_or_mutated_input_makes_a_decoder_panic() {
    for target in TARGETS {
        let inputs = replay(target, QUICK);
        let inputs =
            inputs.unwrap_or_else(|failure| panic!("{} fails on {:02x?}", target.name, failure.input));
        println!("{}: {inputs} inputs", target.name);
    }
}

#[test]
fn a_target_that_panics_is_noticed_with_its_input() {
    let fragile = Target { name: "fragile", run: |bytes| assert!(bytes.len() != 3) };
    let failure = replay(&fragile, QUICK).expect_err("three bytes are easily found");
    assert_eq!(failure.input.len(), 3);
}

#[test]
fn targets_are_found_by_name() {
    assert!(TARGETS.iter().all(|target| find(target.name).is_some_and(|found| found.name == target.name)));
    assert!(find("nothing").is_none());
}
