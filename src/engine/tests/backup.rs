//! Backup and restore (contract section 12): a restore brings no used code back, and nothing but a whole backup of the same
//! store is restored.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::*;
use crate::engine::audit::Entry;
use crate::engine::backup::Restoration;
use crate::store::Kind;
use crate::store::sqlite::Sqlite;

impl Server {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn back_up(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        self.tfa.back_up(ROOT, &path).unwrap();
        path
    }

    fn restore(&self, file: &std::path::Path) -> Result<Restoration, Refusal> {
        let text = format!(r#"{{"store": "sqlite:{}"{}}}"#, self.path("tfa.db").display(), self.settings);
        Tfa::restore_with_clock(Config::parse(Some(&text)).unwrap(), ROOT, file, self.clock.clone())
    }

    fn events(&self) -> Vec<String> {
        let entries = self.tfa.audit_lines(0, usize::MAX).unwrap();
        entries.iter().map(|entry| Entry::read(entry).unwrap().event.into_owned()).collect()
    }
}

/// Removes the database and its log.
fn lose(folder: &tempfile::TempDir) {
    for name in ["tfa.db", "tfa.db-wal", "tfa.db-shm"] {
        let _ = std::fs::remove_file(folder.path().join(name));
    }
}

#[test]
fn no_code_that_was_valid_before_a_restore_is_accepted() {
    let server = Server::new("");
    let (subject, secret) = server.enrolled("example");
    let codes = server.tfa.generate_recovery_codes(ROOT, &subject).unwrap();
    let backup = server.back_up("backup");
    assert_eq!(server.login(&subject, &server.code(&secret)), VERIFIED);
    assert_eq!(server.login(&subject, &codes[0]), Verdict::Verified(Method::Recovery));
    let restoration = server.restore(&backup).unwrap();
    assert_eq!(restoration, Restoration { enrolments: 1, revoked_recovery_codes: 10, missing: [].into() });
    let now = server.clock.now().as_secs();
    for tfa in [&server.tfa, &server.reopened()] {
        for time in [now - 30, now, now + 30] {
            let verdict = tfa.login(ROOT, &subject, &server.code_at(&secret, time)).unwrap();
            assert_eq!(reason(verdict), Refusal::UsedCode);
        }
        assert_eq!(tfa.status(&subject).unwrap().recovery_codes_left, 0);
    }
    for code in [&codes[0], &codes[1]] {
        assert_eq!(reason(server.login(&subject, code)), Refusal::InvalidCode);
    }
    server.clock.advance(Duration::from_secs(60));
    assert_eq!(server.login(&subject, &server.code(&secret)), VERIFIED);
}

#[test]
fn a_lost_database_is_restored() {
    let server = Server::new("");
    let (subject, secret) = server.enrolled("example");
    let backup = server.back_up("backup");
    assert_eq!(server.login(&subject, &server.code(&secret)), VERIFIED);
    lose(&server.folder);
    server.restore(&backup).unwrap();
    let reopened = server.reopened();
    assert!(reopened.status(&subject).unwrap().required);
    assert_eq!(reason(reopened.login(ROOT, &subject, &server.code(&secret)).unwrap()), Refusal::UsedCode);
    server.clock.advance(Duration::from_secs(60));
    assert_eq!(
        server.login(&subject, &server.code(&secret)),
        VERIFIED,
        "the handle from before serves the restored store"
    );
}

#[test]
fn a_restore_keeps_failed_attempts() {
    let server = Server::new("");
    let (subject, secret) = server.enrolled("example");
    let backup = server.back_up("backup");
    let wrong = server.wrong_code(&secret);
    for _ in 0..5 {
        server.login(&subject, &wrong);
    }
    assert!(matches!(reason(server.login(&subject, &wrong)), Refusal::Locked(_)));
    server.restore(&backup).unwrap();
    assert!(matches!(reason(server.login(&subject, &wrong)), Refusal::Locked(_)));
    assert_eq!(server.tfa.status(&subject).unwrap().failures, 5);
}

#[test]
fn subjects_that_are_not_in_the_backup_are_reported_and_keep_their_used_codes() {
    let server = Server::new("");
    let backup = server.back_up("backup");
    let (subject, secret) = server.enrolled("later");
    let code = server.code(&secret);
    assert_eq!(server.login(&subject, &code), VERIFIED);
    assert_eq!(server.restore(&backup).unwrap().missing, ["later".to_owned()].into());
    assert!(!server.tfa.is_enrolled(&subject).unwrap());
    assert_eq!(server.tfa.enrol(ROOT, &subject, &secret, &code), Err(Refusal::UsedCode));
}

#[test]
fn both_are_audited_and_the_trail_stays() {
    let server = Server::new("");
    assert_eq!(server.tfa.last_backup().unwrap(), None);
    let backup = server.back_up("backup");
    assert_eq!(server.tfa.last_backup().unwrap(), Some(NOW));
    server.enrolled("example");
    server.restore(&backup).unwrap();
    assert_eq!(server.events(), ["policy_enabled", "backed_up", "enrolled", "restored"]);
    assert_eq!(server.tfa.last_backup().unwrap(), Some(NOW));
    let Server { tfa, folder, clock, .. } = &server;
    assert!(tfa.audit_lines(0, 9).unwrap().iter().map(|entry| entry.id).eq(1..=4));
    lose(folder);
    server.restore(&backup).unwrap();
    let ids: Vec<_> = open(folder, "", clock.clone()).unwrap().audit_lines(0, 9).unwrap();
    assert_eq!(ids.iter().map(|entry| entry.id).collect::<Vec<_>>(), [1, 2], "the backup's entries, and the restore's");
}

#[test]
fn a_backup_is_private_holds_no_key_and_replaces_nothing() {
    let server = Server::new("");
    let (_, secret) = server.enrolled("example");
    let backup = server.back_up("backup");
    assert_eq!(std::fs::metadata(&backup).unwrap().permissions().mode() & 0o777, 0o600);
    let contents = std::fs::read(&backup).unwrap();
    let key_file: serde_json::Value = serde_json::from_slice(&std::fs::read(server.path("tfa.key")).unwrap()).unwrap();
    let keys = key_file["keys"].as_object().unwrap().values().map(|key| key.as_str().unwrap().as_bytes().to_vec());
    for hidden in keys.chain([secret.bytes().to_vec(), secret.to_base32().as_bytes().to_vec()]) {
        assert!(!contents.windows(hidden.len()).any(|window| window == hidden));
    }
    for name in ["backup", "tfa.db", "tfa.key"] {
        let before = std::fs::read(server.path(name)).unwrap();
        let error = server.tfa.back_up(ROOT, &server.path(name)).unwrap_err();
        assert!(error.to_string().contains("exists. Choose a new name"), "{error}");
        assert_eq!(std::fs::read(server.path(name)).unwrap(), before);
    }
    let mut names: Vec<_> =
        std::fs::read_dir(server.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.retain(|name| name.to_string_lossy().starts_with("backup") || name.to_string_lossy().starts_with("tfa.key."));
    // The lock of the key file stays for the next process.
    names.retain(|name| name != "tfa.key.lock");
    assert_eq!(names, ["backup"], "nothing is left beside it");
}

#[test]
fn a_backup_is_written_only_where_others_cannot_replace_it() {
    let server = Server::new("");
    let folder = server.path("open");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o777)).unwrap();
    let error = server.tfa.back_up(ROOT, &folder.join("backup")).unwrap_err().to_string();
    assert!(error.contains("can be written to by others"), "{error}");
    std::fs::rename(server.back_up("backup"), folder.join("backup")).unwrap();
    assert!(server.restore(&folder.join("backup")).unwrap_err().to_string().contains("can be written to by others"));
    assert!(
        server.tfa.back_up(ROOT, &server.path("absent/backup")).unwrap_err().to_string().contains("cannot be read")
    );
}

