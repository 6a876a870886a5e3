//! What comes back: data or a refusal, and the envelopes of both APIs around it (contract sections 2 and 3).
//!
//! Promise: keys come in the documented order, booleans are 1 and 0, and a failed call has no data.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use super::bit;
use crate::engine::reason::Refusal;
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
}

impl Data {
    /// The whole data as one value; null when there is none.
    pub fn into_value(self) -> Value {
        match self {
            Data::None => Value::Null,
            Data::Value(value) => value,
            Data::Users(users) => {
                let fields = |user: crate::engine::users::UserConfig<'_>| {
                    let fields = json!({ "is_enabled": bit(user.is_enabled), "primary_domain": user.primary_domain });
                    (user.user.to_owned(), fields)
                };
                Value::Object(users.iter().map(fields).collect())
            }
        }
    }
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Data::None => serializer.serialize_unit(),
            Data::Value(value) => value.serialize(serializer),
            Data::Users(users) => serializer.collect_map(users.iter().map(|user| (user.user, UserFields(user)))),
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
        metadata.insert("command".to_owned(), json!(self.command));
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
