//! Many seeds of many stories, and what they come to: means with their confidence intervals, and the goals.
//!
//! Touches: threads, one for each core. The figures depend on the seeds and the code, on nothing else.

use super::devices::Devices;
use super::story::{CheckIns, Failing, Ruling, Story, Style, Trouble};
use super::world::{Ending, play};
use serde_json::{Value, json};
use std::fmt;
use std::ops::Range;

/// How much to try.
#[derive(Debug, Clone, Copy)]
pub struct Depth {
    /// The first seed; others than last time make a figure that was not tuned to.
    pub first_seed: u64,
    /// Seeds of each story.
    pub seeds: u64,
    /// Seeds of those that only give a comparison: other rules, a larger fleet.
    pub seeds_beside: u64,
    /// Devices of each fleet.
    pub devices: u32,
    /// Devices of a larger fleet, for a few of the stories.
    pub devices_many: u32,
}

/// What came of all seeds of one story.
#[derive(Debug)]
pub(super) struct Row {
    story: Story,
    devices: u32,
    endings: Vec<Ending>,
}

/// All figures.
#[derive(Debug)]
pub struct Report {
    rows: Vec<Row>,
}

/// A mean and half the width of its 95 % confidence interval.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mean {
    pub(super) mean: f64,
    pub(super) within: f64,
}

/// Tells every story to as many fleets as there are seeds.
#[must_use]
pub fn measure(depth: &Depth) -> Report {
    let (ours, rivals): (Vec<Story>, Vec<Story>) =
        stories().into_iter().partition(|story| story.ruling == Ruling::Lapwing);
    let worst: Vec<Story> = ours.iter().filter(|story| story.is_worst_of_its_rate()).copied().collect();
    let seeds = |count: u64| depth.first_seed..depth.first_seed.saturating_add(count);
    let mut rows = told(&seeds(depth.seeds), depth.devices, &ours);
    rows.extend(told(&seeds(depth.seeds_beside), depth.devices_many, &worst));
    rows.extend(told(&seeds(depth.seeds_beside), depth.devices, &rivals));
    Report { rows }
}

/// These stories, told to fleets of this size. Seeds are dealt out to the cores.
fn told(seeds: &Range<u64>, devices: u32, stories: &[Story]) -> Vec<Row> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let told: Vec<Vec<(usize, Ending)>> = std::thread::scope(|scope| {
        let share = |first: usize| {
            scope.spawn(move || {
                let mut endings = Vec::new();
                for seed in seeds.clone().skip(first).step_by(threads) {
                    let fleet = Devices::made(seed, devices);
                    let tell = |(number, story): (usize, &Story)| (number, play(&fleet, *story, seed));
                    endings.extend(stories.iter().enumerate().map(tell));
                }
                endings
            })
        };
        let running: Vec<_> = (0..threads).map(share).collect();
        running.into_iter().map(|thread| thread.join().unwrap_or_default()).collect()
    });
    let mut rows: Vec<Row> =
        stories.iter().map(|story| Row { story: *story, devices, endings: Vec::new() }).collect();
    told.into_iter().flatten().for_each(|(number, ending)| rows[number].endings.push(ending));
    rows
}

/// Every story there is a figure for.
fn stories() -> Vec<Story> {
    let mut stories = Vec::new();
    for ruling in [Ruling::Lapwing, Ruling::RawRatio, Ruling::Percentage] {
        for check_ins in [CheckIns::Daily, CheckIns::Hourly] {
            if check_ins == CheckIns::Hourly && ruling != Ruling::Lapwing {
                continue;
            }
            let mut tell = |rate, style, only_rare, trouble| {
                let failing = Failing { rate, style, only_rare };
                stories.push(Story { failing, check_ins, trouble, ruling });
            };
            tell(0, Style::Loud, false, Trouble::None);
            for rate in [200, 500, 2_000, 10_000] {
                for style in [Style::Loud, Style::Half, Style::Silent] {
                    tell(rate, style, false, Trouble::None);
                }
            }
            if ruling == Ruling::Lapwing {
                tell(0, Style::Loud, false, Trouble::Outages);
                tell(0, Style::Loud, false, Trouble::Clocks);
                tell(500, Style::Silent, false, Trouble::Outages);
                tell(10_000, Style::Loud, true, Trouble::None);
                tell(10_000, Style::Silent, true, Trouble::None);
            }
        }
    }
    stories
}

