//! Key rotation: while threads log in, killed at any moment, interrupted between its steps.
//!
//! The tests read the key file as JSON and the database with SQLite.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects)]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, params};
use serde_json::{Value, json};
use tempfile::TempDir;
use tfa::accounts::Subject;
use tfa::clock::{Clock, ManualClock};
use tfa::engine::Tfa;
use tfa::engine::audit::Actor;
use tfa::engine::config::Config;
use tfa::engine::login::{Method, Verdict};
use tfa::engine::refusal::Refusal;
use tfa::otp::code::CodeFormat;
use tfa::otp::secret::Secret;

const ROOT: Actor<'static> = Actor { caller: "root", function: "test", remote_addr: None };
const VERIFIED: Verdict = Verdict::Verified(Method::Totp);

/// A server with a store in a folder, and a clock that the test sets.
struct Server {
    folder: TempDir,
    clock: Arc<ManualClock>,
    secret: Secret,
}

impl Server {
    /// A server with `count` enrolled subjects, which share one secret.
    fn with(count: usize) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let server =
            Server { folder, clock: Arc::new(ManualClock::at(1_800_000_015)), secret: Secret::generate(32).unwrap() };
        let config =
            json!({ "create": true, "store": format!("sqlite:{}", server.path("tfa.db").display()), "skew": 10 });
        fs::write(server.path("tfa.json"), config.to_string()).unwrap();
        let tfa = server.open();
        tfa.set_policy(ROOT, true).unwrap();
        let given: Vec<_> = (0..count).map(|number| (subject(number), server.secret.clone())).collect();
        tfa.set_secrets(ROOT, &given).unwrap();
        server
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self) -> Tfa {
        self.try_open().unwrap()
    }

    fn try_open(&self) -> Result<Tfa, String> {
        let text = fs::read_to_string(self.path("tfa.json")).unwrap();
        Tfa::open_with_clock(Config::parse(Some(&text))?, self.clock.clone())
    }

    fn code(&self) -> String {
        let step = self.clock.now().as_secs() / 30;
        format!("{:06}", CodeFormat::default().code(self.secret.bytes(), step))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tfa"));
        command.args(arguments).env("TFA_CONFIG", self.path("tfa.json"));
        command
    }

    fn tfa(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn key_file(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path("tfa.key")).unwrap()).unwrap()
    }

    fn current_key(&self) -> String {
        self.key_file()["current"].as_str().unwrap().to_owned()
    }

    fn database(&self) -> Connection {
        let connection = Connection::open(self.path("tfa.db")).unwrap();
        connection.busy_timeout(Duration::from_secs(10)).unwrap();
        connection
    }

    /// The record of a subject.
    fn record(&self, name: &str) -> String {
        let statement = "SELECT value FROM record WHERE kind = 2 AND name = ?1";
        self.database().query_row(statement, [name], |row| row.get(0)).unwrap()
    }

    /// The id of the key that seals each enrolled subject's secret.
    fn keys_in_use(&self) -> Vec<String> {
        let database = self.database();
        let mut statement = database.prepare("SELECT value FROM record WHERE kind = 2").unwrap();
        let texts = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let key = |text: String| serde_json::from_str::<Value>(&text).unwrap()["record"]["secret"]["key"].clone();
        texts.map(|text| key(text.unwrap()).as_str().unwrap().to_owned()).collect()
    }

    /// Logs a subject in. Returns whether its code was accepted; it may be a replayed one, but no other.
    fn logs_in(&self, tfa: &Tfa, number: usize) -> bool {
        let verdict = tfa.login(ROOT, &subject(number), &self.code()).unwrap();
        assert!(verdict == VERIFIED || matches!(verdict, Verdict::Denied(Refusal::UsedCode, _)), "{verdict:?}");
        verdict == VERIFIED
    }

    /// Checks that a rotation is complete, and that every subject can log in.
    fn is_rotated(&self, count: usize) {
        let file = self.key_file();
        assert_eq!(file["keys"].as_object().unwrap().len(), 1, "older keys are retired");
        assert_eq!(self.keys_in_use(), vec![self.current_key(); count]);
        self.clock.advance(Duration::from_secs(60));
        let tfa = self.open();
        for number in 0..count {
            assert_eq!(tfa.login(ROOT, &subject(number), &self.code()).unwrap(), VERIFIED, "subject {number}");
        }
    }
}

