//! For tests: parsers in other languages, one process for a batch of cases, and values that are difficult to write.

use std::io::Write;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Texts that are difficult to write: they look like another type or like syntax, or need escapes.
const HARD: &[&str] = &[
    "",
    " ",
    "a ",
    " a",
    "no",
    "No",
    "n",
    "y",
    "yes",
    "on",
    "off",
    "true",
    "TRUE",
    "null",
    "Null",
    "~",
    "0",
    "-1",
    "+1",
    "1e3",
    "1.5",
    "1.",
    ".5",
    "0x1F",
    "0o17",
    "017",
    "0b11",
    "012345",
    "1_000",
    "12:30:45",
    "2001-01-01",
    "2001-12-14t21:59:43.10-05:00",
    ".inf",
    "-.inf",
    ".nan",
    "NaN",
    "=",
    "<<",
    "-",
    "- a",
    "--- ",
    "---",
    "...",
    "?",
    "? a",
    ":",
    "a:",
    "a: b",
    ":a",
    "#x",
    "a #x",
    "&a",
    "*a",
    "!a",
    "%a",
    "@a",
    "`a",
    "|",
    ">",
    "|-",
    "{",
    "}",
    "{}",
    "[",
    "]",
    "[]",
    ",",
    "a, b",
    "'",
    "''",
    "\"",
    "\"q\"",
    "it's",
    "\\",
    "\\n",
    "a\nb",
    "a\n",
    "\n",
    "\na",
    "a\n\n b",
    "\ta",
    "\t\na",
    "a\tb",
    "a\r\nb",
    "\r",
    "\0",
    "\u{1}",
    "\u{1b}[0m",
    "\u{7f}",
    "\u{80}",
    "\u{85}",
    "\u{a0}",
    "\u{2028}",
    "\u{2029}",
    "\u{feff}",
    "\u{fffe}",
    "\u{ffff}",
    "\u{fffd}",
    "\u{e000}",
    "\u{10ffff}",
    "é",
    "😀",
    "<a>",
    "</result>",
    "]]>",
    "<![CDATA[x]]>",
    "&amp;",
    "&#0;",
    "<!--",
    "<?x?>",
    "xml",
    "XMLa",
    "item",
    "key",
    "a:b",
    "_a",
    "-a",
    ".a",
    "a.b-c_d",
    "user@example.com",
    "team_user@example",
    "example",
];

/// Every hard text as a value, a key and a member, and nested; and empty values.
pub fn hard_values() -> Vec<Value> {
    let mut values =
        vec![json!(null), json!(true), json!(0), json!(-1), json!(u64::MAX), json!(i64::MIN), json!({}), json!([])];
    values.push(json!({"a": {}, "b": [], "c": null, "d": [[], {}, [[]]]}));
    values.push(json!({"x".repeat(2000): "word ".repeat(1000)}));
    for text in HARD {
        values.extend([json!(text), json!([text]), json!({"k": text}), json!({*text: 1})]);
        values.push(json!({"a": [{*text: text, "b": [text, [text]]}]}));
        values.push(json!({*text: {*text: [text]}}));
    }
    values
}

/// A strategy for `count` values that are as deep as answers and contain hard texts.
pub fn values(count: usize) -> impl Strategy<Value = Vec<Value>> {
    proptest::collection::vec(value(), count)
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        4 => text().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 24, 5, |inner| {
        let map = proptest::collection::vec((text(), inner.clone()), 0..5);
        prop_oneof![
            map.prop_map(|entries| Value::Object(Map::from_iter(entries))),
            proptest::collection::vec(inner, 0..5).prop_map(Value::Array),
        ]
    })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(HARD).prop_map(str::to_owned),
        proptest::collection::vec(proptest::sample::select(HARD), 1..5).prop_map(|parts| parts.concat()),
        proptest::collection::vec(any::<char>(), 0..12).prop_map(String::from_iter),
        "[ -~\n\t]{0,60}",
    ]
}

/// The JSON that a Python script writes for the JSON on its standard input.
pub fn python(script: &str, input: &Value) -> Value {
    ask(Command::new("/usr/bin/python3").args(["-I", "-c", script]), input)
}

/// The same for a Perl script.
pub fn perl(script: &str, input: &Value) -> Value {
    ask(Command::new("/usr/bin/perl").args(["-e", script]), input)
}

fn ask(command: &mut Command, input: &Value) -> Value {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the interpreter is installed");
    // The scripts read all of their input before they write, so that neither side waits for the other.
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the oracle failed; its message is above");
    serde_json::from_slice(&output.stdout).unwrap()
}
