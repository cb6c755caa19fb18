//! The one language in which people say which devices they mean, the same in API, command line and console.
//!
//! `region == eu and version >= 1.4.0 and not (tag in (lab, "on loan") or has fact.debug)`
//! Touches: `lapwing_core`. Names and grammar stand in docs/reference/filters.md.
//! Never: fails while it is asked; what could be wrong with a filter is found when it is parsed.

mod parse;
mod token;

#[cfg(test)]
mod tests;

use lapwing_core::Semver;
use serde::{Deserialize, Serialize};
use std::fmt;

pub use token::{FilterError, Problem};

/// What is known of one device, as names and values; a name may have several values, as `tag` does.
pub type FilterFacts<'a> = [(&'a str, &'a str)];

/// Which devices are meant. It is stored as people spell it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Filter(Expression);

/// What a filter is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Expression {
    Any(Vec<Self>),
    All(Vec<Self>),
    Not(Box<Self>),
    Has(Field),
    In(Field, Vec<Value>),
    Compare(Field, Comparison, Value),
}

/// The name of a fact, one that the parser knows or `fact.` and whatever a device reports.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Field(String);

/// What a fact is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Value(String);

/// How.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Below,
    AtMost,
    Above,
    AtLeast,
    StartsWith,
}

/// The facts every fleet has. All others are spelled `fact.NAME`.
pub const FIELDS: &[&str] = &[
    "device",
    "hardware",
    "revision",
    "model",
    "region",
    "connectivity",
    "use",
    "version",
    "variant",
    "bootloader",
    "tier",
    "consent",
    "group",
    "tag",
    "zone",
];

const COMPARISONS: &[(Comparison, &str)] = &[
    (Comparison::Equal, "=="),
    (Comparison::NotEqual, "!="),
    (Comparison::AtMost, "<="),
    (Comparison::AtLeast, ">="),
    (Comparison::StartsWith, "^="),
    (Comparison::Below, "<"),
    (Comparison::Above, ">"),
];

impl Filter {
    /// The filter that `text` spells.
    ///
    /// # Errors
    /// What is wrong and at which character, if it is not one.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parse::filter(text).map(Self)
    }

    /// Whether the answer may depend on this fact.
    #[must_use]
    pub fn asks_for(&self, fact: &str) -> bool {
        self.0.asks_for(fact)
    }

    /// Whether a device with these facts is meant.
    ///
    /// A fact that the device lacks equals nothing: `==`, `in` and every order are false, `!=` is true.
    /// Of several values one is enough, save for `!=`, which wants all of them to differ.
    #[must_use]
    pub fn holds(&self, facts: &FilterFacts<'_>) -> bool {
        self.0.holds(facts)
    }
}

impl TryFrom<String> for Filter {
    type Error = FilterError;

    fn try_from(text: String) -> Result<Self, FilterError> {
        Self::parse(&text)
    }
}

impl From<Filter> for String {
    fn from(filter: Filter) -> Self {
        filter.to_string()
    }
}

impl Expression {
    fn holds(&self, facts: &FilterFacts<'_>) -> bool {
        match self {
            Self::Any(parts) => parts.iter().any(|part| part.holds(facts)),
            Self::All(parts) => parts.iter().all(|part| part.holds(facts)),
            Self::Not(part) => !part.holds(facts),
            Self::Has(field) => field.values(facts).next().is_some(),
            Self::In(field, among) => field.values(facts).any(|is| among.iter().any(|value| value.0 == is)),
            Self::Compare(field, Comparison::NotEqual, value) => field.values(facts).all(|is| is != value.0),
            Self::Compare(field, comparison, value) => {
                field.values(facts).any(|is| comparison.holds(is, &value.0))
            }
        }
    }

    fn asks_for(&self, fact: &str) -> bool {
        match self {
            Self::Any(parts) | Self::All(parts) => parts.iter().any(|part| part.asks_for(fact)),
            Self::Not(part) => part.asks_for(fact),
            Self::Has(field) | Self::In(field, _) | Self::Compare(field, ..) => field.0 == fact,
        }
    }

    /// As it stands inside another one.
    fn nested(&self) -> String {
        if matches!(self, Self::Any(_) | Self::All(_)) { format!("({self})") } else { self.to_string() }
    }
}

impl Field {
    fn values<'a>(&'a self, facts: &'a FilterFacts<'a>) -> impl Iterator<Item = &'a str> {
        facts.iter().filter(|(name, _)| *name == self.0).map(|(_, value)| *value)
    }
}

impl Comparison {
    fn holds(self, is: &str, value: &str) -> bool {
        let ordered = |wanted: fn(std::cmp::Ordering) -> bool| order(is, value).is_some_and(wanted);
        match self {
            Self::Equal => is == value,
            Self::NotEqual => is != value,
            Self::StartsWith => is.starts_with(value),
            Self::Below => ordered(std::cmp::Ordering::is_lt),
            Self::AtMost => ordered(std::cmp::Ordering::is_le),
            Self::Above => ordered(std::cmp::Ordering::is_gt),
            Self::AtLeast => ordered(std::cmp::Ordering::is_ge),
        }
    }

    fn sign(self) -> &'static str {
        COMPARISONS.iter().find(|(known, _)| *known == self).map_or("", |(_, sign)| sign)
    }
}

/// Versions and whole numbers have an order; other text has none.
fn order(is: &str, value: &str) -> Option<std::cmp::Ordering> {
    let version = |text: &str| text.parse().ok().as_ref().and_then(Semver::of);
    if let (Some(is), Some(value)) = (version(is), version(value)) {
        return Some(is.cmp(&value));
    }
    Some(is.parse::<i64>().ok()?.cmp(&value.parse().ok()?))
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The one spelling: parsing it gives the same filter.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any(parts) => f.write_str(&joined(parts, Self::nested, " or ")),
            Self::All(parts) => f.write_str(&joined(parts, Self::nested, " and ")),
            Self::Not(part) => write!(f, "not {}", part.nested()),
            Self::Has(field) => write!(f, "has {}", field.0),
            Self::In(field, among) => write!(f, "{} in ({})", field.0, joined(among, Value::to_string, ", ")),
            Self::Compare(field, comparison, value) => write!(f, "{} {} {value}", field.0, comparison.sign()),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if token::is_bare(&self.0) { f.write_str(&self.0) } else { write!(f, "\"{}\"", self.0) }
    }
}

fn joined<T>(parts: &[T], spell: fn(&T) -> String, between: &str) -> String {
    parts.iter().map(spell).collect::<Vec<_>>().join(between)
}
