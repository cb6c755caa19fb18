//! Every effect of every update fails once and for a while: nothing that was dropped behind it stays undone.
//!
//! Touches: `lapwing_sim::Tally::faults`. The counts are printed.

use lapwing_sim::{Expected, Pace, STORIES, Tally, World, update, urgent_update};

fn hold(name: &str, world: &World, may_run: &[&str]) {
    let mut tally = Tally::default();
    tally.faults(world, Expected { may_run, artifact_bytes: None });
    println!("{name}: {} effects, {} runs, {} bad", tally.points, tally.runs, tally.faulty.len());
    let first: Vec<_> = tally.faulty.iter().take(5).collect();
    assert!(first.is_empty(), "{name}: {first:#?}");
}

#[test]
fn whatever_effect_fails_the_update_ends_as_it_would_have() {
    for (program, may_run) in STORIES {
        hold(&format!("{program:?}"), &update(1, Pace::Short, program), may_run);
    }
}

#[test]
fn whatever_effect_fails_a_watch_that_ends_early_leads_to_the_next_release() {
    hold("watch", &urgent_update(1, Pace::Short), &["1.2"]);
}
