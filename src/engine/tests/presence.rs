//! Proof of presence: changes that a subject makes to its own enrolment (contract section 15).

use super::super::enrolment::Unreadable;
use super::super::presence::Presence::{self, NotRequired, Required};
use super::*;

/// A change, and its name.
type Change<'a> = (&'static str, Box<dyn Fn(Presence<'_>) -> Result<(), Refusal> + 'a>);

/// The three changes, each with the proof that it is given.
fn changes<'a>(server: &'a Server, subject: &'a Subject) -> [Change<'a>; 3] {
    let enrol = move |presence: Presence<'_>| {
        let secret = Secret::generate(16).unwrap();
        server.tfa.enrol_with(ROOT, subject, &secret, &server.code(&secret), presence)
    };
    let generate =
        move |presence: Presence<'_>| server.tfa.generate_recovery_codes_with(ROOT, subject, presence).map(drop);
    let remove = move |presence: Presence<'_>| server.tfa.remove_own(ROOT, subject, Unreadable::Keep, presence);
    [("enrol", Box::new(enrol)), ("generate", Box::new(generate)), ("remove", Box::new(remove))]
}

#[test]
fn a_change_needs_a_valid_current_code_and_uses_it() {
    for place in 0..3 {
        let server = Server::new("");
        let (subject, secret) = server.enrolled("example");
        let record = || {
            let texts = server.tfa.store.read(&[record::enrolment_key("example")]).unwrap();
            texts.at(0).map(str::to_owned)
        };
        let before = record();
        let (what, change) = &changes(&server, &subject)[place];
        for missing in [None, Some("")] {
            assert_eq!(change(Required(missing)), Err(Refusal::CurrentTokenRequired), "{what}");
        }
        assert_eq!(record(), before, "{what}");
        assert_eq!(change(Required(Some(&server.wrong_code(&secret)))), Err(Refusal::InvalidCode), "{what}");
        let status = server.tfa.status(&subject).unwrap();
        assert_eq!((status.failures, status.recovery_codes_left), (1, 0), "{what}: the attempt is counted");
        let code = server.code(&secret);
        change(Required(Some(&code))).unwrap();
        assert_eq!(server.tfa.is_enrolled(&subject).unwrap(), *what != "remove");
        if *what == "generate" {
            assert_eq!(server.tfa.status(&subject).unwrap().recovery_codes_left, 10);
            assert_eq!(reason(server.login(&subject, &code)), Refusal::UsedCode);
        } else {
            assert_eq!(server.tfa.enrol(ROOT, &subject, &secret, &code), Err(Refusal::UsedCode), "{what}");
        }
    }
}

#[test]
fn a_change_is_refused_during_a_lock_and_accepts_a_recovery_code() {
    for place in 0..3 {
        let server = Server::new("");
        let (subject, secret) = server.enrolled("example");
        let recovery = server.tfa.generate_recovery_codes(ROOT, &subject).unwrap();
        let (what, change) = &changes(&server, &subject)[place];
        for _ in 0..5 {
            assert_eq!(change(Required(Some(&server.wrong_code(&secret)))), Err(Refusal::InvalidCode), "{what}");
        }
        assert_eq!(change(Required(Some(&server.code(&secret)))), Err(Refusal::Locked(30)), "{what}");
        assert_eq!(reason(server.login(&subject, &server.code(&secret))), Refusal::Locked(30), "{what}");
        change(Required(Some(&recovery[0]))).unwrap();
    }
}

#[test]
fn a_first_enrolment_needs_no_current_code() {
    let server = Server::new("");
    let (subject, secret) = (account("example"), Secret::generate(16).unwrap());
    server.tfa.enrol_with(ROOT, &subject, &secret, &server.code(&secret), Required(None)).unwrap();
    for (what, change) in &changes(&server, &subject) {
        assert!(change(NotRequired).is_ok(), "{what}");
    }
    server.tfa.remove_own(ROOT, &subject, Unreadable::Keep, Required(None)).unwrap();
}

#[test]
fn the_code_of_a_change_does_not_enrol_the_same_secret() {
    let server = Server::new("");
    let (subject, secret) = server.enrolled("example");
    let code = server.code(&secret);
    assert_eq!(server.tfa.enrol_with(ROOT, &subject, &secret, &code, Required(Some(&code))), Err(Refusal::UsedCode));
}

#[test]
fn an_unreadable_enrolment_is_removed_without_a_code_on_demand() {
    let server = Server::new("");
    let (subject, _) = server.enrolled("example");
    server.write_record(record::enrolment_key("example"), "{");
    let remove = |unreadable| server.tfa.remove_own(ROOT, &subject, unreadable, Required(Some("123456")));
    assert!(matches!(remove(Unreadable::Keep), Err(Refusal::Unavailable(_))));
    remove(Unreadable::Remove).unwrap();
    assert!(!server.tfa.is_enrolled(&subject).unwrap());
}
