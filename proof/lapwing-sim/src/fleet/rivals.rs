//! The rules that others use, to stand beside ours: fixed stages of a day, and one rule that looks at
//! failures among the finished, every half hour, from twenty on. Silence is no failure to them.
//!
//! Touches: `lapwing_fleet` for shares and counts only.

use super::story::Ruling;
use super::world::TICKS_PER_HOUR;
use lapwing_fleet::rollout::{BasisPoints, Rate, Seen};

const STAGES: [u16; 4] = [100, 500, 2_500, 10_000];
const STAGE_TICKS: u32 = 24 * TICKS_PER_HOUR;
const FINISHED_MIN: u32 = 20;
/// One and a half times what good releases have.
const RAW_RATIO: Rate = Rate::basis_points(30);
const PERCENTAGE: Rate = Rate::basis_points(1_000);

/// A rollout by fixed stages and one threshold.
#[derive(Debug)]
pub(super) struct Rival {
    limit: Rate,
    pub(super) stopped: bool,
}

impl Rival {
    pub(super) fn new(ruling: Ruling) -> Self {
        Self { limit: if ruling == Ruling::RawRatio { RAW_RATIO } else { PERCENTAGE }, stopped: false }
    }

    /// The share that is open after so many ticks.
    pub(super) fn share(tick: u32) -> BasisPoints {
        let stage = usize::try_from(tick / STAGE_TICKS).unwrap_or(usize::MAX).min(STAGES.len() - 1);
        BasisPoints::new(STAGES[stage])
    }

    /// Whether the last stage is open.
    pub(super) fn is_open_for_all(tick: u32) -> bool {
        Self::share(tick) == BasisPoints::ALL
    }

    pub(super) fn look(&mut self, tick: u32, finished: Seen) {
        let looks = tick.is_multiple_of(TICKS_PER_HOUR / 2);
        self.stopped |= looks && finished.judged >= FINISHED_MIN && finished.rate() > self.limit;
    }
}
