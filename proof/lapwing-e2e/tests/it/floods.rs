//! Strangers in great number at the real server: its memory stays what it was, and a device gets its answers meanwhile.
//!
//! Touches: `lapwing serve`, UDP on loopback. It ends by counting, not by a clock.

use crate::counts::say;
use anyhow::{Context, Result};
use lapwing_e2e::{Binaries, Crowd, Fleet, field};
use tempfile::TempDir;

/// More of them than the server has places for bodies.
const DEVICES: u32 = 1_200;
const DATAGRAMS: u32 = 100_000;
/// What devices hear while they come; without it a flood fails.
const ANSWERS: u32 = 50;
/// The tables are full after the first flood; the second may cost what an allocator rounds up.
const GROWTH_KIB_MAX: u64 = 8 << 10;

#[test]
fn a_flood_of_forgeries_leaves_no_trace_in_memory_and_a_device_its_answers() -> Result<()> {
    let (folder, binaries) = (TempDir::new()?, Binaries::find()?);
    let mut fleet = Fleet::start(&binaries, folder.path())?;
    let server = fleet.server().context("the server runs")?.pid();
    let mut crowd = Crowd::provisioned(&fleet, DEVICES)?;
    crowd.check_in(1)?;
    crowd.flood(DATAGRAMS, ANSWERS)?;
    let before_kib = field(server, "status", "VmRSS:")?;
    let flooded = crowd.flood(DATAGRAMS, ANSWERS)?;
    let after_kib = field(server, "status", "VmRSS:")?;
    say(&format!("{flooded:?}, resident {before_kib} KiB before and {after_kib} KiB after"));
    assert!(after_kib <= before_kib + GROWTH_KIB_MAX, "{before_kib} KiB became {after_kib} KiB");
    Ok(())
}
