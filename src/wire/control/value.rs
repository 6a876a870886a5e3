//! Values of parameters and of records' fields, as filters and sorts compare them.

use std::borrow::Cow;

use serde_json::Value;

use crate::wire::ParameterError;

/// A parameter's value, with the parameter's name for messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parameter<'a> {
    pub name: &'a str,
    pub value: &'a str,
}

/// The error of a value that is not valid.
pub(super) fn not_valid(name: &str, why: impl Into<String>) -> ParameterError {
    ParameterError::NotValid(name.to_owned(), why.into())
}

/// A field's text; maps, arrays and null have none.
pub(super) fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(text.into()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string().into()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether `unlimited` is a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unlimited {
    /// It is text.
    Text,
    /// It is larger than every number.
    Maximum,
}

/// The number that a text is.
pub(super) fn number_in(text: &str, unlimited: Unlimited) -> Option<f64> {
    if unlimited == Unlimited::Maximum && text.eq_ignore_ascii_case("unlimited") {
        return Some(f64::INFINITY);
    }
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}
