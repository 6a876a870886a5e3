//! What comes back: data or a refusal, and the envelopes of both APIs around it (contract sections 2 and 3).
//!
//! Promise: keys come in the documented order, booleans are 1 and 0, and a failed call has no data.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use super::bit;
use super::output::Shown;
use crate::engine::reason::{Refusal, shown};
use crate::engine::users::UserConfigs;

/// What a handler answers.
pub type Outcome = Result<Data, Refusal>;

/// The data of a call that worked.
pub enum Data {
    /// None: the key is absent, or null in UAPI.
    None,
    /// A value.
    Value(Value),
    /// Users by name. Kept as rows, since there may be a million.
    Users(UserConfigs),
    /// Names of functions.
    Apps(Vec<&'static str>),
    /// The answers of a batch.
    Answers(Vec<WhmAnswer>),
    /// What UAPI answered.
    Uapi(Box<UapiAnswer>),
    /// What UAPI answered, in cPanel's envelope.
    Cpanel(Box<CpanelAnswer>),
}

impl Data {
    /// The whole data as one value; null when there is none.
    pub fn to_value(&self) -> Result<Value, Refusal> {
        serde_json::to_value(self).map_err(|error| Refusal::Unavailable(error.to_string()))
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
    /// The function's name as it was called.
    pub command: String,
    /// What it answered.
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
        let reason = match &self.outcome {
            Ok(_) => "OK".to_owned(),
            Err(refusal) => refusal.to_string(),
        };
        let mut metadata = self.control.clone();
        metadata.insert("command".to_owned(), json!(shown(&self.command)));
        metadata.insert("reason".to_owned(), json!(reason));
        metadata.insert("result".to_owned(), json!(bit(self.outcome.is_ok())));
        metadata.insert("version".to_owned(), json!(1));
        metadata.sort_keys();
        map.serialize_entry("metadata", &metadata)?;
        map.end()
    }
}

/// The inner result of a UAPI function.
pub struct UapiAnswer {
    /// What it answered.
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
        map.serialize_entry("metadata", &self.control)?;
        map.serialize_entry("status", &bit(self.outcome.is_ok()))?;
        map.serialize_entry("warnings", &Value::Null)?;
        map.end()
    }
}

/// The answer of a UAPI function in cPanel's envelope: that of the function `cpanel` and of the command line.
pub struct CpanelAnswer {
    /// The module's name as it was called.
    pub module: String,
    /// The function's name as it was called.
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

/// What a door writes.
pub enum Answer {
    /// Of a WHM function.
    Whm(WhmAnswer),
    /// Of a UAPI function.
    Uapi(UapiAnswer),
    /// Of a UAPI function, in cPanel's envelope.
    Cpanel(CpanelAnswer),
}

impl Answer {
    /// Whether the call worked: `result` or `status` is 1.
    pub fn is_success(&self) -> bool {
        match self {
            Answer::Whm(answer) => answer.outcome.is_ok(),
            Answer::Uapi(answer) | Answer::Cpanel(CpanelAnswer { result: answer, .. }) => answer.outcome.is_ok(),
        }
    }
}

impl From<WhmAnswer> for Answer {
    /// The function `cpanel` answers in cPanel's envelope, not in WHM's.
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
        let failed = WhmAnswer::new("x", Err(Refusal::WrongCode));
        assert_eq!(
            text(&failed),
            r#"{"metadata":{"command":"x","reason":"The security code is invalid.","result":0,"version":1}}"#
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
            r#"{"data":null,"errors":["Two-factor authentication is not enabled on this server."],"messages":null,"metadata":{},"status":0,"warnings":null}"#
        );
    }
}
