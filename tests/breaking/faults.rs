//! What a disk, a clock and an operating system can do. For each: what the caller is told, that nobody gets in by it,
//! that nothing is lost, and how it heals.

use std::fs::{self, File, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tfa::clock::Clock;
use tfa::engine::Tfa;
use tfa::engine::login::Verdict;
use tfa::engine::refusal::Refusal;

use crate::fixture::{
    ACTOR, Dice, NOW, PERIOD, VERIFIED, account, assert_sound, code, enrol, open, open_at, reason, wrong_code,
};
use crate::kill::{State, accepted, check_logins, possible_states};
use crate::worker::{Outcome, Told};
use crate::{Test, setting, shim};

pub const TESTS: &[Test] = &[
    ("faults: whichever write fails, it is told, nothing is lost, and it heals", every_write_fails),
    ("faults: the disk is full", disk_full),
    ("faults: the disk is full, and the log has its room already", disk_full_with_room_in_the_log),
    ("faults: the file system is read-only", read_only),
    ("faults: permission lost", permission_lost),
    ("faults: the database is locked for too long", locked_for_too_long),
    ("faults: a process that holds the lock is killed", holder_is_killed),
    ("faults: the database is cut short", truncated),
    ("faults: flipped bytes", flipped_bytes),
    ("faults: the database or the key file is gone", files_gone),
    ("faults: the clock goes back an hour and forward a day", clock_moves),
    ("faults: no file descriptors", no_descriptors),
];

/// errno values of a disk that fails.
const FAILURES: [(i32, &str); 3] = [
    (28, "the disk is full"),      // ENOSPC
    (5, "Check the disk"),         // EIO
    (30, "Read-only file system"), // EROFS
];

/// A store with the subject `example`, the policy on, and a clock at the step after the enrolment's.
struct Victim {
    folder: PathBuf,
    secret: tfa::otp::secret::Secret,
    _place: tempfile::TempDir,
}

impl Victim {
    fn new() -> Victim {
        let place = tempfile::tempdir().unwrap();
        Victim::within(place.path().to_owned(), place)
    }

    fn within(folder: PathBuf, place: tempfile::TempDir) -> Victim {
        let (tfa, _) = open_at(&folder, NOW);
        tfa.set_policy(ACTOR, true).unwrap();
        let secret = enrol(&tfa, "example", NOW / PERIOD);
        Victim { folder, secret, _place: place }
    }

    fn open(&self) -> Tfa {
        open_at(&self.folder, NOW + PERIOD).0
    }

    fn code(&self) -> String {
        code(&self.secret, NOW / PERIOD + 1)
    }

    fn login(&self, tfa: &Tfa) -> Result<Verdict, Refusal> {
        tfa.login(ACTOR, &account("example"), &self.code())
    }

    /// The right code lets in once: it was not used up, and the enrolment is there.
    fn assert_well(&self, tfa: &Tfa) {
        assert_eq!(self.login(tfa).unwrap(), VERIFIED);
        assert_eq!(reason(self.login(tfa).unwrap()), Refusal::UsedCode);
        assert_sound(&self.folder);
    }
}

/// Why a question could not be answered.
fn trouble<T: std::fmt::Debug>(answer: Result<T, Refusal>) -> String {
    match answer {
        Err(Refusal::Unavailable(why)) => why,
        other => panic!("answered: {other:?}"),
    }
}

/// A worker meets a disk on which the n-th change and all that follow fail, for n all over its day, until it heals the disk and
/// tries again. What failed was told in the words of its cause, and the day ends as it does on a good disk.
fn every_write_fails() {
    let (mut runs, mut told) = (0, 0);
    for (errno, words) in FAILURES {
        for first in (1..).step_by(if errno == 28 { 4 } else { 13 }) {
            let day = shim::day(7, first, errno);
            let reasons = day.operations.iter().filter_map(|(_, operation, outcome)| match outcome {
                Some(Outcome::Unavailable(why)) => Some((operation, why)),
                _ => None,
            });
            for (operation, why) in reasons {
                // SQLite does not say why a sync failed.
                assert!(why.contains(words) || why.contains("Check the disk"), "{operation:?}, errno {errno}: {why}");
                told += 1;
            }
            check_end(&day.folder, &day.operations);
            runs += 1;
            if !day.is_healed {
                break;
            }
        }
    }
    println!("  {runs} days on failing disks, {told} operations refused");
    assert!(told > 20, "the disks did not fail");
}

/// The subjects are as their operations may have left them, and none of their used codes opens.
fn check_end(folder: &Path, operations: &[Told]) {
    let (tfa, clock) = open_at(folder, NOW);
    assert_sound(folder);
    for (name, possible) in &possible_states(operations) {
        let there = State::of(&tfa, name);
        assert!(possible.contains(&there), "{name}: {there:?}, not {possible:?}");
    }
    assert!(check_logins(&tfa, &clock, &accepted(operations)) > 0);
}

/// A small file system of one's own, unmounted when dropped.
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

    /// Takes all the room that is left.
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
    let victim = Victim::within(mount.folder(), tempfile::tempdir().unwrap());
    let tfa = victim.open();
    let filler = mount.fill();
    // The log has some room left in its last block; wrong codes use it up.
    let guess = || tfa.login(ACTOR, &account("example"), &wrong_code(&victim.secret, NOW / PERIOD + 1));
    let answered =
        std::iter::repeat_with(guess).take_while(|verdict| matches!(verdict, Ok(Verdict::Denied(..)))).count();
    assert!(answered < 100, "the disk was not full");
    assert!(trouble(guess()).contains("the disk is full. Make room"));
    assert!(trouble(victim.login(&tfa)).contains("the disk is full. Make room"));
    assert!(trouble(tfa.remove(ACTOR, &[account("example")])).contains("the disk is full"));
    assert_eq!(tfa.status(&account("example")).unwrap().failures, u32::try_from(answered).unwrap(), "reading goes on");
    assert!(open(&mount.path().join("second"), std::sync::Arc::new(tfa::clock::SystemClock)).is_err());
    fs::remove_file(filler).unwrap();
    victim.assert_well(&tfa);
}

