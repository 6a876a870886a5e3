//! The panel's files, watched for changes: `trueuserowners`, `trueuserdomains`, `userdomains` and `resellers`.
//!
//! Promises: every snapshot is of the files as they are on disk at the call. They are read again when the device, inode,
//! size or a time of one of them has changed. An absent file counts as empty. A file that cannot be read, is too large,
//! or can be changed by other users makes the directory unavailable; what was read before is not used any longer.
//!
//! No call waits for another one, so a child forked at any moment never waits for a lock that a thread of its parent holds.

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
use crate::store::trusted;

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 256 << 20;

/// How often the files are read while they keep changing under the reader.
const ATTEMPTS: usize = 10;

/// The clock of a file system can tick as slowly as every 10 ms. Two changes within one tick have the same stamp, so a file
/// that changed this recently is read again at the next call.
const SETTLING: Duration = Duration::from_millis(20);

/// How often a busy lock is tried. It is held for nanoseconds, unless the thread that held it was lost in a fork.
const LOCK_ATTEMPTS: usize = 100;

/// The four files, in the order of [`FILE_NAMES`]; `None` stands for an empty one.
type Paths = [Option<PathBuf>; 4];

const FILE_NAMES: [&str; 4] = ["trueuserowners", "trueuserdomains", "userdomains", "resellers"];

/// Identifies one version of a file.
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

/// A snapshot, and the versions of the files that it was read from.
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

    /// The directory as the files describe it now.
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

    /// Reads the files, again if they change meanwhile. `before` are their stamps before reading.
    fn load(&self, mut before: Stamps) -> Result<Loaded, LookupError> {
        for _ in 0..ATTEMPTS {
            let started = SystemTime::now();
            self.check()?;
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

    /// Refuses files that other users could change (contract section 12).
    fn check(&self) -> Result<(), LookupError> {
        let checked = self.paths.iter().flatten().try_for_each(|path| trusted::file_or_absent(path));
        checked.map_err(|error| LookupError::Unavailable(error.0))
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

    /// What was read last; `None` also when the lock is not available, and then the caller reads the files.
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

    /// Keeps `loaded` for the next call, unless the lock is not available.
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
mod tests;