#[test]
fn a_backup_is_the_store_of_one_moment() {
    let server = Server::new("");
    let other = server.reopened();
    let writer = std::thread::spawn(move || {
        for number in 0..40 {
            let subjects = ["a", "b"].map(|name| (account(&format!("{name}{number}")), Secret::generate(16).unwrap()));
            other.set_secrets(ROOT, &subjects).unwrap();
        }
    });
    for number in 0..8 {
        let copy = Sqlite::open(&server.back_up(&format!("copy{number}"))).unwrap();
        let (count, entries) = (copy.count(Kind::Subject).unwrap(), copy.lines(0, usize::MAX).unwrap());
        let set = entries.iter().filter(|entry| Entry::read(entry).unwrap().event == "secret_set").count();
        assert_eq!((count, count % 2), (set as u64, 0));
    }
    writer.join().unwrap();
}

#[test]
fn what_is_no_backup_of_this_store_is_refused() {
    let server = Server::new("");
    let (subject, _) = server.enrolled("example");
    let backup = server.back_up("backup");
    let other = Server::new("");
    other.enrolled("example");
    let refused = |path: &std::path::Path, what: &str| {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
        let error = server.restore(path).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
        assert!(server.tfa.is_enrolled(&subject).unwrap());
    };
    refused(&other.back_up("other"), "belong to different stores");
    let whole = std::fs::read(&backup).unwrap();
    let altered = server.path("altered");
    std::fs::write(&altered, &whole[..whole.len() - 2048]).unwrap();
    refused(&altered, "damaged");
    for page in 1..whole.len() / 2048 {
        let mut blank = whole.clone();
        blank[page * 2048..][..2048].fill(0);
        std::fs::write(&altered, blank).unwrap();
        refused(&altered, "damaged");
    }
    std::fs::write(&altered, "{}").unwrap();
    refused(&altered, "damaged");
    std::fs::write(&altered, "").unwrap();
    refused(&altered, "is not a backup of libtfa");
    let error = server.restore(&server.path("absent")).unwrap_err().to_string();
    assert!(error.contains("does not exist"), "{error}");
    std::fs::set_permissions(&backup, PermissionsExt::from_mode(0o644)).unwrap();
    assert!(server.restore(&backup).unwrap_err().to_string().contains("chmod 600"));
}

#[test]
fn a_restore_that_fails_midway_changes_nothing() {
    let server = Server::new("");
    server.enrolled("example");
    server.tfa.set_policy(ROOT, false).unwrap();
    let backup = server.back_up("backup");
    server.tfa.set_policy(ROOT, true).unwrap();
    let (later, _) = server.enrolled("later");
    server.tfa.rotate_keys(ROOT).unwrap();
    let events = server.events();
    assert!(server.restore(&backup).unwrap_err().to_string().contains("needs the key"));
    assert!(server.tfa.status(&later).unwrap().required);
    assert_eq!(server.events(), events);
}
