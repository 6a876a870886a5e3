//! The parameters of a call: one set of named values, whatever form they came in.
//!
//! Promises: values are checked before a handler acts; the error names a value that is missing, empty or not valid, and
//! never repeats it.

use std::net::IpAddr;

use serde_json::map::Entry;
use serde_json::{Map, Value};

use crate::accounts::{SubjectKind, well_formed};
use crate::otp::secret::Secret;
use crate::wire::{ParameterError, form, strict};

/// What begins the names of the parameters that are not the function's own: output control and the version.
pub const API: &str = "api.";
/// The longest token that is examined, in bytes: far more than any code, with room for spaces.
const MAX_TOKEN: usize = 256;
/// Named values.
#[derive(Debug, Default)]
pub struct Args(Map<String, Value>);

impl From<Map<String, Value>> for Args {
    fn from(values: Map<String, Value>) -> Self {
        Args(values)
    }
}

impl Args {
    /// Reads a JSON object; `None` is an empty one.
    pub fn parse(text: Option<&str>) -> Result<Self, ParameterError> {
        let Some(text) = text else {
            return Ok(Args::default());
        };
        strict::object(text).map(Args)
    }

    /// Reads a query string or a form body.
    pub fn from_query(query: &str) -> Result<Self, ParameterError> {
        let mut args = Args::default();
        for (name, value) in form::parse(query).map_err(|error| ParameterError::Unreadable(format!("{error}.")))? {
            args.add(name, Value::String(value));
        }
        Ok(args)
    }

    /// Adds a value. Values of the same name become an array, so that none is lost.
    pub fn add(&mut self, name: String, value: Value) {
        match self.0.entry(name) {
            Entry::Vacant(entry) => {
                entry.insert(value);
            }
            Entry::Occupied(mut entry) => match entry.get_mut() {
                Value::Array(values) => values.push(value),
                single => *single = Value::Array(vec![single.take(), value]),
            },
        }
    }

    /// Adds all of `others`.
    pub fn append(&mut self, others: Args) {
        for (name, value) in others.0 {
            self.add(name, value);
        }
    }

    /// All values but those whose names begin with `prefix`.
    pub fn without(&self, prefix: &str) -> Args {
        let others = self.0.iter().filter(|(name, _)| !name.starts_with(prefix));
        Args(others.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// The value called `name`, unless it is missing or null.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// All values, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Refuses values whose names are in none of `known`: a misspelt one must not count as missing.
    pub fn only(&self, known: &[&[&str]]) -> Result<(), ParameterError> {
        match self.0.keys().find(|name| !known.iter().any(|names| names.contains(&name.as_str()))) {
            Some(name) => Err(not_valid(name, "there is no such parameter.")),
            None => Ok(()),
        }
    }

    /// The text called `name`, if it is given.
    pub fn optional_text(&self, name: &str) -> Result<Option<&str>, ParameterError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Array(_)) => Err(not_valid(name, "it is given more than once.")),
            Some(_) => Err(not_valid(name, "it is not a string.")),
        }
    }

    /// The text of the string, number or boolean called `name`, if it is given. A boolean's is 1 or 0.
    pub fn plain_text(&self, name: &str) -> Result<Option<String>, ParameterError> {
        self.get(name).map(|value| scalar(name, value)).transpose()
    }

    /// Whether the 0 or 1 called `name` is 1; 0 when it is missing or empty.
    pub fn bit(&self, name: &str) -> Result<bool, ParameterError> {
        match self.plain_text(name)?.as_deref() {
            None | Some("" | "0") => Ok(false),
            Some("1") => Ok(true),
            Some(_) => Err(not_valid(name, "it is 0 or 1.")),
        }
    }

    /// The texts called `name`, `name-0`, `name-1` and so on, in the order of the request; empty ones are left out. A name that is
    /// repeated counts each time.
    pub fn texts(&self, name: &str) -> Result<Vec<&str>, ParameterError> {
        let is_one = |other: &str| match other.strip_prefix(name) {
            Some("") => true,
            Some(rest) => rest.strip_prefix('-').is_some_and(is_number),
            None => false,
        };
        let mut texts = Vec::new();
        for (name, value) in self.iter().filter(|(other, _)| is_one(other)) {
            for value in value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice) {
                match value {
                    Value::Null => {}
                    Value::String(text) if text.is_empty() => {}
                    Value::String(text) => texts.push(text.as_str()),
                    _ => return Err(not_valid(name, "it is not a string.")),
                }
            }
        }
        Ok(texts)
    }

    /// The parameters of output control: those whose names begin with `api.`.
    pub fn output_control(&self) -> Result<Vec<(String, String)>, ParameterError> {
        let mut parameters = Vec::new();
        for (name, value) in self.iter().filter(|(name, _)| name.starts_with(API)) {
            for value in value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice) {
                parameters.push((name.to_owned(), scalar(name, value)?));
            }
        }
        Ok(parameters)
    }

    /// The text called `name`, which must not be missing or empty.
    pub fn text(&self, name: &str) -> Result<&str, ParameterError> {
        let text = self.optional_text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| ParameterError::Required(name.to_owned()))
    }

    /// The well-formed name called `name`, if it is given.
    pub fn optional_user(&self, name: &str) -> Result<Option<&str>, ParameterError> {
        match self.optional_text(name)? {
            None | Some("") => Ok(None),
            Some(user) => check_user(name, user).map(Some),
        }
    }

    /// The well-formed name called `name`.
    pub fn user(&self, name: &str) -> Result<&str, ParameterError> {
        check_user(name, self.text(name)?)
    }

    /// The kind of subject that the parameter `kind` names: `mailbox` or `team`.
    pub fn kind(&self) -> Result<Option<SubjectKind>, ParameterError> {
        let Some(kind) = self.optional_text("kind")?.filter(|kind| !kind.is_empty()) else {
            return Ok(None);
        };
        let kind = SubjectKind::from_name(kind).filter(|kind| *kind != SubjectKind::Account);
        kind.map(Some).ok_or_else(|| not_valid("kind", "it is \"mailbox\" or \"team\"."))
    }

    /// The secret called `secret`.
    pub fn secret(&self) -> Result<Secret, ParameterError> {
        read_secret(self.text("secret")?)
    }

    /// The code or recovery code called `tfa_token`. A code can be a JSON number.
    pub fn token(&self) -> Result<String, ParameterError> {
        const NAME: &str = "tfa_token";
        self.optional_token(NAME)?.ok_or_else(|| ParameterError::Required(NAME.to_owned()))
    }

    /// The code or recovery code called `name`, if it is given. An empty one counts as not given.
    pub fn optional_token(&self, name: &str) -> Result<Option<String>, ParameterError> {
        if let Some(Value::Number(number)) = self.get(name) {
            let number = number.as_u64().ok_or_else(|| not_valid(name, "it is not a whole number."))?;
            return Ok(Some(number.to_string()));
        }
        match self.optional_text(name)? {
            Some(token) if token.len() > MAX_TOKEN => Err(not_valid(name, "it is too long.")),
            token => Ok(token.filter(|token| !token.is_empty()).map(str::to_owned)),
        }
    }

    /// The IP address called `remote_addr`, if it is given. An empty one counts as not given.
    pub fn remote_address(&self) -> Result<Option<IpAddr>, ParameterError> {
        let address = self.optional_text("remote_addr")?.filter(|address| !address.is_empty());
        address.map(read_address).transpose()
    }
}

