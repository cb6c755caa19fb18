//! How strongly counts speak against a rate: statistics that stay honest however often one looks.
//!
//! Touches: nothing. Integers only, so that every server and every replay gives the same answer.
//! Never: decides; `crate::rollout::stopping` and `crate::rollout::advance` compare with thresholds.
//! Source: Ville, "Étude critique de la notion de collectif", 1939; Wald, "Sequential Analysis", 1947.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A failure rate, in parts of a million.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32")]
pub struct Rate(u32);

impl TryFrom<u32> for Rate {
    type Error = &'static str;

    fn try_from(parts: u32) -> Result<Self, Self::Error> {
        let within = (1..1_000_000).contains(&parts).then_some(Self(parts));
        within.ok_or("a rate has 1 to 999999 parts of a million")
    }
}

impl Rate {
    /// So many parts of a million. A rate of nothing or of everything leaves no doubt to reason about,
    /// so the ends are 1 and 999,999.
    #[must_use]
    pub const fn ppm(parts: u32) -> Self {
        match parts {
            0 => Self(1),
            1_000_000.. => Self(999_999),
            parts => Self(parts),
        }
    }

    /// So many hundredths of a percent.
    #[must_use]
    pub const fn basis_points(points: u32) -> Self {
        Self::ppm(points.saturating_mul(100))
    }

    /// `part` of `whole`, rounded down.
    #[must_use]
    pub fn of(part: u64, whole: u64) -> Self {
        let parts = u128::from(part).saturating_mul(1_000_000).checked_div(u128::from(whole));
        Self::ppm(parts.and_then(|parts| u32::try_from(parts).ok()).unwrap_or(1_000_000))
    }

    /// In parts of a million.
    #[must_use]
    pub const fn as_ppm(self) -> u32 {
        self.0
    }

    const fn times(self, factor: u32) -> Self {
        Self::ppm(self.0.saturating_mul(factor))
    }

    const fn complement(self) -> Self {
        Self(1_000_000 - self.0)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02} %", self.0 / 10_000, self.0 % 10_000 / 100)
    }
}

/// How many devices were judged, and how many of them had failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seen {
    /// All that reached their horizon.
    pub judged: u32,
    /// Those of them that failed.
    pub failed: u32,
}

impl Seen {
    /// These and `more`.
    #[must_use]
    pub const fn plus(self, more: Self) -> Self {
        Self {
            judged: self.judged.saturating_add(more.judged),
            failed: self.failed.saturating_add(more.failed),
        }
    }

    /// What is left when `known` is not counted any more.
    #[must_use]
    pub const fn without(self, known: Self) -> Self {
        Self {
            judged: self.judged.saturating_sub(known.judged),
            failed: self.failed.saturating_sub(known.failed),
        }
    }

    /// Those that did not fail.
    #[must_use]
    pub const fn good(self) -> u32 {
        self.judged.saturating_sub(self.failed)
    }

    /// The share that failed.
    #[must_use]
    pub fn rate(self) -> Rate {
        Rate::of(u64::from(self.failed), u64::from(self.judged))
    }
}

/// How many times likelier some counts are if the truth is worse than allowed, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Odds(pub u64);

impl Odds {
    /// So many to one.
    #[must_use]
    pub const fn to_one(odds: u64) -> Self {
        Self(odds.saturating_mul(1000))
    }
}

impl fmt::Display for Odds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} to 1", self.0 / 1000, self.0 % 1000 / 100)
    }
}

/// The rates that a test holds against the allowed one: twice it, four times, and so on, never over 90 %.
const ALTERNATIVES: u32 = 7;
const ALTERNATIVE_MAX: Rate = Rate::basis_points(9_000);
/// A doubling is the hardest to see and the likeliest to last, so it has twice the weight of the others:
/// a quarter against an eighth each.
const DOUBLING_WEIGHT_LOG2: Log = Log(-2 << 32);
const OTHER_WEIGHT_LOG2: Log = Log(-3 << 32);

/// A test of "the rate is at most this", made once and asked often.
///
/// The odds are a mixture of likelihood ratios. For every true rate up to the allowed one it is a
/// supermartingale in the devices judged, so the chance that it *ever* reaches `x` to one is at most `1/x`,
/// at any number of looks.
#[derive(Debug, Clone)]
pub struct Test {
    allowed: Rate,
    alternatives: [(Ratio, Log); ALTERNATIVES as usize],
}

