//! Tests of the embedded store on real files.

use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;

use super::schema::{APPLICATION_ID, MIGRATIONS};
use super::session::set_patience;
use crate::store::conformance;

fn database() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tfa.db");
    (folder, path)
}

fn refusal(path: &Path) -> String {
    Sqlite::open(path).err().unwrap().0
}

#[test]
fn keeps_the_promises_of_a_store() {
    conformance::check(|| {
        let (folder, path) = database();
        (Sqlite::create(&path).unwrap(), folder)
    });
}

#[test]
fn files_are_private_from_the_start() {
    let (folder, path) = database();
    let store = Sqlite::create(&path).unwrap();
    conformance::put(&store, "example", "text");
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
    }
}

#[test]
fn two_handles_see_the_same_records() {
    let (_folder, path) = database();
    let (one, two) = (Sqlite::create(&path).unwrap(), Sqlite::open(&path).unwrap());
    conformance::put(&one, "example", "text");
    assert_eq!(conformance::get(&two, "example").as_deref(), Some("text"));
}

#[test]
fn a_newer_format_is_refused() {
    let (_folder, path) = database();
    drop(Sqlite::create(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(refusal(&path).contains("format 99"));
}

#[test]
fn another_programs_file_is_refused() {
    let (_folder, path) = database();
    private::touch(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(refusal(&path).contains("another program's"));
    fs::write(&path, "not a database, but long enough to look like one to SQLite").unwrap();
    assert!(refusal(&path).contains("damaged"));
}

#[test]
fn links_and_open_modes_are_refused() {
    let (folder, path) = database();
    drop(Sqlite::create(&path).unwrap());
    let link = folder.path().join("link.db");
    symlink(&path, &link).unwrap();
    assert!(refusal(&link).contains("symbolic link"));
    fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
    assert!(refusal(&path).contains("chmod 600"));
}

#[test]
fn a_path_through_a_linked_directory_is_fine() {
    let (folder, path) = database();
    let link = folder.path().join("var");
    symlink(folder.path(), &link).unwrap();
    conformance::put(&Sqlite::create(&link.join("tfa.db")).unwrap(), "example", "text");
    assert_eq!(conformance::get(&Sqlite::open(&path).unwrap(), "example").as_deref(), Some("text"));
}

#[test]
fn a_database_that_is_moved_away_or_replaced_is_noticed() {
    let (folder, path) = database();
    let store = Sqlite::create(&path).unwrap();
    conformance::put(&store, "example", "old");
    let mark = Key { kind: Kind::Server, name: "mark" };
    store.bind(mark, "one");
    for file in ["tfa.db", "tfa.db-wal", "tfa.db-shm"] {
        let _ = fs::rename(folder.path().join(file), folder.path().join(format!("old-{file}")));
    }
    assert!(conformance::set(&store, "example", None).unwrap_err().0.contains("does not exist"));
    let other = Sqlite::create(&path).unwrap();
    conformance::put(&other, "example", "new");
    assert!(conformance::set(&store, "example", None).unwrap_err().0.contains("another store's"));
    let changes = vec![super::super::Change { key: mark, text: Some("one".to_owned()) }];
    let decide = |_| Ok::<_, Unavailable>(((), Decision { changes: changes.clone(), lines: Vec::new() }));
    (&other as &dyn Store).settle(&[mark], Durability::Power, decide).unwrap();
    assert_eq!(conformance::get(&store, "example").as_deref(), Some("new"), "the same store goes on");
}

#[test]
fn a_missing_or_empty_database_is_not_created() {
    let (folder, path) = database();
    assert!(refusal(&path).contains("does not exist"));
    assert!(refusal(&folder.path().join("unmounted/tfa.db")).contains("The folder"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is created");
    private::touch(&path).unwrap();
    assert!(refusal(&path).contains("were lost"));
}

#[test]
fn many_threads_open_a_new_database_at_once() {
    let (_folder, path) = database();
    thread::scope(|scope| {
        for number in 0..16 {
            let path = &path;
            scope.spawn(move || conformance::put(&Sqlite::create(path).unwrap(), &format!("subject{number}"), "text"));
        }
    });
    assert_eq!(Sqlite::open(&path).unwrap().count(Kind::Subject).unwrap(), 16);
}

#[test]
fn a_lock_that_is_held_too_long_is_an_error() {
    let (_folder, path) = database();
    let store = Sqlite::create(&path).unwrap();
    set_patience(Duration::from_millis(100));
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(conformance::set(&store, "example", Some("text")).unwrap_err().0.contains("locked"));
    assert_eq!(conformance::get(&store, "example"), None, "reading goes on");
    other.execute_batch("ROLLBACK").unwrap();
    conformance::put(&store, "example", "text");
}

#[test]
fn a_database_of_the_first_format_is_brought_up_to_date() {
    let (_folder, path) = database();
    private::touch(&path).unwrap();
    let old = Connection::open(&path).unwrap();
    old.execute_batch(MIGRATIONS[0]).unwrap();
    old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    old.pragma_update(None, "user_version", 1).unwrap();
    old.execute("INSERT INTO record VALUES (2, 'example', 'text')", []).unwrap();
    let store = Sqlite::open(&path).unwrap();
    assert_eq!(conformance::get(&store, "example").as_deref(), Some("text"));
    assert_eq!(store.lines(0, 1).unwrap(), []);
}
