//! Secrets of users, out and in (contract section 2): the keys of an entry, and errors that name the user.

use serde_json::{Value, json};

use crate::server::{SECRET, Server, reason, result};

const SET: &str = "twofactorauth_set_tfa_config_for_user";
const GET: &str = "twofactorauth_get_tfa_config_for_user";

fn of_example(entry: Value) -> Value {
    json!({"example": {"primary_account": entry}})
}

#[test]
fn the_format_of_codes_moves_with_the_secret() {
    let server = Server::new();
    let entry = json!({"secret": SECRET, "algorithm": "SHA256", "digits": 8, "period": 60});
    assert_eq!(result(&server.whm("root", SET, of_example(entry.clone()))), 1);
    let exported = server.whm("root", GET, json!({"user": "example"}))["data"].clone();
    assert_eq!(exported["example"]["primary_account"], entry);
    assert_eq!(result(&server.whm("root", SET, exported)), 1, "what is exported is accepted");
    let usual = json!({"secret": SECRET, "algorithm": "SHA1", "digits": 6, "period": 30});
    assert_eq!(result(&server.whm("root", SET, of_example(usual))), 1);
    let exported = server.whm("root", GET, json!({"user": "example"}))["data"].clone();
    assert_eq!(exported["example"]["primary_account"], json!({"secret": SECRET}), "usual values are left out");
}

#[test]
fn errors_name_the_user_and_nothing_is_written() {
    let server = Server::new();
    for (entry, code) in [
        (json!({"secret": SECRET, "digit": 8}), "invalid_parameter"),
        (json!({"secret": SECRET, "digits": 9}), "invalid_parameter"),
        (json!({"secret": SECRET, "digits": "8"}), "invalid_parameter"),
        (json!({"secret": SECRET, "period": 0}), "invalid_parameter"),
        (json!({"secret": SECRET, "algorithm": "MD5"}), "invalid_parameter"),
        (json!({"secret": "short"}), "invalid_secret"),
        (json!({"secret": "AAAAAAAAAAAAAAAA"}), "invalid_parameter"),
        (json!({"digits": 6}), "parameter_required"),
    ] {
        let body = json!({"example": {
            "primary_account": {"secret": SECRET},
            "email": {"user@example.com": entry},
        }});
        let refused = server.whm("root", SET, body);
        assert_eq!((result(&refused), &refused["metadata"]["reason_code"]), (0, &json!(code)), "{refused}");
        assert!(reason(&refused).contains("user@example.com: "), "{refused}");
        assert!(!reason(&refused).contains(SECRET));
    }
    let status = server.whm("root", "twofactorauth_login_status", json!({"user": "example"}));
    assert_eq!(status["data"]["is_enabled"], 0);
}
