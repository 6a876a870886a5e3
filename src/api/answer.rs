//! Answers: data or a refusal, and the envelopes of both APIs around it (contract sections 2 and 3).
//!
//! Promise: keys come in the documented order, booleans are 1 and 0, a failed call has no data, and its metadata has a
//! reason code (contract section 5).

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use crate::accounts::shown;
use crate::engine::users::UserConfigs;

/// The result of a handler.
pub type Outcome = Result<Data, Refusal>;

/// Data after output control, and what output control adds to the metadata.
pub type Shown = (Data, Map<String, Value>);

/// Success without data.
pub const DONE: Outcome = Ok(Data::None);

/// A boolean as the panel writes it.
pub fn bit(value: bool) -> u8 {
    u8::from(value)
}

/// The data of a call that succeeded.
pub enum Data {
    /// None: the key is absent, or null in UAPI.
    None,
    /// A value.
    Value(Value),
    /// Users by name, kept as rows: there can be a million.
    Users(UserConfigs),
    /// Names of functions.
    Apps(Vec<&'static str>),
    /// The answers of a batch, already written as JSON.
    Answers(Vec<Box<RawValue>>),
    /// The answer of a UAPI function.
    Uapi(Box<UapiAnswer>),
    /// The answer of a UAPI function in cPanel's envelope.
    Cpanel(Box<CpanelAnswer>),
}

impl Data {
    /// The whole data as one value; null when there is none.
    pub fn to_value(&self) -> Result<Value, Refusal> {
        serde_json::to_value(self).map_err(|error| Refusal::unavailable(error.to_string()))
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Data::None => serializer.serialize_unit(),
            Data::Value(value) => value.serialize(serializer),
            Data::Users(users) => serializer.collect_map(users.iter().map(|user| (user.user, UserFields(user)))),
            Data::Apps(names) => serializer.collect_map([("app", names)]),
            Data::Answers(answers) => serializer.collect_map([("result", answers)]),
            Data::Uapi(answer) => serializer.collect_map([("uapi", answer)]),
            Data::Cpanel(answer) => answer.serialize(serializer),
        }
    }
}

struct UserFields<'a>(crate::engine::users::UserConfig<'a>);

impl Serialize for UserFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("is_enabled", &bit(self.0.is_enabled))?;
        map.serialize_entry("primary_domain", self.0.primary_domain)?;
        map.end()
    }
}

/// The answer of a WHM API 1 function.
pub struct WhmAnswer {
    /// The function's name as the caller gave it.
    pub command: String,
    /// Data or a refusal.
    pub outcome: Outcome,
    /// What output control adds to the metadata.
    pub control: Map<String, Value>,
}

impl WhmAnswer {
    /// An answer without output control.
    pub fn new(command: &str, outcome: Outcome) -> Self {
        WhmAnswer { command: command.to_owned(), outcome, control: Map::new() }
    }

    /// An answer with output control.
    pub(super) fn controlled(command: &str, shown: Result<Shown, Refusal>) -> Self {
        let (outcome, control) = split(shown);
        WhmAnswer { command: command.to_owned(), outcome, control }
    }
}

impl Serialize for WhmAnswer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.outcome {
            Ok(Data::None) | Err(_) => {}
            Ok(data) => map.serialize_entry("data", data)?,
        }
        let mut metadata = self.control.clone();
        metadata.insert("command".to_owned(), json!(shown(&self.command)));
        match &self.outcome {
            Ok(_) => metadata.insert("reason".to_owned(), json!("OK")),
            Err(refusal) => {
                add_reason_code(&mut metadata, refusal);
                metadata.insert("reason".to_owned(), json!(refusal.to_string()))
            }
        };
        metadata.insert("result".to_owned(), json!(bit(self.outcome.is_ok())));
        metadata.insert("version".to_owned(), json!(1));
        metadata.sort_keys();
        map.serialize_entry("metadata", &metadata)?;
        map.end()
    }
}

/// Adds the reason code of a failure.
fn add_reason_code(metadata: &mut Map<String, Value>, refusal: &Refusal) {
    metadata.insert("reason_code".to_owned(), json!(refusal.reason_code().name()));
}

/// The inner result of a UAPI function.
pub struct UapiAnswer {
    /// Data or a refusal.
    pub outcome: Outcome,
    /// What output control adds to the metadata.
    pub control: Map<String, Value>,
}

impl UapiAnswer {
    /// An answer without output control.
    pub fn new(outcome: Outcome) -> Self {
        UapiAnswer { outcome, control: Map::new() }
    }

