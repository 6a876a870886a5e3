//! `change_requires_code` in the API (contract section 15): a subject that changes its own enrolment gives a current code, and
//! an administrator who acts for another does not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tfa::api::args::Args;
use tfa::api::{uapi, whmapi1};
use tfa::clock::{Clock, ManualClock};
use tfa::engine::Tfa;
use tfa::engine::config::Config;
use tfa::otp::code::CodeFormat;
use tfa::otp::secret::Secret;

const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const OTHER_SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

struct Server {
    tfa: Tfa,
    clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

impl Server {
    /// A server whose users root, reseller and `User@Example.com` are enrolled.
    fn new(change_requires_code: bool) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let config = json!({
            "create": true, "store": format!("sqlite:{}", folder.path().join("tfa.db").display()),
            "change_requires_code": change_requires_code,
            "accounts": {"inline": {"example": {"owner": "reseller", "domain": "example.com"}, "reseller": {"reseller": 1}}},
        });
        let clock = Arc::new(ManualClock::at(1_800_000_015));
        let tfa = Tfa::open_with_clock(Config::parse(Some(&config.to_string())).unwrap(), clock.clone()).unwrap();
        let server = Server { tfa, clock, _folder: folder };
        server.whm("root", "twofactorauth_enable_policy", json!({}));
        for account in ["root", "reseller"] {
            let set = json!({account: {"primary_account": {"secret": SECRET}}});
            assert_eq!(server.whm("root", "twofactorauth_set_tfa_config_for_user", set)["metadata"]["result"], 1);
        }
        let set = json!({"example": {"email": {"user@example.com": {"secret": SECRET}}}});
        assert_eq!(server.whm("root", "twofactorauth_set_tfa_config_for_user", set)["metadata"]["result"], 1);
        server
    }

    fn whm(&self, caller: &str, function: &str, args: Value) -> Value {
        json!(whmapi1(&self.tfa, caller, function, &Args::parse(Some(&args.to_string())).unwrap()))
    }

    fn uapi(&self, caller: &str, function: &str, args: Value) -> Value {
        json!(uapi(&self.tfa, caller, "TwoFactorAuth", function, &Args::parse(Some(&args.to_string())).unwrap()))
    }

    fn code(&self, secret: &str) -> String {
        let secret = Secret::from_base32(secret).unwrap();
        format!("{:06}", CodeFormat::default().code(secret.bytes(), self.clock.now().as_secs() / 30))
    }

    /// A code of the present enrolment, in a new time step.
    fn next_code(&self) -> String {
        self.clock.advance(Duration::from_secs(30));
        self.code(SECRET)
    }

    fn is_enrolled(&self, user: &str) -> bool {
        let status = self.whm("root", "twofactorauth_login_status", json!({"user": user}));
        status["data"]["is_enabled"] == 1
    }
}

#[test]
fn a_subject_gives_a_current_code_whatever_the_spelling_of_its_name() {
    for caller in ["user@example.com", "User@Example.COM"] {
        let server = Server::new(true);
        let new = || json!({"secret": OTHER_SECRET, "tfa_token": server.code(OTHER_SECRET)});
        for (function, args) in [
            ("remove_user_configuration", json!({})),
            ("generate_recovery_codes", json!({"current_token": ""})),
            ("set_user_configuration", new()),
        ] {
            let answer = server.uapi(caller, function, args);
            assert_eq!(answer["errors"], json!(["The parameter \"current_token\" is required."]), "{function}");
            assert_eq!(answer["metadata"]["reason_code"], "parameter_required", "{function}");
        }
        let codes = server.uapi(caller, "generate_recovery_codes", json!({"current_token": server.next_code()}));
        let recovery = codes["data"]["recovery_codes"][0].as_str().unwrap();
        let wrong = server.uapi(caller, "remove_user_configuration", json!({"current_token": "aaaa-aaaa-aaaa-aaaa"}));
        assert_eq!(wrong["metadata"]["reason_code"], "invalid_code");
        assert!(server.is_enrolled("user@example.com"));
        let removed = server.uapi(caller, "remove_user_configuration", json!({"current_token": recovery}));
        assert_eq!(removed["status"], 1);
        assert!(!server.is_enrolled("user@example.com"));
    }
}

#[test]
fn callers_of_whm_give_a_current_code_for_themselves_only() {
    for caller in ["root", "reseller"] {
        let server = Server::new(true);
        let both = json!({"user-0": caller, "user-1": "user@example.com"});
        let answer = server.whm(caller, "twofactorauth_remove_user_config", both);
        assert_eq!(answer["data"]["users_modified"], json!(["user@example.com"]));
        assert_eq!(answer["data"]["failed"], json!({caller: "The parameter \"current_token\" is required."}));
        assert_eq!((server.is_enrolled(caller), server.is_enrolled("user@example.com")), (true, false));
        let own = json!({"user": caller, "current_token": server.next_code()});
        let answer = server.whm(caller, "twofactorauth_remove_user_config", own);
        assert_eq!(answer["data"], json!({"failed": {}, "users_modified": [caller]}));
        assert!(!server.is_enrolled(caller));
    }
}

#[test]
fn an_administrator_who_acts_for_another_gives_none() {
    for caller in ["root", "reseller"] {
        let server = Server::new(true);
        let call = json!({"cpanel.user": "user@example.com", "cpanel.module": "TwoFactorAuth",
            "cpanel.function": "remove_user_configuration"});
        let answer = server.whm(caller, "uapi_cpanel", call);
        assert_eq!(answer["data"]["uapi"]["status"], 1, "{answer}");
        assert!(!server.is_enrolled("user@example.com"));
    }
}

#[test]
fn by_default_no_current_code_is_needed() {
    let server = Server::new(false);
    assert_eq!(server.uapi("user@example.com", "remove_user_configuration", json!({}))["status"], 1);
    assert!(!server.is_enrolled("user@example.com"));
    assert!(!Config::parse(None).unwrap().change_requires_code);
}

#[test]
fn enrolment_can_be_prepared_while_the_policy_is_disabled() {
    for enrol_while_disabled in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let config = json!({
            "create": true, "store": format!("sqlite:{}", folder.path().join("tfa.db").display()),
            "enrol_while_disabled": enrol_while_disabled,
        });
        let clock = Arc::new(ManualClock::at(1_800_000_015));
        let tfa = Tfa::open_with_clock(Config::parse(Some(&config.to_string())).unwrap(), clock.clone()).unwrap();
        let server = Server { tfa, clock, _folder: folder };
        let args = json!({"secret": SECRET, "tfa_token": server.code(SECRET)});
        let expected = u8::from(enrol_while_disabled);
        assert_eq!(server.uapi("example", "generate_user_configuration", json!({}))["status"], expected);
        assert_eq!(server.uapi("example", "set_user_configuration", args)["status"], expected);
        assert_eq!(server.is_enrolled("example"), enrol_while_disabled);
    }
}