impl Test {
    /// The test of this rate.
    #[must_use]
    pub fn against(allowed: Rate) -> Self {
        let mut factor = 1;
        let alternatives = [(); ALTERNATIVES as usize].map(|()| {
            let weight = if factor == 1 { DOUBLING_WEIGHT_LOG2 } else { OTHER_WEIGHT_LOG2 };
            factor *= 2;
            // An allowed rate beyond the largest alternative is held against itself: odds of one.
            let alternative = allowed.times(factor).min(ALTERNATIVE_MAX).max(allowed);
            (Ratio::between(alternative, allowed), weight)
        });
        Self { allowed, alternatives }
    }

    /// The rate that is allowed.
    #[must_use]
    pub const fn allowed(&self) -> Rate {
        self.allowed
    }

    /// How strongly `seen` speaks against it.
    #[must_use]
    pub fn odds(&self, seen: Seen) -> Odds {
        let terms = self.alternatives.iter().map(|(ratio, weight)| ratio.of(seen).plus(*weight).exp2_milli());
        Odds(terms.fold(0, u64::saturating_add))
    }
}

/// Whether `seen` shows that the rate is nearer to `allowed` than to `excluded`, with odds of twenty to one.
/// Source: the acceptance line of Wald's sequential test.
#[must_use]
pub fn excludes(seen: Seen, excluded: Rate, allowed: Rate) -> bool {
    Ratio::between(allowed, excluded).of(seen).0 >= LOG2_OF_20.0
}

/// The lowest of some round rates that `seen` excludes, for saying what a small fleet can know.
#[must_use]
pub fn lowest_excluded(seen: Seen, allowed: Rate) -> Option<Rate> {
    const ROUND_BASIS_POINTS: [u32; 9] = [150, 200, 300, 500, 1_000, 2_000, 3_000, 5_000, 9_000];
    let mut rates = ROUND_BASIS_POINTS.into_iter().map(Rate::basis_points).filter(|rate| *rate > allowed);
    rates.find(|rate| excludes(seen, *rate, allowed))
}

/// A logarithm to base two, with 32 binary places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Log(i64);

const LOG2_OF_20: Log = Log(18_562_539_823);

/// What one failure and one good device say for one rate over another.
#[derive(Debug, Clone, Copy)]
struct Ratio {
    failed: Log,
    good: Log,
}

impl Ratio {
    fn between(this: Rate, other: Rate) -> Self {
        Self { failed: Log::ratio(this, other), good: Log::ratio(this.complement(), other.complement()) }
    }

    fn of(self, seen: Seen) -> Log {
        let part = |log: Log, count: u32| i128::from(log.0).saturating_mul(i128::from(count));
        let sum = part(self.failed, seen.failed).saturating_add(part(self.good, seen.good()));
        let bounded = sum.clamp(i128::from(i64::MIN / 2), i128::from(i64::MAX / 2));
        Log(i64::try_from(bounded).unwrap_or(0))
    }
}

/// One, with 62 binary places.
const ONE: u128 = 1 << 62;

impl Log {
    /// Of `this / other`: the exponent first, then one binary place per squaring of the mantissa.
    fn ratio(this: Rate, other: Rate) -> Self {
        let (this, other) = (u128::from(this.0), u128::from(other.0));
        let mut exponent = i64::from(this.ilog2()) - i64::from(other.ilog2());
        let up = exponent.max(0);
        let mut mantissa = ((this << 62) << (up - exponent)) / (other << up);
        if mantissa < ONE {
            mantissa <<= 1;
            exponent -= 1;
        }
        let mut log = exponent << 32;
        for place in (0..32).rev() {
            mantissa = (mantissa * mantissa) >> 62;
            if mantissa >= ONE << 1 {
                mantissa >>= 1;
                log += 1 << place;
            }
        }
        Self(log)
    }

    const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// Two to this power, in thousandths, rounded down; everything beyond 2^50 is that.
    fn exp2_milli(self) -> u64 {
        let power = self.0.min(50 << 32);
        let whole = power >> 32;
        if whole < -11 {
            return 0;
        }
        let mut value = 1000 * ONE;
        for (place, root) in ROOTS.iter().enumerate() {
            if power & (1 << (31 - place)) != 0 {
                value = (value >> 62) * root + (((value & (ONE - 1)) * root) >> 62);
            }
        }
        let places = u32::try_from(62 - whole).unwrap_or(0);
        u64::try_from(value >> places).unwrap_or(u64::MAX)
    }
}