impl Story {
    fn is_good(&self) -> bool {
        self.failing.rate == 0
    }

    /// Silence, asked daily: what takes longest to see.
    fn is_worst_of_its_rate(&self) -> bool {
        let Failing { style, only_rare, .. } = self.failing;
        let ours = self.ruling == Ruling::Lapwing && self.trouble == Trouble::None;
        ours && style == Style::Silent && self.check_ins == CheckIns::Daily && !only_rare
    }
}

impl Mean {
    #[expect(clippy::cast_precision_loss, reason = "a few hundred values")]
    fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance =
            values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0).max(1.0);
        (!values.is_empty()).then(|| Self { mean, within: 1.96 * (variance / count).sqrt() })
    }

    fn json(self) -> Value {
        json!({ "mean": tenths(self.mean), "within": tenths(self.within) })
    }
}

impl fmt::Display for Mean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} ± {:.1}", self.mean, self.within)
    }
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

impl Row {
    pub(super) fn story(&self) -> Story {
        self.story
    }

    pub(super) fn devices(&self) -> u32 {
        self.devices
    }

    pub(super) fn hurt(&self) -> Option<Mean> {
        Mean::of(self.endings.iter().map(|ending| f64::from(ending.hurt)))
    }

    fn worst(&self) -> u32 {
        self.endings.iter().map(|ending| ending.hurt).max().unwrap_or(0)
    }

    fn count(&self, is: impl Fn(&Ending) -> bool) -> usize {
        self.endings.iter().filter(|ending| is(ending)).count()
    }

    fn halted(&self) -> usize {
        self.count(|ending| ending.halted_h.is_some())
    }

    fn line(&self) -> String {
        let said = |mean: Option<Mean>| mean.map_or("-".to_owned(), |mean| mean.to_string());
        format!(
            "{:<46} {:>7} {:>16} {:>6} {:>7} {:>6} {:>6} {:>14} {:>13}",
            self.story.to_string(),
            self.devices,
            said(self.hurt()),
            self.worst(),
            format!("{}/{}", self.halted(), self.endings.len()),
            self.count(|ending| ending.brakes > 0),
            self.count(|ending| ending.person_needed),
            said(Mean::of(self.endings.iter().filter_map(|ending| ending.halted_h))),
            said(Mean::of(self.endings.iter().filter_map(|ending| ending.everyone_h))),
        )
    }

    fn json(&self) -> Value {
        let mean = |mean: Option<Mean>| mean.map(Mean::json);
        json!({
            "what": self.story.to_string(),
            "devices": self.devices,
            "seeds": self.endings.len(),
            "devices_hurt": mean(self.hurt()),
            "devices_hurt_worst": self.worst(),
            "halted": self.halted(),
            "halted_in_part": self.count(|ending| !ending.strata.is_empty()),
            "braked": self.count(|ending| ending.brakes > 0),
            "held_for_a_person": self.count(|ending| ending.person_needed),
            "hours_to_halt": mean(Mean::of(self.endings.iter().filter_map(|ending| ending.halted_h))),
            "hours_to_everyone": mean(Mean::of(self.endings.iter().filter_map(|ending| ending.everyone_h))),
        })
    }
}

