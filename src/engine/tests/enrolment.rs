//! Enrolment: verified before it is stored, one use of each time step, limits on repeated changes.

use super::super::enrolment::Unreadable;
use super::*;
use crate::otp::code::Algorithm;

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
fn a_secret_of_equal_bytes_is_refused() {
    let server = Server::new("");
    let (subject, secret) = (account("example"), Secret::from_bytes(vec![0; 20]));
    assert_eq!(server.tfa.enrol(ROOT, &subject, &secret, &server.code(&secret)), Err(Refusal::UniformSecret));
    let good = (account("other"), Secret::generate(16).unwrap());
    assert_eq!(server.tfa.set_secrets(ROOT, &[good, (subject.clone(), secret)]), Err(Refusal::UniformSecret));
    assert!(!server.tfa.is_enrolled(&subject).unwrap() && !server.tfa.is_enrolled(&account("other")).unwrap());
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
    server.tfa.remove(ROOT, std::slice::from_ref(&subject), Unreadable::Keep).unwrap();
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
    // An administrator sets and removes secrets all the same, and no used code is accepted afterwards.
    let secret = Secret::generate(16).unwrap();
    server.tfa.set_secrets(ROOT, &[(subject.clone(), secret.clone())]).unwrap();
    assert_eq!(reason(server.login(&subject, &server.code(&secret))), Refusal::UsedCode);
    assert_eq!(server.tfa.remove(ROOT, std::slice::from_ref(&subject), Unreadable::Keep).unwrap(), []);
    assert!(!server.tfa.is_enrolled(&subject).unwrap());
    server.clock.advance(Duration::from_secs(90));
    enrol().unwrap();
}

/// The code of `secret` at the server's time, for the settings of a handle.
fn code_of(secret: &Secret, format: CodeFormat, time: u64) -> String {
    let digits = usize::try_from(format.digits).unwrap();
    format!("{:0digits$}", format.code(secret.bytes(), format.step(time)))
}

/// What two handles on one store are configured with, and the format of the second one's codes.
fn differing_settings() -> Vec<(&'static str, CodeFormat)> {
    let six = CodeFormat::default();
    vec![
        (r#", "period": 60"#, CodeFormat { period: 60, ..six }),
        (r#", "period": 3600"#, CodeFormat { period: 3600, ..six }),
        (r#", "digits": 8"#, CodeFormat { digits: 8, ..six }),
        (r#", "algorithm": "SHA256""#, CodeFormat { algorithm: Algorithm::Sha256, ..six }),
        (r#", "skew": 10"#, six),
        (r#", "skew": 0"#, six),
    ]
}

#[test]
fn a_used_code_stays_used_when_another_configuration_enrols_between() {
    for (settings, format) in differing_settings() {
        let server = Server::new("");
        let other = server.reopened_with(settings);
        let (subject, secret) = server.enrolled("example");
        // Past the longest period, so that the second handle has an unused code.
        server.clock.advance(Duration::from_secs(7200));
        let code = server.code(&secret);
        assert_eq!(server.login(&subject, &code), VERIFIED);
        server.tfa.remove(ROOT, std::slice::from_ref(&subject), Unreadable::Keep).unwrap();
        let time = server.clock.now().as_secs();
        let later = time + u64::from(format.period);
        let enrolled = other.enrol(ROOT, &subject, &secret, &code_of(&secret, format, later));
        assert!(enrolled.is_ok() || settings.contains("\"skew\": 0"), "{settings}: {enrolled:?}");
        other.remove(ROOT, std::slice::from_ref(&subject), Unreadable::Keep).unwrap();
        assert_eq!(server.tfa.enrol(ROOT, &subject, &secret, &code), Err(Refusal::UsedCode), "{settings}");
        server.tfa.set_secrets(ROOT, &[(subject.clone(), secret.clone())]).unwrap();
        assert_eq!(reason(server.login(&subject, &code)), Refusal::UsedCode, "{settings}");
    }
}

#[test]
fn a_code_of_a_wide_window_is_accepted_once() {
    for (settings, format) in differing_settings() {
        let server = Server::new("");
        let other = server.reopened_with(settings);
        let (subject, secret) = (account("example"), Secret::generate(16).unwrap());
        let time = server.clock.now().as_secs();
        let code = code_of(&secret, format, time);
        other.enrol(ROOT, &subject, &secret, &code).unwrap();
        other.remove(ROOT, std::slice::from_ref(&subject), Unreadable::Keep).unwrap();
        // Removing another secret drops what has ended, by the handle with the narrow window. The code is still in the wide one.
        let skew = if settings.contains("\"skew\": 10") { 10 } else { 1 };
        server.clock.advance(Duration::from_secs(u64::from(format.period) * (skew + 1) - 20));
        let unrelated = Secret::generate(16).unwrap();
        server.tfa.set_secrets(ROOT, &[(subject.clone(), unrelated)]).unwrap();
        server.tfa.remove(ROOT, std::slice::from_ref(&subject), Unreadable::Keep).unwrap();
        let refused = other.enrol(ROOT, &subject, &secret, &code);
        let expected = if settings.contains("\"skew\": 0") { Refusal::InvalidCode } else { Refusal::UsedCode };
        assert_eq!(refused, Err(expected), "{settings}");
    }
}

#[test]
fn a_code_accepted_ahead_of_time_is_used_for_a_narrow_window() {
    let server = Server::new("");
    let wide = server.reopened_with(r#", "skew": 10"#);
    let (subject, secret) = server.enrolled("example");
    let ahead = server.clock.now().as_secs() + 300;
    let code = server.code_at(&secret, ahead);
    assert_eq!(wide.login(ROOT, &subject, &code).unwrap(), VERIFIED);
    server.tfa.remove(ROOT, std::slice::from_ref(&subject), Unreadable::Keep).unwrap();
    server.clock.set(ahead);
    assert_eq!(server.tfa.enrol(ROOT, &subject, &secret, &code), Err(Refusal::UsedCode));
    server.clock.advance(Duration::from_secs(30));
    server.tfa.enrol(ROOT, &subject, &secret, &server.code(&secret)).unwrap();
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
