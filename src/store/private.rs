//! Files for their owner alone: the database and the key file.
//!
//! Promises: such a file lies in a directory that other users cannot write to, below directories that they cannot replace,
//! is not a symbolic link, belongs to this process's user, and cannot be read by others; otherwise it is refused, and the
//! error says what to do. A new file has mode 0600 from its first moment, and a directory that is created for it has 0700. A
//! reader sees the old contents of a file that is being replaced, or the new ones.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::Unavailable;
use super::trusted::{self, OTHERS_WRITE, STICKY};
use crate::otp::random;

/// The mode bits that a private file must not have.
const OTHERS: u32 = 0o077;

/// Creates the directory of `path` unless it exists, and checks it.
pub fn create_directory(path: &Path) -> Result<PathBuf, Unavailable> {
    let directory = parent(path)?;
    match DirBuilder::new().mode(0o700).create(directory) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(trouble("The directory", directory, "cannot be created", &error)),
    }
    check_directory(path)
}

/// Checks that the directory of `path` belongs to this process's user, that other users cannot write to it, and that they
/// cannot replace it or a directory above it (contract section 12).
pub fn check_directory(path: &Path) -> Result<PathBuf, Unavailable> {
    let directory = parent(path)?;
    let metadata =
        fs::metadata(directory).map_err(|error| trouble("The directory", directory, "cannot be read", &error))?;
    if !metadata.is_dir() {
        return Err(Unavailable(format!("{} is not a directory", directory.display())));
    }
    owned_by_us("The directory", directory, &metadata)?;
    let mode = metadata.permissions().mode();
    if mode & OTHERS_WRITE != 0 {
        // A sticky directory such as /tmp is shared on purpose.
        let advice = if mode & STICKY == 0 {
            format!("Run: chmod go-w {}, or use", directory.display())
        } else {
            "Use".to_owned()
        };
        return Err(Unavailable(format!(
            "The directory {} can be written to by others (mode {:04o}). {advice} a directory of its own",
            directory.display(),
            mode & 0o7777
        )));
    }
    let real =
        fs::canonicalize(directory).map_err(|error| trouble("The directory", directory, "cannot be read", &error))?;
    trusted::ancestors(&real)?;
    Ok(directory.to_owned())
}

/// The directory of the file `path`.
pub fn parent(path: &Path) -> Result<&Path, Unavailable> {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Ok(Path::new(".")),
        Some(parent) => Ok(parent),
        None => Err(Unavailable(format!("{} is not the path of a file", path.display()))),
    }
}

/// Checks a private file. `None`: it does not exist.
pub fn check(path: &Path) -> Result<Option<Metadata>, Unavailable> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(trouble("The file", path, "cannot be read", &error)),
    };
    if metadata.is_symlink() {
        return Err(Unavailable(format!(
            "The file {} is a symbolic link, which could lead anywhere. Name the file itself",
            path.display()
        )));
    }
    if !metadata.is_file() {
        return Err(Unavailable(format!("{} is not a regular file", path.display())));
    }
    owned_by_us("The file", path, &metadata)?;
    if metadata.permissions().mode() & OTHERS != 0 {
        return Err(Unavailable(format!(
            "The file {0} is open to others (mode {1:04o}). Run: chmod 600 {0}",
            path.display(),
            metadata.permissions().mode() & 0o7777
        )));
    }
    Ok(Some(metadata))
}

/// Creates an empty private file unless it exists.
pub fn touch(path: &Path) -> Result<(), Unavailable> {
    match new_file(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(trouble("The file", path, "cannot be created", &error)),
    }
}

/// Creates the private file `path` with `contents`, whole or not at all, and on disk before this returns. `false`: it
/// exists already, and is left unchanged.
pub fn create(path: &Path, contents: &[u8]) -> Result<bool, Unavailable> {
    create_directory(path)?;
    let aside = write_aside(path, contents)?;
    publish(&aside, path).inspect_err(|_| discard(&aside))
}

/// Replaces the private file `path` with `contents`, whole or not at all, and on disk before this returns. The caller holds
/// its lock ([`lock`]).
pub fn replace(path: &Path, contents: &[u8]) -> Result<(), Unavailable> {
    let directory = check_directory(path)?;
    check(path)?;
    let aside = beside(path, "new");
    // A process that was killed while it held the lock can have left it there.
    let removed = match fs::remove_file(&aside) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    removed
        .and_then(|()| new_file(&aside))
        .and_then(|mut file| file.write_all(contents).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&aside, path))
        .and_then(|()| sync(&directory))
        .map_err(|error| trouble("The file", path, "cannot be replaced", &error))
}

/// Creates an empty private file beside `path`, to be filled and then published.
pub fn aside(path: &Path) -> Result<PathBuf, Unavailable> {
    write_aside(path, &[])
}

/// Gives the file `aside` the name `path`, once its contents are on disk. `false`: there already is a file of that name, and
/// the one aside is removed.
pub fn publish(aside: &Path, path: &Path) -> Result<bool, Unavailable> {
    let directory = parent(path)?;
    let published = || {
        File::open(aside)?.sync_all()?;
        let linked = fs::hard_link(aside, path);
        fs::remove_file(aside)?;
        match linked {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
            linked => linked?,
        }
        sync(directory).map(|()| true)
    };
    published().map_err(|error| trouble("The file", path, "cannot be created", &error))
}

