//! Key rotation, as operators meet it: while threads log in, killed at any moment, cut off between its steps.
//!
//! Keys and records are looked at from outside: the key file as JSON, the database by SQLite.
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

/// A folder with a store, on a clock that stands still.
struct Site {
    folder: TempDir,
    clock: Arc<ManualClock>,
    secret: Secret,
}

impl Site {
    /// With `count` enrolled subjects, all of one secret.
    fn with(count: usize) -> Site {
        let folder = tempfile::tempdir().unwrap();
        let site =
            Site { folder, clock: Arc::new(ManualClock::at(1_800_000_015)), secret: Secret::generate(32).unwrap() };
        let config = json!({ "store": format!("sqlite:{}", site.path("tfa.db").display()), "skew": 10 });
        fs::write(site.path("tfa.json"), config.to_string()).unwrap();
        let tfa = site.open();
        tfa.set_policy(ROOT, true).unwrap();
        let given: Vec<_> = (0..count).map(|number| (subject(number), site.secret.clone())).collect();
        tfa.set_secrets(ROOT, &given).unwrap();
        site
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

    /// The id of the key that each enrolled subject's secret is under.
    fn keys_in_use(&self) -> Vec<String> {
        let database = self.database();
        let mut statement = database.prepare("SELECT value FROM record WHERE kind = 2").unwrap();
        let texts = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let key = |text: String| serde_json::from_str::<Value>(&text).unwrap()["record"]["secret"]["key"].clone();
        texts.map(|text| key(text.unwrap()).as_str().unwrap().to_owned()).collect()
    }

    /// That a rotation is complete, and everybody gets in.
    fn is_rotated(&self, count: usize) {
        let file = self.key_file();
        assert_eq!(file["keys"].as_object().unwrap().len(), 1, "the older keys are retired");
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
    let site = Site::with(SUBJECTS);
    let (is_over, accepted, enrolled) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(SUBJECTS));
    let first = site.current_key();
    thread::scope(|scope| {
        // Handles that were opened before any rotation, and rotations by another one.
        for worker in 0..2 {
            let (site, is_over, accepted, tfa) = (&site, &is_over, &accepted, site.open());
            scope.spawn(move || {
                for number in (worker..SUBJECTS).step_by(2).cycle() {
                    if is_over.load(Ordering::SeqCst) {
                        return;
                    }
                    let verdict = tfa.login(ROOT, &subject(number), &site.code()).unwrap();
                    let is_replayed = matches!(verdict, Verdict::Denied(Refusal::UsedCode, _));
                    assert!(verdict == VERIFIED || is_replayed, "{verdict:?}");
                    accepted.fetch_add(usize::from(!is_replayed), Ordering::SeqCst);
                    thread::yield_now();
                }
            });
        }
        let (newcomers, site, is_over, enrolled) = (site.open(), &site, &is_over, &enrolled);
        scope.spawn(move || {
            while !is_over.load(Ordering::SeqCst) {
                let number = enrolled.load(Ordering::SeqCst);
                newcomers.set_secrets(ROOT, &[(subject(number), site.secret.clone())]).unwrap();
                enrolled.store(number + 1, Ordering::SeqCst);
            }
        });
        let tfa = site.open();
        let rotate = || {
            let rotation = tfa.rotate_keys(ROOT);
            // Less than the window: a code may be on its way.
            site.clock.advance(Duration::from_secs(30));
            rotation
        };
        let rotations: Vec<_> = (0..ROTATIONS).map(|_| rotate()).collect();
        // Before anything is asserted: the others wait for it.
        is_over.store(true, Ordering::SeqCst);
        for rotation in rotations {
            let rotation = rotation.unwrap();
            assert!(!rotation.is_resumed && rotation.resealed >= SUBJECTS, "{rotation:?}");
        }
    });
    assert!(accepted.load(Ordering::SeqCst) >= ROTATIONS, "logins went on");
    assert!(enrolled.load(Ordering::SeqCst) > SUBJECTS, "enrolments went on");
    assert_ne!(site.current_key(), first);
    // Each was enrolled under the key of its moment; one rotation more has nothing left behind.
    let tfa = site.open();
    assert!(tfa.key_uses().unwrap().iter().all(|key| key.is_present && key.is_current));
    site.is_rotated(enrolled.load(Ordering::SeqCst));
}

#[test]
fn a_rotation_that_is_killed_loses_nothing_and_is_finished_by_the_next() {
    const SUBJECTS: usize = 2000;
    const ROUNDS: u64 = 24;
    let site = Site::with(SUBJECTS);
    let mut cut_off = 0;
    for round in 0..ROUNDS {
        let mut child = site.command(&["keys", "rotate"]).spawn().unwrap();
        thread::sleep(Duration::from_millis(round * 7));
        child.kill().unwrap();
        child.wait().unwrap();
        let keys = site.key_file()["keys"].as_object().unwrap().clone();
        cut_off += usize::from(keys.len() > 1);
        assert!(site.keys_in_use().iter().all(|id| keys.contains_key(id)), "every secret's key is in the file");
        site.clock.advance(Duration::from_secs(60));
        let number = usize::try_from(round).unwrap();
        assert_eq!(site.open().login(ROOT, &subject(number), &site.code()).unwrap(), VERIFIED);
    }
    assert!(cut_off > 0, "at least one kill came in the middle");
    let output = site.tfa(&["keys", "rotate"]);
    assert!(output.status.success(), "{}", text(&output));
    site.is_rotated(SUBJECTS);
    assert_eq!(site.database().query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)).unwrap(), "ok");
}

