//! The value of `"accounts"` in the configuration: errors, and the accounts of the inline map.

use super::callback::Answer;
use super::*;

#[test]
fn without_a_directory_every_well_formed_name_is_an_account() {
    let directory = Directory::from_config(None).unwrap();
    assert!(directory.0.view().is_open());
    for name in ["root", "example", "user@example.com"] {
        assert_eq!(directory.resolve(name), Ok(plain_account(name)));
        assert_eq!(directory.account(name).unwrap().unwrap(), Account::of_root(name));
    }
    assert_eq!(directory.resolve("a b"), Ok(None));
    assert_eq!(directory.account(""), Ok(None));
    assert_eq!(names(&directory, None), ["root"]);
    assert_eq!(names(&directory, Some("reseller")), [""; 0]);
}

#[test]
fn the_inline_map_answers() {
    let directory = example();
    assert!(!directory.0.view().is_open());
    let account = directory.account("example").unwrap().unwrap();
    assert_eq!((account.owner.as_str(), account.primary_domain.as_str()), ("reseller1", "example.com"));
    let resellers = ["reseller1", "listed", "example", "Cased", "bare", "root"]
        .map(|name| directory.account(name).unwrap().unwrap().reseller);
    assert_eq!(resellers, [true, true, false, false, false, false]);
    assert_eq!(directory.account("EXAMPLE"), directory.account("example"));
    assert_eq!(directory.account("user@example.com"), Ok(None));
    assert_eq!(names(&directory, None), ["Cased", "bare", "example", "listed", "reseller1", "root"]);
    assert_eq!(names(&directory, Some("root")), ["bare", "listed", "reseller1", "root"]);
    assert_eq!(names(&directory, Some("reseller1")), ["example"]);
    assert_eq!(names(&directory, Some("Cased")), ["Cased"]);
    assert_eq!(names(&directory, Some("ghost")), [""; 0]);
    let listing = directory.accounts(None).unwrap();
    assert_eq!(listing.get(2), Some(("example", "example.com")));
    assert_eq!(listing.get(5), Some(("root", "")));
}

#[test]
fn the_inline_map_resolves() {
    let directory = example();
    for (asked, expected) in [
        ("example", plain_account("example")),
        ("root", plain_account("root")),
        ("reseller1", plain_account("reseller1")),
        ("Bob@EXAMPLE.com", email("bob@example.com", "example")),
        ("bob@addon.example", email("bob@addon.example", "example")),
        ("bob@example", None),
        ("Team_user@EXAMPLE", team("team_user@example", "example")),
        ("one@cased", team("one@cased", "Cased")),
        ("ONE@Cased", team("one@cased", "Cased")),
        ("two@cased", None),
        ("bob@bare", None),
        ("bob@other.example", None),
        ("ghost", None),
        ("a b", None),
    ] {
        assert_eq!(directory.resolve(asked), Ok(expected), "{asked}");
    }
}

#[test]
fn root_always_exists_and_has_no_owner() {
    let directory = configured(json!({"inline": {"root": {"domain": "host.example", "reseller": 1}}}));
    let root = directory.account("root").unwrap().unwrap();
    assert_eq!((root.owner.as_str(), root.primary_domain.as_str(), root.reseller), ("root", "host.example", false));
    let away = Directory::callback(Box::new(Answer(Err("away".to_owned()))));
    assert_eq!(away.resolve("root"), Ok(plain_account("root")));
    assert!(away.account("root").is_err());
    let empty = Directory::callback(Box::new(Answer(Ok(None))));
    assert_eq!(empty.account("root").unwrap().unwrap(), Account::of_root("root"));
    assert_eq!(names(&empty, None), ["root"]);
}

