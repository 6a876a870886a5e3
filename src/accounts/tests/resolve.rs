//! One subject, one spelling (contract section 11).

use proptest::prelude::*;
use tempfile::TempDir;

use super::callback::Host;
use super::*;

/// Accounts, domains and team users whose names collide, in the four sources that have any.
fn sources() -> (TempDir, Vec<Directory>) {
    let entries = json!({
        "example": {"owner": "reseller1", "domain": "example.com", "domains": ["bücher.example", "straße.example"],
            "team": ["boss", "bob"]},
        "other": {"domain": "example", "domains": ["taken.example", "other.example"]},
        "taken.example": {"team": ["boss"]},
        "plain": {"domain": "localhost", "team": []},
    });
    let folder = TempDir::new().unwrap();
    std::fs::write(
        folder.path().join("trueuserowners"),
        "example: reseller1\nother: root\ntaken.example: root\nplain: root\nCased: root\n",
    )
    .unwrap();
    std::fs::write(
        folder.path().join("trueuserdomains"),
        "Example.com: example\nBu\u{308}cher.example: example\nstrasse.example: example\nexample: other\n\
         taken.example: other\nother.example: other\nlocalhost: plain\ncased.example: Cased\n",
    )
    .unwrap();
    let files = configured(json!({"files": folder.path().to_str().unwrap()}));
    let host = Host::new(folded_domains(&entries));
    let sources = vec![configured(json!({"inline": entries})), Directory::callback(Box::new(host)), files];
    (folder, sources)
}

/// The entries as a host has them, which compares folded domains byte by byte.
fn folded_domains(entries: &Value) -> Value {
    serde_json::from_str(&entries.to_string().replace("straße", "strasse")).unwrap()
}

#[test]
fn an_account_takes_precedence_over_a_domain_of_the_same_name() {
    let (_folder, sources) = sources();
    for directory in &sources {
        for (name, expected) in [
            ("boss@example", team("boss@example", "example")),
            ("Boss@EXAMPLE", team("boss@example", "example")),
            ("boss@taken.example", team("boss@taken.example", "taken.example")),
            ("boss@Taken.Example", team("boss@taken.example", "taken.example")),
            ("boss@other.example", email("boss@other.example", "other")),
        ] {
            assert_eq!(directory.resolve(name), Ok(expected), "{name}");
        }
        assert_eq!(directory.domains("other"), ["other.example"]);
    }
}

#[test]
fn a_domain_without_a_dot_has_no_mailboxes() {
    let (_folder, sources) = sources();
    for directory in &sources {
        assert_eq!(directory.resolve("boss@localhost"), Ok(None));
        assert_eq!(directory.domains("plain"), [""; 0]);
        assert_eq!(directory.account("plain").unwrap().unwrap().primary_domain, "localhost", "it is still shown");
    }
}

#[test]
fn a_mailbox_and_a_team_user_can_log_in_under_one_name() {
    let (_folder, sources) = sources();
    for directory in &sources {
        let both = [email("boss@example.com", "example").unwrap(), team("boss@example", "example").unwrap()];
        for name in ["boss@example.com", "Boss@EXAMPLE.com"] {
            assert_eq!(directory.candidates(name), both, "{name}");
            assert_eq!(directory.resolve(name), Ok(Some(both[0].clone())), "a caller is the mailbox");
        }
        assert_eq!(directory.candidates("boss@bücher.example")[1], both[1]);
        assert_eq!(directory.candidates("boss@example"), [both[1].clone()]);
        assert_eq!(directory.candidates("example"), [plain_account("example").unwrap()]);
        assert_eq!(directory.candidates("ghost"), []);
    }
    for (directory, count) in sources.iter().zip([1, 1, 2]) {
        let candidates = directory.candidates("unlisted@example.com");
        assert_eq!(candidates.len(), count, "files do not list team users, so that every one can exist");
    }
    let cased = sources[2].candidates("boss@cased.example");
    assert_eq!(cased[1], team("boss@cased", "Cased").unwrap());
}