const HEAD: [&str; 9] =
    ["story", "devices", "hurt", "worst", "halted", "braked", "held", "hours to halt", "hours to all"];

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [story, devices, hurt, worst, halted, braked, held, halt, all] = HEAD;
        writeln!(
            f,
            "{story:<46} {devices:>7} {hurt:>16} {worst:>6} {halted:>7} {braked:>6} {held:>6} {halt:>14} {all:>13}"
        )?;
        self.rows.iter().try_for_each(|row| writeln!(f, "{}", row.line()))?;
        for goal in self.goals() {
            let holds = if goal["holds"] == true { "holds" } else { "DOES NOT HOLD" };
            writeln!(f, "{} {}: {} of {}, {holds}", goal["id"], goal["what"], goal["value"], goal["goal"])?;
        }
        Ok(())
    }
}

impl Report {
    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Devices of the fleets that most stories were told to.
    pub(super) fn devices(&self) -> u32 {
        self.rows.first().map_or(0, Row::devices)
    }

    /// The rows as JSON.
    #[must_use]
    pub fn json(&self) -> Vec<Value> {
        self.rows.iter().map(Row::json).collect()
    }

    /// The goals, each held against the far end of its confidence interval.
    #[must_use]
    pub fn goals(&self) -> Vec<Value> {
        let ours = || self.rows.iter().filter(|row| row.story.ruling == Ruling::Lapwing);
        let good: Vec<&Row> = ours().filter(|row| row.story.is_good()).collect();
        let (halted, told) =
            good.iter().fold((0, 0), |(halted, told), row| (halted + row.halted(), told + row.endings.len()));
        let false_halts = upper_percent(halted, told);
        let what = format!("good releases halted: {halted} of {told}, 95 % sure below");
        let mut goals = vec![goal("F1", &what, "%", (false_halts, 1.0))];
        for (rate, most) in [(10_000, 15.0), (2_000, 6.0), (500, 15.0), (200, 40.0)] {
            let same = ours().filter(|row| row.story.failing.rate == rate && !row.story.failing.only_rare);
            goals.extend(hurt(same, &format!("devices hurt at {} %", rate / 100), most));
        }
        goals.extend(hurt(
            ours().filter(|row| row.story.failing.only_rare),
            "devices hurt when one revision fails",
            15.0,
        ));
        goals
    }
}

/// The most that any of these rows had hurt, at the far end of its confidence interval.
fn hurt<'a>(rows: impl Iterator<Item = &'a Row>, what: &str, most: f64) -> Option<Value> {
    let ends = rows.filter_map(Row::hurt).map(|Mean { mean, within }| mean + within);
    let value = ends.reduce(f64::max)?;
    Some(goal("F2", what, "devices", (tenths(value), most)))
}

fn goal(id: &str, what: &str, unit: &str, (value, goal): (f64, f64)) -> Value {
    json!({ "id": id, "what": what, "goal": goal, "value": value, "unit": unit, "holds": value <= goal })
}

/// The chance in percent that is ruled out with 95 % by `found` of `tried`.
/// Source: Wilson's score interval; for nothing found, the exact bound.
#[expect(clippy::cast_precision_loss, reason = "a few thousand")]
fn upper_percent(found: usize, tried: usize) -> f64 {
    const Z: f64 = 1.645;
    let (count, share) = (tried as f64, found as f64 / tried as f64);
    let upper = if found == 0 {
        1.0 - 0.05_f64.powf(1.0 / count)
    } else {
        let middle = share + Z * Z / (2.0 * count);
        let half = Z * (share * (1.0 - share) / count + Z * Z / (4.0 * count * count)).sqrt();
        (middle + half) / (1.0 + Z * Z / count)
    };
    (upper * 10_000.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_comes_with_its_doubt() {
        let mean = Mean::of([1.0, 2.0, 3.0].into_iter());
        assert_eq!(mean.map(|mean| mean.to_string()), Some("2.0 ± 1.1".to_owned()));
        assert!(Mean::of(std::iter::empty()).is_none());
        assert!((upper_percent(0, 300) - 0.99).abs() < 0.01);
        assert!((upper_percent(10, 1_000) - 1.66).abs() < 0.02);
    }
}
