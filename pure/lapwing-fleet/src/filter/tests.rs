//! Filters by example and by property: what they mean, where they err, and that they have one spelling.

use super::{Comparison, Expression, FIELDS, Field, Filter, Problem, Value};
use proptest::prelude::*;

const DEVICE: &[(&str, &str)] = &[
    ("hardware", "example.com/pump"),
    ("region", "eu"),
    ("version", "1.10.0"),
    ("bootloader", "7"),
    ("tag", "lab"),
    ("tag", "on loan"),
    ("fact.modem", "BG96"),
];

#[test]
fn a_filter_means_what_it_says() {
    let check = |text: &str, expected: bool| {
        let filter = Filter::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(filter.holds(DEVICE), expected, "{text}");
    };
    check("region == eu", true);
    check("region != eu", false);
    check("version >= 1.4.0 and version < 2.0.0", true);
    check("version < 1.9.0", false);
    check("bootloader >= 7 and bootloader < 10", true);
    check("tag == lab", true);
    check("tag == \"on loan\"", true);
    check("tag != lab", false);
    check("tag in (field, lab)", true);
    check("hardware ^= example.com/", true);
    check("has fact.modem and not has fact.gps", true);
    check("model == x", false);
    check("model != x", true);
    check("fact.weight < 3", false);
    check("region == us or region == eu and tag == field", false);
    check("(region == us or region == eu) and tag == lab", true);
    check("not (region == us) and not not region == eu", true);
}

#[test]
fn an_error_points_at_the_character() {
    let check = |text: &str, at: usize, problem: Problem| {
        let error = Filter::parse(text).expect_err(text);
        assert_eq!((error.at, error.problem), (at, problem), "{text}");
    };
    check("", 1, Problem::NotAFact);
    check("regoin == eu", 1, Problem::NotAFact);
    check("region = eu", 8, Problem::Stray);
    check("region eu", 8, Problem::NotAComparison);
    check("region ==", 10, Problem::NotAValue);
    check("region == and", 11, Problem::NotAValue);
    check("region == \"eu", 11, Problem::OpenQuote);
    check("region == é", 11, Problem::Stray);
    check("region == eu region == us", 14, Problem::NotTheEnd);
    check("region in eu", 11, Problem::NotOpened);
    check("region in (eu us)", 15, Problem::NotClosed);
    check("(region == eu", 14, Problem::NotClosed);
    check("version > new", 11, Problem::NoOrder);
    check("fact. == 1", 1, Problem::NotAFact);
    check(&"x".repeat(10_000), crate::limits::FILTER_CHARS_MAX + 1, Problem::TooLong);
    check(&"(".repeat(1_000), crate::limits::FILTER_DEPTH_MAX + 2, Problem::TooDeep);
    assert_eq!(
        Filter::parse("region == ").map_err(|error| error.to_string()),
        Err("at character 11: expected a value: a word, a version, or text in quotation marks".to_owned())
    );
}

fn any_field() -> impl Strategy<Value = Field> {
    prop_oneof![
        proptest::sample::select(FIELDS).prop_map(|name| Field(name.to_owned())),
        "fact\\.[a-z0-9_.-]{1,8}".prop_map(Field),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof!["[a-z0-9._+~/:@-]{1,8}", "[^\"]{0,8}", "[0-9]{1,2}\\.[0-9]\\.[0-9]", "and|or|not|in|has"]
        .prop_map(Value)
}

fn any_expression() -> impl Strategy<Value = Expression> {
    let equal =
        proptest::sample::select(&[Comparison::Equal, Comparison::NotEqual, Comparison::StartsWith][..]);
    let ordered = proptest::sample::select(
        &[Comparison::Below, Comparison::AtMost, Comparison::Above, Comparison::AtLeast][..],
    );
    let leaf = prop_oneof![
        any_field().prop_map(Expression::Has),
        (any_field(), prop::collection::vec(any_value(), 1..4)).prop_map(|(f, v)| Expression::In(f, v)),
        (any_field(), equal, any_value()).prop_map(|(f, c, v)| Expression::Compare(f, c, v)),
        (any_field(), ordered, 0..100_u32).prop_map(|(f, c, v)| Expression::Compare(
            f,
            c,
            Value(v.to_string())
        )),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expression::Any),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expression::All),
            inner.prop_map(|part| Expression::Not(Box::new(part))),
        ]
    })
}

proptest! {
    #[test]
    fn a_filter_has_one_spelling(expression in any_expression()) {
        let filter = Filter(expression);
        prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
    }

    #[test]
    fn not_turns_a_filter_round(expression in any_expression()) {
        let turned = Expression::Not(Box::new(expression.clone()));
        prop_assert_ne!(expression.holds(DEVICE), turned.holds(DEVICE));
    }

    #[test]
    fn any_text_is_a_filter_or_an_error_inside_it(text in "[a-z=<>^() \",.!0-9]{0,40}|\\PC{0,40}") {
        if let Err(error) = Filter::parse(&text) {
            prop_assert!(error.at >= 1 && error.at <= text.chars().count() + 1);
        }
    }
}
