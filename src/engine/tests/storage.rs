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

#[test]
fn a_missing_key_file_is_an_error_and_is_not_replaced() {
    let server = Server::new("");
    let (subject, secret) = server.enrolled("example");
    let (key, away) = (server.folder.path().join("tfa.key"), server.folder.path().join("away.key"));
    std::fs::rename(&key, &away).unwrap();
    let error = open(&server.folder, "", server.clock.clone()).err().unwrap();
    assert!(error.contains("tfa.key is gone"), "{error}");
    assert!(!key.exists(), "no new key file is written beside existing secrets");
    std::fs::rename(&away, &key).unwrap();
    assert_eq!(server.reopened().login(ROOT, &subject, &server.code(&secret)).unwrap(), VERIFIED);
}

#[test]
fn a_missing_database_is_an_error_and_is_not_replaced() {
    let server = Server::new("");
    let (subject, secret) = server.enrolled("example");
    let (database, away) = (server.folder.path().join("tfa.db"), server.folder.path().join("away.db"));
    let Server { tfa, folder, clock, .. } = server;
    drop(tfa);
    std::fs::rename(&database, &away).unwrap();
    for attempt in 0..2 {
        let error = open(&folder, "", clock.clone()).err().unwrap();
        assert!(error.contains("Restore the database from a backup"), "attempt {attempt}: {error}");
    }
    std::fs::rename(&away, &database).unwrap();
    let code = format!("{:06}", CodeFormat::default().code(secret.bytes(), clock.now().as_secs() / 30));
    assert_eq!(open(&folder, "", clock).unwrap().login(ROOT, &subject, &code).unwrap(), VERIFIED);
}

#[test]
fn two_databases_can_share_a_key_file() {
    let server = Server::new("");
    let path = |name: &str| server.folder.path().join(name).display().to_string();
    let text = format!(r#"{{"store": "sqlite:{}", "key_file": "{}"}}"#, path("other.db"), path("tfa.key"));
    Tfa::open_with_clock(Config::parse(Some(&text)).unwrap(), server.clock.clone()).unwrap();
}
