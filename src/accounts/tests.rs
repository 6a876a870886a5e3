//! The directory as its callers see it: the same questions put to all four kinds, and a panel's tree of hundreds of
//! accounts. The tests of one kind's own ways are beside its code.

use std::fmt::Write;
use std::fs;
use std::sync::Mutex;

use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;

use super::*;

/// A directory that answers each question from a view of its own, as separate requests do.
struct Directory(Arc<super::Directory>);

impl Directory {
    fn from_config(value: Option<&Value>) -> Result<Self, String> {
        super::Directory::from_config(value).map(|directory| Directory(Arc::new(directory)))
    }

    fn callback(lookup: Box<dyn Lookup>) -> Self {
        Directory(Arc::new(super::Directory::callback(lookup)))
    }

    fn resolve(&self, name: &str) -> Result<Option<Subject>, LookupError> {
        self.0.view().resolve(name)
    }

    fn account(&self, name: &str) -> Result<Option<Account>, LookupError> {
        self.0.view().account(name)
    }

    fn accounts(&self, owner: Option<&str>) -> Result<Listing, LookupError> {
        self.0.view().accounts(owner)
    }
}

fn configured(accounts: Value) -> Directory {
    Directory::from_config(Some(&accounts)).unwrap()
}

fn refusal(accounts: Value) -> String {
    Directory::from_config(Some(&accounts)).err().unwrap()
}

fn example() -> Directory {
    configured(json!({"inline": {
        "example": {"owner": "reseller1", "domain": "Example.com", "domains": ["addon.example"], "reseller": 0,
            "team": ["Team_User"]},
        "listed": {"reseller": true, "domain": "example"},
        "Cased": {"owner": "Cased", "team": ["one"]},
        "bare": {},
    }}))
}

fn email(name: &str, account: &str) -> Option<Subject> {
    let (name, account) = (name.to_owned(), account.to_owned());
    Some(Subject::Email { name, account })
}

fn team(name: &str, account: &str) -> Option<Subject> {
    let (name, account) = (name.to_owned(), account.to_owned());
    Some(Subject::Team { name, account })
}

fn plain_account(name: &str) -> Option<Subject> {
    let name = name.to_owned();
    Some(Subject::Account { name })
}

fn names(directory: &Directory, owner: Option<&str>) -> Vec<String> {
    let listing = directory.accounts(owner).unwrap();
    let names: Vec<_> = listing.iter().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(names.len(), listing.len());
    assert_eq!(names.is_empty(), listing.is_empty());
    assert!(listing.get(listing.len()).is_none());
    names
}

/// A host that answers from the same entries as the inline map, and remembers what it was asked.
struct Host {
    entries: Value,
    asked: Mutex<Vec<(Question, String)>>,
}

impl Host {
    fn new(entries: Value) -> Host {
        Host { entries, asked: Mutex::default() }
    }
}

impl Lookup for Host {
    fn ask(&self, question: Question, name: &str) -> Result<Option<Value>, String> {
        self.asked.lock().unwrap().push((question, name.to_owned()));
        let entries = self.entries.as_object().unwrap();
        Ok(match question {
            Question::Account => entries.get(name).cloned(),
            Question::Domain => {
                let has = |entry: &Value| {
                    let others = entry["domains"].as_array().cloned().unwrap_or_default();
                    entry["domain"] == name || others.iter().any(|domain| domain == name)
                };
                entries.iter().find(|(_, entry)| has(entry)).map(|(account, _)| json!(account))
            }
            Question::Accounts => {
                let owned = |entry: &Value| name.is_empty() || entry["owner"].as_str().unwrap_or("root") == name;
                let names = entries.iter().filter(|(_, entry)| owned(entry)).map(|(account, _)| account);
                Some(names.cloned().collect())
            }
        })
    }
}

/// A host that gives one answer to everything.
struct Answer(Result<Option<Value>, String>);

impl Lookup for Answer {
    fn ask(&self, _: Question, _: &str) -> Result<Option<Value>, String> {
        self.0.clone()
    }
}

