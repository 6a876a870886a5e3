//! The life of an account: rename, removal, enrolments without a subject (contract section 15).

use super::super::enrolment::Unreadable;
use super::super::presence::Presence;
use super::*;
use crate::store::Kind;

const PANEL: &str = r#", "accounts": {"inline": {"old": {"domain": "old.example", "domains": ["shop.example"], "team": ["dev"]},
    "other": {"domain": "other.example"}, "shop.example": {"team": ["dev"]}}}"#;

/// A server on which the account `old`, its team user and its mailbox are enrolled, and `old` has an issuer.
fn panel() -> (Server, Vec<(Subject, Secret)>) {
    let server = Server::new(PANEL);
    let view = server.tfa.view().unwrap();
    let names = ["old", "dev@old", "user@old.example"];
    let subjects: Vec<_> =
        names.iter().map(|name| (view.resolve(name).unwrap().unwrap(), Secret::generate(16).unwrap())).collect();
    server.tfa.set_secrets(ROOT, &subjects).unwrap();
    server.tfa.set_issuer(ROOT, "old", "Old Hosting").unwrap();
    (server, subjects)
}

fn enrolled(server: &Server) -> Vec<String> {
    let names = server.tfa.store.names(Kind::Subject, "", None, usize::MAX).unwrap();
    names.iter().map(|name| record::name_subject(name)).collect()
}

#[test]
fn a_rename_moves_the_account_its_team_and_its_issuer() {
    let (server, subjects) = panel();
    let (old, secret) = &subjects[0];
    let recovery = server.tfa.generate_recovery_codes(ROOT, old).unwrap();
    let code = server.code(secret);
    assert_eq!(server.login(old, &code), VERIFIED);
    assert_eq!(server.login(old, &recovery[0]), Verdict::Verified(Method::Recovery));
    assert_eq!(reason(server.login(old, &server.wrong_code(secret))), Refusal::InvalidCode);
    server.tfa.rename_user(ROOT, "old", "new").unwrap();
    assert_eq!(enrolled(&server), ["new", "dev@new", "user@old.example"]);
    assert_eq!(server.tfa.own_issuer("new").unwrap(), "Old Hosting");
    assert_eq!(server.tfa.own_issuer("old").unwrap(), "server.example.com");
    let new = account("new");
    let status = server.tfa.status(&new).unwrap();
    assert_eq!((status.failures, status.recovery_codes_left), (1, 9));
    assert_eq!(reason(server.login(&new, &code)), Refusal::UsedCode);
    assert_eq!(reason(server.login(&new, &recovery[0])), Refusal::UsedCode);
    assert_eq!(server.login(&new, &recovery[1]), Verdict::Verified(Method::Recovery));
    server.clock.advance(Duration::from_secs(30));
    assert_eq!(server.login(&new, &server.code(secret)), VERIFIED);
    assert_eq!(server.login(&account("dev@new"), &server.code(&subjects[1].1)), VERIFIED);
    // Back again, and with new recovery codes.
    server.tfa.rename_user(ROOT, "new", "old").unwrap();
    assert_eq!(server.login(old, &recovery[2]), Verdict::Verified(Method::Recovery));
    let recovery = server.tfa.generate_recovery_codes(ROOT, old).unwrap();
    assert_eq!(server.login(old, &recovery[0]), Verdict::Verified(Method::Recovery));
}

#[test]
fn a_rename_to_a_name_with_data_changes_nothing() {
    for taken in ["enrolment", "team user", "issuer"] {
        let (server, _) = panel();
        let secret = Secret::generate(16).unwrap();
        match taken {
            "enrolment" => server.tfa.set_secrets(ROOT, &[(account("new"), secret)]).unwrap(),
            "team user" => server.tfa.set_secrets(ROOT, &[(account("x@new"), secret)]).unwrap(),
            _ => server.tfa.set_issuer(ROOT, "new", "New Hosting").unwrap(),
        }
        let before = (enrolled(&server), server.tfa.audit_lines(0, usize::MAX).unwrap().len());
        assert_eq!(server.tfa.rename_user(ROOT, "old", "new"), Err(Refusal::NameInUse("new".to_owned())), "{taken}");
        assert_eq!((enrolled(&server), server.tfa.audit_lines(0, usize::MAX).unwrap().len()), before, "{taken}");
        assert_eq!(server.tfa.own_issuer("old").unwrap(), "Old Hosting", "{taken}");
    }
}

