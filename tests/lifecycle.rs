//! The life of an account in the API (contract section 15): a login with the enrolment of an earlier account is refused, and
//! root renames and removes accounts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::ffi::CString;
use std::sync::Arc;

use serde_json::{Value, json};
use tfa::api::args::Args;
use tfa::api::whmapi1;
use tfa::clock::ManualClock;
use tfa::engine::Tfa;
use tfa::engine::config::Config;
use tfa::ffi::login::{TFA_DENIED, TFA_UNANSWERED, tfa_login};

const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const NOW: u64 = 1_800_000_015;

/// Opens the store in `folder`, for an account `Example` that was created at `created`.
fn open(folder: &tempfile::TempDir, created: u64) -> Tfa {
    let config = json!({
        "create": true, "store": format!("sqlite:{}", folder.path().join("tfa.db").display()),
        "accounts": {"inline": {"Example": {"domain": "example.com", "created": created}}},
    });
    Tfa::open_with_clock(Config::parse(Some(&config.to_string())).unwrap(), Arc::new(ManualClock::at(NOW))).unwrap()
}

fn whm(tfa: &Tfa, function: &str, args: Value) -> Value {
    json!(whmapi1(tfa, "root", function, &Args::parse(Some(&args.to_string())).unwrap()))
}

/// Enables the policy and enrols the account and a mailbox.
fn enrol(tfa: &Tfa) {
    whm(tfa, "twofactorauth_enable_policy", json!({}));
    let secrets = json!({"Example": {
        "primary_account": {"secret": SECRET}, "email": {"user@example.com": {"secret": SECRET}}}});
    assert_eq!(whm(tfa, "twofactorauth_set_tfa_config_for_user", secrets)["metadata"]["result"], 1);
}

#[test]
fn a_login_with_the_enrolment_of_an_earlier_account_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    enrol(&open(&folder, NOW));
    for (created, result, reason_code, c_result) in
        [(NOW, 1, Value::Null, TFA_DENIED), (NOW + 1, 0, json!("stale_enrolment"), TFA_UNANSWERED)]
    {
        for user in ["Example", "user@example.com"] {
            let mut tfa = open(&folder, created);
            let answer = whm(&tfa, "twofactorauth_verify_login", json!({"user": user, "tfa_token": "x"}));
            assert_eq!(answer["metadata"]["result"], result, "{answer}");
            assert_eq!(answer["metadata"]["reason_code"], reason_code, "{answer}");
            let (subject, handle) = (CString::new(user).unwrap(), &raw mut tfa);
            // SAFETY: the handle and the strings outlive the calls.
            let results = unsafe {
                [
                    tfa_login(handle, subject.as_ptr(), c"x".as_ptr()),
                    tfa_login(handle, subject.as_ptr(), std::ptr::null()),
                ]
            };
            assert_eq!(results, [c_result; 2]);
        }
    }
}

#[test]
fn root_renames_and_removes_accounts_under_every_spelling() {
    let folder = tempfile::tempdir().unwrap();
    let tfa = open(&folder, NOW);
    enrol(&tfa);
    let rename = |user: &str, new_name: &str| {
        whm(&tfa, "twofactorauth_rename_user", json!({"user": user, "new_name": new_name}))["metadata"].clone()
    };
    for (user, new_name) in
        [("root", "x"), ("Example", "root"), ("x@y", "z"), ("Example", "x@y"), ("Example", "Example")]
    {
        assert_eq!(rename(user, new_name)["reason_code"], "invalid_parameter", "{user} {new_name}");
    }
    assert_eq!(rename("example", "renamed")["result"], 1);
    let removed = whm(&tfa, "twofactorauth_remove_account", json!({"user": "Renamed"}));
    assert_eq!(removed["data"]["users_modified"], json!(["renamed"]));
    let removed = whm(&tfa, "twofactorauth_remove_account", json!({"user": "EXAMPLE"}));
    assert_eq!(removed["data"]["users_modified"], json!(["user@example.com"]));
}
