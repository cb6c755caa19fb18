//! Which versions of a component a rule means: `<3.0.20`, or `>=1.1.0 <1.1.1k`.
//!
//! Touches: nothing. Versions like 1.4.0 are put in the order of semantic versions, all others in Debian's.
//! Source: Semantic Versioning 2.0.0, 11; deb-version(7).
//! Never: leaves a version out because it is spelled oddly; every text has its place in an order.

use crate::limits::{VERSION_RULE_BYTES_MAX, VERSION_RULE_TERMS_MAX};
use std::cmp::Ordering;
use std::str::FromStr;

/// A rule: all of its terms hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRule(Vec<(Relation, String)>);

/// By which order versions were compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Comparison {
    /// That of semantic versions: both are like 1.4.0.
    Semver,
    /// Debian's, for all others.
    Debian,
}

/// Why a text is not a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a rule is up to {VERSION_RULE_TERMS_MAX} of <, <=, =, >=, > with a version each, such as '>=1.1.0 <1.1.1k'"
)]
pub struct VersionRuleError;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Below,
    AtMost,
    Equal,
    AtLeast,
    Above,
}

/// Longer spellings before those they begin with.
const RELATIONS: [(&str, Relation); 5] = [
    ("<=", Relation::AtMost),
    (">=", Relation::AtLeast),
    ("<", Relation::Below),
    (">", Relation::Above),
    ("=", Relation::Equal),
];

impl Comparison {
    /// Its spelling in JSON.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Semver => "semver",
            Self::Debian => "debian",
        }
    }
}

impl FromStr for VersionRule {
    type Err = VersionRuleError;

    fn from_str(text: &str) -> Result<Self, VersionRuleError> {
        let term = |word: &str| {
            let spelled = RELATIONS.iter().find_map(|(sign, how)| Some((*how, word.strip_prefix(sign)?)));
            let (how, version) = spelled.unwrap_or((Relation::Equal, word));
            let plain = version.bytes().all(|b| b.is_ascii_alphanumeric() || b".+-~:_".contains(&b));
            (plain && !version.is_empty()).then(|| (how, version.to_owned()))
        };
        let terms = text.split([' ', ',']).filter(|word| !word.is_empty()).map(term);
        let terms: Option<Vec<_>> = terms.take(VERSION_RULE_TERMS_MAX + 1).collect();
        let fits = |terms: &Vec<_>| (1..=VERSION_RULE_TERMS_MAX).contains(&terms.len());
        let short = text.len() <= VERSION_RULE_BYTES_MAX;
        terms.filter(|terms| short && fits(terms)).map(Self).ok_or(VersionRuleError)
    }
}

impl VersionRule {
    /// Whether the rule means this version, and by which order; Debian's if that was needed once.
    #[must_use]
    pub fn means(&self, version: &str) -> Option<Comparison> {
        let holds = |(how, bound): &(Relation, String)| {
            let (order, by) = compare(version, bound);
            let holds = match how {
                Relation::Below => order.is_lt(),
                Relation::AtMost => order.is_le(),
                Relation::Equal => order.is_eq(),
                Relation::AtLeast => order.is_ge(),
                Relation::Above => order.is_gt(),
            };
            holds.then_some(by)
        };
        self.0.iter().map(holds).try_fold(Comparison::Semver, |all, one| Some(all.max(one?)))
    }
}

/// How two versions stand, and by which order.
fn compare(a: &str, b: &str) -> (Ordering, Comparison) {
    match (Semantic::of(a), Semantic::of(b)) {
        (Some(a), Some(b)) => (a.cmp(&b), Comparison::Semver),
        _ => (debian(a).cmp(&debian(b)), Comparison::Debian),
    }
}

/// A version like 1.4.0-rc.1; what stands behind a plus does not count. In 1.4.0-2 a packager counts, as in Debian.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Semantic<'a> {
    core: [u64; 3],
    /// None stands above all.
    stage: Stage<'a>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Stage<'a> {
    Before(Vec<Mark<'a>>),
    Final,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Mark<'a> {
    Number(u64),
    Word(&'a str),
}

impl<'a> Semantic<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let text = text.split_once('+').map_or(text, |(counts, _)| counts);
        let (core, before) = text.split_once('-').map_or((text, None), |(core, before)| (core, Some(before)));
        let numbers: Option<Vec<u64>> = core.split('.').map(number).collect();
        let mark = |mark: &'a str| {
            let word = !mark.is_empty() && mark.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            word.then(|| number(mark).map_or(Mark::Word(mark), Mark::Number))
        };
        let stage = match before {
            Some(marks) if !marks.starts_with(|c: char| c.is_ascii_alphabetic()) => return None,
            Some(marks) => Stage::Before(marks.split('.').map(mark).collect::<Option<_>>()?),
            None => Stage::Final,
        };
        Some(Self { core: numbers?.try_into().ok()?, stage })
    }
}

