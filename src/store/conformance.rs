//! What every store promises, as tests: [`check`] runs them all against a backend.

use std::thread;

use super::{Change, Commit, Durability, Key, Kind, Store};

/// A promise, and what puts it to the test.
type Case<S> = (&'static str, fn(&S));

/// Runs the whole suite; `make` gives a new, empty store and what must outlive it.
pub fn check<S: Store, Keep>(make: impl Fn() -> (S, Keep)) {
    let suite: [Case<S>; 7] = [
        ("a change finds what it expects or is outdated", compares_and_sets),
        ("a commit is all or nothing", all_or_nothing),
        ("kinds do not mix", kinds_do_not_mix),
        ("texts come back as they went in", texts_come_back),
        ("names are listed in order, in parts", lists_names),
        ("both durabilities commit", both_durabilities),
        ("of many who race for one record, one wins each round", one_winner),
    ];
    for (promise, test) in suite {
        let (store, _keep) = make();
        println!("store: {promise}");
        test(&store);
    }
}

/// Makes a subject's record, for tests of a backend's own.
pub fn put(store: &impl Store, name: &str, text: &str) {
    assert_eq!(change(store, name, None, Some(text)), Commit::Done);
}

/// Reads a subject's record.
pub fn get(store: &impl Store, name: &str) -> Option<String> {
    store.read(&[subject(name)]).unwrap().remove(0)
}

fn subject(name: &str) -> Key<'_> {
    Key { kind: Kind::Subject, name }
}

fn change(store: &impl Store, name: &str, old: Option<&str>, new: Option<&str>) -> Commit {
    store.commit(&[Change { key: subject(name), old, new }], Durability::Process).unwrap()
}

fn compares_and_sets<S: Store>(store: &S) {
    assert_eq!(get(store, "a"), None);
    assert_eq!(change(store, "a", Some("1"), Some("2")), Commit::Outdated);
    assert_eq!(change(store, "a", Some("1"), None), Commit::Outdated);
    assert_eq!(change(store, "a", None, None), Commit::Done);
    assert_eq!(change(store, "a", None, Some("1")), Commit::Done);
    assert_eq!(change(store, "a", None, Some("2")), Commit::Outdated);
    assert_eq!(change(store, "a", None, None), Commit::Outdated);
    assert_eq!(change(store, "a", Some("1"), Some("2")), Commit::Done);
    assert_eq!(get(store, "a").as_deref(), Some("2"));
    assert_eq!(change(store, "a", Some("2"), None), Commit::Done);
    assert_eq!(get(store, "a"), None);
}

fn all_or_nothing<S: Store>(store: &S) {
    put(store, "b", "1");
    let changes = [
        Change { key: subject("a"), old: None, new: Some("1") },
        Change { key: subject("b"), old: Some("not this"), new: Some("2") },
    ];
    assert_eq!(store.commit(&changes, Durability::Process).unwrap(), Commit::Outdated);
    assert_eq!(get(store, "a"), None);
    let [first, second] = changes;
    let changes = [first, Change { old: Some("1"), ..second }];
    assert_eq!(store.commit(&changes, Durability::Process).unwrap(), Commit::Done);
    assert_eq!(store.read(&[subject("a"), subject("b")]).unwrap(), [Some("1".into()), Some("2".into())]);
    assert_eq!(store.commit(&[], Durability::Process).unwrap(), Commit::Done);
}

fn kinds_do_not_mix<S: Store>(store: &S) {
    put(store, "root", "1");
    for kind in [Kind::Server, Kind::Issuer, Kind::Removed] {
        assert_eq!(store.read(&[Key { kind, name: "root" }]).unwrap(), [None]);
        assert_eq!(store.count(kind).unwrap(), 0);
    }
    assert_eq!(store.count(Kind::Subject).unwrap(), 1);
}

fn texts_come_back<S: Store>(store: &S) {
    let long = "x".repeat(100_000);
    for (name, text) in [("", ""), ("user@example.com", "1e3"), ("ünï", "'\"\\\n\t \u{1F511}"), ("Example", &long)] {
        put(store, name, text);
        assert_eq!(get(store, name).as_deref(), Some(text));
    }
    assert_eq!(get(store, "example"), None, "case matters");
}

fn lists_names<S: Store>(store: &S) {
    let names = ["a", "a.com/x", "a.com/y", "b", "ä"];
    for name in names.iter().rev() {
        put(store, name, "1");
    }
    assert_eq!(store.names(Kind::Subject, "", None, 10).unwrap(), names);
    assert_eq!(store.names(Kind::Subject, "a.com/x", None, 2).unwrap(), names[1..3]);
    assert_eq!(store.names(Kind::Subject, "a.com/", Some("a.com0"), 10).unwrap(), names[1..3]);
    assert!(store.names(Kind::Subject, "ö", None, 10).unwrap().is_empty());
    assert_eq!(store.count(Kind::Subject).unwrap(), 5);
}

fn both_durabilities<S: Store>(store: &S) {
    for (round, durability) in [Durability::Power, Durability::Process, Durability::Power].into_iter().enumerate() {
        let name = format!("subject{round}");
        let change = Change { key: subject(&name), old: None, new: Some("1") };
        assert_eq!(store.commit(&[change], durability).unwrap(), Commit::Done);
    }
    assert_eq!(store.count(Kind::Subject).unwrap(), 3);
}

fn one_winner<S: Store>(store: &S) {
    const THREADS: usize = 8;
    const ROUNDS: usize = 25;
    put(store, "counter", "0");
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    while {
                        let old = get(store, "counter").unwrap();
                        let new = (old.parse::<usize>().unwrap() + 1).to_string();
                        change(store, "counter", Some(&old), Some(&new)) == Commit::Outdated
                    } {}
                }
            });
        }
    });
    assert_eq!(get(store, "counter").unwrap(), (THREADS * ROUNDS).to_string());
}
