//! The panel's own files: `trueuserowners`, `trueuserdomains`, `userdomains` and `resellers`.
//!
//! Promise: every call answers from the files as they are on disk then. They are read again when the device, inode,
//! size or a time of one of them differs from what was read. An absent file counts as empty. A file that cannot
//! be read, or is too large, makes the directory unavailable: what was read before is not believed any longer. Lines
//! that make no sense, and ill-formed names, are skipped.
//!
//! No call waits for another one, so a child forked at any moment is never stuck on a lock that nobody will release.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{Error, ErrorKind, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock, TryLockError};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::LookupError;
use super::name::quoted;
use super::parse::parse;
use super::snapshot::Snapshot;

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 256 << 20;

/// How often the files are read while they keep changing under the reader.
const ATTEMPTS: usize = 10;

/// The clock that file systems stamp changes with can tick as slowly as every 10 ms. Two changes within one tick look
/// alike, so a file that changed this recently is read again at the next call.
const SETTLING: Duration = Duration::from_millis(20);

/// How often a busy lock is tried. It is held for nanoseconds, unless the thread that held it was lost in a fork.
const LOCK_ATTEMPTS: usize = 100;

/// The four files, in the order of [`FILE_NAMES`]; `None` stands for an empty one.
type Paths = [Option<PathBuf>; 4];

const FILE_NAMES: [&str; 4] = ["trueuserowners", "trueuserdomains", "userdomains", "resellers"];

/// What tells one version of a file from another.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(file: &Metadata) -> Stamp {
        Stamp {
            device: file.dev(),
            inode: file.ino(),
            size: file.size(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        }
    }

    /// Whether a change made after `now` is sure to show in the stamp.
    fn settled(&self, now: SystemTime) -> bool {
        let since_1970 =
            |(seconds, nanos): (i64, i64)| Some(Duration::new(seconds.try_into().ok()?, nanos.try_into().ok()?));
        let now = now.duration_since(SystemTime::UNIX_EPOCH).ok();
        match (now, since_1970(self.changed)) {
            (Some(now), Some(changed)) => now.abs_diff(changed) > SETTLING,
            _ => false,
        }
    }
}

/// The stamps of the four files; `None` for one that is absent.
type Stamps = [Option<Stamp>; 4];

/// What was read, and from which versions of the files.
struct Loaded {
    stamps: Stamps,
    settled: bool,
    snapshot: Arc<Snapshot>,
}

/// A directory kept in the panel's files.
pub struct Files {
    paths: Paths,
    current: RwLock<Option<Arc<Loaded>>>,
}

impl Files {
    /// Reads the value of `"files"` in the configuration: a folder, or a map with the path of each file. The files are
    /// not touched yet.
    pub(super) fn from_config(value: &Value) -> Result<Files, String> {
        let paths = match value {
            Value::String(_) => {
                let folder = read_path("files", value)?;
                FILE_NAMES.map(|name| Some(folder.join(name)))
            }
            Value::Object(map) => {
                let mut paths = Paths::default();
                for (key, value) in map {
                    let mut slots = FILE_NAMES.iter().zip(&mut paths);
                    match slots.find(|(name, _)| *name == key) {
                        Some((_, slot)) => *slot = Some(read_path(key, value)?),
                        None => return Err(format!("unknown key {}", quoted(key))),
                    }
                }
                paths
            }
            _ => return Err("must be a folder, or an object with the paths of files".to_owned()),
        };
        Ok(Files { paths, current: RwLock::new(None) })
    }

    /// The directory as the files tell it now.
    pub(super) fn snapshot(&self) -> Result<Arc<Snapshot>, LookupError> {
        let stamps = self.stamps()?;
        if let Some(loaded) = self.kept()
            && loaded.settled
            && loaded.stamps == stamps
        {
            return Ok(loaded.snapshot.clone());
        }
        let loaded = Arc::new(self.load(stamps)?);
        self.keep(loaded.clone());
        Ok(loaded.snapshot.clone())
    }

    /// Reads the files. `before` are their stamps as they were before; a change meanwhile means reading again.
    fn load(&self, mut before: Stamps) -> Result<Loaded, LookupError> {
        for _ in 0..ATTEMPTS {
            let started = SystemTime::now();
            let [owners, primary, domains, resellers] = self.read()?;
            let stamps = self.stamps()?;
            if stamps == before {
                let snapshot = parse(&owners, &primary, &domains, &resellers);
                return Ok(Loaded {
                    stamps,
                    settled: stamps.iter().flatten().all(|stamp| stamp.settled(started)),
                    snapshot: Arc::new(snapshot.map_err(LookupError::Unavailable)?),
                });
            }
            before = stamps;
        }
        let why = "its files keep changing while they are read";
        Err(LookupError::Unavailable(why.to_owned()))
    }

