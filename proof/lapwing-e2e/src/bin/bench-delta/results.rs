//! What the measurements say: the table for people, the rows that are kept, and the goals.
//!
//! Touches: nothing; outcomes in, text and JSON out. Never: rounds a goal into holding.

use crate::contenders::{BASELINE, Outcome, PROFILES, ours};
use crate::corpus::Pair;
use serde_json::{Value, json};

/// Memory and time of making are judged on images of at least this size: below it, what every process
/// costs outweighs what the image does.
const JUDGED_IMAGE_BYTES: u64 = 4_000_000;
const MAKE_RSS_IMAGES_MAX: f64 = 6.5;
const MAKE_SECONDS_PER_MB_MAX: f64 = 1.0;
/// Of the image, for a patch-level update.
const SMALL_SHARE: f64 = 0.05;

/// All that was measured on one pair.
pub(crate) struct Meeting {
    pub(crate) pair: Pair,
    pub(crate) old_bytes: u64,
    pub(crate) new_bytes: u64,
    pub(crate) outcomes: Vec<Outcome>,
}

impl Meeting {
    /// A contender's patch, in patches of the baseline.
    pub(crate) fn ratio(&self, contender: &str) -> Option<f64> {
        Some(self.bytes(contender)? / self.bytes(BASELINE)?)
    }

    fn bytes(&self, contender: &str) -> Option<f64> {
        self.outcomes.iter().find(|outcome| outcome.contender == contender).map(|o| o.patch_bytes as f64)
    }

    fn image_bytes(&self) -> u64 {
        self.old_bytes.max(self.new_bytes)
    }

    /// The table of this pair.
    pub(crate) fn table(&self) -> String {
        let Self { pair, old_bytes, new_bytes, outcomes } = self;
        let mut text = format!("\n{}: {old_bytes} -> {new_bytes} bytes\n", pair.name);
        text += &format!(
            "{:<22} {:>10} {:>8} {:>8}  {:>8} {:>9}  {:>8} {:>9}\n",
            "", "bytes", "ratio", "of image", "make s", "RSS KiB", "apply s", "RSS KiB"
        );
        for Outcome { contender, patch_bytes, make, apply, .. } in outcomes {
            let ratio = self.ratio(contender).map_or("-".to_owned(), |ratio| format!("{ratio:.3}"));
            let share = *patch_bytes as f64 / *new_bytes as f64 * 100.0;
            text += &format!(
                "{contender:<22} {patch_bytes:>10} {ratio:>8} {share:>6.2} %  {:>8.2} {:>9}  {:>8.2} {:>9}\n",
                make.wall_s, make.peak_rss_kib, apply.wall_s, apply.peak_rss_kib
            );
        }
        text
    }

    /// The rows that are kept.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Value> {
        self.outcomes.iter().map(|outcome| {
            let Outcome { contender, patch_bytes, make, apply, inspect } = outcome;
            json!({
                "pair": self.pair.name,
                "old_bytes": self.old_bytes,
                "new_bytes": self.new_bytes,
                "contender": contender,
                "patch_bytes": patch_bytes,
                "ratio_to_baseline": self.ratio(contender).map(rounded),
                "make_s": make.wall_s,
                "make_cpu_s": rounded(make.cpu_s),
                "make_peak_rss_kib": make.peak_rss_kib,
                "apply_s": apply.wall_s,
                "apply_cpu_s": rounded(apply.cpu_s),
                "apply_peak_rss_kib": apply.peak_rss_kib,
                "inspect": inspect,
            })
        })
    }
}

/// Every contender's geometric mean over the pairs that have the baseline, in order.
pub(crate) fn means(meetings: &[Meeting]) -> Vec<(String, f64)> {
    let names = meetings.first().map(|meeting| meeting.outcomes.iter().map(|outcome| &outcome.contender));
    let mean = |name: &String| {
        let ratios = meetings.iter().filter_map(|meeting| meeting.ratio(name));
        Some((name.clone(), geometric_mean(ratios)?))
    };
    names.into_iter().flatten().filter_map(mean).collect()
}

