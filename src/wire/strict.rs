//! JSON parameters, read within the limits of forms (contract section 13).
//!
//! Promises: an object has at most [`MAX_PARAMETERS`] keys, a key at most [`MAX_NAME`] bytes, and the whole at most
//! [`MAX_VALUES`] values; a key that is given twice is an error, since it is unclear which value is meant. An error names
//! the key or the place, never a value.

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::ParameterError;
use super::form::{MAX_BYTES, MAX_NAME, MAX_PARAMETERS};

/// The most values in a text, nested ones included.
pub const MAX_VALUES: usize = 10 * MAX_PARAMETERS;

/// Reads a JSON object.
pub fn object(text: &str) -> Result<Map<String, Value>, ParameterError> {
    if text.len() > MAX_BYTES {
        return Err(unreadable(format!("they have more than {MAX_BYTES} bytes.")));
    }
    let reader = Reader { left: Cell::new(MAX_VALUES), refusal: RefCell::new(None) };
    let mut json = serde_json::Deserializer::from_str(text);
    let read = reader.deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    match (read, reader.refusal.take()) {
        (Ok(Value::Object(values)), _) => Ok(values),
        (Ok(_), _) => Err(unreadable("they are not a JSON object.".to_owned())),
        (Err(_), Some(refusal)) => Err(refusal),
        // Line and column, not what stands there.
        (Err(error), None) => {
            let (line, column) = (error.line(), error.column());
            Err(unreadable(format!("they are not JSON, at line {line}, column {column}.")))
        }
    }
}

fn unreadable(why: String) -> ParameterError {
    ParameterError::Unreadable(why)
}

/// Reads one value, and counts what is left of the limit.
struct Reader {
    left: Cell<usize>,
    refusal: RefCell<Option<ParameterError>>,
}

impl Reader {
    fn refuse<E: Error>(&self, refusal: ParameterError) -> E {
        self.refusal.replace(Some(refusal));
        E::custom("refused")
    }

    fn count<E: Error>(&self) -> Result<(), E> {
        match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(self.refuse(unreadable(format!("they have more than {MAX_VALUES} values.")))),
        }
    }
}

impl<'de> DeserializeSeed<'de> for &Reader {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = elements.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if name.len() > MAX_NAME {
                return Err(self.refuse(unreadable(format!("a name has more than {MAX_NAME} bytes."))));
            }
            if values.len() >= MAX_PARAMETERS {
                return Err(self.refuse(unreadable(format!("there are more than {MAX_PARAMETERS} parameters."))));
            }
            if values.contains_key(&name) {
                return Err(self.refuse(ParameterError::NotValid(name, "it is given more than once.".to_owned())));
            }
            let value = entries.next_value_seed(self)?;
            values.insert(name, value);
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn limits_are_those_of_forms() {
        let many = |count: usize| {
            let entries: Vec<_> = (0..count).map(|number| format!("\"{number}\":0")).collect();
            format!("{{{}}}", entries.join(","))
        };
        assert!(object(&many(MAX_PARAMETERS)).is_ok());
        assert!(object(&many(MAX_PARAMETERS + 1)).unwrap_err().to_string().contains("more than 10000 parameters"));
        assert!(object(&format!("{{\"{}\":0}}", "a".repeat(MAX_NAME))).is_ok());
        assert!(object(&format!("{{\"{}\":0}}", "a".repeat(MAX_NAME + 1))).is_err());
        let array = |count: usize| format!("{{\"a\":[{}]}}", vec!["0"; count].join(","));
        assert!(object(&array(MAX_VALUES - 2)).is_ok());
        assert!(object(&array(MAX_VALUES - 1)).unwrap_err().to_string().contains("values"));
        assert!(object(&" ".repeat(MAX_BYTES + 1)).is_err());
    }

    #[test]
    fn a_key_given_twice_is_refused() {
        let twice = object(r#"{"example": {"email": {}, "team": {}, "email": {}}}"#).unwrap_err();
        assert_eq!(twice, ParameterError::NotValid("email".to_owned(), "it is given more than once.".to_owned()));
    }

    proptest! {
        #[test]
        fn reads_what_serde_json_reads(text in r#"[\[\]{}":,0-9a-e.\-]{0,40}"#) {
            let theirs = serde_json::from_str::<Value>(&text).ok().filter(Value::is_object);
            match object(&text) {
                Ok(ours) => prop_assert_eq!(Some(Value::Object(ours)), theirs),
                Err(ParameterError::NotValid(..)) => {}
                Err(_) => prop_assert_eq!(None, theirs),
            }
        }
    }
}
