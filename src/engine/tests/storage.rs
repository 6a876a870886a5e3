//! What is on disk: nothing in plain text, and no lost file taken for a new one.

use super::*;

#[test]
fn no_secret_is_stored_in_plain_text() {
    let server = Server::new("");
    let (subject, secret) = server.enrolled("example");
    let codes = server.tfa.generate_recovery_codes(ROOT, &subject).unwrap();
    let text = secret.to_base32();
    let needles = [secret.bytes(), text.as_bytes(), codes[0].as_bytes()];
    for entry in std::fs::read_dir(server.folder.path()).unwrap() {
        let contents = std::fs::read(entry.unwrap().path()).unwrap();
        for needle in needles {
            assert!(!contents.windows(needle.len()).any(|window| window == needle));
        }
    }
}

/// A closed store, and what is needed to open it again.
struct Closed {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    subject: Subject,
    secret: Secret,
}

impl Closed {
    fn new() -> Self {
        let server = Server::new("");
        let (subject, secret) = server.enrolled("example");
        let Server { tfa, folder, clock, .. } = server;
        drop(tfa);
        Closed { folder, clock, subject, secret }
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    /// Opens the store at these paths, as it is or with permission to create it.
    fn open(&self, database: &str, key_file: &str, create: bool) -> Result<Tfa, String> {
        let (database, key_file) = (self.path(database), self.path(key_file));
        let text = serde_json::json!({"store": format!("sqlite:{}", database.display()), "key_file": key_file, "create": create});
        Tfa::open_with_clock(Config::parse(Some(&text.to_string())).unwrap(), self.clock.clone())
    }

    fn rename(&self, from: &str, to: &str) {
        std::fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn is_accepted(&self, tfa: &Tfa) -> bool {
        let code = format!("{:06}", CodeFormat::default().code(self.secret.bytes(), self.clock.now().as_secs() / 30));
        tfa.login(ROOT, &self.subject, &code).unwrap() == VERIFIED
    }
}

#[test]
fn a_missing_key_file_is_an_error_and_is_not_replaced() {
    let closed = Closed::new();
    closed.rename("tfa.key", "away.key");
    for create in [false, true] {
        let error = closed.open("tfa.db", "tfa.key", create).err().unwrap();
        assert!(error.contains("tfa.key does not exist"), "{error}");
        assert!(!closed.path("tfa.key").exists(), "no new key file is written beside existing secrets");
    }
    closed.rename("away.key", "tfa.key");
    assert!(closed.is_accepted(&closed.open("tfa.db", "tfa.key", false).unwrap()));
}

#[test]
fn a_missing_database_is_an_error_and_is_not_replaced() {
    let closed = Closed::new();
    closed.rename("tfa.db", "away");
    // Whatever the files are called, and wherever the key file is.
    std::fs::create_dir(closed.path("keys")).unwrap();
    std::fs::copy(closed.path("tfa.key"), closed.path("keys/other")).unwrap();
    for (database, key_file) in [("tfa.db", "tfa.key"), ("tfa.sqlite", "tfa.key"), ("tfa.db", "keys/other")] {
        for create in [false, true] {
            let error = closed.open(database, key_file, create).err().unwrap();
            assert!(error.contains("does not exist"), "{error}");
            assert!(!closed.path(database).exists(), "{database} is not created");
        }
    }
    closed.rename("away", "tfa.db");
    assert!(closed.is_accepted(&closed.open("tfa.db", "tfa.key", false).unwrap()));
}

#[test]
fn a_missing_folder_is_an_error_and_is_not_replaced() {
    let closed = Closed::new();
    let error = closed.open("unmounted/tfa.db", "unmounted/tfa.key", false).err().unwrap();
    assert!(error.contains("The folder") && error.contains("unmounted does not exist"), "{error}");
    assert!(!closed.path("unmounted").exists());
    closed.open("new/tfa.db", "new/tfa.key", true).unwrap();
}

#[test]
fn a_database_and_a_key_file_of_different_stores_are_refused() {
    let closed = Closed::new();
    closed.open("other.db", "other.key", true).unwrap();
    for (database, key_file) in [("other.db", "tfa.key"), ("tfa.db", "other.key")] {
        let error = closed.open(database, key_file, true).err().unwrap();
        assert!(error.contains("belong to different stores"), "{error}");
    }
}

#[test]
fn a_running_handle_does_not_follow_to_another_store() {
    let closed = Closed::new();
    let tfa = closed.open("tfa.db", "tfa.key", false).unwrap();
    for name in ["tfa.db", "tfa.db-wal", "tfa.db-shm", "tfa.key"] {
        let _ = std::fs::rename(closed.path(name), closed.path(&format!("away-{name}")));
    }
    let deny = || tfa.login(ROOT, &closed.subject, "000000").unwrap_err().to_string();
    assert!(deny().contains("does not exist"));
    closed.open("tfa.db", "tfa.key", true).unwrap();
    assert!(deny().contains("another store's"), "a new store at the same path requires no code of anybody");
}

#[test]
fn processes_that_create_a_store_at_once_create_one() {
    let closed = Closed::new();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| closed.open("many.db", "many.key", true).unwrap());
        }
    });
    closed.open("many.db", "many.key", false).unwrap();
}

#[test]
fn a_store_from_before_the_ids_gets_one() {
    let folder = tempfile::tempdir().unwrap();
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/store-v2");
    let copy = |name: &str| {
        std::fs::copy(format!("{fixture}/{name}"), folder.path().join(name)).unwrap();
        let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(folder.path().join(name), owner_only).unwrap();
    };
    copy("tfa.db");
    copy("tfa.key");
    // As its README says: enrolled at this time, which is a reboot ago.
    let clock = Arc::new(ManualClock::at(NOW));
    let secret = Secret::from_base32("CAOXW75HKYJJ6E5Y").unwrap();
    let code = |time: u64| format!("{:06}", CodeFormat::default().code(secret.bytes(), time / 30));
    for _ in 0..2 {
        let tfa = open_existing(&folder, clock.clone()).unwrap();
        let used = tfa.login(ROOT, &account("example"), &code(NOW)).unwrap();
        assert!(matches!(used, Verdict::Denied(..)), "the code of the enrolment stays used");
    }
    clock.advance(Duration::from_secs(300));
    let tfa = open_existing(&folder, clock).unwrap();
    assert_eq!(tfa.login(ROOT, &account("example"), &code(NOW + 300)).unwrap(), VERIFIED);
    assert_eq!(
        tfa.login(ROOT, &account("example"), "3n4o-wfkt-qels-wk67").unwrap(),
        Verdict::Verified(Method::Recovery)
    );
    // The pair has an id now: the old key file is another store's no longer, and another database is refused.
    let key = std::fs::read_to_string(folder.path().join("tfa.key")).unwrap();
    assert!(key.contains(r#""format": 2"#) && key.contains(r#""store""#), "{key}");
    drop(tfa);
    copy("tfa.db");
    let error = open_existing(&folder, Arc::new(ManualClock::at(NOW))).err().unwrap();
    assert!(error.contains("belong to different stores, or the database was lost"), "{error}");
}

fn open_existing(folder: &tempfile::TempDir, clock: Arc<ManualClock>) -> Result<Tfa, String> {
    let text = format!(r#"{{"store": "sqlite:{}/tfa.db"}}"#, folder.path().display());
    Tfa::open_with_clock(Config::parse(Some(&text)).unwrap(), clock)
}
