//! Changes on disk, files that cannot be read or trusted, and locks.

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
fn a_change_on_disk_is_seen_by_the_next_view() {
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
    assert!(stamp.settled(changed - hour), "after a clock was set back, files are not read again for an hour");
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
fn files_that_cannot_be_read_are_an_error() {
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
    fs::File::create(&path).unwrap().set_len(MAX_FILE + 1).unwrap(); // sparse, so it takes no space
    let LookupError::Unavailable(why) = files.snapshot().err().unwrap();
    assert!(why.contains("larger than 256 MiB"), "{why}");
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("resellers", &path).unwrap();
    assert!(files.snapshot().is_err(), "a link to itself");
    fs::remove_file(&path).unwrap();
    assert_eq!(owner(&files, "a"), None);
}

#[test]
fn files_that_others_can_change_are_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let above = folder.path().join("above");
    fs::create_dir(&above).unwrap();
    let path = above.join("trueuserowners");
    let set_mode = |path: &Path, mode| fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    for round in ["absent", "present"] {
        let files = || Files::from_config(&Value::String(above.display().to_string())).unwrap();
        set_mode(&above, 0o777);
        let LookupError::Unavailable(why) = files().snapshot().err().unwrap();
        assert!(why.contains("can be written to by others"), "{round}: {why}");
        set_mode(&above, 0o755);
        assert!(files().snapshot().is_ok(), "{round}");
        fs::write(&path, "a: b\n").unwrap();
        set_mode(&path, 0o644);
    }
    let files = Files::from_config(&Value::String(above.display().to_string())).unwrap();
    assert_eq!(owner(&files, "a").as_deref(), Some("b"));
    set_mode(&path, 0o666);
    assert!(files.snapshot().is_err(), "the change of the mode is seen");
}

#[test]
fn a_lock_lost_in_a_fork_does_not_block() {
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
fn a_poisoned_lock_does_not_block() {
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
                    assert_eq!(owner("a"), owner("b"), "a snapshot is of one moment");
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