#[test]
fn a_rotation_is_resumed_after_each_of_its_steps() {
    let site = Site::with(3);
    let old = site.key_file();
    assert!(text(&site.tfa(&["keys", "rotate"])).contains("The key is changed: 3 secrets"));
    let (new, newest) = (site.key_file(), site.current_key());
    let both = {
        let mut both = new.clone();
        both["keys"].as_object_mut().unwrap().extend(old["keys"].as_object().unwrap().clone());
        both
    };
    let write = |file: &Value| fs::write(site.path("tfa.key"), file.to_string()).unwrap();
    // After the last step but one: all is resealed, the older key is still there.
    write(&both);
    assert!(text(&site.tfa(&["keys", "rotate"])).contains("cut off is finished: 0 secrets"));
    assert_eq!(site.key_file(), new);
    // After the first: the file has a newer key, and the record names the older one.
    let mut added = new.clone();
    added["keys"]["key-added"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    added["current"] = json!("key-added");
    write(&added);
    site.open().set_secrets(ROOT, &[(subject(3), site.secret.clone())]).unwrap();
    assert_eq!(site.keys_in_use(), vec![newest; 4], "the key that the record names seals");
    assert!(text(&site.tfa(&["keys", "rotate"])).contains("cut off is finished: 4 secrets"));
    assert_eq!(site.current_key(), "key-added");
    site.is_rotated(4);
}

#[test]
fn one_rotation_at_a_time() {
    let site = Site::with(1);
    let lock = tfa::store::private::lock(&site.path("tfa.key")).unwrap();
    let output = site.tfa(&["keys", "rotate"]);
    assert_eq!((output.status.code(), site.keys_in_use()), (Some(1), vec![site.current_key()]));
    assert!(text(&output).contains("another key rotation is under way"));
    drop(lock);
    assert!(site.tfa(&["keys", "rotate"]).status.success());
}

#[test]
fn a_missing_key_is_named_and_nothing_is_lost() {
    let site = Site::with(2);
    let (before, old) = (fs::read(site.path("tfa.key")).unwrap(), site.current_key());
    // Another server's key file: one record cannot be resealed, and says which key it wants.
    let other = Site::with(0);
    fs::copy(other.path("tfa.key"), site.path("tfa.key")).unwrap();
    let records = site.record("account00000");
    let tfa = site.open();
    assert!(tfa.login(ROOT, &subject(0), &site.code()).unwrap_err().to_string().contains(&old));
    let output = site.tfa(&["keys", "list"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains(&format!("{old}  MISSING  2")), "{}", text(&output));
    let output = site.tfa(&["keys", "rotate"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output).contains("2 secrets could not be resealed") && text(&output).contains(&old),
        "{}",
        text(&output)
    );
    assert_eq!(site.record("account00000"), records, "nothing was touched");
    // The handle that met the missing key takes it up when it is back, beside the others.
    let mut file = site.key_file();
    let kept: Value = serde_json::from_slice(&before).unwrap();
    file["keys"].as_object_mut().unwrap().extend(kept["keys"].as_object().unwrap().clone());
    fs::write(site.path("tfa.key"), file.to_string()).unwrap();
    site.clock.advance(Duration::from_secs(60));
    assert_eq!(tfa.login(ROOT, &subject(0), &site.code()).unwrap(), VERIFIED);
    assert!(site.tfa(&["keys", "rotate"]).status.success());
    site.is_rotated(2);
}

#[test]
fn a_key_file_that_is_gone_is_not_made_anew() {
    let site = Site::with(1);
    let tfa = site.open();
    fs::rename(site.path("tfa.key"), site.path("away")).unwrap();
    assert!(tfa.rotate_keys(ROOT).unwrap_err().to_string().contains("is gone"));
    assert!(site.try_open().err().unwrap().contains("is gone"));
    assert!(!site.path("tfa.key").exists());
}

#[test]
fn a_record_moved_to_another_subject_does_not_open() {
    let site = Site::with(2);
    site.tfa(&["keys", "rotate"]);
    let move_record = "UPDATE record SET value = ?1 WHERE kind = 2 AND name = 'account00001'";
    assert_eq!(site.database().execute(move_record, params![site.record("account00000")]).unwrap(), 1);
    let error = site.open().login(ROOT, &subject(1), &site.code()).unwrap_err().to_string();
    assert!(error.contains("\"account00001\" does not open with the key"), "{error}");
    assert!(error.contains(&site.current_key()));
    site.clock.advance(Duration::from_secs(60));
    assert_eq!(site.open().login(ROOT, &subject(0), &site.code()).unwrap(), VERIFIED);
}
