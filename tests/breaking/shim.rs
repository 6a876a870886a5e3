//! Builds `shim.c`, which records or fails the file operations of a worker, and runs workers with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::worker::{Recorded, read_journal};

/// The variable with the path of the file that repairs the disk.
const REPAIR: &str = "SHIM_REPAIR";

/// The shim, compiled once.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = LIBRARY.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shim.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/breaking/shim.c");
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE", "-o"]).arg(&path);
        assert!(cc.arg(source).args(["-ldl", "-lpthread"]).status().unwrap().success(), "the shim does not compile");
        (folder, path)
    });
    path
}

/// A worker of the kind `session` in `folder`, with the shim.
pub fn session(folder: &Path, seed: u64) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["worker", "session"]).arg(folder).arg(seed.to_string()).stdin(Stdio::null());
    command.env("LD_PRELOAD", library()).env("SHIM_FOLDER", folder);
    command
}

/// What a worker did on a disk that failed until it was repaired.
pub struct Session {
    pub folder: PathBuf,
    pub operations: Vec<Recorded>,
    /// The disk failed, and was repaired.
    pub is_repaired: bool,
    _place: tempfile::TempDir,
}

/// Runs a session on a disk that fails with `errno` from its change number `first` on, until the worker repairs it.
pub fn session_on_failing_disk(seed: u64, first: u64, errno: i32) -> Session {
    let place = tempfile::tempdir().unwrap();
    let (folder, repaired) = (place.path().join("tfa"), place.path().join("repaired"));
    fs::create_dir(&folder).unwrap();
    let mut command = session(&folder, seed);
    command.env("SHIM_FAIL_AT", first.to_string()).env("SHIM_ERRNO", errno.to_string()).env(REPAIR, &repaired);
    assert!(command.status().unwrap().success(), "change {first} fails with {errno}");
    let operations = read_journal(&fs::read_to_string(folder.join("journal")).unwrap());
    Session { folder, operations, is_repaired: repaired.exists(), _place: place }
}

/// Repairs the disk. Called in the worker.
pub fn repair() {
    fs::write(std::env::var_os(REPAIR).expect("a disk that never fails needs no repair"), "").unwrap();
}
