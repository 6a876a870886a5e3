//! SIGKILL at any moment: in each round, four processes enrol, remove, log in and rotate keys until they are killed.
//!
//! Promises: every acknowledged change is there; an interrupted one is complete or absent; no code is accepted twice, by
//! any process; SQLite finds the database sound.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use tfa::clock::ManualClock;
use tfa::engine::Tfa;
use tfa::engine::audit::Entry;
use tfa::engine::refusal::Refusal;
use tfa::otp::secret::Secret;

use crate::fixture::{ACTOR, Dice, NOW, PERIOD, account, assert_sound, code, enrol, open_at, reason};
use crate::trail::assert_agreement;
use crate::worker::{Operation, Outcome, Recorded, milliseconds, read_journal};
use crate::{Test, setting};

pub const TESTS: &[Test] = &[("kill: nothing acknowledged is lost, no code is accepted twice", rounds)];

/// Processes in a round.
const PROCESSES: usize = 4;

/// The state of one subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    pub secret: Option<String>,
    pub failures: u32,
    pub recovery_codes: usize,
}

impl State {
    /// The state after `operation` with that outcome.
    pub fn after(&self, operation: &Operation, outcome: &Outcome) -> State {
        match (outcome, operation) {
            (
                Outcome::Wrong,
                Operation::Guess { .. } | Operation::Login { .. } | Operation::LoginByRecoveryCode { .. },
            ) => State { failures: self.failures + 1, ..self.clone() },
            (Outcome::Done, Operation::Enrol { secret, .. }) => {
                State { secret: Some(secret.clone()), ..State::default() }
            }
            (Outcome::Done, Operation::Remove { .. }) => State::default(),
            (Outcome::Done | Outcome::Codes(_), Operation::MakeRecoveryCodes { .. }) => {
                State { recovery_codes: 10, ..self.clone() }
            }
            (Outcome::Done, Operation::LoginByRecoveryCode { .. }) => {
                State { failures: 0, recovery_codes: self.recovery_codes.saturating_sub(1), ..self.clone() }
            }
            (Outcome::Done, Operation::Login { .. }) => State { failures: 0, ..self.clone() },
            _ => self.clone(),
        }
    }

    /// The possible states after `operation` was interrupted: as before, or as after any of its outcomes.
    pub fn during(&self, operation: &Operation) -> Vec<State> {
        [Outcome::No, Outcome::Wrong, Outcome::Done].iter().map(|outcome| self.after(operation, outcome)).collect()
    }

    /// The state of `name` in the store.
    pub fn of(tfa: &Tfa, name: &str) -> State {
        let subject = account(name);
        let status = tfa.status(&subject).unwrap();
        let secrets = tfa.secrets_of(&tfa.view().unwrap(), &subject).unwrap();
        State {
            secret: secrets.account.map(|account| account.secret.to_base32().to_string()),
            failures: status.failures,
            recovery_codes: status.recovery_codes_left,
        }
    }
}

fn rounds() {
    let folder = tempfile::tempdir().unwrap();
    let (tfa, clock) = open_at(folder.path(), NOW);
    tfa.set_policy(ACTOR, true).unwrap();
    let mut dice = Dice(milliseconds());
    let mut totals = (0, 0, 0);
    let mut known: Vec<(String, State)> = Vec::new();
    for round in 0..setting("TFA_KILL_ROUNDS", 40) {
        clock.set(NOW);
        let shared: Vec<_> = (0..2)
            .map(|place| format!("shared{round}-{place}"))
            .map(|name| (enrol(&tfa, &name, NOW / PERIOD - 1), name))
            .map(|(secret, name)| format!("{name}:{}", secret.to_base32().as_str()))
            .collect();
        let journals = kill_some(folder.path(), &format!("own{round}"), &shared, &mut dice);
        assert_sound(folder.path());
        for (name, journal) in &journals {
            let (state, acknowledged) = check_subject(&tfa, name, journal);
            known.push((name.clone(), state));
            totals.0 += acknowledged;
        }
        let logins: Vec<_> = journals.iter().flat_map(|(_, journal)| accepted(&read_journal(journal))).collect();
        totals.1 += logins.len();
        totals.2 += check_logins(&tfa, &clock, &logins);
    }
    tfa.rotate_keys(ACTOR).unwrap();
    for (name, state) in &known {
        assert_eq!(State::of(&tfa, name), *state, "{name}, after all rounds");
    }
    let finished = check_keys(&tfa);
    assert_agreement(&tfa);
    println!(
        "  {} changes acknowledged, {} codes accepted, {} of them tried again, {finished} rotations finished",
        totals.0, totals.1, totals.2
    );
    assert!(
        totals.0 > 0 && totals.1 > 0 && totals.2 > 0 && finished > 1,
        "the processes were killed before they did anything"
    );
}

