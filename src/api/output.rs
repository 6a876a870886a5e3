//! Output control over answers: which part of a list is looked up, and what of it is shown (contract section 7).
//!
//! The records of a list of users are its entries, with the name as the field `user`. Every other answer is one record;
//! if it is filtered out, an empty map is left.

use std::ops::Range;

use serde_json::{Map, Value, json};

use super::answer::{Data, Outcome, Shown, bit};
use super::refusal::Refusal;
use crate::engine::users::{UserConfig, UserConfigs};
use crate::wire::control::{Control, Controlled, entries_of};

/// The field that is a user's name.
const USER: &str = "user";
/// Every record of a list.
const WHOLE: Range<usize> = 0..usize::MAX;

/// Calls `call` with the part of its list that is needed, and applies the rest of `control` to its answer.
pub fn controlled(control: &Control, call: impl FnOnce(Range<usize>) -> Outcome) -> Result<Shown, Refusal> {
    let window = control.window().map(|window| window.skip..window.skip.saturating_add(window.size.get()));
    let data = call(window.unwrap_or(WHOLE))?;
    match data {
        data if control.is_idle() => Ok((data, Map::new())),
        Data::Users(users) => Ok(show_users(control, &users)),
        data => show_one(control, &data),
    }
}

fn show_users(control: &Control, users: &UserConfigs) -> Shown {
    let records = users.iter().map(record);
    let Controlled { records, metadata } = match control.window() {
        Some(_) => control.apply_to_window(records.collect(), Some(USER), users.total()),
        None => control.apply(records, Some(USER)),
    };
    (Data::Value(Value::Object(entries_of(records, USER))), metadata)
}

fn record(user: UserConfig<'_>) -> Value {
    json!({ "is_enabled": bit(user.is_enabled), "primary_domain": user.primary_domain, USER: user.user })
}

fn show_one(control: &Control, data: &Data) -> Result<Shown, Refusal> {
    if let Data::None = data {
        return Ok((Data::None, control.apply([], None).metadata));
    }
    let Controlled { records, metadata } = control.apply([data.to_value()?], None);
    let record = records.into_iter().next().unwrap_or_else(|| json!({}));
    Ok((Data::Value(record), metadata))
}
