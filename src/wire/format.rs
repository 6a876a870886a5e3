//! The formats of answers, by name.

use serde::Serialize;

use super::counter::Counter;
use super::{xml, yaml};

/// A format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON in one line.
    Json,
    /// JSON for people to read.
    JsonPretty,
    /// XML in one line.
    Xml,
    /// YAML.
    Yaml,
}

/// All formats, the command line's default first.
pub const FORMATS: [Format; 4] = [Format::Yaml, Format::Json, Format::JsonPretty, Format::Xml];

impl Format {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::JsonPretty => "jsonpretty",
            Format::Xml => "xml",
            Format::Yaml => "yaml",
        }
    }

    /// The format called `name`.
    pub fn from_name(name: &str) -> Option<Self> {
        FORMATS.into_iter().find(|format| format.name() == name)
    }

    /// Its media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Json | Format::JsonPretty => "application/json",
            Format::Xml => "application/xml",
            Format::Yaml => "application/yaml",
        }
    }

    /// The answer in this format. JSON is written straight from the answer, XML from the JSON; YAML goes through one value.
    /// The error says why there is no text, which no caller can cause.
    pub fn write(self, answer: &impl Serialize) -> Result<String, String> {
        let json = || json(answer).map_err(|error| error.to_string());
        match self {
            Format::Json => String::from_utf8(json()?).map_err(|error| error.to_string()),
            Format::JsonPretty => serde_json::to_string_pretty(answer).map_err(|error| error.to_string()),
            Format::Xml => xml::to_string(&json()?).map_err(|error| error.to_string()),
            Format::Yaml => {
                let value = serde_json::to_value(answer).map_err(|error| error.to_string())?;
                yaml::to_string(&value).map_err(|error| error.to_string())
            }
        }
    }
}

/// An answer as JSON, in a buffer that is one byte larger than it, for C's NUL.
///
/// It is written twice, the first time only to be counted: a buffer that grew would leave copies behind, of a list that
/// is long and of secrets that are not wiped.
pub fn json(answer: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut counter = Counter::default();
    serde_json::to_writer(&mut counter, answer)?;
    let mut bytes = Vec::with_capacity(counter.bytes().saturating_add(1));
    serde_json::to_writer(&mut bytes, answer)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_format_has_its_name_and_text() {
        let answer = json!({"b": [1], "a": null});
        for (name, text) in [
            ("json", r#"{"b":[1],"a":null}"#),
            ("jsonpretty", "{\n  \"b\": [\n    1\n  ],\n  \"a\": null\n}"),
            ("xml", "<result><b>1</b><a/></result>"),
            ("yaml", "---\na: null\nb:\n- 1\n"),
        ] {
            let format = Format::from_name(name).unwrap();
            assert_eq!((format.name(), format.write(&answer).unwrap().as_str()), (name, text));
        }
        assert_eq!(Format::from_name("JSON"), None);
    }

    #[test]
    fn json_fits_its_buffer() {
        let bytes = json(&json!({"a": "\u{1}é", "b": [1, 2.5, null]})).unwrap();
        assert_eq!(String::from_utf8_lossy(&bytes), "{\"a\":\"\\u0001é\",\"b\":[1,2.5,null]}");
        assert_eq!(bytes.capacity(), bytes.len() + 1);
    }
}
