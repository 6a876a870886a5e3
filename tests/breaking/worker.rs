//! The worker processes: they do what the workers of a panel do, and write each operation to a journal before and after.
//!
//! A line of the journal is one `write`, so everything that was acknowledged before a SIGKILL is in it. An operation whose
//! end is missing is the one that was interrupted.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use tfa::clock::{Clock, ManualClock};
use tfa::engine::Tfa;
use tfa::engine::enrolment::Unreadable;
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

/// The outcome of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// Done; a login was accepted.
    Done,
    /// Done: these are the recovery codes.
    Codes(Vec<String>),
    /// Denied: the code is invalid, and was counted.
    Wrong,
    /// Denied without a count: used before, locked, or no longer enrolled.
    No,
    /// Unavailable, and why.
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
    /// The subject; "" for none.
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

    /// Performs the operation.
    pub fn perform(&self, tfa: &Tfa) -> Outcome {
        let of = |secret: &str| Secret::from_base32(secret).unwrap();
        match self {
            Operation::Enrol { subject, secret, step } => {
                let secret = of(secret);
                outcome(tfa.enrol(ACTOR, &account(subject), &secret, &code(&secret, *step)))
            }
            Operation::Remove { subject } => outcome(tfa.remove(ACTOR, &[account(subject)], Unreadable::Keep)),
            Operation::MakeRecoveryCodes { subject } => match tfa.generate_recovery_codes(ACTOR, &account(subject)) {
                Ok(codes) => Outcome::Codes(codes.iter().map(|code| code.to_string()).collect()),
                refused => outcome(refused),
            },
            Operation::Guess { subject, secret, step } => {
                login_outcome(tfa.login(ACTOR, &account(subject), &wrong_code(&of(secret), *step)))
            }
            Operation::Login { subject, secret, step } => {
                login_outcome(tfa.login(ACTOR, &account(subject), &code(&of(secret), *step)))
            }
            Operation::LoginByRecoveryCode { subject, code } => {
                login_outcome(tfa.login(ACTOR, &account(subject), code))
            }
            // Another process may be rotating.
            Operation::RotateKeys => match tfa.rotate_keys(ACTOR) {
                Err(Refusal::Unavailable(why)) if why.contains("another key rotation") => Outcome::No,
                result => outcome(result),
            },
        }
    }
}

fn outcome<T>(result: Result<T, Refusal>) -> Outcome {
    match result {
        Ok(_) => Outcome::Done,
        Err(Refusal::Unavailable(why)) => Outcome::Unavailable(why),
        Err(_) => Outcome::No,
    }
}

fn login_outcome(verdict: Result<Verdict, Refusal>) -> Outcome {
    match verdict {
        Ok(Verdict::Verified(_)) => Outcome::Done,
        Ok(Verdict::Denied(Refusal::InvalidCode, _)) => Outcome::Wrong,
        Ok(Verdict::Denied(..)) => Outcome::No,
        Ok(verdict) => panic!("an enrolled subject is accepted without a code: {verdict:?}"),
        Err(refusal) => outcome::<()>(Err(refusal)),
    }
}

/// The journal of a worker.
pub struct Journal(File);

impl Journal {
    pub fn append(path: &Path) -> Journal {
        Journal(OpenOptions::new().create(true).append(true).open(path).unwrap())
    }

    /// Performs `operation`, and writes its beginning and its end.
    fn perform(&mut self, tfa: &Tfa, now: u64, operation: &Operation) -> Outcome {
        self.write(&Line::Begin(now, operation.clone()));
        let outcome = operation.perform(tfa);
        self.write(&Line::End(outcome.clone()));
        outcome
    }

    fn write(&mut self, line: &Line) {
        let text = serde_json::to_string(line).unwrap() + "\n";
        self.0.write_all(text.as_bytes()).unwrap();
    }
}

/// An operation of a journal: when it began (Unix seconds), what it was, and its outcome; `None`: it was interrupted.
pub type Recorded = (u64, Operation, Option<Outcome>);

/// The operations of a journal, in order. A last line without its end was cut off with its process, and counts as not
/// written.
pub fn read_journal(text: &str) -> Vec<Recorded> {
    let mut operations: Vec<Recorded> = Vec::new();
    for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        match serde_json::from_str(line).unwrap() {
            Line::Begin(time, operation) => operations.push((time, operation, None)),
            Line::End(outcome) => operations.last_mut().unwrap().2 = Some(outcome),
        }
    }
    operations
}

/// A clock that all processes share. A time step lasts 20 ms, counted from `start` (milliseconds since the epoch).
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

/// Runs `breaking worker KIND FOLDER …`.
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

/// Enrols, removes and logs in a subject of its own, `name`, and logs in the `shared` ones, as the other workers do; until it
/// is killed.
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

/// What a worker knows of its subject: the secret, while it is enrolled, and its unused recovery codes.
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

    /// Updates this after an operation.
    fn record(&mut self, operation: Operation, outcome: Outcome) {
        match (operation, outcome) {
            (operation, Outcome::Unavailable(why)) => panic!("{operation:?}: {why}"),
            (Operation::Enrol { secret, .. }, Outcome::Done) => *self = Own { secret: Some(secret), codes: Vec::new() },
            (Operation::Remove { .. }, Outcome::Done) => *self = Own::default(),
            (Operation::MakeRecoveryCodes { .. }, Outcome::Codes(codes)) => self.codes = codes,
            // Used now, or by an operation whose answer was lost.
            (Operation::LoginByRecoveryCode { .. }, _) => drop(self.codes.pop()),
            _ => {}
        }
    }
}

/// Performs 40 operations on three subjects, the same for the same seed, with a clock that advances. An operation that was
/// unavailable is repeated after the disk is repaired (`shim`).
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
            or_repaired(|| tfa.set_policy(ACTOR, true).map_err(|refusal| refusal.to_string()));
            tfa
        });
        let mut outcome = journal.perform(handle, now, &operation);
        if matches!(outcome, Outcome::Unavailable(_)) {
            crate::shim::repair();
            outcome = journal.perform(handle, now, &operation);
        }
        own[place].record(operation, outcome);
    }
}

fn opened(folder: &Path, clock: &Arc<ManualClock>) -> Tfa {
    or_repaired(|| open(folder, clock.clone()))
}

/// Calls `attempt`, and again after a repair of the disk if it fails.
fn or_repaired<T>(attempt: impl Fn() -> Result<T, String>) -> T {
    attempt().unwrap_or_else(|why| {
        assert!(!why.is_empty());
        crate::shim::repair();
        attempt().unwrap()
    })
}

/// Takes SQLite's write lock, changes a record, prints that, and never commits.
fn holder(folder: &Path) {
    let connection = Connection::open(folder.join("tfa.db")).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE; UPDATE record SET value = 'uncommitted'").unwrap();
    println!("locked");
    let _ = std::io::stdin().read(&mut [0]);
}
