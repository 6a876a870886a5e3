//! Every function's answers, success and failure, as JSON, XML and YAML, read back by independent parsers.
//!
//! Promise: all formats of an answer have the same content. Unit tests of the writers cover arbitrary values.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tfa::api::registry::{Api, FUNCTIONS};
use tfa::wire::format::{FORMATS, Format};

use crate::reference;
use crate::server::{SECRET, Server};

/// Reads [[JSON, pretty JSON, XML, YAML], …], and prints the indices of those that differ.
const READ_BACK: &str = r#"
import json, sys, yaml
import lxml.etree

def from_json(path, value):
    if isinstance(value, dict) and value:
        return [leaf for key, inner in value.items() for leaf in from_json(path + [key], inner)]
    if isinstance(value, list) and value:
        return [leaf for inner in value for leaf in from_json(path, inner)]
    text = value if isinstance(value, str) else "" if value is None or value == {} or value == [] else json.dumps(value)
    return [[path, text]]

def from_xml(path, node):
    path = path + [node.get("key") or node.tag]
    return [leaf for child in node for leaf in from_xml(path, child)] if len(node) else [[path, node.text or ""]]

def same(texts):
    want = json.loads(texts[0])
    return json.loads(texts[1]) == want and from_xml([], lxml.etree.fromstring(texts[2].encode())) == from_json(["result"], want) \
        and all(yaml.load(texts[3], loader) == want for loader in (yaml.SafeLoader, yaml.CSafeLoader))

print(json.dumps([place for place, texts in enumerate(json.load(sys.stdin)) if not same(texts)]))
"#;

/// The same for YAML::XS, with every scalar as text, since Perl does not distinguish them.
const YAML_XS: &str = r#"
use strict; use warnings; use JSON::PP; use YAML::XS;
my $json = JSON::PP->new->utf8->ascii->canonical->allow_nonref;
sub texts {
    my ($value) = @_;
    return [map { texts($_) } @$value] if ref $value eq 'ARRAY';
    return {map { $_ => texts($value->{$_}) } keys %$value} if ref $value eq 'HASH';
    return defined $value ? "$value" : undef;
}
my $all = $json->decode(do { local $/; <STDIN> });
my @differ = grep {
    my ($want, $yaml) = @{$all->[$_]}[0, 3];
    utf8::encode($_) for $want, $yaml;
    $json->encode(texts($json->decode($want))) ne $json->encode(texts(YAML::XS::Load($yaml)));
} 0 .. $#$all;
print $json->encode(\@differ);
"#;

