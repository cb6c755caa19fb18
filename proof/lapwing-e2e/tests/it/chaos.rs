//! kill -9 at random instants, while updates go on: no brick, no lost outcome.

use lapwing_e2e::{Binaries, kill_at_random};

/// The long run: `cargo xtask kills --count 10000`.
const KILLS: u32 = 200;

#[test]
fn two_hundred_kills_leave_no_brick_and_no_open_attempt() {
    let dir = tempfile::tempdir().unwrap();
    let toll = kill_at_random(&Binaries::find().unwrap(), dir.path(), 1, KILLS).unwrap();
    println!("kill -9: {toll:?}");
    assert_eq!(toll.programs + toll.devices + toll.servers, KILLS);
    assert!(toll.releases > 3, "updates went on meanwhile");
}
