//! One subject, one spelling, through the API (contract section 11).
//!
//! Promises: a team user who logs in by the address of a mailbox needs the team user's code; another spelling of an enrolled
//! name needs a code; only `root` itself has root's rights.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::{Value, json};
use tempfile::TempDir;
use tfa::api::args::Args;
use tfa::engine::Tfa;
use tfa::engine::config::Config;
use tfa::{uapi, whmapi1};

const SECRET: &str = "CAOXW75HKYJJ6E5Y";

/// A server with the policy enabled. One account has a domain and a team user; another has capitals in its name.
struct Server {
    tfa: Tfa,
    _folder: TempDir,
}

impl Server {
    fn new(accounts: &Value) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let mut config = json!({"create": true, "store": format!("sqlite:{}/tfa.db", folder.path().display())});
        if !accounts.is_null() {
            config["accounts"] = accounts.clone();
        }
        let tfa = Tfa::open(Config::parse(Some(&config.to_string())).unwrap()).unwrap();
        let server = Server { tfa, _folder: folder };
        server.whm("root", "twofactorauth_enable_policy", &json!({})).unwrap();
        server
    }

    fn panel() -> Server {
        Server::new(&json!({"inline": {
            "example": {"owner": "seller", "domain": "example.com", "team": ["boss"]},
            "Cased": {"owner": "seller", "team": ["dev"]},
        }}))
    }

    /// The data of a call, or its reason code.
    fn whm(&self, caller: &str, function: &str, parameters: &Value) -> Result<Value, String> {
        let args = Args::parse(Some(&parameters.to_string())).unwrap();
        let answer = serde_json::to_value(whmapi1(&self.tfa, caller, function, &args)).unwrap();
        match answer["metadata"]["reason_code"].as_str() {
            Some(code) => Err(code.to_owned()),
            None => Ok(answer["data"].clone()),
        }
    }

    /// Sets the secret of a mailbox ("email") or team user ("team") of `account`.
    fn enrol(&self, account: &str, section: &str, name: &str) {
        let parameters = json!({account: {section: {name: {"secret": SECRET}}}});
        self.whm("root", "twofactorauth_set_tfa_config_for_user", &parameters).unwrap();
    }

    /// Whether a login of `name` needs a code, by both functions that decide.
    fn requires_code(&self, name: &str, kind: Option<&str>) -> bool {
        let status = self.whm("root", "twofactorauth_login_status", &json!({"user": name, "kind": kind})).unwrap();
        let parameters = json!({"user": name, "kind": kind, "tfa_token": "aaaa-bbbb-cccc-dddd"});
        let login = self.whm("root", "twofactorauth_verify_login", &parameters).unwrap();
        assert_eq!(status["required"], login["required"], "{name}");
        login["required"] == 1
    }
}

#[test]
fn a_team_user_who_logs_in_by_a_mailbox_address_needs_its_code() {
    let server = Server::panel();
    assert!(!server.requires_code("boss@example.com", None));
    server.enrol("example", "team", "boss@example");
    for name in ["boss@example", "boss@example.com", "BOSS@Example.COM", "Boss@Example"] {
        assert!(server.requires_code(name, None), "{name}");
    }
    assert!(server.requires_code("boss@example.com", Some("team")));
    assert!(!server.requires_code("boss@example.com", Some("mailbox")));
    assert!(!server.requires_code("other@example.com", None));
    let unknown =
        server.whm("root", "twofactorauth_login_status", &json!({"user": "other@example.com", "kind": "team"}));
    assert_eq!(unknown, Err("no_such_user".to_owned()));
    for kind in ["account", "email", "Team"] {
        let refused = server.whm("root", "twofactorauth_login_status", &json!({"user": "boss@example", "kind": kind}));
        assert_eq!(refused, Err("invalid_parameter".to_owned()), "{kind}");
    }
}

#[test]
fn a_question_names_the_subject_that_it_is_about() {
    let server = Server::panel();
    server.enrol("example", "team", "boss@example");
    for (name, kind, expected) in [
        ("EXAMPLE", None, json!({"user": "example", "kind": "account", "account": "example", "owner": "seller"})),
        ("cased", None, json!({"user": "Cased", "kind": "account", "account": "Cased", "owner": "seller"})),
        (
            "Boss@Example.com",
            None,
            json!({"user": "boss@example", "kind": "team", "account": "example", "owner": "seller"}),
        ),
        (
            "Boss@Example.com",
            Some("mailbox"),
            json!({"user": "boss@example.com", "kind": "mailbox", "account": "example", "owner": "seller"}),
        ),
    ] {
        let parameters = json!({"user": name, "kind": kind});
        assert_eq!(server.whm("root", "twofactorauth_resolve_user", &parameters), Ok(expected), "{name}");
    }
}

#[test]
fn a_caller_is_never_an_alias() {
    let server = Server::panel();
    server.enrol("example", "team", "boss@example");
    let is_enabled = |caller: &str| {
        let answer = uapi(&server.tfa, caller, "TwoFactorAuth", "get_user_configuration", &Args::default());
        serde_json::to_value(answer).unwrap()["data"]["is_enabled"].clone()
    };
    assert_eq!((is_enabled("boss@example"), is_enabled("boss@example.com")), (json!(1), json!(0)));
    let acting = |user: &str| {
        let parameters = json!({
            "cpanel.user": user,
            "cpanel.module": "TwoFactorAuth",
            "cpanel.function": "get_user_configuration",
        });
        server.whm("root", "uapi_cpanel", &parameters).unwrap()["uapi"]["data"]["is_enabled"].clone()
    };
    assert_eq!((acting("boss@example"), acting("boss@example.com")), (json!(1), json!(0)));
}

#[test]
fn only_root_itself_is_the_caller_root() {
    for server in [Server::panel(), Server::new(&Value::Null), Server::new(&json!({"system": true}))] {
        assert!(server.whm("root", "twofactorauth_policy_status", &json!({})).is_ok());
        for caller in ["Root", "ROOT"] {
            let refused = server.whm(caller, "twofactorauth_policy_status", &json!({}));
            assert_eq!(refused, Err("not_authorized".to_owned()), "{caller}");
        }
    }
}

#[test]
fn without_a_directory_every_spelling_of_an_enrolled_name_needs_a_code() {
    let server = Server::new(&Value::Null);
    for name in ["root", "user@example.com", "user@BÜCHER.example"] {
        server
            .whm(
                "root",
                "twofactorauth_set_tfa_config_for_user",
                &json!({name: {"primary_account": {"secret": SECRET}}}),
            )
            .unwrap();
    }
    for name in ["root", "Root", "ROOT", "User@Example.com", "user@bücher.example", "USER@bu\u{308}cher.EXAMPLE"] {
        assert!(server.requires_code(name, None), "{name}");
    }
    assert!(!server.requires_code("other", None));
}

#[test]
fn the_team_users_of_an_account_with_capitals_survive_export_and_import() {
    let server = Server::panel();
    server.enrol("Cased", "team", "Dev@Cased");
    let exported = server.whm("root", "twofactorauth_get_tfa_config_for_user", &json!({"user": "Cased"})).unwrap();
    assert_eq!(exported["Cased"]["team"], json!({"dev@cased": {"secret": SECRET}}));
    let other = Server::panel();
    other.whm("root", "twofactorauth_set_tfa_config_for_user", &exported).unwrap();
    assert!(other.requires_code("dev@CASED", None));
}
