//! `tfa doctor`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::{Site, error, text};
use crate::server::SECRET;

/// Standard output and exit status of `tfa doctor`, without the clock, which depends on the machine.
fn doctor(site: &Site, arguments: &[&str]) -> (String, i32) {
    let output = site.tfa(&[&["doctor", "--no-clock"], arguments].concat());
    (text(&output).to_owned(), output.status.code().unwrap())
}

#[test]
fn doctor_finds_nothing_wrong_on_a_new_server() {
    let site = Site::new();
    site.run(&["policy", "status"]);
    let checks = ["configuration", "store", "keys", "sealing keys", "policy", "accounts", "enrolments", "backup"];
    assert!(doctor(&site, &[]).0.contains("WARN  backup: there is none."));
    site.run(&["backup", site.folder.path().join("backup").to_str().unwrap()]);
    let (report, status) = doctor(&site, &[]);
    let lines: Vec<_> = report.lines().map(|line| line.split_once(": ").unwrap().0).collect();
    assert_eq!(lines, checks.map(|check| format!("ok    {check}")), "{report}");
    assert!(report.contains("accounts: 4 of them") && status == 0, "{report}");
}

#[test]
fn doctor_checks_the_clock_unless_told_not_to() {
    let site = Site::new();
    site.run(&["policy", "status"]);
    let clock = tfa::ffi::kernel::clock_is_synchronised().unwrap();
    let output = site.tfa(&["doctor"]);
    assert!(text(&output).contains(if clock { "ok    clock: " } else { "WRONG clock: " }));
    assert_eq!(output.status.code(), Some(i32::from(!clock)));
    assert!(!doctor(&site, &[]).0.contains("clock"));
}

#[test]
fn doctor_creates_nothing() {
    let site = Site::new();
    let (report, status) = doctor(&site, &[]);
    assert!(report.contains("WRONG store: there is no ") && status == 1, "{report}");
    assert!(report.contains("If there was one, mount its file system or restore a backup"), "{report}");
    assert_eq!(fs::read_dir(site.folder.path()).unwrap().count(), 1);
}

#[test]
fn a_lost_file_is_to_be_restored() {
    for (file, check) in [("tfa.key", "keys"), ("tfa.db", "store")] {
        let site = Site::new();
        site.enforce();
        for ending in ["", "-wal", "-shm"] {
            let _ = fs::remove_file(site.folder.path().join(format!("{file}{ending}")));
        }
        let (report, status) = doctor(&site, &[]);
        let line = report.lines().find(|line| line.starts_with(&format!("WRONG {check}: "))).unwrap();
        assert!(
            (line.contains("from a backup") || line.contains("tfa restore"))
                && !report.contains("tfa init")
                && status == 1,
            "{report}"
        );
        assert!(!site.folder.path().join(file).exists(), "nothing was created");
    }
}

#[test]
fn a_key_that_the_key_file_lacks_is_wrong() {
    let site = Site::new();
    site.enforce();
    let key_file = site.folder.path().join("tfa.key");
    let old = fs::read(&key_file).unwrap();
    site.run(&["keys", "rotate"]);
    fs::write(&key_file, old).unwrap();
    let (report, status) = doctor(&site, &[]);
    assert!(report.contains("WRONG sealing keys: the key file lacks ") && status == 1, "{report}");
    site.run(&["remove", "example"]);
    let (report, status) = doctor(&site, &[]);
    assert!(report.contains("WRONG sealing keys: ") && status == 1, "without secrets it seals new ones: {report}");
}

#[test]
fn permissions_and_the_configuration_are_checked() {
    let site = Site::new();
    site.run(&["policy", "status"]);
    let key = site.folder.path().join("tfa.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let (report, status) = doctor(&site, &[]);
    assert!(report.contains("WRONG keys: ") && report.contains("chmod") && status == 1, "{report}");
    fs::write(&site.config, "{").unwrap();
    let (report, status) = doctor(&site, &[]);
    assert!(report.starts_with("WRONG configuration: ") && status == 1, "{report}");
    fs::remove_file(&site.config).unwrap();
    fs::create_dir(&site.config).unwrap();
    let (report, status) = doctor(&site, &[]);
    assert!(report.starts_with("WRONG configuration: ") && !report.contains("tfa init") && status == 1, "{report}");
}

#[test]
fn a_missing_directory_is_a_warning() {
    let site = Site::with(json!({}));
    site.run(&["policy", "status"]);
    let (report, status) = doctor(&site, &[]);
    assert!(report.starts_with("WARN  configuration: ") && report.contains("\"accounts\"") && status == 0, "{report}");
}

/// Enrols `example` and `user@example.com`, and then takes `accounts` as the directory.
fn left_over(accounts: Value) -> Site {
    let site = Site::new();
    let input = json!({"example": {
        "primary_account": {"secret": SECRET},
        "email": {"user@example.com": {"secret": SECRET}},
    }});
    let stored = site.fed(&["whmapi1", "--input=json", "twofactorauth_set_tfa_config_for_user"], &input.to_string());
    assert_eq!(stored.status.code(), Some(0), "{}", error(&stored));
    let mut config: Value = serde_json::from_str(&fs::read_to_string(&site.config).unwrap()).unwrap();
    config["accounts"] = accounts;
    fs::write(&site.config, config.to_string()).unwrap();
    site
}

#[test]
fn enrolments_of_users_who_are_gone_are_listed_and_removed() {
    let site = left_over(json!({"inline": {"example": {"owner": "root"}}}));
    let (report, status) = doctor(&site, &[]);
    assert!(report.contains("WRONG enrolments: no user exists for user@example.com. ") && status == 1, "{report}");
    assert!(doctor(&site, &[]).0.contains("WRONG enrolments"), "a check changes nothing");
    let (report, status) = doctor(&site, &["--fix"]);
    assert!(report.contains("ok    enrolments: 1 of users who do not exist were removed: user@") && status == 0);
    assert_eq!(site.trail("removed"), [("root".to_owned(), "user@example.com".to_owned())]);
    assert_eq!(site.enrolled(), ["example"]);
}

/// A directory that was lost looks as if every user were gone.
#[test]
fn an_empty_directory_removes_nobody() {
    let site = left_over(json!({"inline": {}}));
    let (report, status) = doctor(&site, &["--fix"]);
    assert!(report.contains("WRONG accounts: ") && report.contains("WRONG enrolments: ") && status == 1, "{report}");
    assert!(site.trail("removed").is_empty());
}

#[test]
fn monitors_read_json() {
    let site = left_over(json!({"inline": {}}));
    let (report, status) = doctor(&site, &["--json"]);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!((&report["is_healthy"], status), (&json!(0), 1));
    let checks = report["checks"].as_array().unwrap();
    let state = |name: &str| checks.iter().find(|check| check["check"] == name).unwrap()["state"].clone();
    assert_eq!((state("store"), state("accounts")), (json!("ok"), json!("wrong")));
}
