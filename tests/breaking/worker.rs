//! The other processes: what a panel's workers do, each step told in a journal before and after it is done.
//!
//! A line of the journal is one `write`, so what was acknowledged before a SIGKILL stands there. The line of an
//! operation's beginning without that of its end is the one that was under way.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use tfa::clock::{Clock, ManualClock};
use tfa::engine::Tfa;
use tfa::engine::login::Verdict;
use tfa::engine::refusal::Refusal;
use tfa::otp::secret::Secret;

use crate::fixture::{ACTOR, Dice, NOW, PERIOD, account, code, open, wrong_code};

/// One operation on one subject. Secrets are in Base32.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    Enrol { subject: String, secret: String, step: u64 },
    Remove { subject: String },
    MakeRecoveryCodes { subject: String },
    Guess { subject: String, secret: String, step: u64 },
    Login { subject: String, secret: String, step: u64 },
    LoginByRecoveryCode { subject: String, code: String },
    RotateKeys,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Done; a login was accepted.
    Done,
    /// Done: these are the recovery codes.
    Codes(Vec<String>),
    /// Kept out by a wrong code, which is counted.
    Wrong,
    /// Kept out: used before, locked, or no longer enrolled.
    No,
    /// The question could not be answered, and why.
    Unavailable(String),
}

/// A line of a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Line {
    /// An operation begins, at this time (Unix seconds).
    Begin(u64, Operation),
    /// It ended.
    End(Outcome),
}

impl Operation {
    /// Whom it is about; nobody: "".
    pub fn subject(&self) -> &str {
        match self {
            Operation::Enrol { subject, .. }
            | Operation::Remove { subject }
            | Operation::MakeRecoveryCodes { subject }
            | Operation::Guess { subject, .. }
            | Operation::Login { subject, .. }
            | Operation::LoginByRecoveryCode { subject, .. } => subject,
            Operation::RotateKeys => "",
        }
    }

    /// Carries it out.
    pub fn perform(&self, tfa: &Tfa) -> Outcome {
        let of = |secret: &str| Secret::from_base32(secret).unwrap();
        match self {
            Operation::Enrol { subject, secret, step } => {
                let secret = of(secret);
                told(tfa.enrol(ACTOR, &account(subject), &secret, &code(&secret, *step)))
            }
            Operation::Remove { subject } => told(tfa.remove(ACTOR, &[account(subject)])),
            Operation::MakeRecoveryCodes { subject } => match tfa.generate_recovery_codes(ACTOR, &account(subject)) {
                Ok(codes) => Outcome::Codes(codes.iter().map(|code| code.to_string()).collect()),
                refused => told(refused),
            },
            Operation::Guess { subject, secret, step } => {
                judged(tfa.login(ACTOR, &account(subject), &wrong_code(&of(secret), *step)))
            }
            Operation::Login { subject, secret, step } => {
                judged(tfa.login(ACTOR, &account(subject), &code(&of(secret), *step)))
            }
            Operation::LoginByRecoveryCode { subject, code } => judged(tfa.login(ACTOR, &account(subject), code)),
            // Another process may be at it.
            Operation::RotateKeys => match tfa.rotate_keys(ACTOR) {
                Err(Refusal::Unavailable(why)) if why.contains("another key rotation") => Outcome::No,
                result => told(result),
            },
        }
    }
}

fn told<T>(result: Result<T, Refusal>) -> Outcome {
    match result {
        Ok(_) => Outcome::Done,
        Err(Refusal::Unavailable(why)) => Outcome::Unavailable(why),
        Err(_) => Outcome::No,
    }
}

fn judged(verdict: Result<Verdict, Refusal>) -> Outcome {
    match verdict {
        Ok(Verdict::Verified(_)) => Outcome::Done,
        Ok(Verdict::Denied(Refusal::InvalidCode, _)) => Outcome::Wrong,
        Ok(Verdict::Denied(..)) => Outcome::No,
        Ok(verdict) => panic!("an enrolled subject is let in without a code: {verdict:?}"),
        Err(refusal) => told::<()>(Err(refusal)),
    }
}

/// Where a worker tells what it does.
pub struct Journal(File);

impl Journal {
    pub fn append(path: &Path) -> Journal {
        Journal(OpenOptions::new().create(true).append(true).open(path).unwrap())
    }

    /// Carries out `operation`, and tells it.
    fn perform(&mut self, tfa: &Tfa, now: u64, operation: &Operation) -> Outcome {
        self.tell(&Line::Begin(now, operation.clone()));
        let outcome = operation.perform(tfa);
        self.tell(&Line::End(outcome.clone()));
        outcome
    }

    fn tell(&mut self, line: &Line) {
        let text = serde_json::to_string(line).unwrap() + "\n";
        self.0.write_all(text.as_bytes()).unwrap();
    }
}

/// An operation of a journal: when it began (Unix seconds), what it was, and what came of it; `None`: it was under way.
pub type Told = (u64, Operation, Option<Outcome>);

/// The operations of a journal, in order.
pub fn read_journal(text: &str) -> Vec<Told> {
    let mut operations: Vec<Told> = Vec::new();
    for line in text.lines() {
        match serde_json::from_str(line).unwrap() {
            Line::Begin(time, operation) => operations.push((time, operation, None)),
            Line::End(outcome) => operations.last_mut().unwrap().2 = Some(outcome),
        }
    }
    operations
}

/// A clock that all processes share and that runs so fast that a step lasts 20 ms, counted from `start` (milliseconds
/// since the epoch).
struct FastClock {
    start: u64,
}

