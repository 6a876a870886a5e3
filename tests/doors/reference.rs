//! docs/api.md and README.md: what follows their markers is generated here, from the registry, from answers of the
//! library and from the table of the configuration's keys. The test fails when a file differs; `make generate` writes both.

use std::fmt::Write;
use std::fs;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use tfa::api::caller::Callers;
use tfa::api::refusal::ReasonCode;
use tfa::api::registry::{Api, Effect, FUNCTIONS, Function, MODULE};
use tfa::engine::config::keys::{KEYS, Key};
use tfa::wire::format::Format;

use crate::server::{SECRET, Server, code_at, parsed};

const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/api.md");
const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
/// What stands above a generated part, and below it if more text follows.
const BEGIN: &str = "<!-- generated: make generate -->\n";
const END: &str = "<!-- end of the generated part -->\n";
/// What RFC 3986 section 2.3 leaves as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The time of the examples.
const TIME: u64 = 1_700_000_000;
/// Stands in the place of a secret that is different each time.
const EXAMPLE_SECRET: &str = "CAOXW75HKYJJ6E5Y";

/// The parameters of a function's example, with a secret and its code in their places.
pub fn parameters(function: &Function) -> Map<String, Value> {
    let text = function.example.parameters.replace("{secret}", SECRET).replace("{code}", &code_at(TIME));
    parsed(&text).as_object().unwrap().clone()
}

/// Whether a function is called with a JSON document in place of named values.
fn takes_document(function: &Function) -> bool {
    function.parameters.iter().any(|parameter| parameter.kind == "object")
}

/// Named values, each element of an array on its own.
fn pairs(parameters: &Map<String, Value>) -> Vec<(&str, &str)> {
    let values = |value: &'_ Value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]).len();
    let mut pairs = Vec::new();
    for (name, value) in parameters {
        for place in 0..values(value) {
            let value = value.get(place).unwrap_or(value);
            pairs.push((name.as_str(), value.as_str().unwrap()));
        }
    }
    pairs
}

/// A server where the policy is on, an issuer is set, and root and `example` are enrolled.
pub fn server() -> Server {
    let server = Server::at(TIME);
    server.enforce();
    server.whm("root", "twofactorauth_set_issuer", json!({"issuer": "Example Hosting"}));
    server.enrol("example");
    server.enrol("root");
    server
}

fn encoded(parameters: &Map<String, Value>, separator: &str) -> String {
    let pairs = pairs(parameters);
    let pairs = pairs.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, ENCODED)));
    pairs.collect::<Vec<_>>().join(separator)
}

/// The request that calls a function over HTTP, and its answer in JSON. What changes something is sent by POST.
fn called(function: &Function) -> (String, Value) {
    let server = server();
    let parameters = parameters(function);
    let (path, version) = match function.api {
        Api::Whm => (format!("/cpsess##########/json-api/{}", function.name), "api.version=1"),
        Api::Uapi => (format!("/cpsess##########/execute/{MODULE}/{}", function.name), ""),
    };
    let sent = if takes_document(function) { Value::Object(parameters).to_string() } else { encoded(&parameters, "&") };
    let is_get = function.effect == Effect::Reads;
    let query = if is_get { [version, &sent].join("&").trim_matches('&').to_owned() } else { version.to_owned() };
    let body = if is_get { String::new() } else { sent };
    let target = if query.is_empty() { path } else { format!("{path}?{query}") };
    let method = if is_get { "GET" } else { "POST" };
    let response = server.http(function.example.caller, method, &target, &body);
    assert_eq!(response.status, 200, "{}", response.body);
    let mut answer = parsed(&response.body);
    settle(&mut answer);
    let request = format!("{method} {target}\n\n{body}");
    (request.trim_end().to_owned(), answer)
}

/// Puts fixed texts in the place of random ones.
fn settle(answer: &mut Value) {
    if let Some(uri) = answer["data"]["otpauth_str"].as_str() {
        let secret = answer["data"]["secret"].as_str().unwrap().to_owned();
        answer["data"]["otpauth_str"] = json!(uri.replace(&secret, EXAMPLE_SECRET));
        answer["data"]["secret"] = json!(EXAMPLE_SECRET);
    }
    if let Some(Value::Array(codes)) = answer.pointer_mut("/data/recovery_codes") {
        let shape = codes[0].as_str().unwrap().replace(|character: char| character.is_ascii_alphanumeric(), "X");
        codes.fill(json!(shape));
    }
}

/// The call on the command line, and in C. Secrets and codes are given on standard input.
fn other_doors(function: &Function) -> (String, String) {
    let parameters = parameters(function);
    let is_private =
        takes_document(function) || parameters.contains_key("secret") || parameters.contains_key("tfa_token");
    let (options, given) =
        if is_private { (" --input=json", "< parameters.json".to_owned()) } else { ("", encoded(&parameters, " ")) };
    let command = match function.api {
        Api::Whm => format!("whmapi1{options} {} {given}", function.name),
        Api::Uapi => format!("uapi --user={}{options} {MODULE} {} {given}", function.example.caller, function.name),
    };
    let symbol = match function.symbol() {
        Some(symbol) => format!("{symbol}(tfa, caller, args)"),
        None => format!("tfa_whmapi1(tfa, caller, \"{}\", args)", function.name),
    };
    (command.trim_end().to_owned(), symbol)
}

