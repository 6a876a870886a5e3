//! The operators' commands on users, the policy and the issuer.

use serde_json::json;

use super::{Site, assert_usage_error, error, text};
use crate::server::{SECRET, code};

#[test]
fn status_is_a_table() {
    let site = Site::new();
    site.enforce();
    for _ in 0..5 {
        site.fed(&["login", "example"], "000\n");
    }
    let output = site.tfa(&["status"]);
    let lines: Vec<_> = text(&output).lines().collect();
    assert_eq!(lines[..4], ["Policy:   enabled", "Issuer:   server.example.com", "Enrolled: 1 of 4", ""]);
    assert_eq!(lines[4], "USER     DOMAIN       2FA  LOCKED    WRONG CODES  RECOVERY CODES");
    assert!(
        lines[5].starts_with("example  example.com  on   for ") && lines[5].ends_with("s  5            0"),
        "{}",
        lines[5]
    );
    assert_eq!(lines.len(), 6);
    let all = site.tfa(&["status", "--all"]);
    assert_eq!(text(&all).lines().count(), 9);
    assert_eq!(text(&site.tfa(&["status", "other"])).lines().last(), Some("other  other.example  off"));
    let unlocked = site.tfa(&["unlock", "example"]);
    assert_eq!((unlocked.status.code(), text(&unlocked)), (Some(0), "example is unlocked.\n"));
    let line = text(&site.tfa(&["status", "example"])).lines().last().unwrap().to_owned();
    assert_eq!(line, "example  example.com  on   no      0            0");
}

#[test]
fn policy_is_enabled_and_disabled() {
    let site = Site::new();
    assert_eq!(site.run(&["policy", "status"]), "Two-factor authentication is disabled.\n");
    assert_eq!(site.run(&["policy", "enable"]), "Two-factor authentication is enabled.\n");
    assert_eq!(site.whm(0, &["twofactorauth_policy_status"])["data"]["is_enabled"], 1);
    assert_eq!(site.run(&["policy", "disable"]), "Two-factor authentication is disabled.\n");
    assert_eq!(site.whm(0, &["twofactorauth_policy_status"])["data"]["is_enabled"], 0);
    assert_eq!((site.trail("policy_enabled").len(), site.trail("policy_disabled").len()), (1, 1));
}

#[test]
fn issuer_is_shown_and_set() {
    let site = Site::new();
    assert_eq!(site.run(&["issuer", "get"]), "server.example.com\n");
    assert_eq!(site.run(&["issuer", "set", "Example Hosting"]), "Example Hosting\n");
    assert_eq!(site.whm(0, &["twofactorauth_get_issuer"])["data"]["system_wide_issuer"], "Example Hosting");
    assert_eq!(site.run(&["issuer", "set", ""]), "server.example.com\n");
    assert_usage_error(&site.tfa(&["issuer", "set", &"x".repeat(129)]), "128");
}

#[test]
fn remove_takes_several_users_or_none() {
    let site = Site::new();
    site.enforce();
    let dry = site.run(&["remove", "--dry-run", "example", "other"]);
    assert_eq!(dry, "example would be removed.\nother is not enrolled.\n");
    assert_eq!(site.enrolled(), ["example"]);
    let absent = site.refused(&["remove", "example", "absent"]);
    assert_eq!(absent, "tfa: The user \"absent\" does not exist.\n");
    assert_eq!(site.enrolled(), ["example"], "nothing is removed when a user does not exist");
    assert_eq!(site.run(&["remove", "example", "other"]), "example is removed.\nother is not enrolled.\n");
    assert!(site.enrolled().is_empty());
    assert_eq!(site.trail("removed"), [("root".to_owned(), "example".to_owned())]);
    assert_usage_error(&site.tfa(&["remove"]), "USER");
}

