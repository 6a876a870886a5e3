//! Building and using `shim.c`, which stands between a worker and its files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::worker::{Told, read_journal};

/// Where a worker is told that healing is asked for.
const HEAL: &str = "SHIM_HEAL";

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

/// A worker of the kind `session` in `folder`, with the shim before it.
pub fn session(folder: &Path, seed: u64) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["worker", "session"]).arg(folder).arg(seed.to_string()).stdin(Stdio::null());
    command.env("LD_PRELOAD", library()).env("SHIM_FOLDER", folder);
    command
}

/// What a worker did on a disk that failed until it was healed.
pub struct Day {
    pub folder: PathBuf,
    pub operations: Vec<Told>,
    /// The disk failed, and was healed.
    pub is_healed: bool,
    _place: tempfile::TempDir,
}

/// A day on a disk that fails with `errno` from its change number `first` on, until the worker heals it.
pub fn day(seed: u64, first: u64, errno: i32) -> Day {
    let place = tempfile::tempdir().unwrap();
    let (folder, heal) = (place.path().join("tfa"), place.path().join("healed"));
    fs::create_dir(&folder).unwrap();
    let mut command = session(&folder, seed);
    command.env("SHIM_FAIL_AT", first.to_string()).env("SHIM_ERRNO", errno.to_string()).env(HEAL, &heal);
    assert!(command.status().unwrap().success(), "change {first} fails with {errno}");
    let operations = read_journal(&fs::read_to_string(folder.join("journal")).unwrap());
    Day { folder, operations, is_healed: heal.exists(), _place: place }
}

/// Mends the disk, in the worker.
pub fn heal() {
    fs::write(std::env::var_os(HEAL).expect("nothing was to fail here"), "").unwrap();
}
