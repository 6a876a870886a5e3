//! What every store promises, as tests: [`check`] runs them all against a backend.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::{Change, Decision, Durability, Key, Kind, Line, Store, Unavailable};

/// A promise, and what puts it to the test.
type Case = (&'static str, fn(&dyn Store));

/// Runs the whole suite; `make` gives a new, empty store and what must outlive it.
pub fn check<S: Store, Keep>(make: impl Fn() -> (S, Keep)) {
    let suite: [Case; 13] = [
        ("a decision reads, changes and removes records", changes_records),
        ("a decision that fails changes nothing", failures_change_nothing),
        ("all changes of a commit are seen together", one_moment),
        ("a decision is taken on records that are still so when it is committed", nobody_in_between),
        ("of many who count up one record, each counts once", counts_every_one),
        ("kinds do not mix", kinds_do_not_mix),
        ("texts come back as they went in", texts_come_back),
        ("names are listed in order, in parts", lists_names),
        ("both durabilities commit, and there is no change without its line", lines_go_with_changes),
        ("lines come back as they went in, in parts", lines_come_back),
        ("a commit returns the numbers of its lines", returns_numbers),
        ("old lines are pruned, the oldest first and so many at most", prunes_old_lines),
        ("lines of many who write at once are all there, each number once", lines_of_many),
    ];
    for (promise, test) in suite {
        let (store, _keep) = make();
        println!("store: {promise}");
        test(&store);
    }
}

/// Makes or changes a subject's record, for tests of a backend's own.
pub fn put(store: &dyn Store, name: &str, text: &str) {
    set(store, name, Some(text)).unwrap();
}

/// Reads a subject's record.
pub fn get(store: &dyn Store, name: &str) -> Option<String> {
    store.read(&[subject(name)]).unwrap().at(0).map(str::to_owned)
}

/// Has a subject's record say `text`, or nothing.
pub fn set(store: &dyn Store, name: &str, text: Option<&str>) -> Result<(), Unavailable> {
    store.settle(&[subject(name)], Durability::Process, |_| Ok(((), change(name, text))))
}

fn change<'a>(name: &'a str, text: Option<&str>) -> Decision<'a> {
    let change = Change { key: subject(name), text: text.map(str::to_owned) };
    Decision { changes: vec![change], lines: Vec::new() }
}

fn subject(name: &str) -> Key<'_> {
    Key { kind: Kind::Subject, name }
}

/// Writes a line alone.
fn note(store: &dyn Store, time: u64, text: &str) {
    let lines = || vec![Line { time, text: text.to_owned() }];
    let decide = |_| Ok::<_, Unavailable>(((), Decision { changes: Vec::new(), lines: lines() }));
    store.settle(&[], Durability::Process, decide).unwrap();
}

/// The texts of all lines.
fn texts(store: &dyn Store) -> Vec<String> {
    store.lines(0, usize::MAX).unwrap().into_iter().map(|line| line.text).collect()
}

/// Counts up the number in a subject's record; what it was.
fn count_up(store: &dyn Store, name: &str, meanwhile: &mut dyn FnMut()) -> usize {
    let count = |texts: super::Texts| {
        let count: usize = texts.at(0).map_or(0, |text| text.parse().unwrap());
        meanwhile();
        Ok::<_, Unavailable>((count, change(name, Some(&(count + 1).to_string()))))
    };
    store.settle(&[subject(name)], Durability::Process, count).unwrap()
}

fn changes_records(store: &dyn Store) {
    assert_eq!(get(store, "a"), None);
    for text in [Some("1"), Some("2"), Some("2"), None, None, Some("")] {
        set(store, "a", text).unwrap();
        assert_eq!(get(store, "a").as_deref(), text);
    }
    put(store, "b", "3");
    let texts = store.read(&[subject("b"), subject("c"), subject("a")]).unwrap();
    assert_eq!([texts.at(0), texts.at(1), texts.at(2), texts.at(3)], [Some("3"), None, Some(""), None]);
}

fn failures_change_nothing(store: &dyn Store) {
    put(store, "a", "1");
    let why = Unavailable("for a reason".to_owned());
    let failed: Result<(), _> = store.settle(&[subject("a")], Durability::Process, |_| Err(why.clone()));
    assert_eq!(failed, Err(why));
    assert_eq!((get(store, "a").as_deref(), texts(store).len()), (Some("1"), 0));
    put(store, "a", "2");
}

fn one_moment(store: &dyn Store) {
    const ROUNDS: usize = 200;
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..ROUNDS {
                let both = ["a", "b"].map(|name| Change { key: subject(name), text: Some(round.to_string()) });
                let decide = |_| Ok::<_, Unavailable>(((), Decision { changes: both.to_vec(), lines: Vec::new() }));
                store.settle(&[subject("a"), subject("b")], Durability::Process, decide).unwrap();
            }
            is_over.store(true, Ordering::SeqCst);
        });
        while !is_over.load(Ordering::SeqCst) {
            let texts = store.read(&[subject("a"), subject("b")]).unwrap();
            assert_eq!(texts.at(0), texts.at(1));
        }
    });
}

