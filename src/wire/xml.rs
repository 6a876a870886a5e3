//! Answers as XML (contract section 7).
//!
//! Promise: the text is well formed, and a reader gets the values of the JSON, as far as XML can express them. The root is `<result>`;
//! a map is child elements by key; an array is its key's element repeated; an empty map, an empty array, an empty text and
//! null are one empty element. A key that is no XML name becomes `<item key="...">`; so does a name that is not ASCII or
//! has a colon, which editions of XML and namespace-aware readers treat differently. An array directly inside an array is
//! `<item>` repeated. A character that XML 1.0 cannot carry becomes U+FFFD.

use std::borrow::Cow;
use std::fmt;
use std::io::Write;

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::counter::Counter;

/// The element for the whole answer.
const ROOT: &str = "result";
/// The element for a value whose key is no XML name.
const ITEM: &str = "item";

/// The XML text of an answer in JSON, in one line, without a declaration: its encoding is UTF-8, which is XML's default.
///
/// The text is written as the JSON is read, so that the memory of a long answer is that of the two texts. It is written
/// twice, the first time only to be counted: a buffer that grew would need twice the memory, and leave copies behind.
///
/// # Errors
/// None for valid JSON: writing to memory does not fail, but the writer's type says that it can.
pub fn to_string(json: &[u8]) -> Result<String, serde_json::Error> {
    let mut counter = Counter::default();
    write(json, &mut counter)?;
    let mut bytes = Vec::with_capacity(counter.bytes());
    write(json, &mut bytes)?;
    String::from_utf8(bytes).map_err(Error::custom)
}

/// Writes the root element.
fn write(json: &[u8], to: &mut impl Write) -> Result<(), serde_json::Error> {
    let mut writer = Writer::new(to);
    let mut reader = serde_json::Deserializer::from_slice(json);
    Element { writer: &mut writer, key: ROOT, is_member: true, parent: None }.deserialize(&mut reader)?;
    reader.end()
}

/// A place for a value, which writes it as it reads it: as many elements as an array has members, else one element.
struct Element<'a, W> {
    writer: &'a mut Writer<W>,
    key: &'a str,
    /// Stands in an array, or is the root. An array here is one element with items.
    is_member: bool,
    /// An element to open first: that of an array, which is opened with its first member.
    parent: Option<&'a str>,
}

impl<W: Write> Element<'_, W> {
    fn open<E: Error>(&mut self, key: &str) -> Result<(), E> {
        self.writer.write_event(Event::Start(start_of(key))).map_err(E::custom)
    }

    /// Closes the element of `key`; one that was not opened is empty.
    fn close<E: Error>(self, key: &str, is_open: bool) -> Result<(), E> {
        let start = start_of(key);
        let event = if is_open { Event::End(BytesEnd::from(start.name())) } else { Event::Empty(start.borrow()) };
        self.writer.write_event(event).map_err(E::custom)
    }

    /// Writes the element with a text.
    fn text<E: Error>(mut self, text: &str) -> Result<(), E> {
        let key = self.key;
        if !text.is_empty() {
            self.open(key)?;
            self.writer.write_event(Event::Text(BytesText::new(&carried(text)))).map_err(E::custom)?;
        }
        self.close(key, !text.is_empty())
    }
}

impl<'de, W: Write> DeserializeSeed<'de> for Element<'_, W> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<(), D::Error> {
        if let Some(parent) = self.parent.take() {
            self.open(parent)?;
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de, W: Write> Visitor<'de> for Element<'_, W> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.text("")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.text(if value { "true" } else { "false" })
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.text(&value.to_string())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.text(&value.to_string())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.text(&serde_json::Value::from(value).to_string())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.text(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let (key, parent) = if self.is_member { (ITEM, Some(self.key)) } else { (self.key, None) };
        let mut is_open = false;
        loop {
            let parent = parent.filter(|_| !is_open);
            let member = Element { writer: &mut *self.writer, key, is_member: true, parent };
            if members.next_element_seed(member)?.is_none() {
                break;
            }
            is_open = true;
        }
        let own = self.key;
        if is_open && parent.is_none() { Ok(()) } else { self.close(own, is_open) }
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        let own = self.key;
        let mut is_open = false;
        while let Some(key) = entries.next_key::<Cow<'de, str>>()? {
            if !is_open {
                self.open(own)?;
                is_open = true;
            }
            entries.next_value_seed(Element {
                writer: &mut *self.writer,
                key: &key,
                is_member: false,
                parent: None,
            })?;
        }
        self.close(own, is_open)
    }
}

/// The start tag for a key.
fn start_of(key: &str) -> BytesStart<'_> {
    if is_name(key) { BytesStart::new(key) } else { BytesStart::new(ITEM).with_attributes([("key", carried(key))]) }
}