/// Removes a file aside that is not published. An error leaves the file, and nothing else to report.
pub fn discard(aside: &Path) {
    let _ = fs::remove_file(aside);
}

/// Locks the private file `path` against replacement by other processes, until the returned file is dropped or the process
/// ends. `None`: another process has the lock. The lock is a file beside it, since the file itself is replaced.
pub fn lock(path: &Path) -> Result<Option<File>, Unavailable> {
    check_directory(path)?;
    let lock = beside(path, "lock");
    touch(&lock)?;
    check(&lock)?;
    let locked = OpenOptions::new().write(true).open(&lock).map_err(TryLockError::Error).and_then(|file| {
        file.try_lock()?;
        Ok(file)
    });
    match locked {
        Ok(file) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(trouble("The file", &lock, "cannot be locked", &error)),
    }
}

/// The path of the file with one more ending.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".");
    beside.push(ending);
    PathBuf::from(beside)
}

/// Writes `contents` to a new file beside `path`, to be moved into its place.
fn write_aside(path: &Path, contents: &[u8]) -> Result<PathBuf, Unavailable> {
    let failed = |error: io::Error| trouble("The file", path, "cannot be created", &error);
    let mut suffix = [0u8; 8];
    random::fill(&mut suffix).map_err(|error| failed(io::Error::other(error)))?;
    let aside = beside(path, &data_encoding::HEXLOWER.encode(&suffix));
    let mut file = new_file(&aside).map_err(failed)?;
    let written = file.write_all(contents).and_then(|()| file.sync_all());
    written.inspect_err(|_| discard(&aside)).map_err(failed)?;
    Ok(aside)
}

fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Puts a directory's entries on disk.
fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

fn owned_by_us(what: &str, path: &Path, metadata: &Metadata) -> Result<(), Unavailable> {
    let us = nix::unistd::geteuid().as_raw();
    if metadata.uid() == us {
        return Ok(());
    }
    Err(Unavailable(format!(
        "{what} {} belongs to user {}, and this process runs as user {us}. Run it as the owner",
        path.display(),
        metadata.uid()
    )))
}

fn trouble(what: &str, path: &Path, verb: &str, error: &io::Error) -> Unavailable {
    Unavailable(format!("{what} {} {verb}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn new_files_and_directories_are_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/key");
        assert!(create(&path, b"contents").unwrap());
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        assert_eq!(fs::read(&path).unwrap(), b"contents");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn what_is_there_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(create(&path, b"first").unwrap());
        assert!(!create(&path, b"second").unwrap());
        touch(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"first");
    }

    #[test]
    fn a_file_is_replaced_whole_whatever_was_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(create(&path, b"first").unwrap());
        fs::write(folder.path().join("key.new"), "half").unwrap();
        replace(&path, b"second").unwrap();
        assert_eq!((fs::read(&path).unwrap().as_slice(), mode(&path)), (b"second".as_slice(), 0o600));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_lock_is_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let held = lock(&path).unwrap();
        assert!(held.is_some());
        assert!(lock(&path).unwrap().is_none());
        drop(held);
        assert!(lock(&path).unwrap().is_some());
        symlink(folder.path(), folder.path().join("other.lock")).unwrap();
        assert!(lock(&folder.path().join("other")).is_err(), "a link is not followed");
    }

    #[test]
    fn links_and_open_modes_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("file"), folder.path().join("link"));
        assert!(check(&path).unwrap().is_none());
        touch(&path).unwrap();
        assert!(check(&path).unwrap().is_some());
        symlink(&path, &link).unwrap();
        assert!(check(&link).unwrap_err().0.contains("symbolic link"));
        fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        assert!(check(&path).unwrap_err().0.contains("chmod 600"));
        assert!(check(folder.path()).unwrap_err().0.contains("not a regular file"));
    }

    #[test]
    fn a_directory_that_others_can_write_to_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for mode in [0o777, 0o1777, 0o770] {
            fs::set_permissions(folder.path(), PermissionsExt::from_mode(mode)).unwrap();
            let refusal = check_directory(&folder.path().join("db")).unwrap_err().0;
            assert!(refusal.contains("can be written to by others"), "{refusal}");
            assert_eq!(
                refusal.contains("chmod go-w"),
                mode & STICKY == 0,
                "a shared directory stays shared: {refusal}"
            );
        }
        fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        check_directory(&folder.path().join("db")).unwrap();
    }

    #[test]
    fn somebody_elses_file_is_refused() {
        let us = nix::unistd::geteuid().as_raw();
        let theirs = if us == 0 { 65534 } else { 0 };
        if us == 0 {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("file");
            touch(&path).unwrap();
            std::os::unix::fs::chown(&path, Some(theirs), None).unwrap();
            assert!(check(&path).unwrap_err().0.contains("belongs to user 65534"));
        } else {
            assert!(check(Path::new("/etc/hostname")).unwrap_err().0.contains("belongs to user 0"));
        }
    }
}