/// The goals that these pairs can answer.
pub(crate) fn goals(meetings: &[Meeting]) -> Vec<Value> {
    let mut goals = Vec::new();
    for (index, (profile, _)) in PROFILES.iter().enumerate() {
        let ours = ours(profile);
        let both = meetings.iter().filter_map(|meeting| {
            let prototype = meeting.pair.prototype_bytes?.get(index).copied()? as f64;
            Some((meeting.ratio(&ours)?, prototype / meeting.bytes(BASELINE)?))
        });
        let (ratios, floors): (Vec<f64>, Vec<f64>) = both.unzip();
        if let Some((value, floor)) = geometric_mean(ratios).zip(geometric_mean(floors)) {
            goals.push(at_most(&format!("D1@{profile}"), floor, value, "of bsdiff+zstd-19, geometric mean"));
        }
    }
    let mine = |meeting: &Meeting| {
        let outcomes = meeting.outcomes.clone().into_iter();
        outcomes.filter(|outcome| !outcome.inspect.is_null()).collect::<Vec<_>>()
    };
    let ratios = meetings.iter().flat_map(|meeting| {
        mine(meeting).into_iter().filter_map(|outcome| meeting.ratio(&outcome.contender))
    });
    goals.extend(worst(ratios).map(|value| at_most("D2", 1.0, value, "of bsdiff+zstd-19, worst pair")));
    let memory = meetings.iter().flat_map(mine).filter_map(|outcome| {
        let profile = outcome.inspect["profile"].as_str()?;
        let allowed = PROFILES.iter().find(|(name, _)| *name == profile)?.1;
        Some(outcome.inspect["apply_memory_bytes"].as_f64()? / allowed as f64)
    });
    goals.extend(worst(memory).map(|value| at_most("D3", 1.0, value, "of the profile, worst pair")));
    let judged = || meetings.iter().filter(|meeting| meeting.image_bytes() >= JUDGED_IMAGE_BYTES);
    let rss = judged().flat_map(|meeting| {
        let image_kib = meeting.image_bytes() as f64 / 1024.0;
        mine(meeting).into_iter().map(move |outcome| outcome.make.peak_rss_kib as f64 / image_kib)
    });
    goals.extend(worst(rss).map(|value| at_most("D4", MAKE_RSS_IMAGES_MAX, value, "images of RSS to make")));
    let speed = judged().flat_map(|meeting| {
        let image_mb = meeting.image_bytes() as f64 / 1e6;
        mine(meeting).into_iter().map(move |outcome| outcome.make.cpu_s / image_mb)
    });
    let unit = "s of one core per MB to make";
    goals.extend(worst(speed).map(|value| at_most("D4", MAKE_SECONDS_PER_MB_MAX, value, unit)));
    goals.extend(small_share(meetings));
    goals
}

/// How many of the patch-level updates move little, in the smallest profile.
fn small_share(meetings: &[Meeting]) -> Option<Value> {
    let patch_level = meetings.iter().filter(|meeting| meeting.pair.is_patch_level);
    let shares = patch_level
        .filter_map(|meeting| Some(meeting.bytes(&ours(PROFILES.first()?.0))? / meeting.new_bytes as f64));
    let shares: Vec<f64> = shares.collect();
    let small = shares.iter().filter(|share| **share <= SMALL_SHARE).count();
    let value = (!shares.is_empty()).then(|| small as f64 / shares.len() as f64)?;
    let unit = "of the patch-level pairs move at most 5 % of the image, at 64KiB";
    Some(json!({ "id": "D5", "goal": 1.0, "value": rounded(value), "unit": unit, "holds": value >= 1.0 }))
}

pub(crate) fn at_most(id: &str, goal: f64, value: f64, unit: &str) -> Value {
    json!({ "id": id, "goal": rounded(goal), "value": rounded(value), "unit": unit, "holds": value <= goal })
}

fn worst(values: impl Iterator<Item = f64>) -> Option<f64> {
    values.reduce(f64::max)
}

fn geometric_mean(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let logs: Vec<f64> = values.into_iter().map(f64::ln).collect();
    (!logs.is_empty()).then(|| (logs.iter().sum::<f64>() / logs.len() as f64).exp())
}

pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Cost;

    /// A pair of images of 10 MB, with a patch of 1,000,000 bytes by the baseline.
    fn meeting(ours_bytes: u64, make_cpu_s: f64, apply_memory_bytes: u64) -> Meeting {
        let outcome = |contender: &str, patch_bytes, inspect| Outcome {
            contender: contender.to_owned(),
            patch_bytes,
            make: Cost { cpu_s: make_cpu_s, peak_rss_kib: 50_000, ..Cost::default() },
            apply: Cost::default(),
            inspect,
        };
        let inspect = json!({ "profile": "64KiB", "apply_memory_bytes": apply_memory_bytes });
        let outcomes =
            vec![outcome(BASELINE, 1_000_000, Value::Null), outcome(&ours("64KiB"), ours_bytes, inspect)];
        let pair = Pair {
            name: "pair".to_owned(),
            old: "old".into(),
            new: "new".into(),
            is_patch_level: true,
            prototype_bytes: Some([500_000; 4]),
        };
        Meeting { pair, old_bytes: 10_000_000, new_bytes: 10_000_000, outcomes }
    }

    fn holds(meetings: &[Meeting]) -> Vec<(String, bool)> {
        let goals = goals(meetings).into_iter();
        goals.map(|goal| (goal["id"].as_str().unwrap().to_owned(), goal["holds"] == true)).collect()
    }

    fn expected(holds: [bool; 6]) -> Vec<(String, bool)> {
        let ids = ["D1@64KiB", "D2", "D3", "D4", "D4", "D5"].map(str::to_owned);
        ids.into_iter().zip(holds).collect()
    }

    #[test]
    fn a_goal_that_does_not_hold_stays_and_says_so() {
        assert_eq!(holds(&[meeting(400_000, 9.0, 65_536)]), expected([true; 6]));
        assert_eq!(
            holds(&[meeting(1_000_001, 10.1, 65_537)]),
            expected([false, false, false, true, false, false])
        );
    }

    #[test]
    fn means_are_geometric_and_the_worst_pair_counts() {
        let two = [meeting(100_000, 1.0, 1), meeting(2_400_000, 1.0, 1)];
        let (_, mean) = means(&two).pop().unwrap();
        assert!((mean * mean - 0.24).abs() < 1e-9, "{mean}");
        assert_eq!(holds(&two), expected([true, false, true, true, true, false]));
    }
}