/// A number as semantic versions spell it.
fn number(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

/// A version of Debian's, ready to be compared: epoch, what its makers call it, what Debian made of it.
fn debian(text: &str) -> (u64, Vec<Step<'_>>, Vec<Step<'_>>) {
    let epoch = text.split_once(':').and_then(|(epoch, rest)| Some((epoch.parse().ok()?, rest)));
    let (epoch, text) = epoch.unwrap_or((0, text));
    let (theirs, ours) = text.rsplit_once('-').unwrap_or((text, ""));
    (epoch, steps(theirs), steps(ours))
}

/// Signs and a number in turn, as Debian reads them: a tilde stands before the end, a letter before other signs.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Step<'a> {
    signs: Vec<i32>,
    /// A longer number is a larger one.
    digits: (usize, &'a str),
}

fn steps(mut text: &str) -> Vec<Step<'_>> {
    const END: i32 = 0;
    let weight = |b: u8| match b {
        b'~' => -1,
        letter if letter.is_ascii_alphabetic() => i32::from(letter),
        other => 256 + i32::from(other),
    };
    let mut steps = Vec::new();
    while !text.is_empty() {
        let (signs, rest) = cut(text, |b| b.is_ascii_digit());
        let (digits, rest) = cut(rest, |b| !b.is_ascii_digit());
        let digits = digits.trim_start_matches('0');
        let signs = signs.bytes().map(weight).chain([END]).collect();
        steps.push(Step { signs, digits: (digits.len(), digits) });
        text = rest;
    }
    // Nothing more weighs as much as a zero, and more than a tilde.
    let end = Step { signs: vec![END], digits: (0, "") };
    if steps.last() != Some(&end) {
        steps.push(end);
    }
    steps
}

/// A text up to the first byte of a kind, and from there.
fn cut(text: &str, is_end: impl Fn(u8) -> bool) -> (&str, &str) {
    let at = text.bytes().position(is_end).unwrap_or(text.len());
    text.split_at_checked(at).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_stand_in_the_order_of_those_who_made_them() {
        let check = |a: &str, expected: Ordering, b: &str, by: Comparison| {
            assert_eq!(compare(a, b), (expected, by), "{a} and {b}");
            assert_eq!(compare(b, a), (expected.reverse(), by), "{b} and {a}");
        };
        use Comparison::{Debian, Semver};
        use Ordering::{Equal, Less};
        check("3.0.9", Less, "3.0.20", Semver);
        check("1.0.0-alpha", Less, "1.0.0-alpha.1", Semver);
        check("1.0.0-alpha.1", Less, "1.0.0-alpha.beta", Semver);
        check("1.0.0-beta.2", Less, "1.0.0-beta.11", Semver);
        check("1.0.0-rc.1", Less, "1.0.0", Semver);
        check("v1.2.3", Equal, "1.2.3+build.7", Semver);
        check("1.1.1", Less, "1.1.1k", Debian);
        check("1.1.1k", Less, "1.1.1w", Debian);
        check("1.2", Less, "1.10", Debian);
        check("1.0~rc1", Less, "1.0", Debian);
        check("1.0~~", Less, "1.0~", Debian);
        check("1.0", Less, "1.0a", Debian);
        check("1.0a", Less, "1.0+b", Debian);
        check("9.9-1", Less, "1:0.1-1", Debian);
        check("3.0.11-1~deb12u2", Less, "3.0.11-1", Debian);
        check("3.0.11-1", Less, "3.0.11-1+b1", Debian);
        check("1.02", Equal, "1.2", Debian);
        check("1.0", Equal, "1.00", Debian);
        check("3.0.11", Less, "3.0.11-1", Debian);
        check("1.0-0", Equal, "1.0", Debian);
        check("2024b", Less, "2025a", Debian);
        check("", Equal, "0", Debian);
    }

    #[test]
    fn a_rule_means_what_all_its_terms_mean() {
        let check = |rule: &str, version: &str, expected: Option<Comparison>| {
            let rule: VersionRule = rule.parse().unwrap();
            assert_eq!(rule.means(version), expected, "{rule:?}: {version}");
        };
        check("<3.0.20", "3.0.19", Some(Comparison::Semver));
        check("<3.0.20", "3.0.20", None);
        check("<3.0.20", "3.0.11-1~deb12u2", Some(Comparison::Debian));
        check(">=1.1.0, <1.1.1k", "1.1.1", Some(Comparison::Debian));
        check(">=1.1.0 <1.1.1k", "1.0.9", None);
        check("1.2.3", "1.2.3", Some(Comparison::Semver));
        check(">1.0 <=2.0", "2.0", Some(Comparison::Debian));
        for wrong in ["", " ", "<", "<1 <2 <3 <4 <5", "<1;2", "<é", &"1".repeat(300)] {
            assert_eq!(wrong.parse::<VersionRule>(), Err(VersionRuleError), "{wrong}");
        }
    }
}