#[test]
fn an_enrolment_that_cannot_be_read_keeps_all_of_a_rename_from_happening() {
    let (server, _) = panel();
    server.write_record(record::enrolment_key("old/dev"), "{");
    assert!(matches!(server.tfa.rename_user(ROOT, "old", "new"), Err(Refusal::Unavailable(_))));
    assert_eq!(enrolled(&server), ["old", "user@old.example", "dev@old"]);
    assert_eq!(server.tfa.own_issuer("old").unwrap(), "Old Hosting");
}

#[test]
fn codes_used_before_a_removal_stay_used_after_a_rename() {
    let (server, subjects) = panel();
    let (old, secret) = &subjects[0];
    let code = server.code(secret);
    assert_eq!(server.login(old, &code), VERIFIED);
    server.tfa.remove_own(ROOT, old, Unreadable::Keep, Presence::NotRequired).unwrap();
    server.tfa.rename_user(ROOT, "old", "new").unwrap();
    assert_eq!(server.tfa.enrol(ROOT, &account("new"), secret, &code), Err(Refusal::UsedCode));
}

#[test]
fn removing_an_account_removes_all_that_belongs_to_it() {
    let (server, subjects) = panel();
    let neighbours = ["other", "user@other.example", "dev@shop.example"];
    for name in neighbours {
        server.tfa.set_secrets(ROOT, &[(account(name), Secret::generate(16).unwrap())]).unwrap();
    }
    server.write_record(record::enrolment_key("old/dev"), "{");
    let code = server.code(&subjects[0].1);
    assert_eq!(server.login(&subjects[0].0, &code), VERIFIED);
    let mut removed = server.tfa.remove_account(ROOT, &server.tfa.view().unwrap(), "old").unwrap();
    removed.sort_unstable();
    assert_eq!(removed, ["dev@old", "old", "user@old.example"]);
    let mut left = enrolled(&server);
    left.sort_unstable();
    assert_eq!(left, ["dev@shop.example", "other", "user@other.example"]);
    assert_eq!(server.tfa.own_issuer("old").unwrap(), "server.example.com");
    assert_eq!(server.tfa.enrol(ROOT, &account("old"), &subjects[0].1, &code), Err(Refusal::UsedCode));
    let entries = server.tfa.audit_lines(0, usize::MAX).unwrap();
    assert!(entries.last().unwrap().text.contains(r#""event":"account_removed","subject":"old""#));
}

#[test]
fn enrolments_without_a_subject_are_listed() {
    let (server, _) = panel();
    for name in ["gone", "x@old", "user@gone.example"] {
        server.tfa.set_secrets(ROOT, &[(account(name), Secret::generate(16).unwrap())]).unwrap();
    }
    let view = server.tfa.view().unwrap();
    assert_eq!(server.tfa.orphans(&view).unwrap(), ["gone", "user@gone.example", "x@old"]);
    let open = server.reopened_with("");
    assert_eq!(open.orphans(&open.view().unwrap()).unwrap(), [""; 0]);
}

#[test]
fn an_enrolment_older_than_its_account_is_refused() {
    let server = Server::new("");
    let created = |time: u64| {
        server.reopened_with(&format!(
            r#", "accounts": {{"inline": {{"example": {{"domain": "example.com", "created": {time}}}}}}}"#
        ))
    };
    for name in ["example", "user@example.com"] {
        let subject = created(1).view().unwrap().resolve(name).unwrap().unwrap();
        server.tfa.set_secrets(ROOT, &[(subject.clone(), Secret::generate(16).unwrap())]).unwrap();
        let now = server.clock.now().as_secs();
        let refused = |tfa: Tfa| tfa.refuse_stale(&tfa.view().unwrap(), &subject);
        assert_eq!(refused(created(now)), Ok(()));
        assert_eq!(refused(created(now + 1)), Err(Refusal::StaleEnrolment(name.to_owned())));
        assert_eq!(refused(server.reopened_with(PANEL)), Ok(()), "the directory does not know when");
        server.tfa.set_policy(ROOT, false).unwrap();
        assert_eq!(refused(created(now + 1)), Ok(()));
        server.tfa.set_policy(ROOT, true).unwrap();
        // A record of format 1 does not say when the subject enrolled.
        let name = record::subject_name(name);
        let key = record::enrolment_key(&name);
        let text = server.tfa.store.read(&[key]).unwrap().at(0).unwrap().to_owned();
        server.write_record(key, &text.replace(&format!("\"enrolled_at\":{now}"), "\"enrolled_at\":0"));
        assert_eq!(refused(created(now + 1)), Ok(()));
    }
}
