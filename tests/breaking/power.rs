//! Power cuts: what a worker wrote and synced is recorded, and replayed up to some moment as a disk may have kept it.
//!
//! What was synced is there; of what was not, all, nothing, some blocks, or half of the last write. Then the next boot
//! opens the store. Promises: every change that was reported as durable is there; no code that was accepted, and none
//! that was about to be, opens again, as the boot floor forbids it; SQLite finds the database sound.
//!
//! The same cuts without the boot floor do open used codes again, which shows that the cuts cut.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tfa::engine::login::Verdict;
use tfa::otp::secret::Secret;

use crate::fixture::{ACTOR, Dice, NOW, PERIOD, VERIFIED, account, assert_sound, code, open_at};
use crate::kill::State;
use crate::trail::assert_agreement;
use crate::worker::{Operation, Outcome, Told, read_journal};
use crate::{Test, setting, shim};

pub const TESTS: &[Test] = &[("power: no power cut loses a durable change or opens a used code", cuts)];

/// Bytes that a disk writes whole.
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

/// What a disk keeps of writes that were not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    All,
    Nothing,
    Some,
    Torn,
}

fn cuts() {
    let number = setting("TFA_POWER_CUTS", 250);
    let (mut reopened_without_floor, mut tried) = (0, 0);
    for seed in 1..=4 {
        let next_boot = recorded("another-boot", seed);
        let same_boot = recorded(&kernel_boot_id(), seed);
        let mut dice = Dice(seed);
        for cut in 0..number / 4 {
            let kept = [Kept::All, Kept::Nothing, Kept::Some, Kept::Torn][usize::try_from(cut % 4).unwrap()];
            let used = check(&next_boot, &mut dice, kept, true);
            assert_eq!(used.1, 0, "a used code opened after a power cut");
            tried += used.0;
            reopened_without_floor += check(&same_boot, &mut dice, kept, false).1;
        }
    }
    println!("  {tried} used codes tried after the cuts; without the boot floor {reopened_without_floor} opened again");
    assert!(tried > 0 && reopened_without_floor > 0, "nothing was ever lost: the cuts do not cut");
}

fn kernel_boot_id() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap().trim().to_owned()
}

/// What a worker did to its files in the boot called `boot`.
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

/// Reads the shim's log; paths become names in `folder`, and the folder itself "".
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

/// Cuts the power somewhere, boots, and judges. Yields how many used codes were tried and how many opened again.
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
    let (mut tried, mut opened) = (0, 0);
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
            opened += usize::from(verdict == VERIFIED);
        }
    }
    assert!(!floor || opened == 0, "cut after {cut} of {} events, {kept:?}", events.len());
    (tried, opened)
}

/// What was acknowledged of `name` as durable is there: its secret and its recovery codes. Wrong codes and logins need
/// not be, nor need the operation that was under way.
fn check_durable(there: &State, operations: &[Told], name: &str) {
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

/// Writes into `folder` what a disk holds after `events` and a power cut; yields the worker's journal, which no power
/// cut reaches. A file's name is kept from when it was given, as the file systems do that journal their names in order.
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
