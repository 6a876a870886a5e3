//! Filters: one criterion on one field, or on any field.
//!
//! WHM compares text byte by byte, and numbers only by the types that are for numbers. UAPI ignores case in `contains`,
//! `begins` and `ends`, and its comparisons are of numbers when both sides are numbers, otherwise of text.

use std::cmp::Ordering;

use regex_lite::{Regex, RegexBuilder};
use serde_json::Value;

use super::value::{Parameter, Unlimited, not_valid, number_in, text_of};
use crate::wire::ParameterError;

/// The largest compiled expression, in bytes. Matching takes time in proportion to expression and text.
const MAX_EXPRESSION: usize = 64 * 1024;

/// A field and the test that it must pass.
#[derive(Debug)]
pub(super) struct Criterion {
    /// `None` for `*`: the record passes when any of its fields does.
    field: Option<String>,
    test: Test,
}

/// The test of a field. A number or a boolean is tested by its text.
#[derive(Debug)]
enum Test {
    /// The text and the argument have this relation.
    Text {
        relation: TextRelation,
        argument: String,
        ignores_case: bool,
    },
    /// The number has one of these orderings to the bound. Text that is no number does not pass.
    Number {
        orderings: &'static [Ordering],
        bound: f64,
        unlimited: Unlimited,
    },
    /// The value has one of these orderings to the bound: as numbers if both are, otherwise as text.
    Either {
        orderings: &'static [Ordering],
        bound: String,
        unlimited: Unlimited,
    },
    Matches(Regex),
    Defined,
    Undefined,
}

#[derive(Clone, Copy, Debug)]
enum TextRelation {
    Contains,
    Equals,
    Begins,
    Ends,
}

const EQUAL: &[Ordering] = &[Ordering::Equal];
const NOT_EQUAL: &[Ordering] = &[Ordering::Less, Ordering::Greater];
const LESS: &[Ordering] = &[Ordering::Less];
const LESS_OR_EQUAL: &[Ordering] = &[Ordering::Less, Ordering::Equal];
const GREATER: &[Ordering] = &[Ordering::Greater];
const GREATER_OR_EQUAL: &[Ordering] = &[Ordering::Greater, Ordering::Equal];

/// A criterion of WHM. Without a type, it is `contains`.
pub(super) fn whm(
    field: &str,
    test: Option<Parameter<'_>>,
    argument: Parameter<'_>,
) -> Result<Criterion, ParameterError> {
    let text = |relation| Test::Text { relation, argument: argument.value.to_owned(), ignores_case: false };
    let number = |orderings, unlimited| number_test(orderings, unlimited, argument);
    let test = match test.map_or("contains", |test| test.value) {
        "contains" => text(TextRelation::Contains),
        "eq" => text(TextRelation::Equals),
        "begins" => text(TextRelation::Begins),
        "==" => number(EQUAL, Unlimited::Text)?,
        "lt" => number(LESS, Unlimited::Text)?,
        "lt_equal" => number(LESS_OR_EQUAL, Unlimited::Text)?,
        "gt" => number(GREATER, Unlimited::Text)?,
        "gt_equal" => number(GREATER_OR_EQUAL, Unlimited::Text)?,
        "lt_handle_unlimited" => number(LESS, Unlimited::Maximum)?,
        "gt_handle_unlimited" => number(GREATER, Unlimited::Maximum)?,
        _ => {
            return Err(unknown_type(
                test,
                "contains, eq, ==, begins, lt, lt_equal, gt, gt_equal, lt_handle_unlimited, gt_handle_unlimited",
            ));
        }
    };
    Ok(Criterion::new(field, test))
}

