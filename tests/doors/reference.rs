//! docs/api.md: everything below its marker is made here, from the registry and from answers that the library gives.
//!
//! The test fails when the file says anything else. `TFA_WRITE_DOCS=1 cargo test --test doors reference` writes it.

use std::fmt::Write;
use std::fs;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use tfa::api::registry::{Callers, Door, FUNCTIONS, Function, MODULE};
use tfa::wire::format::Format;

use crate::house::{House, SECRET, code_at, parsed};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/api.md");
/// What stands above the part that is made.
const MARKER: &str = "<!-- What follows is made by tests/doors/reference.rs. -->\n";
/// What RFC 3986 section 2.3 leaves as it is.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// When the examples happen.
const TIME: u64 = 1_700_000_000;
/// Stands for what is different each time.
const EXAMPLE_SECRET: &str = "CAOXW75HKYJJ6E5Y";

/// What an example sends.
enum Sent {
    Parameters(Vec<(&'static str, String)>),
    Body(Value),
}

/// The caller and the parameters of a function's example.
fn example(function: &Function) -> (&'static str, Sent) {
    let text = str::to_owned;
    let enrolment = vec![("secret", text(SECRET)), ("tfa_token", code_at(TIME))];
    let parameters = match function.name {
        "twofactorauth_set_tfa_config_for_user" => {
            let secrets = json!({"example": {"email": {"user@example.com": {"secret": SECRET}}, "primary_account": {"secret": SECRET}, "team": {}}});
            return ("root", Sent::Body(secrets));
        }
        "twofactorauth_set_tfa_config" | "set_user_configuration" => enrolment,
        "twofactorauth_set_issuer" => vec![("issuer", text("Example Hosting"))],
        "twofactorauth_remove_user_config" => vec![("user-0", text("example")), ("user-1", text("nobody"))],
        "twofactorauth_verify_login" => vec![("user", text("example")), ("tfa_token", code_at(TIME))],
        "twofactorauth_login_status" | "twofactorauth_unlock_user" | "twofactorauth_get_tfa_config_for_user" => {
            vec![("user", text("example"))]
        }
        "batch" => vec![
            ("command", text("twofactorauth_policy_status")),
            ("command", text("twofactorauth_get_user_configs?user=example")),
            ("abort_on_error", text("1")),
        ],
        "uapi_cpanel" => vec![
            ("cpanel.user", text("example")),
            ("cpanel.module", text(MODULE)),
            ("cpanel.function", text("get_user_configuration")),
        ],
        "cpanel" => vec![
            ("cpanel_jsonapi_user", text("example")),
            ("cpanel_jsonapi_module", text(MODULE)),
            ("cpanel_jsonapi_func", text("get_user_configuration")),
            ("cpanel_jsonapi_apiversion", text("3")),
        ],
        "get_team_user_configuration" => vec![("team_user", text("team_user"))],
        _ => Vec::new(),
    };
    let caller = match function.door {
        Door::Whm => "root",
        // Enrolment is shown for who has none yet.
        Door::Uapi if matches!(function.name, "generate_user_configuration" | "set_user_configuration") => "other",
        Door::Uapi => "example",
    };
    (caller, Sent::Parameters(parameters))
}

/// A house where the policy is on, an issuer is set, and root and `example` are enrolled.
fn house() -> House {
    let house = House::at(TIME);
    house.enforce();
    house.whm("root", "twofactorauth_set_issuer", json!({"issuer": "Example Hosting"}));
    house.enrol("example");
    house.enrol("root");
    house
}

fn encoded(parameters: &[(&str, String)], separator: &str) -> String {
    let pairs = parameters.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, ENCODED)));
    pairs.collect::<Vec<_>>().join(separator)
}

