//! Files that must not be changed by other users: the configuration and what it names.
//!
//! Promise: a file passes only if it and every directory above it, up to `/`, belong to root or to this process's user and
//! cannot be written to by others, except for sticky directories such as `/tmp` (contract section 12). Symbolic links
//! are followed first, as OpenSSH does. The error says which path fails and what to do.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::Unavailable;

/// The mode bits that let others write.
pub(super) const OTHERS_WRITE: u32 = 0o022;
/// The mode bit of a directory in which only its owner can replace a file.
pub(super) const STICKY: u32 = 0o1000;
/// The user number of root.
const ROOT: u32 = 0;

/// Checks the file at `path` and the directories above it. `path` exists.
pub fn file(path: &Path) -> Result<(), Unavailable> {
    let failed = |error: std::io::Error| Unavailable(format!("{} cannot be read: {error}", path.display()));
    let path = fs::canonicalize(path).map_err(failed)?;
    let metadata = fs::metadata(&path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(Unavailable(format!("{} is not a regular file", path.display())));
    }
    owner(&path, &metadata)?;
    if metadata.mode() & OTHERS_WRITE != 0 {
        return Err(writable(&path, &metadata));
    }
    ancestors(&path)
}

/// Checks the file at `path` if it exists, and the directories above it that do: an absent file must not be created by others
/// either.
pub fn file_or_absent(path: &Path) -> Result<(), Unavailable> {
    if fs::symlink_metadata(path).is_ok() {
        return file(path);
    }
    let existing = path.ancestors().skip(1).find_map(|directory| {
        fs::canonicalize(if directory.as_os_str().is_empty() { Path::new(".") } else { directory }).ok()
    });
    existing.map_or(Ok(()), |directory| ancestors(&directory.join("absent")))
}

/// Checks the directories above `path`, which is absolute and has no symbolic links.
pub fn ancestors(path: &Path) -> Result<(), Unavailable> {
    for directory in path.ancestors().skip(1) {
        let metadata = fs::metadata(directory)
            .map_err(|error| Unavailable(format!("The directory {} cannot be read: {error}", directory.display())))?;
        owner(directory, &metadata)?;
        if metadata.mode() & OTHERS_WRITE != 0 && metadata.mode() & STICKY == 0 {
            return Err(writable(directory, &metadata));
        }
    }
    Ok(())
}

fn owner(path: &Path, metadata: &Metadata) -> Result<(), Unavailable> {
    let own = nix::unistd::geteuid().as_raw();
    if [ROOT, own].contains(&metadata.uid()) {
        return Ok(());
    }
    Err(Unavailable(format!(
        "{} belongs to user {}, who could replace it. Run this program as that user, or use a path that belongs to root \
         or to user {own}",
        path.display(),
        metadata.uid()
    )))
}

fn writable(path: &Path, metadata: &Metadata) -> Unavailable {
    Unavailable(format!(
        "{0} can be written to by others (mode {1:04o}). Run: chmod go-w {0}, or use a path that only its owner can write to",
        path.display(),
        metadata.mode() & 0o7777
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};
    use std::path::PathBuf;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }

    /// A file two directories below a temporary one.
    fn nested() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("above/below/file");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "").unwrap();
        set_mode(&path, 0o644);
        (folder, path)
    }

    #[test]
    fn an_absent_file_is_judged_by_the_directories_above_it() {
        let (folder, path) = nested();
        for absent in [path.with_file_name("absent"), path.with_file_name("no/such/folder/absent")] {
            file_or_absent(&absent).unwrap();
            set_mode(&folder.path().join("above"), 0o777);
            assert!(file_or_absent(&absent).is_err(), "{}", absent.display());
            set_mode(&folder.path().join("above"), 0o755);
        }
        set_mode(&path, 0o666);
        assert!(file_or_absent(&path).is_err());
    }

    #[test]
    fn every_directory_above_the_file_counts() {
        let (folder, path) = nested();
        file(&path).unwrap();
        for part in ["above/below/file", "above/below", "above"] {
            let part = folder.path().join(part);
            let mode = fs::metadata(&part).unwrap().mode();
            for write in [0o020, 0o002] {
                set_mode(&part, mode | write);
                assert!(file(&path).unwrap_err().0.contains("can be written to by others"), "{}", part.display());
            }
            set_mode(&part, mode);
        }
        set_mode(&folder.path().join("above"), 0o1777);
        file(&path).unwrap();
    }

    #[test]
    fn symbolic_links_lead_to_what_is_checked() {
        let (folder, path) = nested();
        let link = folder.path().join("link");
        symlink(&path, &link).unwrap();
        file(&link).unwrap();
        set_mode(&folder.path().join("above"), 0o777);
        assert!(file(&link).is_err());
        assert!(file(&folder.path().join("absent")).unwrap_err().0.contains("cannot be read"));
        assert!(file(folder.path()).unwrap_err().0.contains("not a regular file"));
    }

    #[test]
    fn the_file_of_another_user_is_refused() {
        let (folder, path) = nested();
        if nix::unistd::geteuid().is_root() {
            chown(&path, Some(65534), None).unwrap();
            assert!(file(&path).unwrap_err().0.contains("belongs to user 65534"));
            chown(&path, Some(0), None).unwrap();
            chown(folder.path().join("above"), Some(65534), None).unwrap();
            assert!(file(&path).unwrap_err().0.contains("belongs to user 65534"));
        } else {
            file(Path::new("/etc/hostname")).unwrap();
        }
    }
}
