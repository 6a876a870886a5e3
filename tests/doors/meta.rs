//! `applist`, `batch`, `uapi_cpanel` and `cpanel`. Promise: the rules are those of a direct call.

use serde_json::{Value, json};

use crate::server::{SECRET, Server, code, reason, result};

fn commands(answer: &Value) -> Vec<(&str, u64)> {
    let answers = answer["data"]["result"].as_array().unwrap();
    answers.iter().map(|answer| (answer["metadata"]["command"].as_str().unwrap(), result(answer))).collect()
}

#[test]
fn applist_lists_the_functions_that_the_caller_may_call() {
    let server = Server::new();
    let names = |caller| server.whm(caller, "applist", json!({}))["data"]["app"].clone();
    let (root, reseller) = (names("root"), names("reseller"));
    for name in ["applist", "batch", "cpanel", "uapi_cpanel", "twofactorauth_policy_status"] {
        assert!(root.as_array().unwrap().contains(&json!(name)) && reseller.as_array().unwrap().contains(&json!(name)));
    }
    for name in ["twofactorauth_enable_policy", "twofactorauth_verify_login"] {
        assert!(
            root.as_array().unwrap().contains(&json!(name)) && !reseller.as_array().unwrap().contains(&json!(name))
        );
    }
    for name in root.as_array().unwrap() {
        let answer = server.whm("reseller", name.as_str().unwrap(), json!({}));
        let listed = reseller.as_array().unwrap().contains(name);
        assert_eq!(listed, !reason(&answer).starts_with("You are not authorized to call"), "{name}");
    }
    let refused = server.whm("example", "applist", json!({}));
    assert_eq!(reason(&refused), r#"You are not authorized to call "applist"."#);
}

#[test]
fn a_batch_runs_its_commands_in_order() {
    let server = Server::new();
    let answer = server.whm(
        "root",
        "batch",
        json!({"command": ["twofactorauth_enable_policy", "twofactorauth_policy_status", "nonsense",
            "twofactorauth_get_user_configs?user=example&api.columns.enable=1&api.columns.a=is_enabled"]}),
    );
    assert_eq!(result(&answer), 1);
    let of = commands(&answer);
    assert_eq!(
        of,
        [
            ("twofactorauth_enable_policy", 1),
            ("twofactorauth_policy_status", 1),
            ("nonsense", 0),
            ("twofactorauth_get_user_configs", 1)
        ]
    );
    let answers = &answer["data"]["result"];
    assert_eq!(answers[0].as_object().unwrap().keys().collect::<Vec<_>>(), ["metadata"]);
    assert_eq!(answers[1]["data"], json!({"is_enabled": 1}));
    assert_eq!(
        answers[2]["metadata"]["reason"],
        r#"Unknown app ("nonsense") requested for this version (1) of the API."#
    );
    assert_eq!(answers[3]["data"], json!({"example": {"is_enabled": 0}}));
}

#[test]
fn abort_on_error_ends_a_batch_at_the_first_failure() {
    let server = Server::new();
    let three = json!(["twofactorauth_policy_status", "nonsense", "twofactorauth_enable_policy"]);
    for abort in [json!(1), json!("1"), json!(true)] {
        let answer = server.whm("root", "batch", json!({"command": three, "abort_on_error": abort}));
        assert_eq!(commands(&answer), [("twofactorauth_policy_status", 1), ("nonsense", 0)]);
    }
    assert_eq!(server.whm("root", "twofactorauth_policy_status", json!({}))["data"], json!({"is_enabled": 0}));
    for abort in [json!(0), json!("0"), json!(""), json!(null)] {
        let answer = server.whm("root", "batch", json!({"command": three, "abort_on_error": abort}));
        assert_eq!(commands(&answer).len(), 3);
    }
    assert_eq!(server.whm("root", "twofactorauth_policy_status", json!({}))["data"], json!({"is_enabled": 1}));
}

#[test]
fn an_invalid_batch_is_refused() {
    let server = Server::new();
    for (args, expected) in [
        (json!({}), r#"The parameter "command" is required."#),
        (json!({"command": []}), r#"The parameter "command" is required."#),
        (json!({"command": [1]}), r#"The parameter "command" is not valid: it is not a string."#),
        (
            json!({"command": "x", "abort_on_error": "yes"}),
            r#"The parameter "abort_on_error" is not valid: it is 0 or 1."#,
        ),
    ] {
        let answer = server.whm("root", "batch", args);
        assert_eq!((result(&answer), reason(&answer)), (0, expected));
    }
    let nested = server.whm("root", "batch", json!({"command": "batch?command=applist"}));
    assert_eq!(
        nested["data"]["result"][0]["metadata"]["reason"],
        r#"The parameter "command" is not valid: a batch cannot be in a batch."#
    );
    let unreadable = server.whm("root", "batch", json!({"command": "twofactorauth_set_issuer?issuer=%FF"}));
    assert!(unreadable["data"]["result"][0]["metadata"]["reason"].as_str().unwrap().contains("UTF-8"));
}

#[test]
fn a_batch_has_the_rights_of_its_caller() {
    let server = Server::new();
    let answer = server.whm(
        "reseller",
        "batch",
        json!({"command": ["twofactorauth_enable_policy", "twofactorauth_unlock_user?user=other"]}),
    );
    let reasons: Vec<_> = answer["data"]["result"].as_array().unwrap().iter().map(reason).collect();
    assert_eq!(
        reasons,
        [
            r#"You are not authorized to call "twofactorauth_enable_policy"."#,
            r#"You are not authorized to modify "other""#
        ]
    );
}

#[test]
fn numbered_commands_form_a_batch() {
    let server = Server::new();
    let answer = server.whm("root", "batch", json!({"command-0": "applist", "command-1": "twofactorauth_get_issuer"}));
    assert_eq!(commands(&answer), [("applist", 1), ("twofactorauth_get_issuer", 1)]);
}

fn through_uapi_cpanel(user: &str, function: &str) -> Value {
    json!({"cpanel.user": user, "cpanel.module": "TwoFactorAuth", "cpanel.function": function})
}

fn through_cpanel(user: &str, function: &str) -> Value {
    json!({"cpanel_jsonapi_user": user, "cpanel_jsonapi_module": "TwoFactorAuth", "cpanel_jsonapi_func": function,
        "cpanel_jsonapi_apiversion": "3"})
}

#[test]
fn whm_calls_uapi_for_a_user() {
    let server = Server::new();
    server.enforce();
    let direct = server.uapi("example", "get_user_configuration", json!({}));
    assert_eq!(direct["data"], json!({"is_enabled": 0, "issuer": "server.example.com"}));
    for caller in ["root", "reseller"] {
        let answer = server.whm(caller, "uapi_cpanel", through_uapi_cpanel("example", "get_user_configuration"));
        assert_eq!(
            answer,
            json!({"data": {"uapi": direct}, "metadata": {"command": "uapi_cpanel", "reason": "OK", "result": 1, "version": 1}})
        );
        let answer = server.whm(caller, "cpanel", through_cpanel("example", "get_user_configuration"));
        let keys: Vec<_> = answer.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["apiversion", "func", "module", "result"]);
        assert_eq!(
            answer,
            json!({"apiversion": 3, "func": "get_user_configuration", "module": "TwoFactorAuth", "result": direct})
        );
    }
}

#[test]
fn the_parameters_of_the_inner_function_are_passed_on() {
    let server = Server::new();
    server.enforce();
    let mut args = through_uapi_cpanel("user@example.com", "set_user_configuration");
    args["secret"] = json!(SECRET);
    args["tfa_token"] = json!(code());
    let answer = server.whm("reseller", "uapi_cpanel", args);
    assert_eq!(answer["data"]["uapi"]["data"], json!({"tfa_configured": 1}));
    let status = server.uapi("user@example.com", "get_user_configuration", json!({}));
    assert_eq!(status["data"]["is_enabled"], 1);
}

#[test]
fn a_failure_of_the_inner_function_is_part_of_the_answer() {
    let server = Server::new();
    let answer = server.whm("root", "uapi_cpanel", through_uapi_cpanel("example", "generate_user_configuration"));
    assert_eq!(result(&answer), 1);
    assert_eq!(answer["data"]["uapi"]["status"], 0);
    assert_eq!(answer["data"]["uapi"]["errors"], json!(["Two-factor authentication is not enabled on this server."]));
    let answer = server.whm("root", "cpanel", through_cpanel("example", "nonsense"));
    assert_eq!(answer["result"]["status"], 0);
}

#[test]
fn whm_calls_uapi_only_for_users_that_the_caller_manages() {
    let server = Server::new();
    for (make, function) in [
        (through_uapi_cpanel as fn(&str, &str) -> Value, "uapi_cpanel"),
        (through_cpanel as fn(&str, &str) -> Value, "cpanel"),
    ] {
        for (caller, user, expected) in [
            ("reseller", "other", r#"You are not authorized to modify "other""#),
            ("reseller", "root", r#"You are not authorized to modify "root""#),
            ("reseller", "absent", r#"You are not authorized to modify "absent""#),
            ("root", "absent", r#"The user "absent" does not exist."#),
            ("example", "example", &format!(r#"You are not authorized to call "{function}"."#)),
        ] {
            let answer = server.whm(caller, function, make(user, "remove_user_configuration"));
            assert_eq!((result(&answer), reason(&answer)), (0, expected));
        }
    }
    let mut old = through_cpanel("example", "get_user_configuration");
    old["cpanel_jsonapi_apiversion"] = json!("2");
    let answer = server.whm("root", "cpanel", old);
    assert_eq!(
        reason(&answer),
        r#"The parameter "cpanel_jsonapi_apiversion" is not valid: it must be 3, which is UAPI."#
    );
}

#[test]
fn uapi_cpanel_and_cpanel_work_in_a_batch() {
    let server = Server::new();
    let inner = "TwoFactorAuth";
    let answer = server.whm(
        "reseller",
        "batch",
        json!({"command": [
            format!("uapi_cpanel?cpanel.user=example&cpanel.module={inner}&cpanel.function=get_user_configuration"),
            format!("cpanel?cpanel_jsonapi_user=example&cpanel_jsonapi_module={inner}&cpanel_jsonapi_func=get_user_configuration&cpanel_jsonapi_apiversion=3"),
        ]}),
    );
    assert_eq!(commands(&answer), [("uapi_cpanel", 1), ("cpanel", 1)]);
    assert_eq!(answer["data"]["result"][0]["data"]["uapi"]["status"], 1);
    assert_eq!(answer["data"]["result"][1]["data"]["result"]["status"], 1);
}
