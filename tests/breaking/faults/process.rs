//! Locks of other processes, lost permissions, no file descriptors.

use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tfa::engine::refusal::Refusal;

use super::{Server, opening_error, why_unavailable};
use crate::Test;
use crate::fixture::{ACTOR, NOW, PERIOD, VERIFIED, account, assert_sound, code, reason};

pub const TESTS: &[Test] = &[
    ("faults: permission is lost", permission_lost),
    ("faults: the database is locked for too long", locked_for_too_long),
    ("faults: a process that holds the lock is killed", holder_is_killed),
    ("faults: no file descriptors are left", no_descriptors),
];

/// The part of `permission_lost` that runs as another user, as permissions do not stop root.
pub fn without_permission(folder: &Path) {
    let server = Server::within(folder.to_owned(), tempfile::tempdir().unwrap());
    let database = folder.join("tfa.db");
    let mode = |mode| fs::set_permissions(&database, Permissions::from_mode(mode)).unwrap();
    let refused = |words: &str| {
        let why = opening_error(folder);
        assert!(why.contains(words), "{why}");
    };
    let tfa = server.open();
    mode(0o000);
    refused("Check its permissions");
    mode(0o400);
    assert!(why_unavailable(server.login(&server.open())).contains("cannot be written to. Check its permissions"));
    mode(0o644);
    refused("chmod 600");
    mode(0o600);
    fs::set_permissions(folder, Permissions::from_mode(0o000)).unwrap();
    // The database cannot be seen: no new one is made, and no login is accepted.
    assert!(!why_unavailable(server.login(&tfa)).is_empty());
    fs::set_permissions(folder, Permissions::from_mode(0o700)).unwrap();
    server.assert_working(&tfa);
}

fn permission_lost() {
    const NOBODY: u32 = 65534;
    let place = tempfile::tempdir_in("/tmp").unwrap();
    fs::set_permissions(place.path(), Permissions::from_mode(0o755)).unwrap();
    let folder = place.path().join("tfa");
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    chown(&folder, Some(NOBODY), Some(NOBODY)).expect("run this test as root: another user is needed");
    let program = place.path().join("breaking");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut worker = Command::new(program);
    worker.args(["worker", "nobody"]).arg(&folder).env("TMPDIR", &folder).uid(NOBODY).gid(NOBODY).current_dir("/");
    assert!(worker.status().unwrap().success());
    // Root does not open a store of another user.
    let why = opening_error(&folder);
    assert!(why.contains("belongs to user 65534"), "{why}");
}

fn locked_for_too_long() {
    let server = Server::new();
    let tfa = server.open();
    let other = Connection::open(server.folder.join("tfa.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let begun = Instant::now();
    assert!(why_unavailable(server.login(&tfa)).contains("is locked by another process. Try again"));
    assert!((4..8).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert!(tfa.status(&account("example")).unwrap().is_enabled, "reading still works");
    other.execute_batch("ROLLBACK").unwrap();
    server.assert_working(&tfa);
}

fn holder_is_killed() {
    let server = Server::new();
    let tfa = server.open();
    let mut holder = holder(&server.folder);
    std::thread::scope(|scope| {
        let login = scope.spawn(|| server.login(&tfa));
        std::thread::sleep(Duration::from_millis(300));
        assert!(!login.is_finished(), "the lock was not held");
        holder.kill().unwrap();
        holder.wait().unwrap();
        assert_eq!(login.join().unwrap().unwrap(), VERIFIED, "the lock ends with its holder");
    });
    assert_eq!(reason(server.login(&server.open()).unwrap()), Refusal::UsedCode);
    assert_sound(&server.folder);
}

/// Starts a process that holds the write lock in an open transaction.
fn holder(folder: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["worker", "holder"]).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "locked\n");
    child
}

fn no_descriptors() {
    let place = tempfile::tempdir().unwrap();
    let mut worker = Command::new(std::env::current_exe().unwrap());
    assert!(worker.args(["worker", "descriptors"]).arg(place.path()).status().unwrap().success());
}

/// The part of `no_descriptors` that uses up all descriptors, in a process of its own.
pub fn without_descriptors(folder: &Path) {
    let server = Server::within(folder.to_owned(), tempfile::tempdir().unwrap());
    let tfa = server.open();
    let taken: Vec<_> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    assert!(taken.len() > 100);
    let why = opening_error(folder);
    assert!(why.contains("Too many open files"), "{why}");
    // An open handle continues with its descriptors; further threads have none.
    let other = Connection::open(":memory:").unwrap();
    std::thread::scope(|scope| {
        let answers: Vec<_> = (0..4).map(|_| scope.spawn(|| server.login(&tfa))).collect();
        let answers: Vec<_> = answers.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(answers.iter().filter(|answer| **answer == Ok(VERIFIED)).count() <= 1, "{answers:?}");
    });
    drop((other, taken));
    let later = tfa.login(ACTOR, &account("example"), &code(&server.secret, NOW / PERIOD + 2)).unwrap();
    assert_eq!(later, VERIFIED);
    assert_sound(folder);
}