#[test]
fn every_spelling_of_a_domain_is_the_same_domain() {
    let (_folder, sources) = sources();
    for directory in &sources {
        for name in ["x@BÜCHER.example", "X@bu\u{308}cher.EXAMPLE", "x@BU\u{308}CHER.example"] {
            assert_eq!(directory.resolve(name), Ok(email("x@bücher.example", "example")), "{name}");
        }
        for name in ["x@straße.example", "x@STRASSE.example", "x@STRAẞE.example"] {
            assert_eq!(directory.resolve(name), Ok(email("x@strasse.example", "example")), "{name}");
        }
    }
}

#[test]
fn accounts_that_differ_in_case_have_their_exact_names() {
    let directory = configured(json!({"inline": {"Bob": {}, "bob": {}, "Alice": {}, "caf\u{e9}": {}}}));
    for (name, expected) in [
        ("Bob", "Bob"),
        ("bob", "bob"),
        ("BOB", "bob"),
        ("alice", "Alice"),
        ("ALICE", "Alice"),
        ("cafe\u{301}", "café"),
    ] {
        assert_eq!(directory.resolve(name), Ok(plain_account(expected)), "{name}");
        assert_eq!(directory.account(name).unwrap().unwrap().name, expected);
    }
    assert_eq!(directory.resolve("ALICE@x"), Ok(None));
}

#[test]
fn without_a_directory_case_makes_no_difference() {
    let directory = Directory::from_config(None).unwrap();
    for (name, expected) in [
        ("ROOT", "root"),
        ("Example", "example"),
        ("User@Example.COM", "user@example.com"),
        ("User@BU\u{308}cher.example", "user@bücher.example"),
        ("Cafe\u{301}", "café"),
    ] {
        assert_eq!(directory.resolve(name), Ok(plain_account(expected)), "{name}");
        assert_eq!(directory.account(name).unwrap().unwrap().name, expected);
        assert_eq!(directory.candidates(name).len(), 1);
    }
    assert_eq!(directory.resolve("a\u{1fef}b"), Ok(None), "it normalizes to a grave accent");
}

#[test]
fn kinds_are_named() {
    for (kind, name) in SubjectKind::ALL.into_iter().zip(["account", "mailbox", "team"]) {
        assert_eq!((kind.name(), SubjectKind::from_name(name)), (name, Some(kind)));
    }
    assert_eq!(SubjectKind::from_name("email"), None);
}

/// Another spelling of `name`: `flips` says which letters change their case.
fn respelled(name: &str, flips: &[bool]) -> String {
    let flip = |(c, flip): (char, &bool)| -> String {
        if !flip {
            c.to_string()
        } else if c.is_lowercase() {
            c.to_uppercase().collect()
        } else {
            c.to_lowercase().collect()
        }
    };
    name.chars().zip(flips.iter().cycle()).map(flip).collect()
}

proptest! {
    #[test]
    fn a_canonical_name_resolves_to_itself(
        name in "[a-zA-Z@._ ]{1,12}|[bB]o(b|ss)@(EXAMPLE.com|STRAßE.example|Taken.example|example)|(one|team_user)@[Cc]ased",
    ) {
        let (_folder, mut sources) = sources();
        sources.extend([Directory::from_config(None).unwrap(), example()]);
        for directory in sources {
            for subject in directory.candidates(&name) {
                prop_assert!(well_formed(subject.name()));
                prop_assert!(directory.account(subject.account()).unwrap().is_some());
                prop_assert_eq!(directory.resolve(subject.name()).unwrap(), Some(subject));
            }
        }
    }

    #[test]
    fn every_spelling_of_a_subject_resolves_to_it(
        name in prop::sample::select(vec![
            "root", "example", "boss@example", "boss@example.com", "x@bücher.example", "x@straße.example", "boss@taken.example",
        ]),
        flips in prop::collection::vec(any::<bool>(), 1..20),
        decomposed in any::<bool>(),
    ) {
        use unicode_normalization::UnicodeNormalization;
        let other = respelled(name, &flips);
        let other = if decomposed { other.nfd().collect() } else { other };
        let (_folder, mut sources) = sources();
        sources.push(Directory::from_config(None).unwrap());
        for directory in sources {
            prop_assert_eq!(directory.candidates(&other), directory.candidates(name), "{} for {}", other, name);
        }
    }
}
