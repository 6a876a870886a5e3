//! Every change has its audit entry, and every entry its change: the state of each subject follows from the audit trail
//! alone, whatever was killed or failed.

use std::collections::BTreeMap;

use tfa::engine::Tfa;
use tfa::engine::audit::{Entry, Event};
use tfa::engine::enrolment::Unreadable;

use crate::fixture::{ACTOR, Dice, NOW, PERIOD, VERIFIED, account, assert_sound, code, enrol, open_at};
use crate::kill::{State, kill_some};
use crate::worker::{Operation, Outcome, Recorded, milliseconds, read_journal};
use crate::{Test, setting, shim};

pub const TESTS: &[Test] = &[
    ("trail: entries and changes agree after SIGKILL at any moment", killed),
    ("trail: entries and changes agree when any write fails", failing),
    ("trail: an audit trail that cannot be written denies every login", unwritable),
];

/// The states of the subjects: enrolled, the fewest and the most failures, recovery codes left. An entry that stands for
/// several denied attempts does not say how many of them were failures.
type States = BTreeMap<String, (bool, [u64; 2], usize)>;

/// The states according to the audit trail, and the number of events that each subject has in it.
fn states_in_trail(tfa: &Tfa) -> (States, BTreeMap<String, u64>) {
    let (mut states, mut counts) = (States::new(), BTreeMap::new());
    for line in tfa.audit_lines(0, usize::MAX).unwrap() {
        let entry = Entry::read(&line).unwrap();
        let Some(subject) = entry.subject.map(|subject| subject.into_owned()) else {
            continue;
        };
        let state = states.entry(subject.clone()).or_insert((false, [0; 2], 0));
        let count = entry.count.unwrap_or(1);
        let event = Event::ALL.iter().find(|event| event.name() == entry.event).unwrap();
        *state = match (event, *state) {
            (Event::Enrolled, _) => (true, [0; 2], 0),
            (Event::Removed, _) => (false, [0; 2], 0),
            (Event::RecoveryCodesMade, (enrolled, failures, _)) => (enrolled, failures, 10),
            (Event::Wrong, (enrolled, [least, most], codes)) => (enrolled, [least + 1, most + count], codes),
            (Event::Replayed | Event::Locked, (enrolled, [least, most], codes)) => {
                (enrolled, [least, most + count - 1], codes)
            }
            (Event::Verified, (enrolled, _, codes)) => (enrolled, [0; 2], codes),
            (Event::VerifiedByRecoveryCode, (enrolled, _, codes)) => (enrolled, [0; 2], codes - 1),
            (other, _) => panic!("no worker does {other:?}"),
        };
        *counts.entry(subject).or_insert(0) += count;
    }
    for (subject, count) in &mut counts {
        let pending = tfa.status(&account(subject)).unwrap().denials_without_entry;
        *count += pending;
        states.get_mut(subject).unwrap().1[1] += pending;
    }
    (states, counts)
}

/// Checks the store against the audit trail. Returns the number of events.
pub fn assert_agreement(tfa: &Tfa) -> u64 {
    let (states, counts) = states_in_trail(tfa);
    for (subject, expected) in &states {
        let state = State::of(tfa, subject);
        let (is_enrolled, [least, most], recovery_codes) = *expected;
        assert_eq!((state.secret.is_some(), state.recovery_codes), (is_enrolled, recovery_codes), "{subject}");
        assert!((least..=most).contains(&u64::from(state.failures)), "{subject}: {} failures", state.failures);
    }
    counts.values().sum()
}

/// How many operations on `subject` were acknowledged that have an entry each, and whether one was interrupted.
fn acknowledged(operations: &[Recorded], subject: &str) -> (u64, bool) {
    let own = || operations.iter().filter(|(_, operation, _)| operation.subject() == subject);
    let has_entry = |operation: &Operation, outcome: &Outcome| match operation {
        Operation::Guess { .. } | Operation::Login { .. } | Operation::LoginByRecoveryCode { .. } => {
            matches!(outcome, Outcome::Done | Outcome::Wrong | Outcome::No)
        }
        _ => matches!(outcome, Outcome::Done | Outcome::Codes(_)),
    };
    let ended =
        own().filter(|(_, operation, outcome)| outcome.as_ref().is_some_and(|found| has_entry(operation, found)));
    (ended.count() as u64, own().any(|(.., outcome)| outcome.is_none()))
}

