//! A terminal for the commands that ask there.

use std::path::Path;
use std::process::Output;

use super::{Site, TFA};

/// Runs a command at a terminal of its own, types a line at each prompt and then ends the input, and prints what the
/// terminal showed. The line RIGHT stands for the code of the secret that was shown.
const PROGRAM: &str = r#"
import os, pty, subprocess, sys
count = int(sys.argv[1])
lines, command, shown, seen = sys.argv[2:2 + count], sys.argv[2 + count:], b"", 0
child, terminal = pty.fork()
if child == 0:
    os.execv(command[0], command)
while True:
    try:
        part = os.read(terminal, 65536)
    except OSError:
        break
    if not part:
        break
    shown += part
    last = shown[seen:].splitlines()[-1:]
    if last and last[0].endswith((b": ", b"] ")):
        seen = len(shown)
        if not lines:
            os.write(terminal, b"\x04")
            continue
        line = lines.pop(0).encode()
        if line == b"RIGHT":
            secret = shown.split(b"Secret: ")[1].splitlines()[0].replace(b" ", b"")
            line = subprocess.check_output(["oathtool", "--totp", "--base32", secret]).strip()
        os.write(terminal, line + b"\n")
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"#;

/// Runs `tfa` with `arguments` at a terminal, at which `typed` is entered, a line at each prompt.
pub fn at_terminal(site: &Site, typed: &[&str], arguments: &[&str]) -> Output {
    let count = typed.len().to_string();
    let arguments = [&["-I", "-c", PROGRAM, &count], typed, &[TFA], arguments].concat();
    site.command(Path::new("/usr/bin/python3"), &arguments).output().unwrap()
}