    fn stamps(&self) -> Result<Stamps, LookupError> {
        let mut stamps = Stamps::default();
        for (stamp, path) in stamps.iter_mut().zip(&self.paths) {
            if let Some(path) = path {
                *stamp = stamp_of(path).map_err(|why| unavailable(path, &why))?;
            }
        }
        Ok(stamps)
    }

    fn read(&self) -> Result<[Vec<u8>; 4], LookupError> {
        let mut texts = <[Vec<u8>; 4]>::default();
        for (text, path) in texts.iter_mut().zip(&self.paths) {
            if let Some(path) = path {
                *text = read(path).map_err(|why| unavailable(path, &why))?;
            }
        }
        Ok(texts)
    }

    /// What was read last; also `None` when the lock cannot be had, and then the caller reads for itself.
    fn kept(&self) -> Option<Arc<Loaded>> {
        for _ in 0..LOCK_ATTEMPTS {
            match self.current.try_read() {
                Ok(current) => return current.clone(),
                Err(TryLockError::Poisoned(current)) => return current.into_inner().clone(),
                Err(TryLockError::WouldBlock) => std::thread::yield_now(),
            }
        }
        None
    }

    /// Keeps `loaded` for the next call; does without when the lock cannot be had.
    fn keep(&self, loaded: Arc<Loaded>) {
        for _ in 0..LOCK_ATTEMPTS {
            let mut current = match self.current.try_write() {
                Ok(current) => current,
                Err(TryLockError::Poisoned(current)) => current.into_inner(),
                Err(TryLockError::WouldBlock) => {
                    std::thread::yield_now();
                    continue;
                }
            };
            let old = current.replace(loaded);
            drop(current); // before the old snapshot is freed, which takes longer
            drop(old);
            return;
        }
    }
}

fn read_path(key: &str, value: &Value) -> Result<PathBuf, String> {
    match value {
        Value::String(path) if !path.is_empty() && !path.contains('\0') => Ok(path.into()),
        _ => Err(format!("{key:?} must be a path")),
    }
}

fn unavailable(path: &Path, why: &Error) -> LookupError {
    LookupError::Unavailable(format!("{}: {why}", path.display()))
}

/// The stamp of the file at `path`, `None` when there is none.
fn stamp_of(path: &Path) -> Result<Option<Stamp>, Error> {
    let file = match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        found => found?,
    };
    if !file.is_file() {
        return Err(Error::other("not a regular file"));
    }
    if file.size() > MAX_FILE {
        return Err(too_large());
    }
    Ok(Some(Stamp::of(&file)))
}

/// The content of the file at `path`; empty when there is none. Does not wait, should the file have become a pipe.
fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let opened = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path);
    let file = match opened {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened?,
    };
    let size = file.metadata()?.size().min(MAX_FILE);
    let mut text = Vec::with_capacity(usize::try_from(size).unwrap_or(0).saturating_add(1));
    file.take(MAX_FILE.saturating_add(1)).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_FILE {
        return Err(too_large());
    }
    Ok(text)
}