/// Checks that every secret is sealed with the current key, and that keys were added and retired in turn. Returns the number
/// of rotations.
fn check_keys(tfa: &Tfa) -> usize {
    assert!(tfa.key_uses().unwrap().iter().all(|key| key.is_current && key.is_present), "a key was left behind");
    let lines = tfa.audit_lines(0, usize::MAX).unwrap();
    let events: Vec<_> = lines.iter().map(|line| Entry::read(line).unwrap().event).collect();
    let of_keys: Vec<_> = events.into_iter().filter(|event| event.starts_with("key")).collect();
    assert!(of_keys.chunks(2).all(|pair| pair == ["key_added", "keys_retired"]), "{of_keys:?}");
    of_keys.len() / 2
}

/// Starts the processes of a round, each with a subject of its own whose name begins with `prefix`, and kills them one after
/// the other. Returns the names of the subjects, and the journals.
pub fn kill_some(folder: &Path, prefix: &str, shared: &[String], dice: &mut Dice) -> Vec<(String, String)> {
    let start = milliseconds().to_string();
    let mut children: Vec<(String, PathBuf, Child)> = (0..PROCESSES)
        .map(|place| {
            let name = format!("{prefix}-{place}");
            let journal = folder.join(format!("journal-{name}"));
            let mut command = Command::new(std::env::current_exe().unwrap());
            command.args(["worker", "panel"]).arg(folder).arg(&journal).args([&name, &start]).args(shared);
            (name, journal, command.stdin(Stdio::null()).spawn().unwrap())
        })
        .collect();
    sleep(Duration::from_millis(10 + dice.below(90)));
    for (name, _, child) in &mut children {
        sleep(Duration::from_micros(dice.below(8000)));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{name} ended by itself");
    }
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
    children.iter().map(|(name, journal, _)| (name.clone(), read(journal))).collect()
}

/// Checks that every acknowledged change of `name` is there, and the interrupted one complete or absent. Returns the state,
/// and the number of acknowledged changes.
fn check_subject(tfa: &Tfa, name: &str, journal: &str) -> (State, usize) {
    let (mut state, mut acknowledged, mut under_way) = (State::default(), 0, Vec::new());
    for (_, operation, outcome) in read_journal(journal) {
        if operation.subject() != name {
            continue;
        }
        match outcome {
            Some(outcome) => {
                let after = state.after(&operation, &outcome);
                acknowledged += usize::from(after != state);
                state = after;
            }
            None => under_way = state.during(&operation),
        }
    }
    let there = State::of(tfa, name);
    assert!(there == state || under_way.contains(&there), "{name}: {there:?}, not {state:?} or {under_way:?}");
    (there, acknowledged)
}

/// The codes that were accepted, by logins and enrolments: subject, secret and step.
pub fn accepted(operations: &[Recorded]) -> Vec<(String, String, u64)> {
    let ended = operations.iter().filter(|(.., outcome)| *outcome == Some(Outcome::Done));
    ended
        .filter_map(|(_, operation, _)| match operation {
            Operation::Enrol { subject, secret, step } | Operation::Login { subject, secret, step } => {
                Some((subject.clone(), secret.clone(), *step))
            }
            _ => None,
        })
        .collect()
}

/// The possible states of the subjects after operations that all ended. One that was unavailable is complete or absent: a
/// commit whose sync failed can be there when the disk works again.
pub fn possible_states(operations: &[Recorded]) -> BTreeMap<String, Vec<State>> {
    let mut states: BTreeMap<String, Vec<State>> = BTreeMap::new();
    for (_, operation, outcome) in operations {
        let possible = states.entry(operation.subject().to_owned()).or_insert_with(|| vec![State::default()]);
        *possible = match outcome.as_ref().unwrap() {
            Outcome::Unavailable(_) => possible.iter().flat_map(|state| state.during(operation)).collect(),
            outcome => possible.iter().map(|state| state.after(operation, outcome)).collect(),
        };
    }
    states
}

/// Checks that no code was accepted twice, and that none is accepted again at its own time step. Returns how many were tried
/// again: those of subjects that still have that secret.
pub fn check_logins(tfa: &Tfa, clock: &ManualClock, logins: &[(String, String, u64)]) -> usize {
    let different: BTreeSet<_> = logins.iter().collect();
    assert_eq!(different.len(), logins.len(), "a code was accepted twice");
    let mut tried = 0;
    for (subject, secret, step) in logins {
        if State::of(tfa, subject).secret.as_ref() != Some(secret) {
            continue;
        }
        clock.set(step * PERIOD);
        let again = tfa.login(ACTOR, &account(subject), &code(&Secret::from_base32(secret).unwrap(), *step)).unwrap();
        assert_eq!(reason(again), Refusal::UsedCode, "{subject}, step {step}");
        tried += 1;
    }
    tried
}
