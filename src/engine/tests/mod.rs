//! Tests of the engine's rules (contract sections 4 and 5), on a real store, with a clock that the test sets.

mod backup;
mod concurrency;
mod enrolment;
mod guessing;
mod lifecycle;
mod login;
mod presence;
mod recovery;
mod removal;
mod storage;
mod subject;
mod users;

use std::sync::Arc;
use std::time::Duration;

use super::audit::Actor;
use super::config::Config;
use super::login::{Method, Verdict};
use super::refusal::Refusal;
use super::*;
use crate::accounts::Subject;
use crate::clock::ManualClock;
use crate::otp::code::CodeFormat;
use crate::otp::secret::Secret;
use crate::store::{Change, Decision, Durability, Key};

/// The caller in these tests.
const ROOT: Actor<'static> = Actor { caller: "root", function: "test", remote_addr: None };
/// A time in the middle of a step.
const NOW: u64 = 1_800_000_015;

/// A server with one store, and the policy enabled.
struct Server {
    tfa: Tfa,
    clock: Arc<ManualClock>,
    folder: tempfile::TempDir,
    settings: String,
}

impl Server {
    fn new(settings: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(NOW));
        let tfa = open(&folder, settings, clock.clone()).unwrap();
        tfa.set_policy(ROOT, true).unwrap();
        Server { tfa, clock, folder, settings: settings.to_owned() }
    }

    fn reopened(&self) -> Tfa {
        self.reopened_with(&self.settings)
    }

    /// Another handle on the store, with settings of its own.
    fn reopened_with(&self, settings: &str) -> Tfa {
        open(&self.folder, settings, self.clock.clone()).unwrap()
    }

    /// Replaces the text of a record.
    fn write_record(&self, key: Key<'_>, text: &str) {
        let changes = vec![Change { key, text: Some(text.to_owned()) }];
        let decide = |_| Ok::<_, Refusal>(((), Decision { changes: changes.clone(), lines: Vec::new() }));
        self.tfa.store.settle(&[key], Durability::Power, decide).unwrap();
    }

    fn code_at(&self, secret: &Secret, time: u64) -> String {
        format!("{:06}", CodeFormat::default().code(secret.bytes(), time / 30))
    }

    fn code(&self, secret: &Secret) -> String {
        self.code_at(secret, self.clock.now().as_secs())
    }

    /// A code that is invalid at any time near now.
    fn wrong_code(&self, secret: &Secret) -> String {
        let near: Vec<_> =
            (0..9).map(|step| self.code_at(secret, self.clock.now().as_secs() - 120 + 30 * step)).collect();
        (0..).map(|number| format!("{number:06}")).find(|code| !near.contains(code)).unwrap()
    }

    /// Enrols a subject, and moves the clock past the time step that the enrolment used.
    fn enrolled(&self, name: &str) -> (Subject, Secret) {
        let (subject, secret) = (account(name), Secret::generate(16).unwrap());
        self.tfa.enrol(ROOT, &subject, &secret, &self.code(&secret)).unwrap();
        self.clock.advance(Duration::from_secs(30));
        (subject, secret)
    }

    fn login(&self, subject: &Subject, token: &str) -> Verdict {
        self.tfa.login(ROOT, subject, token).unwrap()
    }
}

fn open(folder: &tempfile::TempDir, settings: &str, clock: Arc<ManualClock>) -> Result<Tfa, String> {
    let path = folder.path().join("tfa.db");
    let text = format!(
        r#"{{"create": true, "store": "sqlite:{}", "hostname": "server.example.com"{settings}}}"#,
        path.display()
    );
    Tfa::open_with_clock(Config::parse(Some(&text))?, clock)
}

fn account(name: &str) -> Subject {
    Subject::Account { name: name.to_owned() }
}

const VERIFIED: Verdict = Verdict::Verified(Method::Totp);

fn reason(verdict: Verdict) -> Refusal {
    match verdict {
        Verdict::Denied(refusal, _) => refusal,
        other => panic!("{other:?}"),
    }
}