/// Two to the power of a half, a quarter, an eighth, ..., with 62 binary places.
const ROOTS: [u128; 20] = {
    let mut roots = [0; 20];
    let mut root = ONE << 1;
    let mut place = 0;
    while place < roots.len() {
        root = (root << 62).isqrt();
        roots[place] = root;
        place += 1;
    }
    roots
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PERCENT: Rate = Rate::basis_points(100);

    fn seen(judged: u32, failed: u32) -> Seen {
        Seen { judged, failed }
    }

    /// The same in floating point.
    fn odds_by_float(seen: Seen, allowed: f64) -> f64 {
        let good = f64::from(seen.good());
        let term = |j: i32| {
            let p = (allowed * 2_f64.powi(j)).min(0.9).max(allowed);
            let weight = if j == 1 { 0.25 } else { 0.125 };
            weight * (p / allowed).powf(f64::from(seen.failed)) * ((1.0 - p) / (1.0 - allowed)).powf(good)
        };
        (1..=7).map(term).sum()
    }

    proptest! {
        #[test]
        fn integers_agree_with_floating_point(judged in 0..20_000_u32, failed in 0..60_u32, parts in 100..600_000_u32) {
            let counts = seen(judged, failed.min(judged));
            let expected = odds_by_float(counts, f64::from(parts) / 1e6) * 1000.0;
            #[expect(clippy::cast_precision_loss, reason = "a comparison to one in a thousand")]
            let found = Test::against(Rate::ppm(parts)).odds(counts).0 as f64;
            if expected < 1e15 {
                prop_assert!((found - expected).abs() <= 8.0 + expected * 1e-3, "{found} {expected}");
            }
        }

        #[test]
        fn one_more_failure_never_calms_and_one_more_good_device_never_alarms(
            judged in 0..5_000_u32, failed in 0..50_u32,
        ) {
            let test = Test::against(PERCENT);
            let counts = seen(judged, failed.min(judged));
            let worse = seen(judged.saturating_add(1), counts.failed + 1);
            let better = seen(judged.saturating_add(1), counts.failed);
            prop_assert!(test.odds(worse) >= test.odds(counts));
            prop_assert!(test.odds(better) <= test.odds(counts));
        }

        #[test]
        fn no_counts_are_too_large(judged: u32, failed: u32, parts: u32) {
            let _ = Test::against(Rate::ppm(parts)).odds(seen(judged, failed));
            let _ = lowest_excluded(seen(judged, failed), Rate::ppm(parts));
        }
    }

    #[test]
    fn the_largest_cohort_that_still_halts() {
        let test = Test::against(PERCENT);
        let halts = |failed: u32| {
            (failed..10_000).take_while(|judged| test.odds(seen(*judged, failed)) >= Odds::to_one(200)).last()
        };
        let table = [2, 3, 4, 5, 6, 8, 10, 15, 20].map(|failed| halts(failed).unwrap_or(0));
        assert_eq!(table, [3, 13, 30, 53, 81, 147, 228, 468, 743]);
    }

    /// Walks every path of counts at the allowed rate, exactly, and adds up those that ever cross.
    #[test]
    fn a_rate_that_is_allowed_is_rarely_accused_however_often_one_looks() {
        let test = Test::against(PERCENT);
        let mut standing = vec![1.0_f64];
        let mut accused = 0.0;
        for judged in 1..=3_000_u32 {
            let mut next = vec![0.0; standing.len() + 1];
            for (failed, chance) in standing.iter().enumerate() {
                next[failed] += chance * 0.99;
                next[failed + 1] += chance * 0.01;
            }
            for (failed, chance) in (0_u32..).zip(&mut next) {
                if *chance > 0.0 && test.odds(seen(judged, failed)) >= Odds::to_one(200) {
                    accused += std::mem::take(chance);
                }
            }
            next.truncate(80);
            standing = next;
        }
        assert!(accused <= 1.0 / 200.0, "{accused}");
    }

    #[test]
    fn so_many_good_devices_exclude_a_rate() {
        let needed = |points: u32, failed: u32| {
            let excluded = Rate::basis_points(points);
            (failed..5_000).find(|judged| excludes(seen(*judged, failed), excluded, PERCENT))
        };
        assert_eq!(needed(1_000, 0), Some(32));
        assert_eq!(needed(1_000, 1), Some(57));
        assert_eq!(needed(300, 0), Some(147));
        assert_eq!(needed(200, 0), Some(296));
        assert_eq!(needed(150, 0), Some(592));
        assert_eq!(lowest_excluded(seen(100, 0), PERCENT), Some(Rate::basis_points(500)));
        assert_eq!(lowest_excluded(seen(1, 0), PERCENT), None);
    }

    #[test]
    fn rates_and_odds_read_well() {
        assert_eq!(Rate::basis_points(150).to_string(), "1.50 %");
        assert_eq!(Rate::of(1, 3).to_string(), "33.33 %");
        assert_eq!(Odds(200_540).to_string(), "200.5 to 1");
        assert_eq!(Rate::of(1, 0), Rate::ppm(1_000_000));
    }
}