/// The text of a string, number or boolean. A boolean's is 1 or 0, null's is empty.
fn scalar(name: &str, value: &Value) -> Result<String, ParameterError> {
    match value {
        Value::Null => Ok(String::new()),
        Value::Bool(value) => Ok(u8::from(*value).to_string()),
        Value::Number(number) => Ok(number.to_string()),
        Value::String(text) => Ok(text.clone()),
        Value::Array(_) => Err(not_valid(name, "it is given more than once.")),
        Value::Object(_) => Err(not_valid(name, "it is not a string.")),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads the Base32 of a parameter called `secret`.
pub fn read_secret(text: &str) -> Result<Secret, ParameterError> {
    Secret::from_base32(text).map_err(|_| ParameterError::NotBase32("secret".to_owned()))
}

/// Reads the IP address of a parameter called `remote_addr`.
pub fn read_address(text: &str) -> Result<IpAddr, ParameterError> {
    text.parse().map_err(|_| not_valid("remote_addr", "it is not an IP address."))
}

/// The error that the parameter `name` is not valid, and why.
pub fn not_valid(name: &str, why: &str) -> ParameterError {
    ParameterError::NotValid(name.to_owned(), why.to_owned())
}

fn check_user<'a>(name: &str, user: &'a str) -> Result<&'a str, ParameterError> {
    if well_formed(user) { Ok(user) } else { Err(not_valid(name, "it is not the name of a user.")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn args(value: Value) -> Args {
        let Value::Object(values) = value else { panic!("not an object") };
        Args(values)
    }

    #[test]
    fn a_missing_empty_or_wrong_value_is_named() {
        let args = args(json!({"empty": "", "null": null, "number": 1, "good": "text"}));
        assert_eq!(args.text("good"), Ok("text"));
        for name in ["absent", "empty", "null"] {
            assert_eq!(args.text(name), Err(ParameterError::Required(name.to_owned())));
        }
        assert_eq!(args.text("number"), Err(not_valid("number", "it is not a string.")));
    }

    #[test]
    fn tokens_are_strings_or_whole_numbers() {
        let token = |value: Value| args(json!({ "tfa_token": value })).token();
        assert_eq!(token(json!("012345")).unwrap(), "012345");
        assert_eq!(token(json!(12345)).unwrap(), "12345");
        assert!(token(json!(-1)).is_err());
        assert!(token(json!(1.5)).is_err());
        assert!(token(json!(true)).is_err());
        assert!(token(json!("1".repeat(257))).is_err());
        assert_eq!(token(json!("")), Err(ParameterError::Required("tfa_token".to_owned())));
    }

    #[test]
    fn texts_other_than_objects_are_refused() {
        for text in ["", "[]", "1", "{", "{}{}", "\u{0}", &"[".repeat(10_000), &"{\"a\":".repeat(10_000)] {
            assert!(matches!(Args::parse(Some(text)), Err(ParameterError::Unreadable(_))));
        }
        assert!(Args::parse(None).unwrap().iter().next().is_none());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            let _ = Args::parse(Some(&text));
        }
    }
}
