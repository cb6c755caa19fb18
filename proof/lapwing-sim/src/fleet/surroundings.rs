//! What goes on around a rollout: sites that go dark, and what all devices say of themselves in half an hour.
//!
//! Touches: the seed. Devices that the rollout has not reached are the measure for those it has.

use super::story::{CheckIns, Trouble};
use super::world::World;
use crate::rng::Rng;
use lapwing_fleet::rollout::Seen;

/// Of a million devices heard in half an hour, so many have an error whatever they run.
const ERRORS_PPM: f64 = 200.0;
/// Of a thousand devices, so many are away for their own reasons.
const AWAY_PERMILLE: u32 = 5;

impl World<'_> {
    /// A site goes dark once in ten days for up to twelve hours; once a week two fifths of them do together.
    pub(super) fn lose_sites(&mut self) {
        if self.story.trouble != Trouble::Outages {
            return;
        }
        let together = self.rng.below(7 * 24 * 6) == 0;
        let together_ticks = self.ticks(3, 9);
        for site in 0..self.dark_until.len() {
            let alone = self.rng.below(10 * 24 * 6) == 0;
            let lasts = if together && self.rng.happens(400) {
                together_ticks
            } else if alone {
                self.ticks(1, 12)
            } else {
                continue;
            };
            self.dark_until[site] = self.dark_until[site].max(self.tick + lasts);
        }
    }

    fn ticks(&mut self, from_h: u64, to_h: u64) -> u32 {
        let hours_in_ticks = self.rng.between(from_h * 6..=to_h * 6);
        u32::try_from(hours_in_ticks).unwrap_or(0)
    }

    /// The last half hour, as far as devices that checked in told of it.
    pub(super) fn fill_window(&mut self) {
        let untouched = self.fleet.count() - self.granted;
        let share = match self.story.check_ins {
            CheckIns::Hourly => 2,
            CheckIns::Daily => 48,
        };
        let dark = self.dark_until.iter().filter(|until| **until > self.tick).count();
        let dark = u32::try_from(dark * 1_000 / self.dark_until.len().max(1)).unwrap_or(0);
        let due = untouched / share;
        let permille =
            |of: u32, part: u32| u32::try_from(u64::from(of) * u64::from(part) / 1_000).unwrap_or(0);
        let away = permille(due, dark + AWAY_PERMILLE);
        let unwell: u32 = self.came_back.iter().sum();
        let on_new = self.switched / share;
        let window = &mut self.tally.window;
        window.controls = Seen { judged: due, failed: away };
        window.old_errors = Seen { judged: due - away, failed: poisson(&mut self.rng, due - away) };
        window.new_errors = Seen { judged: on_new, failed: poisson(&mut self.rng, on_new) };
        window.outcomes = self.outcomes.iter().fold(Seen::default(), |sum, seen| sum.plus(*seen));
        window.new_health = Seen { judged: on_new.max(unwell), failed: unwell };
        self.tally.first_boot_failures = self.boot_failures;
        self.tally.granted_last_minute = 0;
    }
}

/// How many of so many devices have an error in a window.
fn poisson(rng: &mut Rng, devices: u32) -> u32 {
    let mean = f64::from(devices) * ERRORS_PPM / 1e6;
    #[expect(clippy::cast_precision_loss, reason = "53 bits are enough chance")]
    let mut chance = (rng.number() >> 11) as f64 / (1_u64 << 53) as f64;
    let mut term = (-mean).exp();
    let mut count = 0;
    while chance > term && count < 1_000 {
        chance -= term;
        count += 1;
        term *= mean / f64::from(count);
    }
    count
}
