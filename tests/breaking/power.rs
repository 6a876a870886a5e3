//! Power cuts: the writes and syncs of a worker are recorded, and replayed up to some moment as a disk may have kept them.
//!
//! Synced writes are kept. Of the others all are kept, or none, or some, or some sectors of each. Then the store is
//! opened, as after the next boot. Promises: every change that was reported as durable is there, a used recovery code among
//! them; no one-time code that was accepted, or about to be, is accepted again (the boot floor); SQLite finds the database
//! sound.
//!
//! Without the boot floor the same cuts make used codes valid again, which shows that they do lose writes.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tfa::engine::login::Verdict;
use tfa::otp::secret::Secret;

use crate::fixture::{ACTOR, Dice, NOW, PERIOD, VERIFIED, account, assert_sound, code, open_at};
use crate::kill::State;
use crate::trail::assert_agreement;
use crate::worker::{Operation, Outcome, Recorded, read_journal};
use crate::{Test, setting, shim};

pub const TESTS: &[Test] = &[("power: no power cut loses a durable change or makes a used code valid", cuts)];

/// Bytes that a disk writes atomically.
const SECTOR: usize = 512;

/// One recorded change to a file.
#[derive(Clone, Debug)]
enum Event {
    Write { path: String, offset: usize, bytes: Vec<u8> },
    Truncate { path: String, size: usize },
    Sync { path: String },
    Create { path: String },
    Remove { path: String },
    Link { from: String, to: String },
    Rename { from: String, to: String },
}

/// Which writes a disk keeps that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    All,
    Nothing,
    Some,
    Torn,
}

fn cuts() {
    let number = setting("TFA_POWER_CUTS", 250);
    let (mut accepted_without_floor, mut tried) = (0, 0);
    for seed in 1..=4 {
        let next_boot = recorded("another-boot", seed);
        let same_boot = recorded(&kernel_boot_id(), seed);
        let mut dice = Dice(seed);
        for cut in 0..number / 4 {
            let kept = [Kept::All, Kept::Nothing, Kept::Some, Kept::Torn][usize::try_from(cut % 4).unwrap()];
            let used = check(&next_boot, &mut dice, kept, true);
            assert_eq!(used.1, 0, "a used code was accepted after a power cut");
            tried += used.0;
            accepted_without_floor += check(&same_boot, &mut dice, kept, false).1;
        }
    }
    println!("  {tried} used codes tried after the cuts; {accepted_without_floor} accepted without the boot floor");
    assert!(tried > 0 && accepted_without_floor > 0, "the cuts never lost a write");
}

fn kernel_boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap().trim().to_owned()
}

/// The changes that a worker made to its files, with the boot id `boot`.
fn recorded(boot: &str, seed: u64) -> Vec<Event> {
    let place = tempfile::tempdir().unwrap();
    let (folder, log, boot_id) = (place.path().join("tfa"), place.path().join("log"), place.path().join("boot_id"));
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, PermissionsExt::from_mode(0o700)).unwrap();
    fs::write(&boot_id, boot).unwrap();
    let mut command = shim::session(&folder, seed);
    assert!(command.env("SHIM_LOG", &log).env("SHIM_BOOT_ID", &boot_id).status().unwrap().success());
    let events = parse(&fs::read(&log).unwrap(), folder.to_str().unwrap());
    assert!(events.iter().any(|event| matches!(event, Event::Sync { .. })), "nothing was recorded");
    events
}

/// Parses the shim's log. Paths become names in `folder`, and the folder itself "".
fn parse(mut log: &[u8], folder: &str) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some(end) = log.iter().position(|byte| *byte == b'\n') {
        let line = std::str::from_utf8(&log[..end]).unwrap();
        log = &log[end + 1..];
        let words: Vec<_> = line.split(' ').map(|word| word.strip_prefix(folder).unwrap_or(word)).collect();
        let path = words[1].to_owned();
        events.push(match (words[0], &words[2..]) {
            ("W", [offset, length]) => {
                let (bytes, rest) = log.split_at(length.parse().unwrap());
                log = rest;
                Event::Write { path, offset: offset.parse().unwrap(), bytes: bytes.to_vec() }
            }
            ("T", [size]) => Event::Truncate { path, size: size.parse().unwrap() },
            ("S", []) => Event::Sync { path },
            ("C", []) => Event::Create { path },
            ("U", []) => Event::Remove { path },
            ("L", [to]) => Event::Link { from: path, to: (*to).to_owned() },
            ("R", [to]) => Event::Rename { from: path, to: (*to).to_owned() },
            _ => panic!("{line}"),
        });
    }
    events
}

