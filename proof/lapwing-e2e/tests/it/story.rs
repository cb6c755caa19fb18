//! The story of the demo, as a test.

use lapwing_e2e::{Binaries, tell};

#[test]
fn good_releases_arrive_and_bad_ones_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let summary = tell(&Binaries::find().unwrap(), dir.path(), &mut |line| println!("{line}")).unwrap();
    assert!(summary.holds(), "{:#}", summary.json());
}