/// A log that has reached its usual size is written over from its beginning, which needs no more room.
fn disk_full_with_room_in_the_log() {
    let mount = Mount::new("16m");
    let victim = Victim::within(mount.folder(), tempfile::tempdir().unwrap());
    let tfa = victim.open();
    let guess = || tfa.login(ACTOR, &account("example"), &wrong_code(&victim.secret, NOW / PERIOD + 1)).map(reason);
    // A database that is in use, with the log at its usual size.
    for _ in 0..1500 {
        guess().unwrap();
        tfa.unlock(ACTOR, &account("example")).unwrap();
    }
    mount.fill();
    for _ in 0..3000 {
        assert_eq!(guess(), Ok(Refusal::InvalidCode));
        tfa.unlock(ACTOR, &account("example")).unwrap();
    }
    victim.assert_well(&tfa);
}

fn read_only() {
    let mount = Mount::new("1m");
    let victim = Victim::within(mount.folder(), tempfile::tempdir().unwrap());
    mount.remount("ro");
    let why = open(&victim.folder, std::sync::Arc::new(tfa::clock::SystemClock)).err().unwrap();
    assert!(why.contains("Check its permissions"), "{why}");
    mount.remount("rw");
    victim.assert_well(&victim.open());
}

/// The part that runs as another user; root would be let in everywhere.
pub fn without_permission(folder: &Path) {
    let victim = Victim::within(folder.to_owned(), tempfile::tempdir().unwrap());
    let database = folder.join("tfa.db");
    let mode = |mode| fs::set_permissions(&database, Permissions::from_mode(mode)).unwrap();
    let refused = |words: &str| {
        let why = open(folder, std::sync::Arc::new(tfa::clock::SystemClock)).err().unwrap();
        assert!(why.contains(words), "{why}");
    };
    let tfa = victim.open();
    mode(0o000);
    refused("Check its permissions");
    mode(0o400);
    assert!(trouble(victim.login(&victim.open())).contains("cannot be written to. Check its permissions"));
    mode(0o644);
    refused("chmod 600");
    mode(0o600);
    fs::set_permissions(folder, Permissions::from_mode(0o000)).unwrap();
    // The database looks gone from here: neither is a new one made, nor does anybody get in.
    assert!(!trouble(victim.login(&tfa)).is_empty());
    fs::set_permissions(folder, Permissions::from_mode(0o700)).unwrap();
    victim.assert_well(&tfa);
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
    // Root does not take over what is another user's.
    let why = open(&folder, std::sync::Arc::new(tfa::clock::SystemClock)).err().unwrap();
    assert!(why.contains("belongs to user 65534"), "{why}");
}

