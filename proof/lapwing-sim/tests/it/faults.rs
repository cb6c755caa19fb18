//! Every effect of every update fails once and for a while: nothing that was dropped behind it stays undone.
//!
//! Touches: `lapwing_sim::Tally::faults`. The counts are printed.

use lapwing_sim::{Expected, Pace, STORIES, Tally, update};

#[test]
fn whatever_effect_fails_the_update_ends_as_it_would_have() {
    for (program, may_run) in STORIES {
        let mut tally = Tally::default();
        let expected = Expected { may_run, artifact_bytes: None };
        tally.faults(&update(1, Pace::Short, program), expected);
        println!("{program:?}: {} effects, {} runs, {} bad", tally.points, tally.runs, tally.faulty.len());
        let first: Vec<_> = tally.faulty.iter().take(5).collect();
        assert!(first.is_empty(), "{program:?}: {first:#?}");
    }
}
