//! Subjects: mailboxes and team users under one name, and spellings of enrolled names (contract section 11).

use super::super::record::{self, SPELLINGS, Spellings};
use super::*;
use crate::accounts::SubjectKind;
use crate::otp::credential::Credential;

/// One account with a domain and a team user.
const PANEL: &str = r#", "accounts": {"inline": {"example": {"domain": "example.com", "team": ["boss"]}}}"#;

fn subject(tfa: &Tfa, name: &str, kind: Option<SubjectKind>) -> Option<Subject> {
    tfa.subject(&tfa.view().unwrap(), name, kind).unwrap()
}

/// The name under which the subject called `name` is looked up in the store.
fn found(tfa: &Tfa, name: &str) -> String {
    subject(tfa, name, None).unwrap().name().to_owned()
}

impl Server {
    /// Enrols a subject of the directory.
    fn enrols(&self, subject: &Subject) {
        self.tfa.set_secrets(ROOT, &[(subject.clone(), Secret::generate(16).unwrap())]).unwrap();
    }

    /// The record about spellings.
    fn mark(&self) -> Option<bool> {
        let texts = self.tfa.store.read(&[SPELLINGS]).unwrap();
        record::read(SPELLINGS.name, texts.at(0)).unwrap().map(|mark: Spellings| mark.all_folded)
    }

    /// Removes the record about spellings, which older stores do not have.
    fn remove_mark(&self) {
        let decide = |_| {
            let changes = vec![Change { key: SPELLINGS, text: None }];
            Ok::<_, Refusal>(((), Decision { changes, lines: Vec::new() }))
        };
        self.tfa.store.settle(&[SPELLINGS], Durability::Power, decide).unwrap();
    }
}

#[test]
fn the_enrolled_one_of_mailbox_and_team_user_is_meant() {
    let server = Server::new(PANEL);
    let name = "Boss@Example.com";
    let mailbox = subject(&server.tfa, name, Some(SubjectKind::Mailbox)).unwrap();
    let team_user = subject(&server.tfa, name, Some(SubjectKind::Team)).unwrap();
    assert_eq!((mailbox.name(), team_user.name()), ("boss@example.com", "boss@example"));
    assert_eq!(subject(&server.tfa, name, None), Some(mailbox.clone()), "neither is enrolled");
    server.enrols(&team_user);
    assert_eq!(subject(&server.tfa, name, None), Some(team_user.clone()));
    assert_eq!(subject(&server.tfa, name, Some(SubjectKind::Mailbox)), Some(mailbox.clone()));
    let caller = server.tfa.caller(&server.tfa.view().unwrap(), name).unwrap();
    assert_eq!(caller, Some(mailbox.clone()), "a caller is no alias");
    server.enrols(&mailbox);
    assert_eq!(subject(&server.tfa, name, None), Some(mailbox), "both are enrolled");
    assert_eq!(subject(&server.tfa, name, Some(SubjectKind::Team)), Some(team_user));
    assert_eq!(subject(&server.tfa, "boss@example", Some(SubjectKind::Mailbox)), None);
}