#[test]
fn without_a_directory_every_well_formed_name_is_an_account() {
    let directory = Directory::from_config(None).unwrap();
    assert!(directory.0.view().is_open());
    for name in ["root", "Example", "user@example.com"] {
        assert_eq!(directory.resolve(name), Ok(plain_account(name)));
        assert_eq!(directory.account(name).unwrap().unwrap(), Account::of_root(name));
    }
    assert_eq!(directory.resolve("User@Example.com"), Ok(plain_account("user@example.com")));
    assert_eq!(directory.account("User@Example.com").unwrap().unwrap().name, "user@example.com");
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
    assert_eq!(directory.account("Example"), Ok(None), "account names compare byte by byte");
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
        ("bob@example", email("bob@example", "listed")),
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
fn a_domain_hides_the_account_of_its_name() {
    // "listed" has the domain "example", so the team user of "example" would be out of reach; a mailbox answers.
    let subject = example().resolve("team_user@example").unwrap().unwrap();
    assert_eq!(subject, email("team_user@example", "listed").unwrap());
    assert_eq!((subject.name(), subject.account()), ("team_user@example", "listed"));
}

#[test]
fn root_is_always_there_and_nobody_s() {
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
fn a_wrong_configuration_is_a_clear_error() {
    for (accounts, says) in [
        (json!(null), "must be"),
        (json!("files"), "must be"),
        (json!({}), "must be"),
        (json!({"files": "/etc", "inline": {}}), "must be"),
        (json!({"file": "/etc"}), r#"unknown key "file""#),
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
        (json!({"inline": {"root": {"owner": "a"}}}), "nobody owns root"),
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
fn a_callback_answers_as_the_inline_map_does() {
    let entries = json!({
        "example": {"owner": "reseller1", "domain": "example.com", "domains": ["addon.example"], "team": ["Team_User"]},
        "reseller1": {"domain": "one.example", "owner": "reseller1"},
        "listed": {"reseller": 1},
        "lonely": {"owner": "lonely"},
    });
    let inline = configured(json!({"inline": entries}));
    let callback = Directory::callback(Box::new(Host::new(entries)));
    for name in [
        "example",
        "reseller1",
        "listed",
        "lonely",
        "root",
        "ghost",
        "Bob@Example.com",
        "bob@addon.example",
        "TEAM_user@Example",
        "other@example",
        "bob@ghost",
        "",
        "a b",
        "a@b@c",
    ] {
        assert_eq!(callback.resolve(name), inline.resolve(name), "{name}");
        assert_eq!(callback.account(name), inline.account(name), "{name}");
    }
    for owner in [None, Some("root"), Some("reseller1"), Some("lonely"), Some("ghost"), Some(""), Some("a b")] {
        let (callback, inline) = (callback.accounts(owner).unwrap(), inline.accounts(owner).unwrap());
        assert_eq!(callback.iter().collect::<Vec<_>>(), inline.iter().collect::<Vec<_>>(), "{owner:?}");
    }
}

#[test]
fn a_callback_is_never_asked_about_an_ill_formed_name() {
    let host = Arc::new(Host::new(json!({})));
    struct Shared(Arc<Host>);
    impl Lookup for Shared {
        fn ask(&self, question: Question, name: &str) -> Result<Option<Value>, String> {
            self.0.ask(question, name)
        }
    }
    let directory = Directory::callback(Box::new(Shared(host.clone())));
    for name in ["", "a b", "a\0", "@", "a@b@c"] {
        assert_eq!(directory.resolve(name), Ok(None));
        assert_eq!(directory.account(name), Ok(None));
        assert!(directory.accounts(Some(name)).unwrap().is_empty());
    }
    assert_eq!(directory.account("a@b"), Ok(None));
    assert!(host.asked.lock().unwrap().is_empty());
    directory.resolve("Bob@Example.COM").unwrap();
    let place = "example.com".to_owned();
    let expected = [(Question::Domain, place.clone()), (Question::Account, place)];
    assert_eq!(*host.asked.lock().unwrap(), expected);
}

#[test]
fn a_wrong_answer_of_a_callback_is_no_answer() {
    for answer in [
        Err("the database is away".to_owned()),
        Ok(Some(json!(1))),
        Ok(Some(json!("a b"))),
        Ok(Some(json!(["a b"]))),
        Ok(Some(json!(["a@b"]))),
        Ok(Some(json!([1]))),
        Ok(Some(json!({"owner": "a b"}))),
        Ok(Some(json!({"unknown": 1}))),
        Ok(Some(Value::Null)),
    ] {
        let text = format!("{answer:?}");
        let directory = Directory::callback(Box::new(Answer(answer)));
        assert!(directory.resolve("example").is_err(), "{text}");
        assert!(directory.resolve("user@example.com").is_err(), "{text}");
        assert!(directory.account("example").is_err(), "{text}");
        let error = directory.accounts(None).err().unwrap().to_string();
        assert!(error.starts_with("The account directory is not available: the host was asked for"), "{error}");
    }
}

#[test]
fn questions_have_their_words() {
    let words = [Question::Account, Question::Domain, Question::Accounts].map(Question::as_str);
    assert_eq!(words, ["account", "domain", "accounts"]);
}

/// A panel's folder: `count` accounts, every tenth a reseller that owns the nine after it; each account has a primary
/// domain and two others. Full of what such files collect over the years.
fn panel(count: usize) -> TempDir {
    let (mut owners, mut primary, mut domains) = (String::new(), String::new(), String::new());
    let mut resellers = String::from("\u{feff}# resellers\r\n");
    owners.push_str("\u{feff}#userowners v1\r\n\r\n");
    domains.push_str("*: nobody\n");
    let mut reseller = 0;
    for at in 0..count {
        reseller = if at % 10 == 0 { at } else { reseller };
        let end = ["\n", "\r\n", "\n\n", " # moved\n", "\n# comment: line\n", "\nnonsense\n"][at % 6];
        write!(owners, "user{at}: user{reseller}{end}").unwrap();
        write!(primary, "site{at}.example: user{at}{end}").unwrap();
        write!(domains, "site{at}.example: user{at}{end}Addon{at}.example: user{at}{end}").unwrap();
        write!(domains, "sub.site{at}.example:user{at}{end}gone{at}.example: gone{at}{end}").unwrap();
    }
    write!(resellers, "root:all\nuser1:list-accts,create-acct\r\nlonely:\nbad name:all\n").unwrap();
    let folder = TempDir::new().unwrap();
    for (name, text) in
        [("trueuserowners", owners), ("trueuserdomains", primary), ("userdomains", domains), ("resellers", resellers)]
    {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn of_files(folder: &TempDir) -> Directory {
    configured(json!({"files": folder.path().to_str().unwrap()}))
}

#[test]
fn a_panel_with_hundreds_of_accounts() {
    let folder = panel(700);
    let directory = of_files(&folder);
    assert_eq!(names(&directory, None).len(), 702, "700, lonely and root");
    assert!(names(&directory, None).is_sorted());
    for at in 0..700 {
        let (name, reseller) = (format!("user{at}"), at - at % 10);
        let account = directory.account(&name).unwrap().unwrap();
        assert_eq!(account.owner, format!("user{reseller}"));
        assert_eq!(account.primary_domain, format!("site{at}.example"));
        assert_eq!(account.reseller, at % 10 == 0 || at == 1, "{name}");
        for domain in ["SITE@.example", "addon@.example", "sub.site@.example"] {
            let mailbox = format!("Bob@{}", domain.replace('@', &at.to_string()));
            assert_eq!(directory.resolve(&mailbox), Ok(email(&mailbox.to_lowercase(), &name)));
        }
        assert_eq!(directory.resolve(&format!("bob@gone{at}.example")), Ok(None));
        assert_eq!(directory.resolve(&format!("Any@User{at}")), Ok(team(&format!("any@{name}"), &name)));
    }
    let owned = directory.accounts(Some("user20")).unwrap();
    let expected: Vec<_> = (20..30).map(|at| (format!("user{at}"), format!("site{at}.example"))).collect();
    let found: Vec<_> = owned.iter().map(|(name, domain)| (name.to_owned(), domain.to_owned())).collect();
    assert_eq!(found, expected);
    assert!(directory.account("lonely").unwrap().unwrap().reseller);
    assert!(!directory.account("root").unwrap().unwrap().reseller);
    assert_eq!(directory.resolve("nobody"), Ok(None));
    assert_eq!(names(&directory, Some("user21")), [""; 0]);
}

#[test]
fn files_can_lie_in_different_places() {
    let folder = panel(10);
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::rename(path("resellers"), path("elsewhere")).unwrap();
    let directory = configured(json!({"files": {"resellers": path("elsewhere"), "userdomains": path("absent")}}));
    assert_eq!(names(&directory, None), ["lonely", "root", "user1"]);
}

#[test]
fn a_listing_stays_as_it_is_when_the_files_change() {
    let folder = panel(20);
    let directory = of_files(&folder);
    let before = directory.accounts(None).unwrap();
    for file in ["trueuserowners", "trueuserdomains", "userdomains", "resellers"] {
        fs::write(folder.path().join(file), "").unwrap();
    }
    assert_eq!(names(&directory, None), ["root"]);
    assert_eq!(before.len(), 22);
    assert_eq!(before.clone().iter().next_back(), Some(("user9", "site9.example")));
}

#[test]
fn of_accounts_that_differ_in_case_one_has_the_team_users() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("resellers"), "Abc:\nABC:\nabc:\nX:\n").unwrap();
    let directory = of_files(&folder);
    assert_eq!(directory.resolve("u@ABC"), Ok(team("u@abc", "abc")));
    assert_eq!(directory.resolve("u@x"), Ok(team("u@x", "X")));
    fs::write(folder.path().join("resellers"), "Abc:\nABC:\n").unwrap();
    assert_eq!(directory.resolve("u@ABC"), Ok(team("u@abc", "ABC")), "the first in order");
}

proptest! {
    #[test]
    fn what_resolves_stays_itself(name in "[a-zA-Z@._ ]{1,12}|[bB]ob@(EXAMPLE.com|addon.example)|(one|team_user)@[Cc]ased") {
        for directory in [Directory::from_config(None).unwrap(), example()] {
            if let Some(subject) = directory.resolve(&name).unwrap() {
                prop_assert!(well_formed(subject.name()));
                prop_assert!(directory.account(subject.account()).unwrap().is_some());
                prop_assert_eq!(directory.resolve(subject.name()).unwrap(), Some(subject));
            }
        }
    }
}
