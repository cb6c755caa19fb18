//! Cut the power at every point of an update, then at every point of each recovery.
//!
//! Touches: `lapwing_sim::Tally`. The counts are printed; CI's are bounded, `lapwing-sim cuts` makes more.

use lapwing_sim::{Expected, Pace, Program, Tally, update, urgent_update};

fn hold(name: &str, tally: &Tally) {
    println!("{name}: {} points, {} runs, {} bad", tally.points, tally.runs, tally.failures.len());
    let first: Vec<_> = tally.failures.iter().take(5).collect();
    assert!(first.is_empty(), "{name}: {first:#?}");
}

fn expected(program: Program) -> Expected<'static> {
    let may_run: &[&str] = if program == Program::Good { &["1.1"] } else { &["1.0"] };
    Expected { may_run, artifact_bytes: None }
}

fn singles(program: Program) {
    let mut tally = Tally::default();
    tally.singles(&update(1, Pace::Short, program), 1, expected(program));
    hold(&format!("{program:?}"), &tally);
}

#[test]
fn a_good_update_arrives_wherever_the_power_is_cut() {
    singles(Program::Good);
}

#[test]
fn a_dead_image_is_left_wherever_the_power_is_cut() {
    singles(Program::DiesAtStart);
    singles(Program::NotExecutable);
}

#[test]
fn a_sick_image_is_left_wherever_the_power_is_cut() {
    singles(Program::Unhealthy);
    singles(Program::UnhealthyAfter { ms: 60_000 });
}

#[test]
fn a_watch_that_ends_early_leads_to_the_next_release_wherever_the_power_is_cut() {
    let mut tally = Tally::default();
    let expected = Expected { may_run: &["1.2"], artifact_bytes: None };
    tally.singles(&urgent_update(1, Pace::Short), 1, expected);
    hold("watch", &tally);
}

#[test]
fn a_good_update_arrives_wherever_the_power_is_cut_twice() {
    let mut tally = Tally::default();
    tally.pairs(&update(1, Pace::Short, Program::Good), 7, 11, expected(Program::Good));
    hold("pairs", &tally);
}