fn killed() {
    let folder = tempfile::tempdir().unwrap();
    let (tfa, _) = open_at(folder.path(), NOW);
    tfa.set_policy(ACTOR, true).unwrap();
    let mut dice = Dice(milliseconds());
    let (mut lines, mut cut_off) = (0, 0);
    for round in 0..setting("TFA_KILL_ROUNDS", 40) {
        for (name, journal) in kill_some(folder.path(), &format!("trail{round}"), &[], &mut dice) {
            let operations = read_journal(&journal);
            let written = states_in_trail(&tfa).1.get(&name).copied().unwrap_or(0);
            let (ended, is_under_way) = acknowledged(&operations, &name);
            let possible = ended..=ended + u64::from(is_under_way);
            assert!(possible.contains(&written), "{name}: {written} events for {ended} operations");
            cut_off += usize::from(is_under_way);
        }
        assert_sound(folder.path());
        lines = assert_agreement(&tfa);
    }
    println!("  {lines} events, {cut_off} operations interrupted");
    assert!(lines > 100 && cut_off > 0, "the processes were killed before they did anything");
}

/// Runs a session on a disk that fails with `errno` from its change number `first` on, until it is repaired. Returns how many
/// operations were refused; `None` if the session had fewer changes. A commit whose sync failed may be there, but then its
/// entry is there too.
fn refused_operations(first: u64, errno: i32) -> Option<usize> {
    let session = shim::session_on_failing_disk(11, first, errno);
    assert!(assert_agreement(&open_at(&session.folder, NOW).0) > 10);
    let refused =
        session.operations.iter().filter(|(.., outcome)| matches!(outcome, Some(Outcome::Unavailable(_)))).count();
    session.is_repaired.then_some(refused)
}

/// Fails each of the last changes of a session; `faults` covers its beginning, when the store is made.
fn failing() {
    const ENOSPC: i32 = 28;
    const EIO: i32 = 5;
    let (mut last, mut beyond) = (1, 2);
    while refused_operations(beyond, EIO).is_some() {
        (last, beyond) = (beyond, beyond * 2);
    }
    while beyond - last > 1 {
        let middle = last.midpoint(beyond);
        *(if refused_operations(middle, EIO).is_some() { &mut last } else { &mut beyond }) = middle;
    }
    let places = [(ENOSPC, 7), (EIO, 9)].into_iter();
    let runs = places.flat_map(|(errno, pace)| {
        (0..20).map(move |back| refused_operations(last.saturating_sub(back * pace).max(1), errno))
    });
    let refused: usize = runs.flatten().sum();
    println!("  {last} changes in a session, {refused} operations refused");
    assert!(refused > 10, "the disks did not fail");
}

/// Renames the table of the audit trail: no operation is done without its entry, and all work again afterwards.
fn unwritable() {
    let folder = tempfile::tempdir().unwrap();
    let (tfa, _) = open_at(folder.path(), NOW);
    tfa.set_policy(ACTOR, true).unwrap();
    let secret = enrol(&tfa, "example", NOW / PERIOD - 1);
    let subject = account("example");
    let connection = rusqlite::Connection::open(folder.path().join("tfa.db")).unwrap();
    connection.execute_batch("ALTER TABLE audit RENAME TO elsewhere").unwrap();
    let right = code(&secret, NOW / PERIOD);
    assert!(tfa.login(ACTOR, &subject, &right).is_err());
    assert!(tfa.login(ACTOR, &subject, "x").is_err());
    assert!(tfa.remove(ACTOR, std::slice::from_ref(&subject), Unreadable::Keep).is_err());
    assert!(tfa.generate_recovery_codes(ACTOR, &subject).is_err());
    assert!(tfa.set_policy(ACTOR, false).is_err());
    connection.execute_batch("ALTER TABLE elsewhere RENAME TO audit").unwrap();
    let state = State::of(&tfa, "example");
    assert_eq!((state.secret.is_some(), state.failures, state.recovery_codes), (true, 0, 0));
    assert!(tfa.policy().unwrap());
    assert_eq!(tfa.login(ACTOR, &subject, &right).unwrap(), VERIFIED);
    assert_eq!(assert_agreement(&tfa), 2);
}
