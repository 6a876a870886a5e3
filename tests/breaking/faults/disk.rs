//! Writes that fail, full disks, read-only file systems.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use tfa::engine::enrolment::Unreadable;
use tfa::engine::login::Verdict;
use tfa::engine::refusal::Refusal;

use super::{Server, opening_error, why_unavailable};
use crate::fixture::{ACTOR, NOW, PERIOD, account, assert_sound, open_at, reason, wrong_code};
use crate::kill::{State, accepted, check_logins, possible_states};
use crate::worker::{Outcome, Recorded};
use crate::{Test, shim};

pub const TESTS: &[Test] = &[
    ("faults: any write may fail; the error names the cause, nothing is lost, and it works again", every_write_fails),
    ("faults: the disk is full", disk_full),
    ("faults: the disk is full, and the log has its room already", disk_full_with_room_in_the_log),
    ("faults: the file system is read-only", read_only),
];

/// How a disk fails: errno, and the words of the error that follows.
const FAILURES: [(i32, &str); 3] = [
    (28, "the disk is full"),      // ENOSPC
    (5, "Check the disk"),         // EIO
    (30, "Read-only file system"), // EROFS
];

/// Runs a worker on a disk that fails from its n-th change on, until the worker repairs it and tries again; for n from the
/// first change to the last. Each error names the cause, and the store ends up as on a disk that never fails.
fn every_write_fails() {
    let (mut runs, mut refused) = (0, 0);
    for (errno, words) in FAILURES {
        for first in (1..).step_by(if errno == 28 { 4 } else { 13 }) {
            let session = shim::session_on_failing_disk(7, first, errno);
            let reasons = session.operations.iter().filter_map(|(_, operation, outcome)| match outcome {
                Some(Outcome::Unavailable(why)) => Some((operation, why)),
                _ => None,
            });
            for (operation, why) in reasons {
                // SQLite does not say why a sync failed.
                assert!(why.contains(words) || why.contains("Check the disk"), "{operation:?}, errno {errno}: {why}");
                refused += 1;
            }
            check_end(&session.folder, &session.operations);
            runs += 1;
            if !session.is_repaired {
                break;
            }
        }
    }
    println!("  {runs} runs on failing disks, {refused} operations refused");
    assert!(refused > 20, "the disks did not fail");
}

/// Checks that every subject is in a state that its operations can lead to, and that no used code is accepted.
fn check_end(folder: &Path, operations: &[Recorded]) {
    let (tfa, clock) = open_at(folder, NOW);
    assert_sound(folder);
    for (name, possible) in &possible_states(operations) {
        let there = State::of(&tfa, name);
        assert!(possible.contains(&there), "{name}: {there:?}, not {possible:?}");
    }
    assert!(check_logins(&tfa, &clock, &accepted(operations)) > 0);
}

/// A small file system, unmounted when dropped.
struct Mount(tempfile::TempDir);

impl Mount {
    fn new(size: &str) -> Mount {
        let mount = Mount(tempfile::tempdir().unwrap());
        run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size},mode=0700"), "tmpfs"])
            .arg(mount.path()));
        mount
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn folder(&self) -> PathBuf {
        let folder = self.path().join("tfa");
        let _ = fs::create_dir(&folder);
        folder
    }

    fn remount(&self, option: &str) {
        run(Command::new("mount").args(["-o", &format!("remount,{option}")]).arg(self.path()));
    }

    /// Fills the file system.
    fn fill(&self) -> PathBuf {
        let path = self.path().join("filler");
        let mut file = File::create(&path).unwrap();
        let block = [1u8; 4096];
        while std::io::Write::write_all(&mut file, &block).is_ok() {}
        path
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.path()).status();
    }
}

fn run(command: &mut Command) {
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?} is not permitted: run this test as root, where file systems can be mounted");
}

fn disk_full() {
    let mount = Mount::new("1m");
    let server = Server::within(mount.folder(), tempfile::tempdir().unwrap());
    let tfa = server.open();
    let filler = mount.fill();
    // The last block of the log has some room left; invalid codes fill it.
    let guess = || tfa.login(ACTOR, &account("example"), &wrong_code(&server.secret, NOW / PERIOD + 1));
    let answered =
        std::iter::repeat_with(guess).take_while(|verdict| matches!(verdict, Ok(Verdict::Denied(..)))).count();
    assert!(answered < 100, "the disk was not full");
    assert!(why_unavailable(guess()).contains("the disk is full. Make room"));
    assert!(why_unavailable(server.login(&tfa)).contains("the disk is full. Make room"));
    assert!(why_unavailable(tfa.remove(ACTOR, &[account("example")], Unreadable::Keep)).contains("the disk is full"));
    assert_eq!(
        tfa.status(&account("example")).unwrap().failures,
        u32::try_from(answered).unwrap(),
        "reading still works"
    );
    assert!(!opening_error(&mount.path().join("second")).is_empty());
    fs::remove_file(filler).unwrap();
    server.assert_working(&tfa);
}

/// A log that has reached its usual size is overwritten from its beginning, which needs no more room.
fn disk_full_with_room_in_the_log() {
    let mount = Mount::new("16m");
    let server = Server::within(mount.folder(), tempfile::tempdir().unwrap());
    let tfa = server.open();
    let guess = || tfa.login(ACTOR, &account("example"), &wrong_code(&server.secret, NOW / PERIOD + 1)).map(reason);
    // Brings the log to its usual size.
    for _ in 0..1500 {
        guess().unwrap();
        tfa.unlock(ACTOR, &account("example")).unwrap();
    }
    mount.fill();
    for _ in 0..3000 {
        assert_eq!(guess(), Ok(Refusal::InvalidCode));
        tfa.unlock(ACTOR, &account("example")).unwrap();
    }
    server.assert_working(&tfa);
}

fn read_only() {
    let mount = Mount::new("1m");
    let server = Server::within(mount.folder(), tempfile::tempdir().unwrap());
    mount.remount("ro");
    let why = opening_error(&server.folder);
    assert!(why.contains("Check its permissions"), "{why}");
    mount.remount("rw");
    server.assert_working(&server.open());
}
