//! In which order: one field after another, each by its own method.

use std::cmp::Ordering;
use std::net::Ipv4Addr;

use serde_json::Value;

use super::filter::{number_in, text_of};
use super::parameters::{Sent, not_valid};
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

/// What is compared; a value that is none of the method's kind comes before all that are.
#[derive(Debug)]
enum Key {
    None,
    Text(String),
    Number(f64),
}

impl Method {
    pub(super) fn named(sent: Sent<'_>) -> Result<Self, ParameterError> {
        match sent.value {
            "lexicographic" => Ok(Method::Lexicographic),
            "numeric" => Ok(Method::Numeric),
            "numeric_zero_as_max" => Ok(Method::NumericZeroAsMax),
            "ipv4" => Ok(Method::Ipv4),
            _ => Err(not_valid(sent.name, "the methods are lexicographic, numeric, numeric_zero_as_max, ipv4.")),
        }
    }

    fn key(self, value: Option<&Value>) -> Key {
        let Some(text) = value.and_then(text_of) else { return Key::None };
        let number = match self {
            Method::Lexicographic => return Key::Text(text.into_owned()),
            Method::Numeric => number_in(&text, false),
            Method::NumericZeroAsMax => {
                number_in(&text, false).map(|number| if number == 0.0 { f64::INFINITY } else { number })
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
            // One method makes keys of one kind only.
            (Key::Text(_), Key::Number(_)) | (Key::Number(_), Key::Text(_)) => Ordering::Equal,
        }
    }
}

/// Sorts by the first field, its ties by the second, and so on; what is left equal stays in its order.
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