fn too_large() -> Error {
    Error::other(format!("larger than {} MiB", MAX_FILE >> 20))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn files(folder: &TempDir) -> Files {
        Files::from_config(&Value::String(folder.path().display().to_string())).unwrap()
    }

    fn owner(files: &Files, account: &str) -> Option<String> {
        let account = files.snapshot().unwrap().account(account);
        account.map(|account| account.owner)
    }

    #[test]
    fn absent_files_are_empty() {
        let folder = TempDir::new().unwrap();
        let files = files(&folder);
        let listing = crate::accounts::Listing::new(files.snapshot().unwrap(), None);
        assert_eq!(listing.iter().collect::<Vec<_>>(), [("root", "")]);
    }

    #[test]
    fn a_change_on_disk_is_seen_by_the_next_call() {
        let folder = TempDir::new().unwrap();
        let files = files(&folder);
        let path = folder.path().join("trueuserowners");
        assert_eq!(owner(&files, "a"), None);
        for round in 0..200 {
            // The same length each time, faster than the clock of the file system ticks.
            let expected = format!("r{:03}", round);
            fs::write(&path, format!("a: {expected}\n")).unwrap();
            assert_eq!(owner(&files, "a"), Some(expected));
        }
        let aside = folder.path().join("aside");
        fs::write(&aside, "a: r999\n").unwrap();
        fs::rename(&aside, &path).unwrap();
        assert_eq!(owner(&files, "a"), Some("r999".to_owned()));
        fs::remove_file(&path).unwrap();
        assert_eq!(owner(&files, "a"), None);
    }

    #[test]
    fn a_file_that_has_just_changed_is_not_settled() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let stamp = Stamp::of(&file.as_file().metadata().unwrap());
        let (seconds, nanos) = stamp.changed;
        let changed = SystemTime::UNIX_EPOCH + Duration::new(seconds as u64, nanos as u32);
        assert!(!stamp.settled(changed));
        assert!(!stamp.settled(changed + SETTLING));
        assert!(stamp.settled(changed + SETTLING * 2));
        let hour = Duration::from_secs(3600);
        assert!(stamp.settled(changed - hour), "a clock set back does not mean reading for an hour");
    }

    #[test]
    fn unchanged_files_are_not_read_again() {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("trueuserowners"), "a: b\n").unwrap();
        std::thread::sleep(SETTLING * 2);
        let files = files(&folder);
        let first = files.snapshot().unwrap();
        assert!(Arc::ptr_eq(&first, &files.snapshot().unwrap()));
    }

    #[test]
    fn what_cannot_be_read_is_unavailable() {
        let folder = TempDir::new().unwrap();
        let files = files(&folder);
        let path = folder.path().join("resellers");
        fs::write(&path, "a: all\n").unwrap();
        assert!(owner(&files, "a").is_some());
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        let LookupError::Unavailable(why) = files.snapshot().err().unwrap();
        assert!(why.contains("resellers") && why.contains("not a regular file"), "{why}");
        fs::remove_dir(&path).unwrap();
        fs::File::create(&path).unwrap().set_len(MAX_FILE + 1).unwrap(); // sparse: takes no room
        let LookupError::Unavailable(why) = files.snapshot().err().unwrap();
        assert!(why.contains("larger than 256 MiB"), "{why}");
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("resellers", &path).unwrap();
        assert!(files.snapshot().is_err(), "a link to itself");
        fs::remove_file(&path).unwrap();
        assert_eq!(owner(&files, "a"), None);
    }

    #[test]
    fn a_lock_lost_in_a_fork_stops_nobody() {
        let folder = TempDir::new().unwrap();
        let files = files(&folder);
        let path = folder.path().join("trueuserowners");
        let held = files.current.write().unwrap();
        for expected in ["b", "c"] {
            fs::write(&path, format!("a: {expected}\n")).unwrap();
            assert_eq!(owner(&files, "a").as_deref(), Some(expected));
        }
        drop(held);
        let held = files.current.read().unwrap();
        fs::write(&path, "a: d\n").unwrap();
        assert_eq!(owner(&files, "a").as_deref(), Some("d"));
        drop(held);
    }

    #[test]
    fn a_poisoned_lock_stops_nobody() {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("trueuserowners"), "a: b\n").unwrap();
        std::thread::sleep(SETTLING * 2);
        let files = files(&folder);
        std::thread::scope(|scope| {
            let poisoner = scope.spawn(|| {
                let _held = files.current.write().unwrap();
                panic!("poison");
            });
            assert!(poisoner.join().is_err());
        });
        assert!(files.current.is_poisoned());
        assert_eq!(owner(&files, "a").as_deref(), Some("b"));
        let first = files.snapshot().unwrap();
        assert!(Arc::ptr_eq(&first, &files.snapshot().unwrap()));
    }

    #[test]
    fn many_threads_share_it_while_it_changes() {
        let folder = TempDir::new().unwrap();
        let files = files(&folder);
        let path = folder.path().join("trueuserowners");
        let aside = folder.path().join("aside");
        fs::write(&path, "a: r0\nb: r0\n").unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..300 {
                        let snapshot = files.snapshot().unwrap();
                        let owner = |name| snapshot.account(name).unwrap().owner;
                        assert_eq!(owner("a"), owner("b"), "one picture is of one moment");
                    }
                });
            }
            for round in 0..100 {
                fs::write(&aside, format!("a: r{round}\nb: r{round}\n")).unwrap();
                fs::rename(&aside, &path).unwrap();
                std::thread::yield_now();
            }
        });
        assert_eq!(owner(&files, "a").as_deref(), Some("r99"));
    }
}