fn subject(number: usize) -> Subject {
    Subject::Account { name: format!("account{number:05}") }
}

fn text(output: &Output) -> String {
    String::from_utf8([output.stdout.as_slice(), &output.stderr].concat()).unwrap()
}

#[test]
fn threads_log_in_and_enrol_while_the_key_is_rotated() {
    const SUBJECTS: usize = 300;
    const ROTATIONS: usize = 4;
    let server = Server::with(SUBJECTS);
    let (is_over, accepted, enrolled) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(SUBJECTS));
    let first = server.current_key();
    thread::scope(|scope| {
        // The handles are opened before any rotation, and another one rotates.
        for worker in 0..2 {
            let (server, is_over, accepted, tfa) = (&server, &is_over, &accepted, server.open());
            scope.spawn(move || {
                let numbers = (worker..SUBJECTS).step_by(2).cycle();
                for number in numbers.take_while(|_| !is_over.load(Ordering::SeqCst)) {
                    accepted.fetch_add(usize::from(server.logs_in(&tfa, number)), Ordering::SeqCst);
                    thread::yield_now();
                }
            });
        }
        let (newcomers, server, is_over, enrolled) = (server.open(), &server, &is_over, &enrolled);
        scope.spawn(move || {
            while !is_over.load(Ordering::SeqCst) {
                let number = enrolled.load(Ordering::SeqCst);
                newcomers.set_secrets(ROOT, &[(subject(number), server.secret.clone())]).unwrap();
                enrolled.store(number + 1, Ordering::SeqCst);
            }
        });
        let tfa = server.open();
        let rotate = || {
            let rotation = tfa.rotate_keys(ROOT);
            // Less than the window, as a login may be under way.
            server.clock.advance(Duration::from_secs(30));
            rotation
        };
        let rotations: Vec<_> = (0..ROTATIONS).map(|_| rotate()).collect();
        // Before any assertion, since the other threads wait for it.
        is_over.store(true, Ordering::SeqCst);
        for rotation in rotations {
            let rotation = rotation.unwrap();
            assert!(!rotation.is_resumed && rotation.resealed >= SUBJECTS, "{rotation:?}");
        }
    });
    assert!(accepted.load(Ordering::SeqCst) >= ROTATIONS, "logins continue");
    assert!(enrolled.load(Ordering::SeqCst) > SUBJECTS, "enrolments continue");
    assert_ne!(server.current_key(), first);
    // Subjects were enrolled under every key; all secrets are under the current one.
    let tfa = server.open();
    assert!(tfa.key_uses().unwrap().iter().all(|key| key.is_present && key.is_current));
    server.is_rotated(enrolled.load(Ordering::SeqCst));
}

#[test]
fn a_killed_rotation_loses_nothing_and_is_finished_by_the_next() {
    const SUBJECTS: usize = 2000;
    const ROUNDS: u64 = 24;
    let server = Server::with(SUBJECTS);
    let mut cut_off = 0;
    for round in 0..ROUNDS {
        let mut child = server.command(&["keys", "rotate"]).spawn().unwrap();
        thread::sleep(Duration::from_millis(round * 7));
        child.kill().unwrap();
        child.wait().unwrap();
        let keys = server.key_file()["keys"].as_object().unwrap().clone();
        cut_off += usize::from(keys.len() > 1);
        assert!(server.keys_in_use().iter().all(|id| keys.contains_key(id)), "every secret's key is in the file");
        server.clock.advance(Duration::from_secs(60));
        let number = usize::try_from(round).unwrap();
        assert_eq!(server.open().login(ROOT, &subject(number), &server.code()).unwrap(), VERIFIED);
    }
    assert!(cut_off > 0, "at least one rotation was interrupted");
    let output = server.tfa(&["keys", "rotate"]);
    assert!(output.status.success(), "{}", text(&output));
    server.is_rotated(SUBJECTS);
    assert_eq!(server.database().query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)).unwrap(), "ok");
}

