//! Lists of users, and their secrets as a whole.

use super::super::users::Users;
use super::*;
use crate::otp::credential::Credential;

#[test]
fn secrets_that_are_set_are_all_returned() {
    let server = Server::new(
        r#", "accounts": {"inline": {"example": {"domain": "example.com", "domains": ["addon.example"], "team": ["dev"]}}}"#,
    );
    let directory = server.tfa.view().unwrap();
    let names = ["example", "user@example.com", "sales@addon.example", "dev@example"];
    let given: Vec<_> =
        names.iter().map(|name| (directory.resolve(name).unwrap().unwrap(), Secret::generate(32).unwrap())).collect();
    server.tfa.set_secrets(ROOT, &given).unwrap();
    let secrets = server.tfa.secrets_of(&directory, &given[0].0).unwrap();
    let bytes = |secret: &Secret| secret.bytes().to_vec();
    let named = |members: &[(String, Credential)]| -> Vec<_> {
        members.iter().map(|(name, credential)| (name.clone(), bytes(&credential.secret))).collect()
    };
    let expected = |place: usize| (names[place].to_owned(), bytes(&given[place].1));
    assert_eq!(secrets.account.as_ref().map(|account| bytes(&account.secret)), Some(bytes(&given[0].1)));
    assert_eq!(named(&secrets.mailboxes), [expected(2), expected(1)]);
    assert_eq!(named(&secrets.team), [expected(3)]);
}

#[test]
fn users_are_listed_with_and_without_an_enrolment() {
    let server = Server::new(
        r#", "accounts": {"inline": {"a": {"owner": "m", "domain": "a.example"}, "m": {"reseller": 1}, "z": {"owner": "m"}, "x": {}}}"#,
    );
    server.enrolled("a");
    server.enrolled("m");
    let rows = |users: Users, range| -> Vec<(String, bool)> {
        let configs = server.tfa.user_configs(users, range).unwrap();
        configs.iter().map(|row| (row.user.to_owned(), row.is_enabled)).collect()
    };
    let named = |rows: &[(&str, bool)]| -> Vec<_> { rows.iter().map(|row| (row.0.to_owned(), row.1)).collect() };
    let all = [("a", true), ("m", true), ("root", false), ("x", false), ("z", false)];
    assert_eq!(rows(server.tfa.all_users(&server.tfa.view().unwrap()).unwrap(), 0..usize::MAX), named(&all));
    assert_eq!(rows(server.tfa.all_users(&server.tfa.view().unwrap()).unwrap(), 1..3), named(&all[1..3]));
    assert_eq!(rows(server.tfa.all_users(&server.tfa.view().unwrap()).unwrap(), 9..12), []);
    assert_eq!(
        rows(server.tfa.users_of(&server.tfa.view().unwrap(), "m").unwrap(), 0..9),
        named(&[("a", true), ("m", true), ("z", false)])
    );
    let one = server
        .tfa
        .user_configs(server.tfa.one_user(&server.tfa.view().unwrap(), &account("a")).unwrap(), 0..1)
        .unwrap();
    assert_eq!(one.iter().next().unwrap().primary_domain, "a.example");
}

#[test]
fn without_a_directory_root_and_enrolled_subjects_are_listed() {
    let server = Server::new("");
    for name in ["zoe", "user@example.com", "anna"] {
        server.enrolled(name);
    }
    let configs = server.tfa.user_configs(server.tfa.all_users(&server.tfa.view().unwrap()).unwrap(), 0..9).unwrap();
    let names: Vec<_> = configs.iter().map(|row| row.user.to_owned()).collect();
    assert_eq!(names, ["anna", "root", "user@example.com", "zoe"]);
}