fn locked_for_too_long() {
    let victim = Victim::new();
    let tfa = victim.open();
    let other = Connection::open(victim.folder.join("tfa.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let begun = Instant::now();
    assert!(trouble(victim.login(&tfa)).contains("is locked by another process. Try again"));
    assert!((4..8).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert!(tfa.status(&account("example")).unwrap().is_enabled, "reading goes on");
    other.execute_batch("ROLLBACK").unwrap();
    victim.assert_well(&tfa);
}

fn holder_is_killed() {
    let victim = Victim::new();
    let tfa = victim.open();
    let mut holder = holder(&victim.folder);
    std::thread::scope(|scope| {
        let login = scope.spawn(|| victim.login(&tfa));
        std::thread::sleep(Duration::from_millis(300));
        assert!(!login.is_finished(), "the lock was not held");
        holder.kill().unwrap();
        holder.wait().unwrap();
        assert_eq!(login.join().unwrap().unwrap(), VERIFIED, "the lock went with its holder");
    });
    assert_eq!(reason(victim.login(&victim.open()).unwrap()), Refusal::UsedCode);
    assert_sound(&victim.folder);
}

/// A process that holds the write lock in the middle of a transaction.
fn holder(folder: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["worker", "holder"]).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "held\n");
    child
}

/// What a store that was damaged answers to a used code: kept out, or no answer.
fn assert_kept_out(victim: &Victim, what: &str) -> bool {
    let clock = std::sync::Arc::new(tfa::clock::ManualClock::at(NOW));
    let used = code(&victim.secret, NOW / PERIOD);
    let verdict = open(&victim.folder, clock).map(|tfa| tfa.login(ACTOR, &account("example"), &used));
    match verdict {
        Err(why) => assert!(!why.is_empty()),
        Ok(Err(Refusal::Unavailable(why))) => assert!(!why.is_empty()),
        Ok(Ok(Verdict::Denied(..))) => {}
        Ok(Ok(Verdict::NotRequired)) => return false,
        Ok(other) => panic!("{what}: {other:?}"),
    }
    true
}

fn truncated() {
    let victim = Victim::new();
    let database = victim.folder.join("tfa.db");
    let whole = fs::read(&database).unwrap();
    for length in (1..whole.len()).step_by(211).chain([whole.len() - 1]) {
        fs::write(&database, &whole[..length]).unwrap();
        assert!(assert_kept_out(&victim, "cut short"), "let in, cut at {length}");
    }
    fs::write(&database, &whole).unwrap();
    victim.assert_well(&victim.open());
}

/// One byte of the database at a time. SQLite keeps no checksum of its pages. A flip in the name of a record, or in the
/// few bytes that lead to it, hides the record; every other flip keeps everybody out or changes nothing. No flip opens
/// a used code. docs/security.md says what follows from that.
fn flipped_bytes() {
    let victim = Victim::new();
    let database = victim.folder.join("tfa.db");
    let whole = fs::read(&database).unwrap();
    let mut dice = Dice(crate::worker::milliseconds());
    let (mut flips, mut missing) = (0, 0);
    for _ in 0..setting("TFA_FLIPS", 600) {
        let place = usize::try_from(dice.below(u64::try_from(whole.len()).unwrap())).unwrap();
        let mut damaged = whole.clone();
        damaged[place] ^= u8::try_from(1 + dice.below(255)).unwrap();
        fs::write(&database, &damaged).unwrap();
        flips += 1;
        if !assert_kept_out(&victim, "a flipped byte") {
            missing += 1;
        }
    }
    println!("  {flips} flips, {missing} of which hid a record");
    assert!(missing * 50 <= flips, "more than names can be hidden by a flip");
    fs::write(&database, &whole).unwrap();
    victim.assert_well(&victim.open());
}

fn files_gone() {
    let victim = Victim::new();
    let tfa = victim.open();
    let away = |name: &str| (victim.folder.join(name), victim.folder.join(format!("{name}.away")));
    let (key, key_away) = away("tfa.key");
    fs::rename(&key, &key_away).unwrap();
    let why = open(&victim.folder, std::sync::Arc::new(tfa::clock::SystemClock)).err().unwrap();
    assert!(
        why.contains("The key file") && why.contains("is gone") && why.contains("Restore it from a backup"),
        "{why}"
    );
    assert!(!key.exists(), "no new key is made beside old secrets");
    fs::rename(&key_away, &key).unwrap();
    let (database, database_away) = away("tfa.db");
    fs::rename(&database, &database_away).unwrap();
    assert!(trouble(victim.login(&tfa)).contains("is gone. Restore it from a backup"));
    fs::rename(&database_away, &database).unwrap();
    victim.assert_well(&tfa);
}

fn clock_moves() {
    let place = tempfile::tempdir().unwrap();
    let (tfa, clock) = open_at(place.path(), NOW);
    tfa.set_policy(ACTOR, true).unwrap();
    let subject = account("example");
    let secret = enrol(&tfa, "example", NOW / PERIOD);
    let now_code = || code(&secret, clock.now().as_secs() / PERIOD);
    clock.set(NOW + PERIOD);
    assert_eq!(tfa.login(ACTOR, &subject, &now_code()).unwrap(), VERIFIED);
    clock.set(NOW + PERIOD - 3600);
    assert_eq!(reason(tfa.login(ACTOR, &subject, &now_code()).unwrap()), Refusal::UsedCode, "an hour back: kept out");
    let recovery = tfa.generate_recovery_codes(ACTOR, &subject).unwrap();
    assert!(matches!(tfa.login(ACTOR, &subject, &recovery[0]).unwrap(), Verdict::Verified(_)), "a recovery code helps");
    clock.set(NOW + 3 * PERIOD);
    assert_eq!(tfa.login(ACTOR, &subject, &now_code()).unwrap(), VERIFIED, "it has caught up");
    clock.set(NOW + 86_400);
    let tomorrow = now_code();
    assert_eq!(tfa.login(ACTOR, &subject, &tomorrow).unwrap(), VERIFIED, "a day forward");
    clock.set(NOW + 4 * PERIOD);
    assert_eq!(
        reason(tfa.login(ACTOR, &subject, &now_code()).unwrap()),
        Refusal::UsedCode,
        "and back: kept out until then"
    );
    assert_eq!(reason(tfa.login(ACTOR, &subject, &tomorrow).unwrap()), Refusal::InvalidCode);
    clock.set(NOW + 86_400 + PERIOD);
    assert_eq!(tfa.login(ACTOR, &subject, &now_code()).unwrap(), VERIFIED);
}

fn no_descriptors() {
    let place = tempfile::tempdir().unwrap();
    let mut worker = Command::new(std::env::current_exe().unwrap());
    assert!(worker.args(["worker", "descriptors"]).arg(place.path()).status().unwrap().success());
}

/// The part that takes every descriptor there is, in a process of its own.
pub fn without_descriptors(folder: &Path) {
    let victim = Victim::within(folder.to_owned(), tempfile::tempdir().unwrap());
    let tfa = victim.open();
    let taken: Vec<_> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    assert!(taken.len() > 100);
    let why = open(folder, std::sync::Arc::new(tfa::clock::SystemClock)).err().unwrap();
    assert!(why.contains("Too many open files"), "{why}");
    // A handle that is open already goes on with the descriptors that it has; a second thread has none.
    let other = Connection::open(":memory:").unwrap();
    std::thread::scope(|scope| {
        let answers: Vec<_> = (0..4).map(|_| scope.spawn(|| victim.login(&tfa))).collect();
        let answers: Vec<_> = answers.into_iter().map(|thread| thread.join().unwrap()).collect();
        assert!(answers.iter().filter(|answer| **answer == Ok(VERIFIED)).count() <= 1, "{answers:?}");
    });
    drop((other, taken));
    let later = tfa.login(ACTOR, &account("example"), &code(&victim.secret, NOW / PERIOD + 2)).unwrap();
    assert_eq!(later, VERIFIED);
    assert_sound(folder);
}