/// Whether a key is an XML name that every reader takes (XML 1.0 section 2.3, ASCII, no colon).
fn is_name(key: &str) -> bool {
    let begins = key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    begins && key.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.'))
}

/// The text with U+FFFD for each character that XML 1.0 section 2.2 leaves out.
fn carried(text: &str) -> Cow<'_, str> {
    if text.contains(is_left_out) { Cow::Owned(text.replace(is_left_out, "\u{FFFD}")) } else { Cow::Borrowed(text) }
}

/// Whether XML 1.0 has no way to write a character, not even as a reference.
fn is_left_out(character: char) -> bool {
    matches!(character, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::wire::oracle;

    fn written(value: &Value) -> String {
        to_string(value.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn writes_the_documented_forms() {
        let answer = json!({
            "data": {"failed": {}, "users_modified": ["example", "user"]},
            "metadata": {"command": "c", "reason": "OK", "result": 1, "version": 1}
        });
        assert_eq!(
            written(&answer),
            "<result><data><failed/><users_modified>example</users_modified><users_modified>user</users_modified></data>\
             <metadata><command>c</command><reason>OK</reason><result>1</result><version>1</version></metadata></result>"
        );
        assert_eq!(
            written(&json!({"data": null, "errors": ["a"], "warnings": []})),
            "<result><data/><errors>a</errors><warnings/></result>"
        );
    }

    #[test]
    fn a_key_that_is_no_xml_name_becomes_an_item() {
        assert_eq!(
            written(&json!({"user@example.com": 1})),
            r#"<result><item key="user@example.com">1</item></result>"#
        );
        assert_eq!(
            written(&json!({"a:b": [{}, "x"]})),
            r#"<result><item key="a:b"/><item key="a:b">x</item></result>"#
        );
        assert_eq!(
            written(&json!({"0": "", "-": {}, "": 0})),
            r#"<result><item key="0"/><item key="-"/><item key="">0</item></result>"#
        );
        assert_eq!(
            written(&json!([[1, 2], [3]])),
            "<result><item><item>1</item><item>2</item></item><item><item>3</item></item></result>"
        );
    }

    #[test]
    fn replaces_what_xml_cannot_carry() {
        assert_eq!(
            written(&json!({"a": "\0<]]>\u{FFFF}\r\n"})),
            "<result><a>\u{FFFD}&lt;]]&gt;\u{FFFD}&#13;\n</a></result>"
        );
        assert_eq!(written(&json!({"a\n\u{1}": 1})), "<result><item key=\"a&#10;\u{FFFD}\">1</item></result>");
    }

    /// What the contract says of XML, a second time and in another language: reads pairs of a JSON value and our XML text
    /// with both libxml2 and expat, and answers the pairs that differ.
    const READ_BACK: &str = r#"
import json, re, sys
import xml.etree.ElementTree as expat
import lxml.etree as libxml2

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
LOST = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

def carried(text):
    return LOST.sub("\ufffd", text)

def element(key, value):
    tag, attributes = (key, {}) if NAME.match(key) else ("item", {"key": carried(key)})
    if isinstance(value, dict):
        return [tag, attributes, "", [e for k, v in value.items() for e in entry(k, v)]]
    if isinstance(value, list):
        return [tag, attributes, "", entry("item", value) if value else []]
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return [tag, attributes, carried(text), []]

def entry(key, value):
    return [element(key, v) for v in value] if isinstance(value, list) and value else [element(key, value)]

def read(node):
    return [node.tag, dict(node.attrib), node.text or "", [read(child) for child in node]]

def same(value, text):
    want = element("result", value)
    return all(read(parser.fromstring(text.encode())) == want for parser in (expat, libxml2))

print(json.dumps([[value, text] for value, text in json.load(sys.stdin) if not same(value, text)]))
"#;

    fn read_back_differs(values: &[Value]) -> Value {
        let pairs: Vec<Value> = values.iter().map(|value| json!([value, written(value)])).collect();
        oracle::python(READ_BACK, &json!(pairs))
    }

    #[test]
    fn real_parsers_read_back_hard_texts() {
        let values = oracle::hard_values();
        assert_eq!(read_back_differs(&values), json!([]));
    }

    #[test]
    fn the_oracle_sees_a_difference() {
        let answer = oracle::python(READ_BACK, &json!([["a", "<result>b</result>"], ["a", "<result>a</result>"]]));
        assert_eq!(answer, json!([["a", "<result>b</result>"]]));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 300, ..ProptestConfig::default() })]
        #[test]
        fn real_parsers_read_back_what_the_json_says(values in oracle::values(150)) {
            prop_assert_eq!(read_back_differs(&values), json!([]));
        }
    }
}
