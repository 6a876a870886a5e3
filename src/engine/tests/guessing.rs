//! Limits on guessing (contract section 4), as a login meets them.

use super::super::audit::Entry;
use super::super::enrolment::Unreadable;
use super::*;

#[test]
fn invalid_codes_are_counted_and_lock_the_subject() {
    let server = Server::new("");
    let (subject, secret) = server.enrolled("example");
    let wrong = server.wrong_code(&secret);
    for failures in 1..=5u32 {
        assert_eq!(reason(server.login(&subject, &wrong)), Refusal::InvalidCode);
        assert_eq!(server.tfa.status(&subject).unwrap().failures, failures);
    }
    // During a lock no code is examined: a valid one is neither accepted nor used.
    assert_eq!(reason(server.login(&subject, &server.code(&secret))), Refusal::Locked(30));
    server.clock.advance(Duration::from_millis(29_500));
    assert_eq!(reason(server.login(&subject, &wrong)), Refusal::Locked(1));
    assert_eq!(server.tfa.status(&subject).unwrap().failures, 5);
    server.clock.advance(Duration::from_millis(500));
    assert_eq!(reason(server.login(&subject, &wrong)), Refusal::InvalidCode);
    assert_eq!(server.tfa.status(&subject).unwrap().lock.retry_after, 60);
    server.clock.advance(Duration::from_secs(60));
    assert_eq!(server.login(&subject, &server.code(&secret)), VERIFIED);
    assert_eq!(server.tfa.status(&subject).unwrap().failures, 0);
}

#[test]
fn a_replayed_code_leaves_the_failure_count_alone() {
    let server = Server::new("");
    let (subject, secret) = server.enrolled("example");
    let code = server.code(&secret);
    assert_eq!(server.login(&subject, &code), VERIFIED);
    server.login(&subject, &server.wrong_code(&secret));
    assert_eq!(reason(server.login(&subject, &code)), Refusal::UsedCode);
    assert_eq!(server.tfa.status(&subject).unwrap().failures, 1);
}

#[test]
fn a_hard_lock_is_lifted_by_an_administrator_or_a_recovery_code() {
    for administrator in [true, false] {
        let server = Server::new("");
        let (subject, secret) = server.enrolled("example");
        let recovery = server.tfa.generate_recovery_codes(ROOT, &subject).unwrap();
        for _ in 0..100 {
            assert_eq!(reason(server.login(&subject, &server.wrong_code(&secret))), Refusal::InvalidCode);
            server.clock.advance(Duration::from_secs(3600));
        }
        assert_eq!(reason(server.login(&subject, &server.code(&secret))), Refusal::HardLocked);
        assert_eq!(server.tfa.status(&subject).unwrap().failures, 100);
        if administrator {
            server.tfa.unlock(ROOT, &subject).unwrap();
        } else {
            assert_eq!(reason(server.login(&subject, "aaaa-aaaa-aaaa-aaaa")), Refusal::InvalidCode);
            assert_eq!(server.login(&subject, &recovery[0]), Verdict::Verified(Method::Recovery));
        }
        assert_eq!(server.login(&subject, &server.code(&secret)), VERIFIED);
    }
}

/// A robot that locks the subject again as soon as a lock ends, or reaches the hard limit.
#[test]
fn one_time_codes_do_not_lock_recovery_codes() {
    let server = Server::new("");
    let (subject, secret) = server.enrolled("example");
    let recovery = server.tfa.generate_recovery_codes(ROOT, &subject).unwrap();
    for (used, code) in recovery.iter().enumerate() {
        let mut lock = server.tfa.status(&subject).unwrap().lock;
        while !lock.is_locked() || (used > 5 && !lock.hard) {
            server.clock.advance(Duration::from_secs(lock.retry_after));
            assert_eq!(reason(server.login(&subject, &server.wrong_code(&secret))), Refusal::InvalidCode);
            lock = server.tfa.status(&subject).unwrap().lock;
        }
        assert_eq!(server.login(&subject, code), Verdict::Verified(Method::Recovery), "at the first try");
        assert_eq!(server.tfa.status(&subject).unwrap().failures, 0);
    }
}

#[test]
fn five_invalid_recovery_codes_a_minute_are_examined() {
    let server = Server::new("");
    let (subject, secret) = server.enrolled("example");
    let recovery = server.tfa.generate_recovery_codes(ROOT, &subject).unwrap();
    for _ in 0..5 {
        server.clock.advance(Duration::from_secs(1));
        assert_eq!(reason(server.login(&subject, "aaaa-aaaa-aaaa-aaaa")), Refusal::InvalidCode);
    }
    assert_eq!(reason(server.login(&subject, &recovery[0])), Refusal::Locked(56));
    assert_eq!(server.tfa.status(&subject).unwrap().failures, 0, "they do not count as one-time codes");
    assert_eq!(server.login(&subject, &server.code(&secret)), VERIFIED, "they do not lock one-time codes");
    server.tfa.unlock(ROOT, &subject).unwrap();
    assert_eq!(server.login(&subject, &recovery[0]), Verdict::Verified(Method::Recovery));
    // There is no hard limit.
    for _ in 0..300 {
        server.clock.advance(Duration::from_secs(12));
        assert_eq!(reason(server.login(&subject, "aaaa-aaaa-aaaa-aaaa")), Refusal::InvalidCode);
    }
    server.clock.advance(Duration::from_secs(12));
    assert_eq!(server.login(&subject, &recovery[1]), Verdict::Verified(Method::Recovery));
}

#[test]
fn each_denied_attempt_is_in_an_entry_of_which_there_is_one_a_second() {
    let server = Server::new("");
    let (subject, secret) = server.enrolled("example");
    let before = server.tfa.audit_lines(0, usize::MAX).unwrap().len();
    let (wrong, code) = (server.wrong_code(&secret), server.code(&secret));
    let denied = |count: u64| {
        for _ in 0..count {
            server.login(&subject, &wrong);
        }
    };
    denied(40);
    server.clock.advance(Duration::from_millis(999));
    denied(60);
    server.clock.advance(Duration::from_millis(1));
    denied(10);
    assert_eq!(server.tfa.status(&subject).unwrap().failures, 5, "each of them counts until the lock");
    server.tfa.unlock(ROOT, &subject).unwrap();
    denied(3);
    assert_eq!(server.login(&subject, &code), VERIFIED);
    denied(4);
    server.tfa.remove(ROOT, std::slice::from_ref(&subject), Unreadable::Keep).unwrap();
    let lines = server.tfa.audit_lines(0, usize::MAX).unwrap().split_off(before);
    let entries = lines.iter().map(|line| Entry::read(line).unwrap());
    let counts: Vec<_> = entries.map(|entry| (entry.event.into_owned(), entry.count.unwrap_or(1))).collect();
    let expected = [
        ("wrong", 1),
        ("locked", 100),
        ("locked", 9),
        ("unlocked", 1),
        ("wrong", 3),
        ("verified", 1),
        ("wrong", 4),
        ("removed", 1),
    ];
    assert_eq!(counts, expected.map(|(event, count)| (event.to_owned(), count)));
}
