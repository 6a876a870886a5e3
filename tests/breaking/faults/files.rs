//! Damaged and missing files, and a clock that is set.

use std::fs;

use tfa::clock::Clock;
use tfa::engine::login::Verdict;
use tfa::engine::refusal::Refusal;

use super::{Server, opening_error, why_unavailable};
use crate::fixture::{ACTOR, Dice, NOW, PERIOD, VERIFIED, account, code, enrol, open, open_at, reason};
use crate::{Test, setting};

pub const TESTS: &[Test] = &[
    ("faults: the database is truncated", truncated),
    ("faults: flipped bytes", flipped_bytes),
    ("faults: the database or the key file is missing", files_gone),
    ("faults: the clock is set back an hour and forward a day", clock_moves),
];

/// Logs in with a used code on a damaged store. Returns false if no code is required; any other answer denies the login.
fn is_denied(server: &Server, what: &str) -> bool {
    let clock = std::sync::Arc::new(tfa::clock::ManualClock::at(NOW));
    let used = code(&server.secret, NOW / PERIOD);
    let verdict = open(&server.folder, clock).map(|tfa| tfa.login(ACTOR, &account("example"), &used));
    match verdict {
        Err(why) => assert!(!why.is_empty()),
        Ok(Err(Refusal::Unavailable(why))) => assert!(!why.is_empty()),
        Ok(Ok(Verdict::Denied(..))) => {}
        Ok(Ok(Verdict::NotRequired)) => return false,
        Ok(other) => panic!("{what}: {other:?}"),
    }
    true
}

fn truncated() {
    let server = Server::new();
    let database = server.folder.join("tfa.db");
    let whole = fs::read(&database).unwrap();
    for length in (1..whole.len()).step_by(211).chain([whole.len() - 1]) {
        fs::write(&database, &whole[..length]).unwrap();
        assert!(is_denied(&server, "truncated"), "accepted, truncated at {length}");
    }
    fs::write(&database, &whole).unwrap();
    server.assert_working(&server.open());
}

/// Flips one byte of the database at a time. SQLite has no page checksums: a flip in the name of a record, or in the few
/// bytes that lead to it, hides the record. Every other flip denies logins or changes nothing, and no flip makes a used
/// code valid. docs/security.md describes the consequences.
fn flipped_bytes() {
    let server = Server::new();
    let database = server.folder.join("tfa.db");
    let whole = fs::read(&database).unwrap();
    let mut dice = Dice(crate::worker::milliseconds());
    let (mut flips, mut missing) = (0, 0);
    for _ in 0..setting("TFA_FLIPS", 600) {
        let place = usize::try_from(dice.below(u64::try_from(whole.len()).unwrap())).unwrap();
        let mut damaged = whole.clone();
        damaged[place] ^= u8::try_from(1 + dice.below(255)).unwrap();
        fs::write(&database, &damaged).unwrap();
        flips += 1;
        if !is_denied(&server, "a flipped byte") {
            missing += 1;
        }
    }
    println!("  {flips} flips, {missing} of which hid a record");
    assert!(missing * 50 <= flips, "flips hide more than the names of records");
    fs::write(&database, &whole).unwrap();
    server.assert_working(&server.open());
}

fn files_gone() {
    let server = Server::new();
    let tfa = server.open();
    let away = |name: &str| (server.folder.join(name), server.folder.join(format!("{name}.away")));
    let (key, key_away) = away("tfa.key");
    fs::rename(&key, &key_away).unwrap();
    let why = opening_error(&server.folder);
    assert!(
        why.contains("The key file") && why.contains("does not exist") && why.contains("Restore it from a backup"),
        "{why}"
    );
    assert!(!key.exists(), "no new key file is written beside existing secrets");
    fs::rename(&key_away, &key).unwrap();
    let (database, database_away) = away("tfa.db");
    fs::rename(&database, &database_away).unwrap();
    assert!(why_unavailable(server.login(&tfa)).contains("does not exist"));
    fs::rename(&database_away, &database).unwrap();
    server.assert_working(&tfa);
}

fn clock_moves() {
    let place = tempfile::tempdir().unwrap();
    let (tfa, clock) = open_at(place.path(), NOW);
    tfa.set_policy(ACTOR, true).unwrap();
    let subject = account("example");
    let secret = enrol(&tfa, "example", NOW / PERIOD);
    let now_code = || code(&secret, clock.now().as_secs() / PERIOD);
    clock.set(NOW + PERIOD);
    assert_eq!(tfa.login(ACTOR, &subject, &now_code()).unwrap(), VERIFIED);
    clock.set(NOW + PERIOD - 3600);
    assert_eq!(reason(tfa.login(ACTOR, &subject, &now_code()).unwrap()), Refusal::UsedCode, "an hour back: denied");
    let recovery = tfa.generate_recovery_codes(ACTOR, &subject).unwrap();
    assert!(
        matches!(tfa.login(ACTOR, &subject, &recovery[0]).unwrap(), Verdict::Verified(_)),
        "a recovery code is accepted"
    );
    clock.set(NOW + 3 * PERIOD);
    assert_eq!(tfa.login(ACTOR, &subject, &now_code()).unwrap(), VERIFIED, "the clock has caught up");
    clock.set(NOW + 86_400);
    let tomorrow = now_code();
    assert_eq!(tfa.login(ACTOR, &subject, &tomorrow).unwrap(), VERIFIED, "a day forward");
    clock.set(NOW + 4 * PERIOD);
    assert_eq!(
        reason(tfa.login(ACTOR, &subject, &now_code()).unwrap()),
        Refusal::UsedCode,
        "set back: denied until then"
    );
    assert_eq!(reason(tfa.login(ACTOR, &subject, &tomorrow).unwrap()), Refusal::InvalidCode);
    clock.set(NOW + 86_400 + PERIOD);
    assert_eq!(tfa.login(ACTOR, &subject, &now_code()).unwrap(), VERIFIED);
}
