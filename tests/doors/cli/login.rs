//! `tfa login`.

use super::terminal::at_terminal;
use super::{Site, error, text};
use crate::server::code;

#[test]
fn login_reads_the_code_from_standard_input() {
    let site = Site::new();
    let output = site.fed(&["login", "example"], "123456\n");
    assert_eq!(
        (output.status.code(), text(&output)),
        (Some(0), "The login of example is accepted: no code is required.\n")
    );
    site.enforce();
    let output = site.fed(&["login", "example"], "12345\n");
    assert_eq!((output.status.code(), text(&output)), (Some(1), ""));
    assert_eq!(error(&output), "tfa: the login of example is denied: The security code is invalid.\n");
    let code = code();
    let output = site.fed(&["login", "example"], &format!("{code}\n"));
    assert_eq!(
        (output.status.code(), text(&output)),
        (Some(0), "The login of example is accepted with a one-time code.\n")
    );
    let output = site.fed(&["login", "example"], &code);
    assert_eq!(error(&output), "tfa: the login of example is denied: The security code has already been used.\n");
    let output = site.fed(&["login", "absent"], &code);
    assert_eq!((output.status.code(), error(&output)), (Some(1), "tfa: The user \"absent\" does not exist.\n"));
}

#[test]
fn login_at_a_terminal_does_not_show_the_code() {
    let site = Site::new();
    site.enforce();
    let code = code();
    let output = at_terminal(&site, &[&code], &["login", "example"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(text(&output).contains("Code of example: ") && text(&output).contains("accepted with a one-time code"));
    assert!(!text(&output).contains(&code), "{}", text(&output));
}

#[test]
fn login_accepts_a_recovery_code_once() {
    let site = Site::new();
    site.enforce();
    let codes = site.run(&["recovery-codes", "example"]);
    let code = codes.lines().next().unwrap();
    let output = site.fed(&["login", "example"], code);
    assert_eq!(text(&output), "The login of example is accepted with a recovery code.\n", "{}", error(&output));
    assert_eq!(site.fed(&["login", "example"], code).status.code(), Some(1));
}