/// Cuts the power at a random moment, opens the store, and checks it. Returns how many used codes were tried, and how many
/// were accepted.
fn check(events: &[Event], dice: &mut Dice, kept: Kept, floor: bool) -> (usize, usize) {
    let first = events.iter().position(|event| event.is_journal()).unwrap();
    let cut = first + usize::try_from(dice.below(u64::try_from(events.len() - first).unwrap())).unwrap();
    let place = tempfile::tempdir().unwrap();
    let journal = replay(&events[..cut], kept, dice, place.path());
    let operations = read_journal(&journal);
    let now = operations.last().map_or(NOW, |(time, ..)| *time);
    let (tfa, clock) = open_at(place.path(), now);
    assert_sound(place.path());
    assert_agreement(&tfa);
    for place in 0..3 {
        check_durable(&State::of(&tfa, &format!("subject{place}")), &operations, &format!("subject{place}"));
    }
    let (mut tried, mut accepted) = (0, 0);
    for (_, operation, outcome) in &operations {
        let (Operation::Enrol { subject, secret, step } | Operation::Login { subject, secret, step }) = operation
        else {
            continue;
        };
        if matches!(outcome, Some(Outcome::No | Outcome::Wrong))
            || State::of(&tfa, subject).secret.as_ref() != Some(secret)
        {
            continue;
        }
        for later in [0, PERIOD] {
            clock.set(now + later);
            tried += 1;
            let verdict =
                tfa.login(ACTOR, &account(subject), &code(&Secret::from_base32(secret).unwrap(), *step)).unwrap();
            assert!(verdict == VERIFIED || matches!(verdict, Verdict::Denied(..)), "{verdict:?}");
            accepted += usize::from(verdict == VERIFIED);
        }
    }
    assert!(!floor || accepted == 0, "cut after {cut} of {} events, {kept:?}", events.len());
    (tried, accepted)
}

/// Checks that every acknowledged durable change of `name` is there: its secret and its recovery codes. Failures and logins by
/// one-time codes may be lost, and so may the operation that was interrupted.
fn check_durable(there: &State, operations: &[Recorded], name: &str) {
    let (mut state, mut possible) = (State::default(), Vec::new());
    for (_, operation, outcome) in operations {
        let (Operation::Enrol { subject, .. }
        | Operation::Remove { subject }
        | Operation::MakeRecoveryCodes { subject }
        | Operation::LoginByRecoveryCode { subject, .. }) = operation
        else {
            continue;
        };
        if subject != name {
            continue;
        }
        match outcome {
            Some(outcome) => state = state.after(operation, outcome),
            None => possible.extend(state.during(operation)),
        }
    }
    possible.push(state);
    let lasting = |state: &State| (state.secret.clone(), state.recovery_codes);
    assert!(possible.iter().any(|state| lasting(state) == lasting(there)), "{name}: {there:?}, not {possible:?}");
}

impl Event {
    fn path(&self) -> &str {
        match self {
            Event::Write { path, .. }
            | Event::Truncate { path, .. }
            | Event::Sync { path }
            | Event::Create { path }
            | Event::Remove { path } => path,
            Event::Link { from, .. } | Event::Rename { from, .. } => from,
        }
    }

    fn is_journal(&self) -> bool {
        self.path() == "/journal"
    }
}

/// Writes into `folder` what a disk holds after `events` and a power cut. Returns the worker's journal, which is always
/// complete. File names are kept as soon as they are made, as file systems do that journal names in order.
fn replay(events: &[Event], kept: Kept, dice: &mut Dice, folder: &Path) -> String {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (place, event) in events.iter().enumerate() {
        let synced = |path: &str| {
            events[place..].iter().any(|later| matches!(later, Event::Sync { path: other } if other == path))
        };
        match event {
            Event::Write { path, offset, bytes } => {
                let whole = event.is_journal() || synced(path) || kept == Kept::All;
                let length = match kept {
                    _ if whole => bytes.len(),
                    Kept::Some if dice.below(2) == 0 => bytes.len(),
                    Kept::Torn => bytes.len().min(usize::try_from(dice.below(9)).unwrap() * SECTOR),
                    _ => 0,
                };
                put(files.entry(path.clone()).or_default(), *offset, &bytes[..length]);
            }
            Event::Truncate { path, size } if synced(path) || kept == Kept::All => {
                files.entry(path.clone()).or_default().resize(*size, 0);
            }
            Event::Truncate { .. } | Event::Sync { .. } => {}
            Event::Create { path } => drop(files.insert(path.clone(), Vec::new())),
            Event::Remove { path } => drop(files.remove(path)),
            Event::Link { from, to } => drop(files.insert(to.clone(), files[from].clone())),
            Event::Rename { from, to } => {
                let contents = files.remove(from).unwrap();
                files.insert(to.clone(), contents);
            }
        }
    }
    let journal = files.remove("/journal").unwrap_or_default();
    fs::set_permissions(folder, PermissionsExt::from_mode(0o700)).unwrap();
    for (name, contents) in files {
        let path = folder.join(name.trim_start_matches('/'));
        fs::write(&path, contents).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    }
    String::from_utf8(journal).unwrap()
}

fn put(file: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if !bytes.is_empty() {
        let size = file.len().max(offset + bytes.len());
        file.resize(size, 0);
        file[offset..offset + bytes.len()].copy_from_slice(bytes);
    }
}
