//! The host's callback.

use std::sync::Mutex;

use super::*;

/// A host that answers from the same entries as the inline map, and records the questions.
pub struct Host {
    entries: Value,
    asked: Mutex<Vec<(Question, String)>>,
}

impl Host {
    pub fn new(entries: Value) -> Host {
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

/// A host that gives one answer to every question.
pub struct Answer(pub Result<Option<Value>, String>);

impl Lookup for Answer {
    fn ask(&self, _: Question, _: &str) -> Result<Option<Value>, String> {
        self.0.clone()
    }
}

#[test]
fn a_callback_and_the_inline_map_with_the_same_entries_agree() {
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
        "team_user@example.com",
        "EXAMPLE",
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
        assert_eq!(callback.candidates(name), inline.candidates(name), "{name}");
        assert_eq!(callback.domains(name), inline.domains(name), "{name}");
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
    let expected = [(Question::Account, place.clone()), (Question::Domain, place)];
    assert_eq!(*host.asked.lock().unwrap(), expected);
}

#[test]
fn an_invalid_answer_of_a_callback_is_an_error() {
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
fn questions_are_named() {
    let words = [Question::Account, Question::Domain, Question::Accounts].map(Question::as_str);
    assert_eq!(words, ["account", "domain", "accounts"]);
}
