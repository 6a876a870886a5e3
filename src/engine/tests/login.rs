//! Login verification: one login for each code, the window, the policy, a reboot.

use super::*;
use crate::store::{Change, Decision, Durability};

#[test]
fn a_code_is_accepted_once() {
    let server = Server::new("");
    let (subject, secret) = server.enrolled("example");
    let code = server.code(&secret);
    assert_eq!(server.login(&subject, &code), VERIFIED);
    assert_eq!(reason(server.login(&subject, &code)), Refusal::UsedCode);
    // Accepting a code uses the older steps of the window as well.
    let older = server.code_at(&secret, server.clock.now().as_secs() - 30);
    assert_eq!(reason(server.login(&subject, &older)), Refusal::UsedCode);
    assert_eq!(server.login(&subject, &server.code_at(&secret, server.clock.now().as_secs() + 30)), VERIFIED);
    assert_eq!(reason(server.reopened().login(ROOT, &subject, &code).unwrap()), Refusal::UsedCode);
}

#[test]
fn the_window_spans_skew_steps_on_either_side() {
    for (skew, accepted) in [(0, vec![0]), (1, vec![-1, 0, 1]), (2, vec![-2, -1, 0, 1, 2])] {
        for offset in -3i64..=3 {
            let server = Server::new(&format!(r#", "skew": {skew}"#));
            let (subject, secret) = server.enrolled("example");
            server.clock.advance(Duration::from_secs(300));
            let time = server.clock.now().as_secs().checked_add_signed(30 * offset).unwrap();
            let verdict = server.login(&subject, &server.code_at(&secret, time));
            assert_eq!(verdict == VERIFIED, accepted.contains(&offset), "skew {skew}, offset {offset}");
        }
    }
}

#[test]
fn no_code_is_required_while_the_policy_is_disabled() {
    let server = Server::new("");
    let (subject, _) = server.enrolled("example");
    assert_eq!(server.login(&account("other"), "123456"), Verdict::NotRequired);
    server.tfa.set_policy(ROOT, false).unwrap();
    assert_eq!(server.login(&subject, "123456"), Verdict::NotRequired);
    let status = server.tfa.status(&subject).unwrap();
    assert_eq!((status.required, status.is_enabled, status.failures), (false, true, 0));
}

#[test]
fn a_lost_policy_denies_every_login_until_it_is_set_again() {
    let server = Server::new("");
    let (subject, secret) = server.enrolled("example");
    let lose = |_| {
        let changes = vec![Change { key: record::POLICY, text: None }];
        Ok::<_, Refusal>(((), Decision { changes, lines: Vec::new() }))
    };
    server.tfa.store.settle(&[record::POLICY], Durability::Power, lose).unwrap();
    let code = server.code(&secret);
    for tfa in [&server.tfa, &server.reopened()] {
        assert!(matches!(tfa.login(ROOT, &subject, &code), Err(Refusal::Unavailable(_))));
        assert!(tfa.policy().is_err());
    }
    server.tfa.set_policy(ROOT, true).unwrap();
    assert_eq!(server.login(&subject, &code), VERIFIED);
}

#[test]
fn no_code_from_before_a_reboot_is_accepted() {
    let server = Server::new("");
    let (subject, secret) = server.enrolled("example");
    let mut tfa = server.reopened();
    tfa.floor = server.clock.now().as_secs();
    for offset in [-30i64, 0, 30] {
        let time = server.clock.now().as_secs().checked_add_signed(offset).unwrap();
        assert_eq!(reason(tfa.login(ROOT, &subject, &server.code_at(&secret, time)).unwrap()), Refusal::UsedCode);
    }
    server.clock.advance(Duration::from_secs(60));
    assert_eq!(tfa.login(ROOT, &subject, &server.code(&secret)).unwrap(), VERIFIED);
}

#[test]
fn a_clock_that_was_set_back_is_the_reason_of_a_refusal() {
    let server = Server::new("");
    let (subject, secret) = server.enrolled("example");
    // The clock was an hour ahead when this boot's first handle was opened.
    let boot = crate::store::Key { kind: crate::store::Kind::Server, name: "boot" };
    let ahead = server.clock.now().as_secs() + 3600;
    server.write_record(boot, &format!(r#"{{"format":2,"record":{{"boot_id":"earlier","floor":{ahead}}}}}"#));
    let mut tfa = server.reopened();
    tfa.floor = ahead;
    let refused = reason(tfa.login(ROOT, &subject, &server.code(&secret)).unwrap());
    assert!(matches!(refused, Refusal::ClockSetBack(seconds) if (3600..3690).contains(&seconds)), "{refused}");
    // The next opening lowers the floor to the present.
    let tfa = server.reopened();
    server.clock.advance(Duration::from_secs(60));
    assert_eq!(tfa.login(ROOT, &subject, &server.code(&secret)).unwrap(), VERIFIED);
}

#[test]
fn a_stored_enrolment_keeps_its_code_format() {
    let server = Server::new("");
    let (subject, secret) = server.enrolled("example");
    let tfa =
        open(&server.folder, r#", "digits": 8, "period": 60, "algorithm": "SHA256""#, server.clock.clone()).unwrap();
    assert_eq!(tfa.login(ROOT, &subject, &server.code(&secret)).unwrap(), VERIFIED);
}