/// How a function is called by URL, and its answer in JSON.
fn called(function: &Function) -> (String, Value) {
    let house = house();
    let (caller, sent) = example(function);
    let (path, mut query) = match function.door {
        Door::Whm => (format!("/cpsess##########/json-api/{}", function.name), "api.version=1".to_owned()),
        Door::Uapi => (format!("/cpsess##########/execute/{MODULE}/{}", function.name), String::new()),
    };
    let (method, body) = match sent {
        Sent::Parameters(parameters) => {
            let more = encoded(&parameters, "&");
            query = [query, more].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("&");
            ("GET", String::new())
        }
        Sent::Body(body) => ("POST", body.to_string()),
    };
    let target = if query.is_empty() { path } else { format!("{path}?{query}") };
    let response = house.http(caller, method, &target, &body);
    assert_eq!(response.status, 200, "{}", response.body);
    let mut answer = parsed(&response.body);
    settle(&mut answer);
    let request = format!("{method} {target}\n{body}");
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

/// How it is called on the command line, and from C.
fn other_doors(function: &Function) -> (String, String) {
    let (caller, sent) = example(function);
    let (options, parameters) = match sent {
        Sent::Parameters(parameters) => ("", encoded(&parameters, " ")),
        Sent::Body(_) => (" --input=json", "< secrets.json".to_owned()),
    };
    let command = match function.door {
        Door::Whm => format!("whmapi1{options} {} {parameters}", function.name),
        Door::Uapi => format!("uapi --user={caller}{options} {MODULE} {} {parameters}", function.name),
    };
    let symbol = match function.symbol() {
        Some(symbol) => format!("{symbol}(tfa, caller, args)"),
        None => format!("tfa_whmapi1(tfa, caller, \"{}\", args)", function.name),
    };
    (command.trim_end().to_owned(), symbol)
}

fn entry(text: &mut String, function: &Function) -> std::fmt::Result {
    let callers = match function.callers {
        Callers::Root => "root",
        Callers::RootAndResellers => "root, resellers",
        Callers::Everybody => "everybody, for itself",
    };
    writeln!(text, "\n### {}\n\n{}\n\nCallers: {callers}.\n", function.name, function.about)?;
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
    // The command line has UAPI's answers in an envelope.
    let shown = match function.door {
        Door::Whm => answer.clone(),
        Door::Uapi => json!({"apiversion": 3, "func": function.name, "module": MODULE, "result": answer}),
    };
    let written = |format: Format, value: &Value| format.write(value).unwrap();
    writeln!(text, "```json\n{}\n```\n", written(Format::JsonPretty, &answer))?;
    writeln!(text, "```xml\n{}\n```\n", written(Format::Xml, &shown))?;
    writeln!(text, "```yaml\n{}```", written(Format::Yaml, &shown))
}

fn reference() -> String {
    let mut text = String::new();
    for (door, heading) in [(Door::Whm, "## WHM API 1"), (Door::Uapi, "## UAPI, module TwoFactorAuth")] {
        writeln!(text, "\n{heading}").unwrap();
        for function in FUNCTIONS.iter().filter(|function| function.door == door) {
            entry(&mut text, function).unwrap();
        }
    }
    text
}

#[test]
fn the_reference_says_what_the_library_does() {
    let file = fs::read_to_string(FILE).unwrap();
    let (before, after) = file.split_once(MARKER).expect("docs/api.md has its marker");
    let made = reference();
    if std::env::var_os("TFA_WRITE_DOCS").is_some() {
        fs::write(FILE, format!("{before}{MARKER}{made}")).unwrap();
    } else {
        assert!(after == made, "docs/api.md is stale: TFA_WRITE_DOCS=1 cargo test --test doors reference");
    }
}

#[test]
fn every_example_works() {
    for function in FUNCTIONS {
        let (request, answer) = called(function);
        let bits = [&answer["metadata"]["result"], &answer["status"], &answer["result"]["status"]];
        assert_eq!(bits.into_iter().find_map(Value::as_u64), Some(1), "{request}: {answer}");
    }
}