fn callers(function: &Function) -> &'static str {
    match function.callers {
        Callers::Root => "root",
        Callers::RootAndResellers => "root, resellers",
        Callers::Everybody => "every user, for itself",
    }
}

fn entry(text: &mut String, function: &Function) -> std::fmt::Result {
    writeln!(text, "\n### {}\n\n{}\n\nCallers: {}.\n", function.name, function.about, callers(function))?;
    if !function.parameters.is_empty() {
        writeln!(text, "| parameter | type | | |\n|---|---|---|---|")?;
        for parameter in function.parameters {
            let required = if parameter.required { "required" } else { "optional" };
            writeln!(text, "| `{}` | {} | {required} | {} |", parameter.name, parameter.kind, parameter.about)?;
        }
        writeln!(text)?;
    }
    let (request, answer) = called(function);
    let (command, c) = other_doors(function);
    writeln!(text, "```\n{request}\n```\n\n```\n{command}\n```\n\n```c\n{c}\n```\n")?;
    // The command line wraps the answers of UAPI in an envelope.
    let shown = match function.api {
        Api::Whm => answer.clone(),
        Api::Uapi => json!({"apiversion": 3, "func": function.name, "module": MODULE, "result": answer}),
    };
    let written = |format: Format, value: &Value| format.write(value).unwrap();
    writeln!(text, "```json\n{}\n```\n", written(Format::JsonPretty, &answer))?;
    writeln!(text, "```xml\n{}\n```\n", written(Format::Xml, &shown))?;
    writeln!(text, "```yaml\n{}```", written(Format::Yaml, &shown))
}

fn reason_codes(text: &mut String) -> std::fmt::Result {
    writeln!(text, "\n## Reason codes\n\n| `reason_code` | |\n|---|---|")?;
    ReasonCode::ALL.iter().try_for_each(|code| writeln!(text, "| `{}` | {} |", code.name(), code.about()))
}

fn functions_of(api: Api) -> impl Iterator<Item = &'static Function> {
    FUNCTIONS.iter().filter(move |function| function.api == api)
}

fn reference() -> String {
    let mut text = String::new();
    reason_codes(&mut text).unwrap();
    for (api, heading) in [(Api::Whm, "## WHM API 1"), (Api::Uapi, "## UAPI, module TwoFactorAuth")] {
        writeln!(text, "\n{heading}").unwrap();
        functions_of(api).for_each(|function| entry(&mut text, function).unwrap());
    }
    text
}

/// README's tables of the functions that have a C symbol.
fn tables() -> String {
    let mut text = String::new();
    for (api, heading) in [(Api::Whm, "WHM API 1"), (Api::Uapi, "UAPI `TwoFactorAuth`")] {
        writeln!(text, "\n| {heading} | callers | |\n|---|---|---|").unwrap();
        for function in functions_of(api).filter(|function| function.symbol().is_some()) {
            let (name, about) = (function.name, function.about);
            writeln!(text, "| [`{name}`](docs/api.md#{name}) | {} | {about} |", callers(function)).unwrap();
        }
    }
    text.push('\n');
    text
}

/// README's table of the configuration's keys.
fn configuration() -> String {
    let mut text = String::from("\n| key | default | |\n|---|---|---|\n");
    for Key { name, default, about } in KEYS {
        let is_json = serde_json::from_str::<Value>(default).is_ok();
        let default = if is_json { format!("`{default}`") } else { (*default).to_owned() };
        writeln!(text, "| `{name}` | {default} | {about} |").unwrap();
    }
    text.push('\n');
    text
}

/// Compares the generated parts of a file with `made`, in their order, or writes them.
fn check(path: &str, made: &[String]) {
    let file = fs::read_to_string(path).unwrap();
    let mut parts = file.split(BEGIN);
    let mut whole = parts.next().unwrap_or_default().to_owned();
    let mut made = made.iter();
    for part in parts {
        let after = part.split_once(END).map_or_else(String::new, |(_, after)| format!("{END}{after}"));
        whole.extend([BEGIN, made.next().expect("a marker for each part"), &after]);
    }
    assert!(made.next().is_none(), "{path} has too few markers");
    if std::env::var_os("TFA_GENERATE").is_some() {
        fs::write(path, whole).unwrap();
    } else {
        assert!(whole == file, "{path} is stale: run make generate");
    }
}

#[test]
fn the_reference_shows_the_answers_of_the_library() {
    check(REFERENCE, &[reference()]);
}

#[test]
fn the_readme_lists_the_functions_and_the_keys_of_the_configuration() {
    check(README, &[tables(), configuration()]);
}

#[test]
fn every_example_succeeds() {
    for function in FUNCTIONS {
        let (request, answer) = called(function);
        let bits = [&answer["metadata"]["result"], &answer["status"], &answer["result"]["status"]];
        assert_eq!(bits.into_iter().find_map(Value::as_u64), Some(1), "{request}: {answer}");
    }
}
