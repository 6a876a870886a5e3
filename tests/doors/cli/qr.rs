//! `tfa qr`: pictures, and the enrolment at a terminal.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::terminal::at_terminal;
use super::{Site, error, text};

/// What a real reader sees in a picture.
fn scanned(picture: &Path) -> String {
    let output = Command::new("zbarimg")
        .args(["--quiet", "--raw", "--oneshot"])
        .arg(picture)
        .output()
        .expect("zbarimg is installed");
    text(&output).trim_end().to_owned()
}

#[test]
fn qr_draws_what_an_authenticator_reads() {
    let site = Site::new();
    site.whm(0, &["twofactorauth_enable_policy"]);
    let file = site.folder.path().join("qr.png");
    let output = site.tfa(&["qr", "--user=example", "--format=png", "--file", file.to_str().unwrap()]);
    assert_eq!((output.status.code(), text(&output)), (Some(0), ""), "{}", error(&output));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(scanned(&file).starts_with("otpauth://totp/server.example.com:example?secret="));
    let again = site.tfa(&["qr", "--format=png", "--file", file.to_str().unwrap()]);
    assert_eq!(again.status.code(), Some(1));
    let direct = site.folder.path().join("root.png");
    fs::write(&direct, site.tfa(&["qr", "--format=png"]).stdout).unwrap();
    assert!(scanned(&direct).starts_with("otpauth://totp/server.example.com:root?secret="));
    let svg = site.tfa(&["qr", "--format=svg"]);
    assert!(text(&svg).starts_with("<svg "));
    let shown = site.tfa(&["qr"]);
    assert!(text(&shown).contains('█') && text(&shown).contains("\nSecret: "));
    let users = site.whm(0, &["twofactorauth_get_user_configs"]);
    assert_eq!(users["data"]["example"]["is_enabled"], 0, "nothing was stored");
}

/// Whether `example` is enrolled.
fn is_enrolled(site: &Site) -> bool {
    site.whm(0, &["twofactorauth_get_user_configs"])["data"]["example"]["is_enabled"] == 1
}

#[test]
fn qr_at_a_terminal_enrols_with_a_valid_code_alone() {
    let site = Site::new();
    site.run(&["policy", "enable"]);
    let wrong = at_terminal(&site, &["12345", "123", ""], &["qr", "--user=example", "--format=svg"]);
    assert_eq!(wrong.status.code(), Some(1), "{}", text(&wrong));
    assert_eq!(text(&wrong).matches("The security code is invalid. Wait for the next").count(), 2, "{}", text(&wrong));
    assert!(text(&wrong).contains("nothing was stored") && !is_enrolled(&site));
    let right = at_terminal(&site, &["000", "RIGHT", "n"], &["qr", "--user=example"]);
    assert!(text(&right).contains("example is enrolled.") && is_enrolled(&site), "{}", text(&right));
    assert_eq!(site.trail("enrolled"), [("root".to_owned(), "example".to_owned())]);
    assert_eq!(site.trail("recovery_codes_made"), []);
}

#[test]
fn qr_reads_a_code_three_times_at_most() {
    let site = Site::new();
    site.run(&["policy", "enable"]);
    let output = at_terminal(&site, &["000", "001", "002", "RIGHT"], &["qr", "--user=example"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output).matches("Code that the authenticator shows").count(), 3, "{}", text(&output));
    assert!(text(&output).contains("The security code is invalid. Nothing was stored.") && !is_enrolled(&site));
}

#[test]
fn qr_shows_the_secret_in_groups_of_four() {
    let site = Site::with(json!({"secret_length": 32}));
    let shown = site.run(&["qr"]);
    let secret = shown.lines().find_map(|line| line.strip_prefix("Secret: ")).unwrap();
    let groups: Vec<_> = secret.split(' ').map(str::len).collect();
    assert_eq!(groups, [4; 8]);
}

#[test]
fn qr_warns_before_it_replaces_an_enrolment_and_offers_recovery_codes() {
    let site = Site::new();
    site.enforce();
    let declined = at_terminal(&site, &["n"], &["qr", "--user=example"]);
    assert_eq!(declined.status.code(), Some(1));
    assert!(text(&declined).contains("example is enrolled already. Replace that enrolment? [y/N]"));
    assert!(!text(&declined).contains("Secret: "), "{}", text(&declined));
    let accepted = at_terminal(&site, &["y", "RIGHT", "y"], &["qr", "--user=example"]);
    assert_eq!(accepted.status.code(), Some(0), "{}", text(&accepted));
    assert!(text(&accepted).contains("Earlier codes are revoked."), "{}", text(&accepted));
    assert!(site.run(&["status", "example"]).trim_end().ends_with(" 10"));
}
