//! `tfa backup` and `tfa restore`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::{Site, error, text};
use crate::server::code;

#[test]
fn a_restored_backup_accepts_no_code_from_before() {
    let site = Site::new();
    site.enforce();
    let codes = site.run(&["recovery-codes", "example"]);
    let file = site.folder.path().join("backup");
    let backup = site.run(&["backup", file.to_str().unwrap()]);
    assert!(backup.contains("tfa.key in another place"), "{backup}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(site.refused(&["backup", file.to_str().unwrap()]).contains("backup"), "a file that exists is kept");
    let report = site.run(&["restore", file.to_str().unwrap()]);
    assert!(report.starts_with("Restored 1 enrolments. All recovery codes are revoked (10 of them)"), "{report}");
    let recovery = site.fed(&["login", "example"], codes.lines().next().unwrap());
    assert_eq!((recovery.status.code(), text(&recovery)), (Some(1), ""));
    let used = site.fed(&["login", "example"], &code());
    assert!(error(&used).contains("The security code has already been used."), "{}", error(&used));
    assert_eq!((site.trail("backed_up").len(), site.trail("restored").len()), (1, 1));
}

#[test]
fn a_lost_database_is_restored() {
    let site = Site::new();
    site.enforce();
    let file = site.folder.path().join("backup");
    site.run(&["backup", file.to_str().unwrap()]);
    for ending in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(site.folder.path().join(format!("tfa.db{ending}")));
    }
    site.run(&["restore", file.to_str().unwrap()]);
    assert_eq!(site.enrolled(), ["example"]);
}

#[test]
fn users_who_enrolled_after_the_backup_are_named() {
    let site = Site::new();
    let file = site.folder.path().join("backup");
    site.run(&["backup", file.to_str().unwrap()]);
    site.enforce();
    let report = site.run(&["restore", file.to_str().unwrap()]);
    assert!(
        report.contains("1 users were enrolled after the backup, and are not enrolled any more: example"),
        "{report}"
    );
    assert!(site.refused(&["restore", "/nonexistent/backup"]).contains("/nonexistent"));
}