impl Clock for FastClock {
    fn now(&self) -> Duration {
        Duration::from_secs(NOW) + Duration::from_millis((milliseconds() - self.start) * PERIOD * 1000 / 20)
    }
}

/// Milliseconds since the epoch.
pub fn milliseconds() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// The entry of the program when it is called as `breaking worker KIND FOLDER …`.
pub fn run(arguments: &[String]) {
    let folder = Path::new(&arguments[1]);
    let number = |place: usize| arguments[place].parse::<u64>().unwrap();
    match arguments[0].as_str() {
        "panel" => panel(folder, Path::new(&arguments[2]), &arguments[3], number(4), &arguments[5..]),
        "session" => session(folder, number(2)),
        "holder" => holder(folder),
        "descriptors" => crate::faults::without_descriptors(folder),
        "nobody" => crate::faults::without_permission(folder),
        other => panic!("no worker is called {other}"),
    }
}

/// Until it is killed: enrols, removes and logs in a subject of its own, `name`, and logs in the `shared` ones, for
/// which it races with others.
fn panel(folder: &Path, journal: &Path, name: &str, start: u64, shared: &[String]) {
    let clock = Arc::new(FastClock { start });
    let tfa = open(folder, clock.clone()).unwrap();
    let mut journal = Journal::append(journal);
    let mut dice = Dice(milliseconds() ^ u64::from(std::process::id()));
    let mut own = Own::default();
    loop {
        let now = clock.now().as_secs();
        for pair in shared {
            let (subject, secret) = pair.split_once(':').unwrap();
            let step = clock.now().as_secs() / PERIOD + dice.below(3) - 1;
            let login = Operation::Login { subject: subject.to_owned(), secret: secret.to_owned(), step };
            journal.perform(&tfa, now, &login);
        }
        if dice.below(8) == 0 {
            journal.perform(&tfa, now, &Operation::RotateKeys);
        }
        let operation = own.next(&mut dice, name, clock.now().as_secs() / PERIOD);
        let outcome = journal.perform(&tfa, now, &operation);
        own.record(operation, outcome);
    }
}

/// What a worker holds of its subject: the secret, while it is enrolled, and the recovery codes that it has not used.
#[derive(Default)]
struct Own {
    secret: Option<String>,
    codes: Vec<String>,
}

impl Own {
    /// The next operation on the subject.
    fn next(&self, dice: &mut Dice, subject: &str, step: u64) -> Operation {
        let subject = subject.to_owned();
        let Some(secret) = self.secret.clone() else {
            let secret = Secret::generate(16).unwrap().to_base32().to_string();
            return Operation::Enrol { subject, secret, step };
        };
        match (dice.below(8), self.codes.last()) {
            (0, _) => Operation::Remove { subject },
            (1, _) => Operation::MakeRecoveryCodes { subject },
            (2 | 3, Some(code)) => Operation::LoginByRecoveryCode { subject, code: code.clone() },
            (2..=4, _) => Operation::Guess { subject, secret, step },
            _ => Operation::Login { subject, secret, step },
        }
    }

    /// Records what came of an operation.
    fn record(&mut self, operation: Operation, outcome: Outcome) {
        match (operation, outcome) {
            (operation, Outcome::Unavailable(why)) => panic!("{operation:?}: {why}"),
            (Operation::Enrol { secret, .. }, Outcome::Done) => *self = Own { secret: Some(secret), codes: Vec::new() },
            (Operation::Remove { .. }, Outcome::Done) => *self = Own::default(),
            (Operation::MakeRecoveryCodes { .. }, Outcome::Codes(codes)) => self.codes = codes,
            // Accepted now, or before an answer that was lost.
            (Operation::LoginByRecoveryCode { .. }, _) => drop(self.codes.pop()),
            _ => {}
        }
    }
}

/// A panel's day in short, always the same for one seed: 40 operations on three subjects, with a clock that moves on.
/// An operation that could not be answered is repeated after the disk was healed (`shim`).
fn session(folder: &Path, seed: u64) {
    let clock = Arc::new(ManualClock::at(NOW));
    let mut journal = Journal::append(&folder.join("journal"));
    let mut dice = Dice(seed);
    let mut tfa = None;
    let mut own: [Own; 3] = Default::default();
    for _ in 0..40 {
        clock.advance(Duration::from_secs(dice.below(40)));
        let now = clock.now().as_secs();
        let place = usize::try_from(dice.below(3)).unwrap();
        let operation = own[place].next(&mut dice, &format!("subject{place}"), now / PERIOD);
        let handle = tfa.get_or_insert_with(|| {
            let tfa = opened(folder, &clock);
            or_healed(|| tfa.set_policy(ACTOR, true).map_err(|refusal| refusal.to_string()));
            tfa
        });
        let mut outcome = journal.perform(handle, now, &operation);
        if matches!(outcome, Outcome::Unavailable(_)) {
            crate::shim::heal();
            outcome = journal.perform(handle, now, &operation);
        }
        own[place].record(operation, outcome);
    }
}

fn opened(folder: &Path, clock: &Arc<ManualClock>) -> Tfa {
    or_healed(|| open(folder, clock.clone()))
}

/// What `attempt` yields, the second time after the disk was healed.
fn or_healed<T>(attempt: impl Fn() -> Result<T, String>) -> T {
    attempt().unwrap_or_else(|why| {
        assert!(!why.is_empty());
        crate::shim::heal();
        attempt().unwrap()
    })
}

/// Takes SQLite's write lock, changes a record, says so, and never commits.
fn holder(folder: &Path) {
    let connection = Connection::open(folder.join("tfa.db")).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE; UPDATE record SET value = 'half done'").unwrap();
    println!("held");
    let _ = std::io::stdin().read(&mut [0]);
}
