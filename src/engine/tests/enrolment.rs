//! Enrolment: verified before it is stored, one use of each time step, limits on repeated changes.

use super::*;

#[test]
fn an_enrolment_is_stored_only_after_its_code_is_verified() {
    let server = Server::new("");
    let (subject, secret) = (account("example"), Secret::generate(16).unwrap());
    for token in ["", "12345", "abcdef", &server.wrong_code(&secret)] {
        assert_eq!(server.tfa.enrol(ROOT, &subject, &secret, token), Err(Refusal::InvalidCode));
    }
    assert!(!server.tfa.is_enrolled(&subject).unwrap());
    server.tfa.enrol(ROOT, &subject, &secret, &server.code(&secret)).unwrap();
    assert!(server.tfa.is_enrolled(&subject).unwrap());
}

#[test]
fn enrolment_uses_its_time_step() {
    let server = Server::new("");
    let (subject, secret) = (account("example"), Secret::generate(16).unwrap());
    let code = server.code(&secret);
    server.tfa.enrol(ROOT, &subject, &secret, &code).unwrap();
    assert_eq!(reason(server.login(&subject, &code)), Refusal::UsedCode);
    assert_eq!(server.tfa.enrol(ROOT, &subject, &secret, &code), Err(Refusal::UsedCode));
    // The steps of another secret are unaffected.
    let other = Secret::generate(16).unwrap();
    server.tfa.enrol(ROOT, &subject, &other, &server.code(&other)).unwrap();
}

#[test]
fn a_removed_secret_keeps_its_last_step() {
    let server = Server::new("");
    let (subject, secret) = server.enrolled("example");
    let code = server.code(&secret);
    assert_eq!(server.login(&subject, &code), VERIFIED);
    server.tfa.remove(ROOT, std::slice::from_ref(&subject)).unwrap();
    assert_eq!(server.tfa.enrol(ROOT, &subject, &secret, &code), Err(Refusal::UsedCode));
    server.tfa.set_secrets(ROOT, &[(subject.clone(), secret.clone())]).unwrap();
    assert_eq!(reason(server.login(&subject, &code)), Refusal::UsedCode);
    server.clock.advance(Duration::from_secs(30));
    assert_eq!(server.login(&subject, &server.code(&secret)), VERIFIED);
}

#[test]
fn a_replaced_secret_keeps_its_last_step() {
    let server = Server::new("");
    let (subject, secret) = server.enrolled("example");
    let code = server.code(&secret);
    assert_eq!(server.login(&subject, &code), VERIFIED);
    let others = [(); 2].map(|()| Secret::generate(16).unwrap());
    for other in &others {
        server.tfa.enrol(ROOT, &subject, other, &server.code(other)).unwrap();
    }
    for used in [&secret, &others[0], &others[1]] {
        assert_eq!(server.tfa.enrol(ROOT, &subject, used, &server.code(used)), Err(Refusal::UsedCode));
    }
    server.clock.advance(Duration::from_secs(30));
    server.tfa.enrol(ROOT, &subject, &secret, &server.code(&secret)).unwrap();
}

#[test]
fn frequent_enrolments_are_refused_for_a_while() {
    let server = Server::new("");
    let (subject, _) = server.enrolled("example");
    let enrol = || {
        let secret = Secret::generate(16).unwrap();
        server.tfa.enrol(ROOT, &subject, &secret, &server.code(&secret))
    };
    let refused = std::iter::repeat_with(enrol).take(70).filter(Result::is_err).count();
    assert!((1..10).contains(&refused), "{refused}");
    server.clock.advance(Duration::from_secs(90));
    enrol().unwrap();
}

#[test]
fn a_new_secret_resets_failures_and_recovery_codes() {
    let server = Server::new("");
    let (subject, secret) = server.enrolled("example");
    server.tfa.generate_recovery_codes(ROOT, &subject).unwrap();
    for _ in 0..5 {
        server.login(&subject, &server.wrong_code(&secret));
    }
    let other = Secret::generate(16).unwrap();
    server.tfa.set_secrets(ROOT, &[(subject.clone(), other.clone())]).unwrap();
    let status = server.tfa.status(&subject).unwrap();
    assert_eq!((status.failures, status.lock.is_locked(), status.recovery_codes_left), (0, false, 0));
    assert_eq!(server.login(&subject, &server.code(&other)), VERIFIED);
}
