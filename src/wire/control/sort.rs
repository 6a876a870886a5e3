//! Sorting: by one field after another, each by a method of its own.

use std::cmp::Ordering;
use std::net::Ipv4Addr;

use serde_json::Value;

use super::value::{Parameter, Unlimited, not_valid, number_in, text_of};
use crate::wire::ParameterError;

/// One field to sort by.
#[derive(Debug)]
pub(super) struct SortBy {
    pub field: String,
    pub method: Method,
    pub reverse: bool,
}

/// How the values of a field are compared.
#[derive(Clone, Copy, Debug)]
pub(super) enum Method {
    /// By the bytes of the text.
    Lexicographic,
    /// As numbers.
    Numeric,
    /// As numbers, among which 0 means no limit.
    NumericZeroAsMax,
    /// As IPv4 addresses.
    Ipv4,
}

/// The value that is compared. One that the method cannot compare comes before all others.
#[derive(Debug)]
enum Key {
    None,
    Text(String),
    Number(f64),
}

impl Method {
    pub(super) fn named(parameter: Parameter<'_>) -> Result<Self, ParameterError> {
        match parameter.value {
            "lexicographic" => Ok(Method::Lexicographic),
            "numeric" => Ok(Method::Numeric),
            "numeric_zero_as_max" => Ok(Method::NumericZeroAsMax),
            "ipv4" => Ok(Method::Ipv4),
            _ => Err(not_valid(parameter.name, "the methods are lexicographic, numeric, numeric_zero_as_max, ipv4.")),
        }
    }

    fn key(self, value: Option<&Value>) -> Key {
        let Some(text) = value.and_then(text_of) else { return Key::None };
        let number = match self {
            Method::Lexicographic => return Key::Text(text.into_owned()),
            Method::Numeric => number_in(&text, Unlimited::Text),
            Method::NumericZeroAsMax => {
                number_in(&text, Unlimited::Text).map(|number| if number == 0.0 { f64::INFINITY } else { number })
            }
            Method::Ipv4 => text.trim().parse::<Ipv4Addr>().ok().map(|address| f64::from(address.to_bits())),
        };
        number.map_or(Key::None, Key::Number)
    }
}

impl Key {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Key::Text(left), Key::Text(right)) => left.cmp(right),
            (Key::Number(left), Key::Number(right)) => left.total_cmp(right),
            (Key::None, Key::None) => Ordering::Equal,
            (Key::None, _) => Ordering::Less,
            (_, Key::None) => Ordering::Greater,
            // The keys of one method are of one kind.
            (Key::Text(_), Key::Number(_)) | (Key::Number(_), Key::Text(_)) => Ordering::Equal,
        }
    }
}

/// Sorts by the first field, its ties by the second, and so on. Records that are equal in all keep their order.
pub(super) fn sort(records: &mut Vec<Value>, sorts: &[SortBy]) {
    if sorts.is_empty() {
        return;
    }
    let keys_of =
        |record: &Value| -> Vec<Key> { sorts.iter().map(|by| by.method.key(record.get(&by.field))).collect() };
    let mut keyed: Vec<_> = std::mem::take(records).into_iter().map(|record| (keys_of(&record), record)).collect();
    keyed.sort_by(|(left, _), (right, _)| compare(sorts, left, right));
    records.extend(keyed.into_iter().map(|(_, record)| record));
}

fn compare(sorts: &[SortBy], left: &[Key], right: &[Key]) -> Ordering {
    let by_field = sorts.iter().zip(left.iter().zip(right)).map(|(by, (left, right))| {
        let ordering = left.compare(right);
        if by.reverse { ordering.reverse() } else { ordering }
    });
    by_field.fold(Ordering::Equal, Ordering::then)
}
