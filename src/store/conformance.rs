//! What every store promises, as tests: [`check`] runs them all against a backend.

use std::thread;

use super::{Change, Commit, Durability, Key, Kind, Line, Store, Transaction};

/// A promise, and what puts it to the test.
type Case<S> = (&'static str, fn(&S));

/// Runs the whole suite; `make` gives a new, empty store and what must outlive it.
pub fn check<S: Store, Keep>(make: impl Fn() -> (S, Keep)) {
    let suite: [Case<S>; 11] = [
        ("a change finds what it expects or is outdated", compares_and_sets),
        ("a commit is all or nothing", all_or_nothing),
        ("kinds do not mix", kinds_do_not_mix),
        ("texts come back as they went in", texts_come_back),
        ("names are listed in order, in parts", lists_names),
        ("both durabilities commit", both_durabilities),
        ("of many who race for one record, one wins each round", one_winner),
        ("there is no change without its line, and no line without its change", lines_go_with_changes),
        ("lines come back as they went in, in parts", lines_come_back),
        ("old lines are pruned, the oldest first and so many at most", prunes_old_lines),
        ("lines of many who write at once are all there, each number once", lines_of_many),
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
    commit(store, &[Change { key: subject(name), old, new }], &[])
}

fn commit(store: &impl Store, changes: &[Change<'_>], lines: &[Line<'_>]) -> Commit {
    store.commit(&Transaction { changes, lines, durability: Durability::Process }).unwrap()
}

/// The texts of all lines.
fn texts(store: &impl Store) -> Vec<String> {
    store.lines(0, usize::MAX).unwrap().into_iter().map(|line| line.text).collect()
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
    assert_eq!(commit(store, &changes, &[]), Commit::Outdated);
    assert_eq!(get(store, "a"), None);
    let [first, second] = changes;
    let changes = [first, Change { old: Some("1"), ..second }];
    assert_eq!(commit(store, &changes, &[]), Commit::Done);
    assert_eq!(store.read(&[subject("a"), subject("b")]).unwrap(), [Some("1".into()), Some("2".into())]);
    assert_eq!(commit(store, &[], &[]), Commit::Done);
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
        assert_eq!(store.commit(&Transaction { changes: &[change], lines: &[], durability }).unwrap(), Commit::Done);
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

fn lines_go_with_changes<S: Store>(store: &S) {
    let line = |text| [Line { time: 1, text }];
    let made = [Change { key: subject("a"), old: None, new: Some("1") }];
    assert_eq!(commit(store, &made, &line("made")), Commit::Done);
    assert_eq!(commit(store, &made, &line("made again")), Commit::Outdated);
    assert_eq!(texts(store), ["made"], "no line without its change");
    let [first] = made;
    let both = [Change { key: subject("b"), ..first.clone() }, first];
    assert_eq!(commit(store, &both, &line("both")), Commit::Outdated);
    assert_eq!((texts(store).len(), get(store, "b")), (1, None));
    // A verdict that changes nothing is a line alone.
    assert_eq!(commit(store, &[], &line("alone")), Commit::Done);
    assert_eq!(texts(store), ["made", "alone"]);
}

fn lines_come_back<S: Store>(store: &S) {
    let given = [(5, "first"), (3, "'\"\\\n \u{1F511}"), (5, "")];
    let lines = given.map(|(time, text)| Line { time, text });
    for durability in [Durability::Process, Durability::Power] {
        assert_eq!(store.commit(&Transaction { changes: &[], lines: &lines, durability }).unwrap(), Commit::Done);
    }
    let all = store.lines(0, usize::MAX).unwrap();
    assert!(all.is_sorted_by(|one, other| one.id < other.id));
    let read: Vec<_> = all.iter().map(|line| (line.time, line.text.as_str())).collect();
    assert_eq!(read, [given, given].concat());
    assert_eq!(store.lines(all[1].id, 3).unwrap(), all[2..5]);
    assert_eq!(store.lines(all[5].id, 3).unwrap(), []);
}

fn prunes_old_lines<S: Store>(store: &S) {
    store.prune(100, 10).unwrap();
    let lines = [1, 2, 50, 3].map(|time| Line { time, text: "line" });
    assert_eq!(commit(store, &[], &lines), Commit::Done);
    let times = || store.lines(0, usize::MAX).unwrap().iter().map(|line| line.time).collect::<Vec<_>>();
    store.prune(10, 1).unwrap();
    assert_eq!(times(), [2, 50, 3], "at most one");
    store.prune(2, 10).unwrap();
    assert_eq!(times(), [2, 50, 3], "none is old enough");
    let newest = store.lines(0, usize::MAX).unwrap()[2].id;
    store.prune(100, 10).unwrap();
    assert_eq!(times(), [3], "the newest stays");
    assert_eq!(commit(store, &[], &lines[..1]), Commit::Done);
    assert!(store.lines(newest, 1).unwrap()[0].id > newest, "a number is given once");
}

fn lines_of_many<S: Store>(store: &S) {
    const THREADS: usize = 8;
    const ROUNDS: usize = 25;
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    assert_eq!(commit(store, &[], &[Line { time: 1, text: "line" }]), Commit::Done);
                }
            });
        }
    });
    let lines = store.lines(0, usize::MAX).unwrap();
    assert_eq!(lines.len(), THREADS * ROUNDS);
    assert!(lines.is_sorted_by(|one, other| one.id < other.id));
}