/// A criterion of UAPI. Without a type, it is `contains`. `term` is an error if there is none, which two types accept.
pub(super) fn uapi(
    field: &str,
    test: Option<Parameter<'_>>,
    term: Result<Parameter<'_>, ParameterError>,
) -> Result<Criterion, ParameterError> {
    let text = |relation, term: Parameter<'_>| Test::Text {
        relation,
        argument: term.value.to_lowercase(),
        ignores_case: true,
    };
    let either =
        |orderings, unlimited, term: Parameter<'_>| Test::Either { orderings, bound: term.value.to_owned(), unlimited };
    let test = match test.map_or("contains", |test| test.value) {
        "contains" => text(TextRelation::Contains, term?),
        "begins" => text(TextRelation::Begins, term?),
        "ends" => text(TextRelation::Ends, term?),
        "eq" => either(EQUAL, Unlimited::Text, term?),
        "ne" => either(NOT_EQUAL, Unlimited::Text, term?),
        "lt" => either(LESS, Unlimited::Text, term?),
        "gt" => either(GREATER, Unlimited::Text, term?),
        "lt_handle_unlimited" => either(LESS, Unlimited::Maximum, term?),
        "gt_handle_unlimited" => either(GREATER, Unlimited::Maximum, term?),
        "matches" => Test::Matches(expression(term?)?),
        "defined" => Test::Defined,
        "undefined" => Test::Undefined,
        _ => {
            return Err(unknown_type(
                test,
                "contains, eq, ne, lt, gt, lt_handle_unlimited, gt_handle_unlimited, begins, ends, matches, defined, \
                 undefined",
            ));
        }
    };
    Ok(Criterion::new(field, test))
}

fn unknown_type(test: Option<Parameter<'_>>, types: &str) -> ParameterError {
    not_valid(test.map_or("type", |test| test.name), format!("the types are {types}."))
}

fn number_test(
    orderings: &'static [Ordering],
    unlimited: Unlimited,
    bound: Parameter<'_>,
) -> Result<Test, ParameterError> {
    let number = number_in(bound.value, unlimited);
    let bound = number.ok_or_else(|| not_valid(bound.name, "it is compared as a number, and is none."))?;
    Ok(Test::Number { orderings, bound, unlimited })
}

fn expression(term: Parameter<'_>) -> Result<Regex, ParameterError> {
    let built = RegexBuilder::new(term.value).size_limit(MAX_EXPRESSION).build();
    built.map_err(|error| not_valid(term.name, format!("it is no regular expression that can be used: {error}.")))
}

impl Criterion {
    fn new(field: &str, test: Test) -> Self {
        Criterion { field: (field != "*").then(|| field.to_owned()), test }
    }

    /// Whether a record passes.
    pub(super) fn passes(&self, record: &Value) -> bool {
        match &self.field {
            Some(field) => self.test.passes(record.get(field)),
            None => record.as_object().is_some_and(|fields| fields.values().any(|value| self.test.passes(Some(value)))),
        }
    }
}

impl Test {
    fn passes(&self, value: Option<&Value>) -> bool {
        let text = value.and_then(text_of);
        match self {
            Test::Defined => value.is_some_and(|value| !value.is_null()),
            Test::Undefined => value.is_none_or(Value::is_null),
            _ => text.is_some_and(|text| self.passes_text(&text)),
        }
    }

    fn passes_text(&self, text: &str) -> bool {
        match self {
            Test::Text { relation, argument, ignores_case: false } => relation.holds(text, argument),
            Test::Text { relation, argument, ignores_case: true } => relation.holds(&text.to_lowercase(), argument),
            Test::Number { orderings, bound, unlimited } => {
                number_in(text, *unlimited).is_some_and(|number| orderings.contains(&compare_numbers(number, *bound)))
            }
            Test::Either { orderings, bound, unlimited } => {
                let numbers = (number_in(text, *unlimited), number_in(bound, *unlimited));
                let ordering = match numbers {
                    (Some(number), Some(bound)) => compare_numbers(number, bound),
                    _ => text.cmp(bound),
                };
                orderings.contains(&ordering)
            }
            Test::Matches(expression) => expression.is_match(text),
            Test::Defined | Test::Undefined => false,
        }
    }
}

/// The order of two finite numbers or infinities; 0 and -0 are equal.
fn compare_numbers(left: f64, right: f64) -> Ordering {
    left.partial_cmp(&right).unwrap_or(Ordering::Equal)
}

impl TextRelation {
    fn holds(self, text: &str, argument: &str) -> bool {
        match self {
            TextRelation::Contains => text.contains(argument),
            TextRelation::Equals => text == argument,
            TextRelation::Begins => text.starts_with(argument),
            TextRelation::Ends => text.ends_with(argument),
        }
    }
}
