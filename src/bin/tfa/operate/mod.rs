//! The operators' commands. They call the same functions as everybody else, as whoever runs them.

pub mod doctor;
pub mod init;
pub mod login;
pub mod qr;
pub mod status;
pub mod unlock;

use serde_json::Value;
use tfa::api;
use tfa::api::answer::Outcome;
use tfa::api::args::Args;
use tfa::engine::Tfa;

use crate::failure::Failure;

/// Calls a WHM function; a refusal ends the command.
fn whm<const N: usize>(
    tfa: &Tfa,
    caller: &str,
    function: &str,
    parameters: [(&str, &str); N],
) -> Result<Value, Failure> {
    data(api::whmapi1(tfa, caller, function, &args(parameters)).outcome)
}

/// Calls a UAPI function; a refusal ends the command.
fn uapi<const N: usize>(
    tfa: &Tfa,
    caller: &str,
    function: &str,
    parameters: [(&str, &str); N],
) -> Result<Value, Failure> {
    data(api::uapi(tfa, caller, api::registry::MODULE, function, &args(parameters)).outcome)
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
