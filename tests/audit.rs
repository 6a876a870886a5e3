//! The audit trail as `tfa audit` and callbacks show it.
//!
//! Promises: every change and every verdict has its entry, and no entry contains a secret or a code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::arithmetic_side_effects)]

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;
use tfa::api::args::Args;
use tfa::api::{uapi, whmapi1};
use tfa::clock::{Clock, ManualClock};
use tfa::engine::Tfa;
use tfa::engine::audit::Actor;
use tfa::engine::config::Config;
use tfa::engine::sink::Sink;
use tfa::otp::code::CodeFormat;
use tfa::otp::secret::Secret;

const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

struct Server {
    tfa: Tfa,
    clock: Arc<ManualClock>,
    folder: TempDir,
}

/// Entries that [`Server::everything`] has.
const EVERYTHING: usize = 19;

/// A sink that stores the entries that it receives.
struct Received(Arc<Mutex<Vec<String>>>);

impl Sink for Received {
    fn send(&self, line: &str) {
        self.0.lock().unwrap().push(line.to_owned());
    }
}

impl Server {
    fn new() -> Server {
        Server::keeping(30)
    }

    /// A server that keeps entries for so many days.
    fn keeping(days: u64) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(1_800_000_015));
        let config = json!({"create": true, "store": format!("sqlite:{}", folder.path().join("tfa.db").display()), "audit": {"days": days}});
        std::fs::write(folder.path().join("tfa.json"), config.to_string()).unwrap();
        let tfa = Tfa::open_with_clock(Config::parse(Some(&config.to_string())).unwrap(), clock.clone()).unwrap();
        Server { tfa, clock, folder }
    }

    /// Registers a sink. Returns the entries that it receives.
    fn listen(&self) -> Arc<Mutex<Vec<String>>> {
        let received = Arc::new(Mutex::new(Vec::new()));
        self.tfa.set_audit(Box::new(Received(received.clone()))).unwrap();
        received
    }

    fn whm(&self, function: &str, args: Value) {
        let answer = whmapi1(&self.tfa, "root", function, &Args::parse(Some(&args.to_string())).unwrap());
        assert!(answer.outcome.is_ok(), "{function}");
    }

    /// A login, and a second after it: of denied logins, each has an entry of its own then.
    fn login(&self, token: &str) {
        let args = json!({"user": "example", "tfa_token": token, "remote_addr": "192.0.2.1"});
        self.whm("twofactorauth_verify_login", args);
        self.clock.advance(Duration::from_secs(1));
    }

    fn code(&self) -> String {
        let secret = Secret::from_base32(SECRET).unwrap();
        format!("{:06}", CodeFormat::default().code(secret.bytes(), self.clock.now().as_secs() / 30))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tfa"));
        command.arg("audit").args(arguments).env("TFA_CONFIG", self.folder.path().join("tfa.json"));
        command
    }

    fn audit(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Inserts an entry as another program, or a newer library, might.
    fn insert(&self, time: u64, text: &str) {
        let connection = Connection::open(self.folder.path().join("tfa.db")).unwrap();
        connection.execute("INSERT INTO audit (time, text) VALUES (?1, ?2)", (time.cast_signed(), text)).unwrap();
    }

    /// The entries that `tfa audit --json ARGUMENTS` prints.
    fn entries(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.audit(&[&["--json"], arguments].concat());
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Performs each change and verdict once or more. Returns the secret and the codes.
    fn everything(&self) -> Vec<String> {
        self.whm("twofactorauth_enable_policy", json!({}));
        self.whm("twofactorauth_set_issuer", json!({"issuer": "Example"}));
        self.whm("twofactorauth_set_issuer", json!({"issuer": ""}));
        self.whm("twofactorauth_set_tfa_config_for_user", json!({"example": {"primary_account": {"secret": SECRET}}}));
        let right = self.code();
        let wrong = if right == "000000" { "000001" } else { "000000" };
        self.login(&right);
        self.login(&right);
        (0..6).for_each(|_| self.login(wrong));
        self.whm("twofactorauth_unlock_user", json!({"user": "example"}));
        self.whm("uapi_cpanel", json!({"cpanel.user": "example", "cpanel.module": "TwoFactorAuth", "cpanel.function": "generate_recovery_codes"}));
        self.tfa.rotate_keys(Actor::new("root", "keys rotate")).unwrap();
        self.whm("twofactorauth_remove_user_config", json!({"user": "example"}));
        self.clock.advance(Duration::from_secs(60));
        let args = json!({"secret": SECRET, "tfa_token": self.code()}).to_string();
        let args = Args::parse(Some(&args)).unwrap();
        assert_eq!(json!(uapi(&self.tfa, "example", "TwoFactorAuth", "set_user_configuration", &args))["status"], 1);
        self.whm("twofactorauth_disable_policy", json!({}));
        vec![right, wrong.to_owned(), self.code(), SECRET.to_owned()]
    }
}

#[test]
fn every_change_has_its_entry_and_no_entry_a_secret() {
    let server = Server::new();
    let hidden = server.everything();
    let entries = server.entries(&[]);
    let events: Vec<_> = entries.iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    let before = ["policy_enabled", "issuer_set", "issuer_reset", "secret_set", "verified", "replayed"];
    let after = [
        "locked",
        "unlocked",
        "recovery_codes_made",
        "key_added",
        "keys_retired",
        "removed",
        "enrolled",
        "policy_disabled",
    ];
    assert_eq!(events, [&before[..], &["wrong"; 5], &after].concat());
    assert_eq!(events.len(), EVERYTHING);
    assert_eq!(
        entries[4],
        json!({"id": 5, "time": "2027-01-15T08:00:15.000Z", "event": "verified", "subject": "example", "caller": "root",
            "function": "twofactorauth_verify_login", "remote_addr": "192.0.2.1"})
    );
    // The caller is the one who acts, not the subject.
    assert_eq!((&entries[13]["caller"], &entries[13]["subject"]), (&json!("root"), &json!("example")));
    assert_eq!(
        (&entries[17]["caller"], &entries[17]["function"]),
        (&json!("example"), &json!("set_user_configuration"))
    );
    let values: Vec<_> = entries.iter().flat_map(|entry| entry.as_object().unwrap().values()).collect();
    assert!(
        hidden.iter().all(|hidden| !values.iter().any(|value| value.as_str().is_some_and(|value| value == hidden)))
    );
    assert!(!String::from_utf8(server.audit(&[]).stdout).unwrap().contains(SECRET));
}

#[test]
fn entries_are_filtered() {
    let server = Server::new();
    server.everything();
    assert_eq!(server.entries(&["--event=wrong"]).len(), 5);
    assert_eq!(server.entries(&["--user=example", "--event=replayed"]).len(), 1);
    assert_eq!(server.entries(&["--caller=example"]).len(), 1);
    assert_eq!(server.entries(&["--since=2027-01-15T08:01:00"]).len(), 2);
    assert_eq!(server.entries(&["--since=2027-01-16"]).len(), 0);
    let all = server.entries(&[]).len();
    assert_eq!(server.entries(&["--until=2027-01-15T08:01:00"]).len(), all - 2);
    assert_eq!(server.entries(&["--since=2027-01-15", "--until=2027-01-16"]).len(), all);
    assert_eq!(server.entries(&["--until=2027-01-15T08:00:15"]).len(), 0, "an entry of that moment is not before it");
    assert_eq!(server.entries(&["--function=twofactorauth_set_issuer"]).len(), 2);
    assert_eq!(server.entries(&["--function=twofactorauth_set_issuer", "--event=issuer_reset"]).len(), 1);
    assert_eq!(server.entries(&["--address=192.0.2.1"]).len(), 8);
    assert_eq!(server.entries(&["--address=192.0.2.2"]).len(), 0);
    assert_eq!(server.entries(&["--user="]).len(), 0, "no subject has an empty name");
    assert_eq!(server.audit(&["--until=tomorrow"]).status.code(), Some(2));
    assert_eq!(server.audit(&["--since=yesterday"]).status.code(), Some(2));
    assert_eq!(server.audit(&["--event=nothing"]).status.code(), Some(2));
}

#[test]
fn a_follower_prints_entries_as_they_are_written() {
    let server = Server::new();
    let mut child = server.command(&["-f", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for (function, event) in [("enable", "policy_enabled"), ("disable", "policy_disabled")] {
        server.whm(&format!("twofactorauth_{function}_policy"), json!({}));
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(line["event"], event);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Four processes write at once: the follower prints each entry once, in the order of the trail.
#[test]
fn a_follower_misses_nothing_that_other_processes_write() {
    const WRITERS: usize = 4;
    const CHANGES: usize = 60;
    let server = Server::new();
    server.whm("twofactorauth_enable_policy", json!({}));
    server.whm("twofactorauth_disable_policy", json!({}));
    let mut child = server.command(&["--follow", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let change = "command=twofactorauth_set_issuer%3Fissuer%3DExample";
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_tfa"));
            command.args(["whmapi1", "batch"]).args([change; CHANGES]).stdout(Stdio::null());
            command.env("TFA_CONFIG", server.folder.path().join("tfa.json")).spawn().unwrap()
        })
        .collect();
    let shown: Vec<Value> = BufReader::new(child.stdout.take().unwrap())
        .lines()
        .take(2 + WRITERS * CHANGES)
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect();
    assert!(writers.into_iter().all(|mut writer| writer.wait().unwrap().success()));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(shown, server.entries(&[]));
    assert_eq!(shown.iter().filter(|line| line["event"] == "issuer_set").count(), WRITERS * CHANGES);
}

#[test]
fn a_damaged_entry_hides_no_other() {
    let server = Server::new();
    server.whm("twofactorauth_enable_policy", json!({}));
    for text in ["", "{", "{}", "no JSON \u{0}", r#"{"event": 1, "caller": "root", "function": "x"}"#] {
        server.insert(1_800_000_015_000, text);
    }
    server.whm("twofactorauth_disable_policy", json!({}));
    let output = server.audit(&["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let (shown, errors) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let events: Vec<Value> =
        shown.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["event"].clone()).collect();
    assert_eq!(events, ["policy_enabled", "policy_disabled"]);
    for number in 2..=6 {
        assert!(errors.contains(&format!("The line {number} of the audit trail is damaged")), "{errors}");
    }
    assert_eq!(errors.lines().count(), 5);
}

#[test]
fn entries_of_a_newer_library_are_shown() {
    let server = Server::new();
    let line =
        r#"{"event": "passkey_added", "caller": "root", "function": "twofactorauth_add_passkey", "passkey": "1"}"#;
    server.insert(1_800_000_015_000, line);
    assert_eq!(server.entries(&["--caller=root"])[0]["event"], "passkey_added");
    let shown = String::from_utf8(server.audit(&[]).stdout).unwrap();
    assert_eq!(
        shown,
        "2027-01-15T08:00:15.000Z  passkey_added             -  by root through twofactorauth_add_passkey\n"
    );
}

/// The `jq` examples of docs/audit.md run as they are printed.
#[test]
fn the_documented_queries_work() {
    let server = Server::new();
    server.everything();
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/audit.md")).unwrap();
    let (_, examples) = document.split_once("```sh\n").unwrap();
    let (examples, _) = examples.split_once("```").unwrap();
    let programs = std::path::Path::new(env!("CARGO_BIN_EXE_tfa")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let answers = examples.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut shell = Command::new("bash");
        shell.args(["-o", "pipefail", "-c", line]).env("PATH", &path);
        let output = shell.env("TFA_CONFIG", server.folder.path().join("tfa.json")).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    });
    let answers: Vec<_> = answers.collect();
    assert_eq!(answers.len(), 4);
    assert_eq!(answers[0].trim(), "7 example");
    assert_eq!(answers[1].trim(), "5 192.0.2.1");
    let by_others: Vec<Value> = answers[2].lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<_> = by_others.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["secret_set", "unlocked", "recovery_codes_made", "removed"]);
    assert_eq!(answers[3].lines().count(), server.entries(&[]).len());
    let first = r#""2027-01-15T08:00:15.000Z","policy_enabled",,"root","twofactorauth_enable_policy","#;
    assert_eq!(answers[3].lines().next().unwrap(), first);
}

#[test]
fn a_sink_receives_every_committed_entry() {
    let server = Server::new();
    let received = server.listen();
    server.everything();
    let received: Vec<Value> =
        received.lock().unwrap().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(received, server.entries(&[]));
}

#[test]
fn with_zero_days_entries_go_to_the_sinks_alone() {
    let server = Server::keeping(0);
    let received = server.listen();
    server.everything();
    assert_eq!(received.lock().unwrap().len(), EVERYTHING);
    assert_eq!(server.entries(&[]).len(), 0);
}

#[test]
fn old_entries_are_pruned_when_the_library_is_opened() {
    let server = Server::new();
    server.whm("twofactorauth_enable_policy", json!({}));
    server.clock.advance(Duration::from_secs(31 * 86_400));
    server.whm("twofactorauth_disable_policy", json!({}));
    assert_eq!(server.tfa.audit_lines(0, 9).unwrap().len(), 2);
    let config = std::fs::read_to_string(server.folder.path().join("tfa.json")).unwrap();
    let again = Tfa::open_with_clock(Config::parse(Some(&config)).unwrap(), server.clock.clone()).unwrap();
    assert_eq!(again.audit_lines(0, 9).unwrap().len(), 1);
}