/// Somebody else counts up while a decision is taken: at once, and the decision is taken again, or afterwards.
fn nobody_in_between(store: &dyn Store) {
    thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        let mut asked = 0;
        count_up(store, "counter", &mut || {
            asked += 1;
            if asked == 1 {
                let tell = tell.clone();
                scope.spawn(move || {
                    count_up(store, "counter", &mut || ());
                    let _ = tell.send(());
                });
                let _ = told.recv_timeout(Duration::from_millis(200));
            }
        });
    });
    assert_eq!(get(store, "counter").as_deref(), Some("2"));
}

fn counts_every_one(store: &dyn Store) {
    const THREADS: usize = 8;
    const ROUNDS: usize = 25;
    let mut counts: Vec<_> = thread::scope(|scope| {
        let count = || (0..ROUNDS).map(|_| count_up(store, "counter", &mut || ())).collect::<Vec<_>>();
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(count)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    counts.sort_unstable();
    assert!(counts.into_iter().eq(0..THREADS * ROUNDS), "no two saw the same count");
}

fn kinds_do_not_mix(store: &dyn Store) {
    put(store, "root", "1");
    for kind in [Kind::Server, Kind::Issuer, Kind::Removed] {
        assert_eq!(store.read(&[Key { kind, name: "root" }]).unwrap().at(0), None);
        assert_eq!(store.count(kind).unwrap(), 0);
    }
    assert_eq!(store.count(Kind::Subject).unwrap(), 1);
}

fn texts_come_back(store: &dyn Store) {
    let long = "x".repeat(100_000);
    for (name, text) in [("", ""), ("user@example.com", "1e3"), ("ünï", "'\"\\\n\t \u{1F511}"), ("Example", &long)] {
        put(store, name, text);
        assert_eq!(get(store, name).as_deref(), Some(text));
    }
    assert_eq!(get(store, "example"), None, "case matters");
}

fn lists_names(store: &dyn Store) {
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

fn lines_go_with_changes(store: &dyn Store) {
    for (round, durability) in [Durability::Power, Durability::Process, Durability::Power].into_iter().enumerate() {
        let name = format!("subject{round}");
        let lines = vec![Line { time: 1, text: format!("{name} was made") }];
        let decide = |_| Ok::<_, Unavailable>(((), Decision { lines: lines.clone(), ..change(&name, Some("1")) }));
        store.settle(&[subject(&name)], durability, decide).unwrap();
    }
    assert_eq!(store.count(Kind::Subject).unwrap(), 3);
    note(store, 1, "alone");
    assert_eq!(texts(store), ["subject0 was made", "subject1 was made", "subject2 was made", "alone"]);
}

fn lines_come_back(store: &dyn Store) {
    let given = [(5, "first"), (3, "'\"\\\n \u{1F511}"), (5, "")];
    for (time, text) in [given, given].concat() {
        note(store, time, text);
    }
    let all = store.lines(0, usize::MAX).unwrap();
    assert!(all.is_sorted_by(|one, other| one.id < other.id));
    let read: Vec<_> = all.iter().map(|line| (line.time, line.text.as_str())).collect();
    assert_eq!(read, [given, given].concat());
    assert_eq!(store.lines(all[1].id, 3).unwrap(), all[2..5]);
    assert_eq!(store.lines(all[5].id, 3).unwrap(), []);
}

fn returns_numbers(store: &dyn Store) {
    let lines = |texts: &[&str]| texts.iter().map(|text| Line { time: 1, text: (*text).to_owned() }).collect();
    for texts in [&["one"][..], &[], &["two", "three"]] {
        let before = store.lines(0, usize::MAX).unwrap().len();
        let decide = |_| Ok::<_, Unavailable>(((), Decision { changes: Vec::new(), lines: lines(texts) }));
        let ((), ids) = store.settle_with_ids(&[], Durability::Process, decide).unwrap();
        let written = store.lines(0, usize::MAX).unwrap().split_off(before);
        assert_eq!(ids, written.iter().map(|line| line.id).collect::<Vec<_>>());
        assert_eq!(texts, written.iter().map(|line| &*line.text).collect::<Vec<_>>());
    }
}

fn prunes_old_lines(store: &dyn Store) {
    store.prune(100, 10).unwrap();
    for time in [1, 2, 50, 3] {
        note(store, time, "line");
    }
    let times = || store.lines(0, usize::MAX).unwrap().iter().map(|line| line.time).collect::<Vec<_>>();
    store.prune(10, 1).unwrap();
    assert_eq!(times(), [2, 50, 3], "at most one");
    store.prune(2, 10).unwrap();
    assert_eq!(times(), [2, 50, 3], "none is old enough");
    let newest = store.lines(0, usize::MAX).unwrap()[2].id;
    store.prune(100, 10).unwrap();
    assert_eq!(times(), [3], "the newest stays");
    note(store, 1, "line");
    assert!(store.lines(newest, 1).unwrap()[0].id > newest, "a number is given once");
}

fn lines_of_many(store: &dyn Store) {
    const THREADS: usize = 8;
    const ROUNDS: usize = 25;
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..ROUNDS {
                    note(store, 1, "line");
                }
            });
        }
    });
    let lines = store.lines(0, usize::MAX).unwrap();
    assert_eq!(lines.len(), THREADS * ROUNDS);
    assert!(lines.is_sorted_by(|one, other| one.id < other.id));
}
