//! One story, told line by line as operators would read it.
//!
//! Touches: nothing. `cargo xtask sim --fleet SEED` ends here.

use super::devices::Devices;
use super::story::{CheckIns, Failing, Ruling, Story, Style, Trouble};
use super::world::play;
use crate::rng::Rng;
use std::fmt::Write as _;

/// Devices of a narrated fleet.
const DEVICES: u32 = 20_000;

/// The story of this seed and what came of it.
#[must_use]
pub fn narrate(seed: u64) -> String {
    let story = any(&mut Rng::new(seed));
    let ending = play(&Devices::made(seed, DEVICES), story, seed);
    let mut told = format!("{DEVICES} devices. {story}.\n");
    for (hours, notice) in &ending.notices {
        let _ = writeln!(told, "{hours:>7.1} h  {notice}");
    }
    let _ = writeln!(told, "{} devices were hurt.", ending.hurt);
    told
}

fn any(rng: &mut Rng) -> Story {
    let mut one_of = |end: u64| rng.below(end);
    Story {
        failing: Failing {
            rate: [0, 0, 200, 500, 2_000, 10_000][usize::try_from(one_of(6)).unwrap_or(0)],
            style: [Style::Loud, Style::Half, Style::Silent][usize::try_from(one_of(3)).unwrap_or(0)],
            only_rare: one_of(4) == 0,
        },
        check_ins: if one_of(2) == 0 { CheckIns::Hourly } else { CheckIns::Daily },
        trouble: [Trouble::None, Trouble::Outages, Trouble::Clocks][usize::try_from(one_of(3)).unwrap_or(0)],
        ruling: Ruling::Lapwing,
    }
}