#[test]
fn a_name_enrolled_with_capitals_is_found_under_every_spelling() {
    let server = Server::new("");
    let (bob, secret) = server.enrolled("Bob");
    server.enrolled("x@BÜCHER.example");
    server.remove_mark();
    let tfa = server.reopened();
    for name in ["bob", "BOB", "Bob"] {
        assert_eq!(subject(&tfa, name, None), Some(bob.clone()), "{name}");
        assert_eq!(tfa.caller(&tfa.view().unwrap(), name).unwrap(), Some(bob.clone()), "{name}");
    }
    assert_eq!(found(&tfa, "X@bücher.example"), "x@BÜCHER.example");
    let subject = subject(&tfa, "bob", None).unwrap();
    assert_eq!(tfa.login(ROOT, &subject, &server.code(&secret)).unwrap(), VERIFIED);
    assert_eq!(server.mark(), None, "names that are not folded were found");
    let panel = server.reopened_with(r#", "accounts": {"inline": {"bob": {}}}"#);
    assert_eq!(found(&panel, "bob"), "Bob", "and by a directory that spells it otherwise");
}

#[test]
fn an_exact_name_is_preferred_among_enrolled_spellings() {
    let server = Server::new("");
    for name in ["BOB", "Bob", "bob", "ANN", "Ann"] {
        server.enrolled(name);
    }
    for (name, expected) in
        [("BOB", "BOB"), ("Bob", "Bob"), ("bob", "bob"), ("bOb", "bob"), ("ann", "ANN"), ("Ann", "Ann")]
    {
        assert_eq!(found(&server.tfa, name), expected, "{name}");
    }
}

#[test]
fn names_are_examined_once_for_a_store_of_folded_names() {
    let server = Server::new("");
    server.enrolled("bob");
    assert_eq!(server.mark(), None);
    assert_eq!(found(&server.tfa, "BOB"), "bob");
    assert_eq!(server.mark(), Some(true));
    server.enrolled("Ann");
    assert_eq!(server.mark(), Some(false), "an enrolment of another spelling is noted");
    assert_eq!(found(&server.reopened(), "ann"), "Ann");
}

#[test]
fn an_enrolment_under_one_directory_is_found_under_another() {
    let server = Server::new(r#", "accounts": {"inline": {"Example": {}, "other": {}}}"#);
    assert_eq!(found(&server.tfa, "example"), "Example");
    server.enrols(&subject(&server.tfa, "example", None).unwrap());
    server.enrols(&subject(&server.tfa, "OTHER", None).unwrap());
    let open = server.reopened_with("");
    assert_eq!((found(&open, "example").as_str(), found(&open, "Other").as_str()), ("Example", "other"));
    let capital = server.reopened_with(r#", "accounts": {"inline": {"OTHER": {}}}"#);
    assert_eq!(found(&capital, "OTHER"), "other");
}

#[test]
fn accounts_that_differ_in_case_do_not_share_an_enrolment() {
    let server = Server::new(r#", "accounts": {"inline": {"Bob": {}, "bob": {}}}"#);
    server.enrols(&subject(&server.tfa, "Bob", None).unwrap());
    let tfa = server.reopened();
    assert_eq!((found(&tfa, "Bob").as_str(), found(&tfa, "bob").as_str()), ("Bob", "bob"));
}

#[test]
fn an_enrolment_without_an_account_is_found_for_its_removal() {
    let server = Server::new("");
    server.enrolled("gone");
    server.enrolled("x@gone.example");
    let tfa = server.reopened_with(PANEL);
    let gone = |name: &str| tfa.enrolled_without_account(&tfa.view().unwrap(), name).unwrap();
    assert_eq!(gone("Gone"), Some(account("gone")));
    assert_eq!(gone("X@Gone.example"), Some(account("x@gone.example")));
    assert_eq!((gone("ghost"), gone("example")), (None, None));
}

#[test]
fn the_team_users_of_an_account_with_capitals_are_exported() {
    let server = Server::new(
        r#", "accounts": {"inline": {"Example": {"team": ["dev"]}, "other": {"domain": "Example", "team": ["dev"]},
            "Abc": {}, "abc": {"team": ["dev"]}}}"#,
    );
    for name in ["dev@Example", "dev@other", "dev@abc"] {
        server.enrols(&subject(&server.tfa, name, None).unwrap());
    }
    let names = |account: &str| {
        let secrets = server.tfa.secrets_of(&server.tfa.view().unwrap(), &self::account(account)).unwrap();
        let names = |list: &[(String, Credential)]| list.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        (names(&secrets.mailboxes), names(&secrets.team))
    };
    assert_eq!(names("Example"), (Vec::new(), vec!["dev@example".to_owned()]));
    assert_eq!(names("other"), (Vec::new(), vec!["dev@other".to_owned()]));
    assert_eq!(names("Abc"), (Vec::new(), Vec::new()), "the team user is one of another account");
}
