//! Limits on requests (contract section 13), and the refusal of changes by GET.

use serde_json::{Value, json};
use tfa::api::answer::Answer;
use tfa::api::args::Args;

use crate::server::{Server, reason, result};

fn answers(answer: &Value) -> &Vec<Value> {
    answer["data"]["result"].as_array().unwrap()
}

#[test]
fn a_batch_has_at_most_a_hundred_commands() {
    let server = Server::new();
    let batch = |commands: usize| server.whm("root", "batch", json!({"command": vec!["applist"; commands]}));
    assert_eq!(answers(&batch(100)).len(), 100);
    let refused = batch(101);
    assert_eq!((result(&refused), &refused["metadata"]["reason_code"]), (0, &json!("invalid_parameter")));
    assert!(reason(&refused).contains("at most 100 commands"), "{refused}");
}

#[test]
fn a_batch_ends_where_its_answers_would_exceed_sixteen_mebibytes() {
    let accounts: Value =
        (0..4000).map(|n| (format!("{n:0>200}"), json!({"owner": "r"}))).collect::<serde_json::Map<_, _>>().into();
    let server = Server::with(json!({"inline": accounts}));
    let commands = vec!["twofactorauth_get_user_configs"; 100];
    let answer = server.whm("r", "batch", json!({"command": commands}));
    let (last, done) = answers(&answer).split_last().unwrap();
    assert!((10..99).contains(&done.len()), "{}", done.len());
    assert!(done.iter().all(|answer| result(answer) == 1));
    assert_eq!(last["metadata"]["reason_code"], "too_large");
    let args = Args::parse(Some(&json!({"command": commands}).to_string())).unwrap();
    let whole = Answer::from(tfa::api::whmapi1(&server.tfa, "r", "batch", &args));
    let written = tfa::wire::format::Format::Json.write(&whole).unwrap();
    assert!(written.len() < (16 << 20) + 4096, "{}", written.len());
}

#[test]
fn json_bodies_have_the_limits_of_forms() {
    let server = Server::new();
    let path = "/json-api/applist?api.version=1";
    let entries: Vec<_> = (0..10_001).map(|number| format!("\"{number}\":0")).collect();
    let many = format!("{{{}}}", entries.join(","));
    let long = format!("{{\"{}\":0}}", "a".repeat(257));
    for (body, why) in [
        (many.as_str(), "more than 10000 parameters"),
        (&long, "more than 256 bytes"),
        (r#"{"a":1,"a":2}"#, "more than once"),
    ] {
        let response = server.http("root", "POST", path, body);
        assert_eq!(response.status, 400, "{why}");
        assert!(response.body.contains(why), "{}", response.body);
    }
}

#[test]
fn changes_by_get_are_refused_where_post_is_required() {
    let server = Server::configured(json!({"require_post": true}));
    let change = "/json-api/twofactorauth_enable_policy?api.version=1";
    let refused = server.http("root", "GET", change, "");
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains(r#""reason_code":"post_required""#), "{}", refused.body);
    let status = "/json-api/twofactorauth_policy_status?api.version=1";
    assert_eq!(server.get("root", status)["data"], json!({"is_enabled": 0}), "a refused request changes nothing");
    assert!(server.http("root", "POST", change, "").body.contains(r#""result":1"#));
    let uapi = server.http("example", "GET", "/execute/TwoFactorAuth/remove_user_configuration", "");
    assert!(uapi.body.contains("post_required"), "{}", uapi.body);
    let elsewhere = Server::new().http("root", "GET", change, "");
    assert!(elsewhere.body.contains(r#""result":1"#), "it is off by default");
}