#[test]
fn an_invalid_configuration_is_refused_with_the_key() {
    for (accounts, says) in [
        (json!(null), "must be"),
        (json!("files"), "must be"),
        (json!({}), "must be"),
        (json!({"files": "/etc", "inline": {}}), "must be"),
        (json!({"file": "/etc"}), r#"unknown key "file""#),
        (json!({"system": false}), "must be true"),
        (json!({"system": "yes"}), "must be true"),
        (json!({"inline": {"a": {"created": "today"}}}), r#""created" must be a time"#),
        (json!({"inline": {"a": {"created": -1}}}), r#""created" must be a time"#),
        (json!({"files": 1}), "folder"),
        (json!({"files": ""}), "must be a path"),
        (json!({"files": {"owners": "/x"}}), r#"unknown key "owners""#),
        (json!({"files": {"resellers": []}}), r#""resellers" must be a path"#),
        (json!({"inline": []}), "must be an object"),
        (json!({"inline": {"a": 1}}), r#"account "a": its entry must be an object"#),
        (json!({"inline": {"a b": {}}}), "not a well-formed account name"),
        (json!({"inline": {"a@b": {}}}), "not a well-formed account name"),
        (json!({"inline": {"a": {"owners": "b"}}}), r#"unknown key "owners""#),
        (json!({"inline": {"a": {"owner": 1}}}), r#""owner" must be a string"#),
        (json!({"inline": {"a": {"owner": "b c"}}}), r#""owner": "b c" is not"#),
        (json!({"inline": {"a": {"domain": null}}}), r#""domain" must be a string"#),
        (json!({"inline": {"a": {"domains": "b"}}}), r#""domains" must be an array"#),
        (json!({"inline": {"a": {"domains": ["b", 2]}}}), r#""domains" must be a string"#),
        (json!({"inline": {"a": {"reseller": 2}}}), r#""reseller" must be 0 or 1"#),
        (json!({"inline": {"a": {"team": ["b@a"]}}}), r#""team": "b@a" is not"#),
        (json!({"inline": {"a": {"team": ["b".repeat(253)]}}}), "too long"),
        (json!({"inline": {"root": {"owner": "a"}}}), "root has no owner"),
        (
            json!({"inline": {"a": {"domain": "x.example"}, "b": {"domains": ["X.example"]}}}),
            r#"domain "X.example" is given to both "a" and "b""#,
        ),
        (
            json!({"inline": {"a": {"team": ["u"]}, "A": {"team": ["U"]}}}),
            r#"team user "U" is given to both "a" and "A""#,
        ),
    ] {
        let text = accounts.to_string();
        let error = refusal(accounts);
        assert!(error.contains(says) && error.contains("accounts"), "{text}: {error}");
    }
    let long = refusal(json!({"inline": {"a": {"x".repeat(1 << 20): 1}}}));
    assert!(long.len() < 300, "an error stays short");
}

#[test]
fn the_accounts_of_the_system_are_owned_by_root() {
    assert!(matches!(*configured(json!({"system": 1})).0, super::super::Directory::System));
    let directory = configured(json!({"system": true}));
    assert!(!directory.0.view().lists_accounts());
    assert_eq!(directory.resolve("nobody"), Ok(plain_account("nobody")));
    assert_eq!(directory.resolve("NOBODY"), Ok(plain_account("nobody")));
    assert_eq!(directory.resolve("ROOT"), Ok(plain_account("root")));
    assert_eq!(directory.account("nobody"), Ok(Some(Account::of_root("nobody"))));
    for name in ["ghost-of-nobody", "bob@example.com", "nobody@nobody", "a b", ""] {
        assert_eq!(directory.resolve(name), Ok(None), "{name}");
        assert_eq!(directory.account(name), Ok(None), "{name}");
    }
    assert_eq!(directory.domains("nobody"), [""; 0]);
    assert_eq!(names(&directory, None), ["root"]);
}

#[test]
fn an_account_can_have_a_creation_time() {
    let entries = json!({"new": {"created": 1_800_000_000}, "old": {}});
    for directory in [
        configured(json!({"inline": entries})),
        Directory::callback(Box::new(super::callback::Host::new(entries.clone()))),
    ] {
        let created = |name| directory.account(name).unwrap().unwrap().created;
        assert_eq!((created("new"), created("old"), created("root")), (Some(1_800_000_000), None, None));
    }
}
