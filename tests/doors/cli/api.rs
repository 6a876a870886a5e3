//! `tfa whmapi1` and `tfa uapi`: answers, formats, exit statuses and links (contract section 8).

use std::os::unix::fs::symlink;

use serde_json::Value;
use tfa::api::registry::{Api, FUNCTIONS};

use super::{Site, TFA, assert_usage_error, error, text};

#[test]
fn yaml_is_the_default() {
    let site = Site::new();
    let output = site.tfa(&["whmapi1", "twofactorauth_policy_status"]);
    assert_eq!(
        (output.status.code(), text(&output)),
        (
            Some(0),
            "---\ndata:\n  is_enabled: 0\nmetadata:\n  command: twofactorauth_policy_status\n  reason: OK\n  result: 1\n  version: 1\n"
        )
    );
    let output = site.tfa(&["uapi", "--user=example", "TwoFactorAuth", "get_user_configuration"]);
    assert_eq!(
        text(&output),
        "---\napiversion: 3\nfunc: get_user_configuration\nmodule: TwoFactorAuth\nresult:\n  data:\n    is_enabled: 0\n    issuer: server.example.com\n  errors: null\n  messages: null\n  metadata: {}\n  status: 1\n  warnings: null\n"
    );
}

#[test]
fn each_format_is_written() {
    let site = Site::new();
    let of = |format: &str| {
        let output = site.tfa(&["whmapi1", &format!("--output={format}"), "twofactorauth_enable_policy"]);
        assert_eq!(output.status.code(), Some(0));
        text(&output).to_owned()
    };
    let line = r#"{"metadata":{"command":"twofactorauth_enable_policy","reason":"OK","result":1,"version":1}}"#;
    assert_eq!(of("json"), format!("{line}\n"));
    assert!(of("jsonpretty").starts_with("{\n  \"metadata\": {\n"));
    assert_eq!(serde_json::from_str::<Value>(&of("jsonpretty")).unwrap(), serde_json::from_str::<Value>(line).unwrap());
    assert!(of("xml").starts_with("<result><metadata><command>"));
    assert_eq!(of("yaml").lines().next(), Some("---"));
}

#[test]
fn exit_statuses_tell_the_outcome() {
    let site = Site::new();
    site.whm(0, &["twofactorauth_policy_status"]);
    assert_eq!(
        site.whm(1, &["nonsense"])["metadata"]["reason"],
        "Unknown app (\"nonsense\") requested for this version (1) of the API."
    );
    let failed = site.tfa(&["uapi", "--output=json", "TwoFactorAuth", "set_user_configuration"]);
    assert_eq!(failed.status.code(), Some(1));
    assert_eq!(serde_json::from_slice::<Value>(&failed.stdout).unwrap()["result"]["status"], 0);
    assert_eq!(site.tfa(&["uapi", "Email", "list_pops"]).status.code(), Some(1));
    site.whm(1, &["batch"]);
    site.whm(0, &["batch", "command=nonsense"]);
}

#[test]
fn bad_usage_says_nothing_on_standard_output() {
    let site = Site::new();
    for (arguments, reason) in [
        (&[][..], "Usage"),
        (&["nonsense"], "nonsense"),
        (&["whmapi1"], "FUNCTION"),
        (&["whmapi1", "--output=csv", "applist"], "csv"),
        (&["whmapi1", "applist", "no-equals-sign"], "a parameter is not NAME=VALUE"),
        (&["whmapi1", "applist", "a=%ff"], "UTF-8"),
        (&["uapi", "TwoFactorAuth"], "FUNCTION"),
        (&["login"], "USER"),
        (&["login", "example", "123456"], "unexpected argument"),
        (&["whmapi1", "--config=/nonexistent/tfa.toml", "applist"], "/nonexistent/tfa.toml cannot be used"),
    ] {
        assert_usage_error(&site.tfa(arguments), reason);
    }
    for input in ["", "[]", "{", "\u{0}"] {
        assert_usage_error(&site.fed(&["whmapi1", "--input=json", "applist"], input), "The arguments cannot be read");
    }
    assert_usage_error(
        &site.fed(&["whmapi1", "--input=json", "applist"], &" ".repeat((1 << 20) + 1)),
        "more than 1048576 bytes",
    );
}

