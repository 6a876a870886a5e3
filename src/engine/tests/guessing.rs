//! Limits on guessing (contract section 4), as a login meets them.

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
            // Recovery codes are still examined, subject to the timed locks.
            assert_eq!(reason(server.login(&subject, "aaaa-aaaa-aaaa-aaaa")), Refusal::InvalidCode);
            assert_eq!(reason(server.login(&subject, &recovery[0])), Refusal::Locked(3600));
            server.clock.advance(Duration::from_secs(3600));
            assert_eq!(server.login(&subject, &recovery[0]), Verdict::Verified(Method::Recovery));
        }
        assert_eq!(server.login(&subject, &server.code(&secret)), VERIFIED);
    }
}