#[test]
fn a_rotation_is_resumed_after_each_of_its_steps() {
    let server = Server::with(3);
    let old = server.key_file();
    assert!(text(&server.tfa(&["keys", "rotate"])).contains("The key is rotated: 3 secrets"));
    let (new, newest) = (server.key_file(), server.current_key());
    let both = {
        let mut both = new.clone();
        both["keys"].as_object_mut().unwrap().extend(old["keys"].as_object().unwrap().clone());
        both
    };
    let write = |file: &Value| fs::write(server.path("tfa.key"), file.to_string()).unwrap();
    // Interrupted before the last step: every secret is resealed, the older key is still there.
    write(&both);
    assert!(text(&server.tfa(&["keys", "rotate"])).contains("interrupted rotation is finished: 0 secrets"));
    assert_eq!(server.key_file(), new);
    // Interrupted after the first: the file has a newer key, and the record names the older one.
    let mut added = new.clone();
    added["keys"]["key-added"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    added["current"] = json!("key-added");
    write(&added);
    server.open().set_secrets(ROOT, &[(subject(3), server.secret.clone())]).unwrap();
    assert_eq!(server.keys_in_use(), vec![newest; 4], "the key that the record names seals");
    assert!(text(&server.tfa(&["keys", "rotate"])).contains("interrupted rotation is finished: 4 secrets"));
    assert_eq!(server.current_key(), "key-added");
    server.is_rotated(4);
}

#[test]
fn only_one_rotation_runs_at_a_time() {
    let server = Server::with(1);
    let lock = tfa::store::private::lock(&server.path("tfa.key")).unwrap();
    let output = server.tfa(&["keys", "rotate"]);
    assert_eq!((output.status.code(), server.keys_in_use()), (Some(1), vec![server.current_key()]));
    assert!(text(&output).contains("another key rotation is under way"));
    drop(lock);
    assert!(server.tfa(&["keys", "rotate"]).status.success());
}

#[test]
fn a_missing_key_is_named_and_nothing_is_lost() {
    let server = Server::with(2);
    let (before, old) = (fs::read(server.path("tfa.key")).unwrap(), server.current_key());
    // With other keys in the key file no record can be resealed, and the errors name the missing key.
    let mut other = Server::with(0).key_file();
    other["store"] = server.key_file()["store"].clone();
    fs::write(server.path("tfa.key"), other.to_string()).unwrap();
    let records = server.record("account00000");
    let tfa = server.open();
    assert!(tfa.login(ROOT, &subject(0), &server.code()).unwrap_err().to_string().contains(&old));
    let output = server.tfa(&["keys", "list"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains(&format!("{old}  MISSING  2")), "{}", text(&output));
    let output = server.tfa(&["keys", "rotate"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output).contains("2 secrets could not be resealed") && text(&output).contains(&old),
        "{}",
        text(&output)
    );
    assert_eq!(server.record("account00000"), records, "the record is unchanged");
    // The open handle uses the key again when it is back in the file.
    let mut file = server.key_file();
    let kept: Value = serde_json::from_slice(&before).unwrap();
    file["keys"].as_object_mut().unwrap().extend(kept["keys"].as_object().unwrap().clone());
    fs::write(server.path("tfa.key"), file.to_string()).unwrap();
    server.clock.advance(Duration::from_secs(60));
    assert_eq!(tfa.login(ROOT, &subject(0), &server.code()).unwrap(), VERIFIED);
    assert!(server.tfa(&["keys", "rotate"]).status.success());
    server.is_rotated(2);
}

#[test]
fn a_missing_key_file_is_not_replaced() {
    let server = Server::with(1);
    let tfa = server.open();
    fs::rename(server.path("tfa.key"), server.path("away")).unwrap();
    assert!(tfa.rotate_keys(ROOT).unwrap_err().to_string().contains("is gone"));
    assert!(server.try_open().err().unwrap().contains("does not exist"));
    assert!(!server.path("tfa.key").exists());
}

#[test]
fn a_record_moved_to_another_subject_does_not_open() {
    let server = Server::with(2);
    server.tfa(&["keys", "rotate"]);
    let move_record = "UPDATE record SET value = ?1 WHERE kind = 2 AND name = 'account00001'";
    assert_eq!(server.database().execute(move_record, params![server.record("account00000")]).unwrap(), 1);
    let error = server.open().login(ROOT, &subject(1), &server.code()).unwrap_err().to_string();
    assert!(error.contains("\"account00001\" does not open with the key"), "{error}");
    assert!(error.contains(&server.current_key()));
    server.clock.advance(Duration::from_secs(60));
    assert_eq!(server.open().login(ROOT, &subject(0), &server.code()).unwrap(), VERIFIED);
}