#[test]
fn values_are_uri_decoded() {
    let site = Site::new();
    site.whm(0, &["twofactorauth_set_issuer", "issuer=a%20b+c%3D%25=d"]);
    assert_eq!(site.whm(0, &["twofactorauth_get_issuer"])["data"]["issuer"], "a b+c=%=d");
    let batch = site.whm(
        0,
        &["batch", "command=twofactorauth_policy_status", "command=twofactorauth_get_user_configs%3Fuser%3Dexample"],
    );
    assert_eq!(batch["data"]["result"][1]["data"]["example"]["is_enabled"], 0);
    let found =
        site.whm(0, &["twofactorauth_get_user_configs", "api.chunk.enable=1", "api.chunk.size=1", "api.chunk.start=2"]);
    assert_eq!(found["metadata"]["chunk"]["records"], 4);
    site.whm(1, &["twofactorauth_get_user_configs", "api.chunk.enable=1"]);
}

#[test]
fn a_link_is_a_subcommand() {
    let site = Site::new();
    for (name, arguments) in [
        ("whmapi1", &["twofactorauth_policy_status"][..]),
        ("uapi", &["--user=example", "TwoFactorAuth", "get_user_configuration"]),
    ] {
        let link = site.folder.path().join(name);
        symlink(TFA, &link).unwrap();
        let through = site.command(&link, arguments).output().unwrap();
        let direct = site.tfa(&[&[name], arguments].concat());
        assert_eq!((through.status.code(), text(&through)), (Some(0), text(&direct)));
    }
}

#[test]
fn help_lists_every_function_with_its_parameters() {
    let site = Site::new();
    for (api, name) in [(Api::Whm, "whmapi1"), (Api::Uapi, "uapi")] {
        let help = site.tfa(&[name, "--help"]);
        assert_eq!(help.status.code(), Some(0));
        for function in FUNCTIONS.iter().filter(|function| function.api == api) {
            assert!(text(&help).contains(&format!("\n  {}\n", function.name)), "{}", function.name);
            assert!(function.parameters.iter().all(|parameter| text(&help).contains(parameter.about)));
        }
    }
}

/// The audit trail names who was there, and the rights are those of whom it acted for.
#[test]
fn the_superuser_is_named_whoever_it_acts_for() {
    let site = Site::new();
    site.enforce();
    let made = site.tfa(&["uapi", "--user=example", "TwoFactorAuth", "generate_recovery_codes"]);
    assert_eq!(made.status.code(), Some(0));
    site.whm(0, &["--user=reseller", "twofactorauth_set_issuer", "issuer=one"]);
    site.whm(0, &["--user=reseller", "batch", "command=twofactorauth_set_issuer%3Fissuer%3Dtwo"]);
    let passed = ["cpanel.user=example", "cpanel.module=TwoFactorAuth", "cpanel.function=remove_user_configuration"];
    site.whm(0, &[&["--user=reseller", "uapi_cpanel"], &passed[..]].concat());
    let (root, reseller, example) = ("root".to_owned(), "reseller".to_owned(), "example".to_owned());
    assert_eq!(site.trail("recovery_codes_made"), [(root.clone(), example.clone())]);
    assert_eq!(site.trail("issuer_set"), [(root.clone(), reseller.clone()), (root.clone(), reseller)]);
    assert_eq!(site.trail("removed"), [(root, example)]);
    site.whm(1, &["--user=reseller", "twofactorauth_enable_policy"]);
    site.whm(1, &["--user=reseller", "twofactorauth_unlock_user", "user=other"]);
}

#[test]
fn an_unknown_function_keeps_its_answer_and_gets_a_suggestion() {
    let site = Site::new();
    for (arguments, suggestion) in [
        (&["whmapi1", "twofactorauth_policy_staus"][..], "tfa: Did you mean \"twofactorauth_policy_status\"?\n"),
        (&["whmapi1", "enable_policy"], "tfa: Did you mean \"twofactorauth_enable_policy\"?\n"),
        (&["uapi", "TwoFactorAuth", "set_user_config"], "tfa: Did you mean \"set_user_configuration\"?\n"),
        (&["whmapi1", "zzz"], ""),
    ] {
        let output = site.tfa(arguments);
        assert_eq!((output.status.code(), error(&output)), (Some(1), suggestion));
        assert!(text(&output).starts_with("---\n"));
    }
    assert!(error(&site.tfa(&["statsu"])).contains("'status'"));
}