#[test]
fn recovery_codes_are_generated_for_a_user_who_is_enrolled() {
    let site = Site::new();
    site.enforce();
    let codes = site.run(&["recovery-codes", "example"]);
    assert_eq!(codes.lines().count(), 10);
    assert_eq!(site.trail("recovery_codes_made"), [("root".to_owned(), "example".to_owned())]);
    assert!(site.refused(&["recovery-codes", "other"]).contains("not configured for \"other\""));
    let output = site.fed(&["login", "example"], &code());
    assert_eq!(output.status.code(), Some(0), "{}", error(&output));
}

#[test]
fn a_user_who_does_not_exist_is_an_error_with_the_nearest_name() {
    let site = Site::new();
    site.enforce();
    for command in ["status", "unlock", "remove", "recovery-codes", "login"] {
        let suggested = "tfa: The user \"exmaple\" does not exist. Did you mean \"example\"?\n";
        assert_eq!(site.refused(&[command, "exmaple"]), suggested, "{command}");
        assert_eq!(site.refused(&[command, "zzz"]), "tfa: The user \"zzz\" does not exist.\n", "{command}");
    }
}

#[test]
fn without_a_directory_a_user_must_be_enrolled() {
    let site = Site::with(json!({}));
    site.enforce();
    site.run(&["unlock", "example"]);
    site.run(&["status", "root"]);
    for command in ["status", "unlock", "remove"] {
        let suggested =
            "\"examplo\" is not enrolled, and there is no account directory to find it in. Did you mean \"example\"?";
        assert!(site.refused(&[command, "examplo"]).contains(suggested), "{command}");
    }
}

/// Names and issuers come from others: on a terminal they must not move the cursor or change what is beside them.
#[test]
fn unsafe_characters_are_escaped() {
    let name = "ex\u{202e}ample\u{2066}";
    let site = Site::with(json!({"accounts": {"inline": {name: {"owner": "root", "domain": "other.example"}}}}));
    site.run(&["policy", "enable"]);
    let input = json!({name: {"primary_account": {"secret": SECRET}}}).to_string();
    let stored = site.fed(&["whmapi1", "--input=json", "twofactorauth_set_tfa_config_for_user"], &input);
    assert_eq!(stored.status.code(), Some(0), "{}", text(&stored));
    let escaped = "ex\\u{202e}ample\\u{2066}";
    for arguments in [&["status"][..], &["audit"], &["unlock", name], &["remove", "--dry-run", name]] {
        let shown = site.run(arguments);
        assert!(shown.contains(escaped) && !shown.contains(name), "{arguments:?} {shown}");
    }
    let denied = site.fed(&["login", name], "000");
    assert!(error(&denied).contains(escaped), "{}", error(&denied));
    let entry = site.run(&["audit", "--json", "--event=secret_set"]);
    assert!(entry.is_ascii() && entry.contains("ex\\u202eample"), "{entry}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&entry).unwrap()["subject"], name);
    let unknown = site.refused(&["unlock", "a\u{1b}[2J\nb"]);
    assert_eq!(unknown, "tfa: The user \"a\\u{1b}[2J\\u{a}b\" does not exist.\n");
}

#[test]
fn the_configuration_is_named_before_or_after_the_command() {
    let (site, other) = (Site::new(), Site::new());
    other.run(&["policy", "enable"]);
    let config = other.config.to_str().unwrap();
    for arguments in [
        &["--config", config, "policy", "status"][..],
        &["policy", "--config", config, "status"],
        &["policy", "status", "--config", config],
    ] {
        assert!(site.run(arguments).contains("enabled"), "{arguments:?}");
    }
    for arguments in [
        &["--config", config, "whmapi1", "twofactorauth_policy_status"][..],
        &["whmapi1", "--config", config, "twofactorauth_policy_status"],
        &["whmapi1", "twofactorauth_policy_status", "--config", config],
    ] {
        assert!(site.run(arguments).contains("is_enabled: 1"), "{arguments:?}");
    }
}
