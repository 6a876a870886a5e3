//! Which records pass: one criterion on one field, or on any.

use regex_lite::{Regex, RegexBuilder};
use serde_json::Value;

use super::parameters::{Sent, not_valid};
use crate::wire::ParameterError;

/// The largest compiled expression, in bytes. Matching takes time in proportion to expression and text, whatever they are.
const MAX_EXPRESSION: usize = 64 * 1024;

/// A field and what it must be.
#[derive(Debug)]
pub(super) struct Criterion {
    /// None for `*`: the record passes when any of its fields does.
    field: Option<String>,
    test: Test,
}

/// What a field must be. Texts are compared byte by byte; a number or a boolean is compared by its text.
#[derive(Debug)]
enum Test {
    Contains(String),
    Equal(String),
    NotEqual(String),
    Begins(String),
    Ends(String),
    Matches(Regex),
    /// A comparison of numbers. What is no number never passes.
    Number {
        relation: Relation,
        bound: f64,
        unlimited: bool,
    },
    Defined,
    Undefined,
}

#[derive(Clone, Copy, Debug)]
enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A criterion in WHM's words.
pub(super) fn whm(field: &str, test: Option<Sent<'_>>, argument: Sent<'_>) -> Result<Criterion, ParameterError> {
    let number = |relation, unlimited| number_test(relation, unlimited, argument);
    let text = || argument.value.to_owned();
    let test = match test.map(|sent| (sent, sent.value)) {
        None | Some((_, "contains")) => Test::Contains(text()),
        Some((_, "eq")) => Test::Equal(text()),
        Some((_, "begins")) => Test::Begins(text()),
        Some((_, "==")) => number(Relation::Equal, false)?,
        Some((_, "lt")) => number(Relation::Less, false)?,
        Some((_, "lt_equal")) => number(Relation::LessOrEqual, false)?,
        Some((_, "gt")) => number(Relation::Greater, false)?,
        Some((_, "gt_equal")) => number(Relation::GreaterOrEqual, false)?,
        Some((_, "lt_handle_unlimited")) => number(Relation::Less, true)?,
        Some((_, "gt_handle_unlimited")) => number(Relation::Greater, true)?,
        Some((sent, _)) => {
            let types =
                "contains, eq, ==, begins, lt, lt_equal, gt, gt_equal, lt_handle_unlimited, gt_handle_unlimited";
            return Err(not_valid(sent.name, format!("the types are {types}.")));
        }
    };
    Ok(Criterion::new(field, test))
}

/// A criterion in UAPI's words. `term` is an error when it was not sent, which two types do not mind.
pub(super) fn uapi(
    field: &str,
    test: Option<Sent<'_>>,
    term: Result<Sent<'_>, ParameterError>,
) -> Result<Criterion, ParameterError> {
    let text = |term: Result<Sent<'_>, ParameterError>| term.map(|sent| sent.value.to_owned());
    let test = match test.map(|sent| (sent, sent.value)) {
        None | Some((_, "contains")) => Test::Contains(text(term)?),
        Some((_, "eq")) => Test::Equal(text(term)?),
        Some((_, "ne")) => Test::NotEqual(text(term)?),
        Some((_, "begins")) => Test::Begins(text(term)?),
        Some((_, "ends")) => Test::Ends(text(term)?),
        Some((_, "matches")) => Test::Matches(expression(term?)?),
        Some((_, "lt")) => number_test(Relation::Less, false, term?)?,
        Some((_, "gt")) => number_test(Relation::Greater, false, term?)?,
        Some((_, "defined")) => Test::Defined,
        Some((_, "undefined")) => Test::Undefined,
        Some((sent, _)) => {
            let types = "contains, eq, ne, lt, gt, begins, ends, matches, defined, undefined";
            return Err(not_valid(sent.name, format!("the types are {types}.")));
        }
    };
    Ok(Criterion::new(field, test))
}

fn number_test(relation: Relation, unlimited: bool, bound: Sent<'_>) -> Result<Test, ParameterError> {
    let bound = number_in(bound.value, unlimited)
        .ok_or_else(|| not_valid(bound.name, "it is compared as a number, and is none."))?;
    Ok(Test::Number { relation, bound, unlimited })
}

fn expression(term: Sent<'_>) -> Result<Regex, ParameterError> {
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
        let text_passes =
            |test: fn(&str, &str) -> bool, argument: &str| text.as_deref().is_some_and(|text| test(text, argument));
        match self {
            Test::Contains(argument) => text_passes(|text, argument| text.contains(argument), argument),
            Test::Equal(argument) => text_passes(|text, argument| text == argument, argument),
            Test::NotEqual(argument) => text_passes(|text, argument| text != argument, argument),
            Test::Begins(argument) => text_passes(|text, argument| text.starts_with(argument), argument),
            Test::Ends(argument) => text_passes(|text, argument| text.ends_with(argument), argument),
            Test::Matches(expression) => text.as_deref().is_some_and(|text| expression.is_match(text)),
            Test::Number { relation, bound, unlimited } => {
                text.and_then(|text| number_in(&text, *unlimited)).is_some_and(|number| relation.holds(number, *bound))
            }
            Test::Defined => value.is_some_and(|value| !value.is_null()),
            Test::Undefined => value.is_none_or(Value::is_null),
        }
    }
}

impl Relation {
    fn holds(self, number: f64, bound: f64) -> bool {
        match self {
            Relation::Equal => number == bound,
            Relation::Less => number < bound,
            Relation::LessOrEqual => number <= bound,
            Relation::Greater => number > bound,
            Relation::GreaterOrEqual => number >= bound,
        }
    }
}

/// A field's text; maps, arrays and null have none.
pub(super) fn text_of(value: &Value) -> Option<std::borrow::Cow<'_, str>> {
    match value {
        Value::String(text) => Some(text.into()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string().into()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The number that a text is; `unlimited`, where it counts, is more than any.
pub(super) fn number_in(text: &str, unlimited: bool) -> Option<f64> {
    if unlimited && text.eq_ignore_ascii_case("unlimited") {
        return Some(f64::INFINITY);
    }
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}