/// The output of a command for `input`.
fn filter(command: &mut Command, input: &str) -> String {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the reader is installed");
    let mut pipe = child.stdin.take().unwrap();
    let input = input.to_owned();
    let writer = std::thread::spawn(move || pipe.write_all(input.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "{command:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The answer in every format: JSON, pretty JSON, XML, YAML.
fn written(answer: &Value) -> [String; 4] {
    [Format::Json, Format::JsonPretty, Format::Xml, Format::Yaml].map(|format| format.write(answer).unwrap())
}

fn check(answers: &[Value]) {
    let all = Value::from_iter(answers.iter().map(|answer| json!(written(answer)))).to_string();
    assert_eq!(filter(Command::new("/usr/bin/python3").args(["-I", "-c", READ_BACK]), &all).trim(), "[]");
    assert_eq!(filter(Command::new("perl").args(["-e", YAML_XS]), &all).trim(), "[]");
    let all: Vec<_> = answers.iter().map(written).collect();
    let of = |format: usize| all.iter().map(|texts| texts[format].as_str()).collect::<Vec<_>>().join("\n");
    let jq = |text: &str| filter(Command::new("jq").args(["--compact-output", "--sort-keys", "."]), text);
    let sorted = jq(&of(0));
    let read: Vec<Value> = sorted.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, answers);
    assert_eq!(jq(&of(1)), sorted);
    filter(Command::new("xmllint").args(["--nonet", "--noout", "-"]), &format!("<all>{}</all>", of(2)));
}

/// Whether a call worked, in any envelope.
fn outcome(answer: &Value) -> u64 {
    let bits = [&answer["metadata"]["result"], &answer["status"], &answer["result"]["status"]];
    bits.into_iter().find_map(Value::as_u64).unwrap()
}

#[test]
fn every_format_of_every_function_has_the_same_content() {
    let mut answers = Vec::new();
    for function in FUNCTIONS {
        let server = reference::server();
        let args = Value::Object(reference::parameters(function));
        let call = |caller| match function.api {
            Api::Whm => server.whm(caller, function.name, args.clone()),
            Api::Uapi => server.uapi(caller, function.name, args.clone()),
        };
        let (done, refused) = (call(function.example.caller), call("nobody"));
        assert_eq!((outcome(&done), outcome(&refused)), (1, 0), "{}: {done}", function.name);
        answers.extend([done, refused]);
    }
    check(&answers);
}

/// Issuers that mean something else in one of the formats, or look like it.
const ISSUERS: [&str; 29] = [
    "no",
    "null",
    "1e3",
    "0x1F",
    "012345",
    "- a",
    "a: b",
    "#x",
    "a #x",
    "'",
    "\"",
    "]]>",
    "<![CDATA[",
    "&#0;",
    "😀",
    " a ",
    "\u{feff}a",
    "\u{2028}",
    "\u{fffd}",
    "~",
    "2001-01-01",
    "12:30:45",
    "%41",
    "\\n",
    "---",
    "...",
    "?",
    "| a",
    "> a",
];

#[test]
fn names_and_texts_with_a_meaning_in_the_formats_come_back_unchanged() {
    let accounts: serde_json::Map<_, _> = [
        "no", "null", "1e3", "0x1F", "012345", "-", "~", "#x", "]]>", "&amp;", "<a>", "é", "😀", "=", "<<", "true",
        "1_000", "{", "*a", "!a",
    ]
    .into_iter()
    .map(|name| (name.to_owned(), json!({"domain": name})))
    .collect();
    let server = Server::with(json!({"inline": accounts}));
    let mut answers = vec![
        server.whm("root", "twofactorauth_get_user_configs", json!({})),
        server.whm("root", "twofactorauth_remove_user_config", json!({"user": ["<no>", "- a", "null"]})),
        server.whm("root", "batch", json!({"command": ["applist", "<x>"]})),
    ];
    for issuer in ISSUERS {
        let done = server.whm("root", "twofactorauth_set_issuer", json!({ "issuer": issuer }));
        assert_eq!(done["metadata"]["result"], 1, "{issuer:?}");
        let read = server.whm("root", "twofactorauth_get_issuer", json!({}));
        assert_eq!(read["data"]["issuer"], issuer);
        answers.extend([read, server.whm("root", issuer, json!({}))]);
    }
    check(&answers);
}

#[test]
fn control_characters_and_long_texts_are_refused() {
    let server = Server::new();
    for issuer in ["a\nb", "\u{0}", "\u{85}", &"x".repeat(64 * 1024)] {
        let answer = server.whm("root", "twofactorauth_set_issuer", json!({ "issuer": issuer }));
        assert!(answer["metadata"]["reason"].as_str().unwrap().starts_with("The parameter \"issuer\" is not valid: "));
    }
}

#[test]
fn the_readers_notice_a_difference() {
    let answer = json!({"a": "1", "b": null});
    let mut texts = written(&answer);
    texts[3] = "---\na: 1\nb: null\n".to_owned();
    let all = json!([written(&answer), texts]).to_string();
    assert_eq!(filter(Command::new("/usr/bin/python3").args(["-I", "-c", READ_BACK]), &all).trim(), "[1]");
    texts[3] = "---\na: \"1\"\nb: \"null\"\n".to_owned();
    let all = json!([written(&answer), texts]).to_string();
    assert_eq!(filter(Command::new("perl").args(["-e", YAML_XS]), &all).trim(), "[1]");
    assert_eq!(FORMATS.len(), texts.len(), "every format is read back");
}

#[test]
fn xml_api_paths_return_xml() {
    let server = Server::new();
    let response = server.http(
        "root",
        "GET",
        "/xml-api/twofactorauth_remove_user_config?api.version=1&user-0=example&user-1=user%40example.com",
        "",
    );
    assert_eq!((response.status, response.content_type), (200, "application/xml"));
    assert_eq!(
        response.body,
        "<result><data><failed/><users_modified>example</users_modified><users_modified>user@example.com</users_modified></data>\
         <metadata><command>twofactorauth_remove_user_config</command><reason>OK</reason><result>1</result><version>1</version></metadata></result>"
    );
    server.enrol("example");
    let args = json!({"example": {"email": {"user@example.com": {"secret": SECRET}}}});
    server.whm("root", "twofactorauth_set_tfa_config_for_user", args);
    let response =
        server.http("root", "GET", "/xml-api/twofactorauth_get_tfa_config_for_user?api.version=1&user=example", "");
    assert!(
        response
            .body
            .contains(&format!(r#"<email><item key="user@example.com"><secret>{SECRET}</secret></item></email>"#))
    );
    let response = server.http("root", "GET", "/xml-api/nonsense", "");
    assert_eq!(
        response.body,
        "<result><metadata><command>nonsense</command><reason>The parameter &quot;api.version&quot; is required.</reason><reason_code>parameter_required</reason_code><result>0</result>\
         <version>1</version></metadata></result>"
    );
}
