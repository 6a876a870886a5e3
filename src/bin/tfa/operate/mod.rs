//! The operators' commands. They call the same functions as everybody else, as whoever runs them.

pub mod audit;
pub mod doctor;
pub mod init;
pub mod keys;
pub mod login;
pub mod qr;
pub mod status;
pub mod unlock;

use std::fmt::Write;

use serde_json::Value;
use tfa::api;
use tfa::api::answer::Outcome;
use tfa::api::args::Args;
use tfa::engine::Tfa;

use crate::failure::Failure;
use crate::person::Person;

/// Calls a WHM function; a refusal ends the command.
fn whm<const N: usize>(
    tfa: &Tfa,
    caller: &str,
    function: &str,
    parameters: [(&str, &str); N],
) -> Result<Value, Failure> {
    data(api::whmapi1(tfa, caller, function, &args(parameters)).outcome)
}

/// Calls a UAPI function as whom `person` acts for; a refusal ends the command.
fn uapi<const N: usize>(
    tfa: &Tfa,
    person: &Person,
    function: &str,
    parameters: [(&str, &str); N],
) -> Result<Value, Failure> {
    let Person { authenticated, caller } = person;
    data(api::uapi_for(tfa, authenticated, caller, api::registry::MODULE, function, &args(parameters)).outcome)
}

fn args<const N: usize>(parameters: [(&str, &str); N]) -> Args {
    let mut args = Args::default();
    for (name, value) in parameters {
        args.add(name.to_owned(), Value::from(value));
    }
    args
}

fn data(outcome: Outcome) -> Result<Value, Failure> {
    Ok(outcome?.to_value()?)
}

/// Rows below their headings, each column as wide as its widest text.
fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let headings = headings.map(str::to_owned);
    let lines = || std::iter::once(&headings).chain(rows);
    let mut widths = [0; N];
    for line in lines() {
        for (width, text) in widths.iter_mut().zip(line) {
            *width = text.chars().count().max(*width);
        }
    }
    let mut table = String::new();
    for line in lines() {
        let mut padded = String::new();
        for (width, text) in widths.iter().zip(line) {
            // Writing to a String does not fail.
            let _ = write!(padded, "{text:<width$}  ");
        }
        table.push_str(padded.trim_end());
        table.push('\n');
    }
    table
}

/// A text in the data.
fn text<'a>(data: &'a Value, key: &str) -> &'a str {
    data.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A number in the data.
fn number(data: &Value, key: &str) -> u64 {
    data.get(key).and_then(Value::as_u64).unwrap_or_default()
}

/// Whether a 0 or 1 in the data is 1.
fn is_set(data: &Value, key: &str) -> bool {
    number(data, key) == 1
}
