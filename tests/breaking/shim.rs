//! Building and using `shim.c`, which stands between a worker and its files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

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

/// Has the disk of `command` fail with `errno` from its change number `first` on, until the worker heals it.
pub fn failing(command: &mut Command, first: u64, errno: i32, heal: &Path) {
    command.env("SHIM_FAIL_AT", first.to_string()).env("SHIM_ERRNO", errno.to_string()).env(HEAL, heal);
}

/// Mends the disk, in the worker.
pub fn heal() {
    fs::write(std::env::var_os(HEAL).expect("nothing was to fail here"), "").unwrap();
}