    /// An answer with output control.
    pub(super) fn controlled(shown: Result<Shown, Refusal>) -> Self {
        let (outcome, control) = split(shown);
        UapiAnswer { outcome, control }
    }
}

fn split(shown: Result<Shown, Refusal>) -> (Outcome, Map<String, Value>) {
    match shown {
        Ok((data, control)) => (Ok(data), control),
        Err(refusal) => (Err(refusal), Map::new()),
    }
}

impl Serialize for UapiAnswer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(6))?;
        map.serialize_entry("data", &self.outcome.as_ref().ok())?;
        map.serialize_entry("errors", &self.outcome.as_ref().err().map(|refusal| [refusal.to_string()]))?;
        map.serialize_entry("messages", &Value::Null)?;
        let mut metadata = self.control.clone();
        if let Err(refusal) = &self.outcome {
            add_reason_code(&mut metadata, refusal);
        }
        map.serialize_entry("metadata", &metadata)?;
        map.serialize_entry("status", &bit(self.outcome.is_ok()))?;
        map.serialize_entry("warnings", &Value::Null)?;
        map.end()
    }
}

/// The answer of a UAPI function in cPanel's envelope, which the function `cpanel` and the command line use.
pub struct CpanelAnswer {
    /// The module's name as the caller gave it.
    pub module: String,
    /// The function's name as the caller gave it.
    pub function: String,
    /// The inner result.
    pub result: UapiAnswer,
}

impl Serialize for CpanelAnswer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("apiversion", &3)?;
        map.serialize_entry("func", &self.function)?;
        map.serialize_entry("module", &self.module)?;
        map.serialize_entry("result", &self.result)?;
        map.end()
    }
}

/// An answer of either API.
pub enum Answer {
    /// The answer of a WHM function.
    Whm(WhmAnswer),
    /// The answer of a UAPI function.
    Uapi(UapiAnswer),
    /// The answer of a UAPI function in cPanel's envelope.
    Cpanel(CpanelAnswer),
}

impl Answer {
    /// Whether the call succeeded: `result` or `status` is 1.
    pub fn is_success(&self) -> bool {
        match self {
            Answer::Whm(answer) => answer.outcome.is_ok(),
            Answer::Uapi(answer) | Answer::Cpanel(CpanelAnswer { result: answer, .. }) => answer.outcome.is_ok(),
        }
    }
}

impl From<WhmAnswer> for Answer {
    /// The answer of the function `cpanel` has cPanel's envelope, not WHM's.
    fn from(answer: WhmAnswer) -> Self {
        match answer.outcome {
            Ok(Data::Cpanel(cpanel)) => Answer::Cpanel(*cpanel),
            outcome => Answer::Whm(WhmAnswer { outcome, ..answer }),
        }
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Answer::Whm(answer) => answer.serialize(serializer),
            Answer::Uapi(answer) => answer.serialize(serializer),
            Answer::Cpanel(answer) => answer.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::refusal as engine;

    fn text(answer: &impl Serialize) -> String {
        serde_json::to_string(answer).unwrap()
    }

    #[test]
    fn whm_envelopes_are_as_documented() {
        let done = WhmAnswer::new("twofactorauth_enable_policy", Ok(Data::None));
        assert_eq!(
            text(&done),
            r#"{"metadata":{"command":"twofactorauth_enable_policy","reason":"OK","result":1,"version":1}}"#
        );
        let data = WhmAnswer::new("x", Ok(Data::Value(json!({"is_enabled": 1}))));
        assert_eq!(
            text(&data),
            r#"{"data":{"is_enabled":1},"metadata":{"command":"x","reason":"OK","result":1,"version":1}}"#
        );
        let failed = WhmAnswer::new("x", Err(engine::Refusal::InvalidCode.into()));
        assert_eq!(
            text(&failed),
            r#"{"metadata":{"command":"x","reason":"The security code is invalid.","reason_code":"invalid_code","result":0,"version":1}}"#
        );
    }

    #[test]
    fn uapi_envelopes_are_as_documented() {
        assert_eq!(
            text(&UapiAnswer::new(Ok(Data::Value(json!({"tfa_removed": 1}))))),
            r#"{"data":{"tfa_removed":1},"errors":null,"messages":null,"metadata":{},"status":1,"warnings":null}"#
        );
        assert_eq!(
            text(&UapiAnswer::new(Err(Refusal::PolicyDisabled))),
            r#"{"data":null,"errors":["Two-factor authentication is not enabled on this server."],"messages":null,"metadata":{"reason_code":"policy_disabled"},"status":0,"warnings":null}"#
        );
    }
}
