//! Standard input and output, and the person at the terminal.

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::process::ExitCode;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tfa::wire::form::MAX_BYTES as MAX_TEXT;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// The longest line with a code that is read, in bytes.
const MAX_LINE: u64 = 4096;

/// Writes to standard output, all of it or an error.
pub fn print(bytes: &[u8]) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    let written = output.write_all(bytes).and_then(|()| output.flush());
    written.map_err(|error| Failure::Refused(format!("standard output cannot be written to: {error}")))
}

/// 0 when it worked, 1 when it did not.
pub fn exit_code(is_success: bool) -> ExitCode {
    if is_success { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Whether somebody sits there who can be asked.
pub fn is_attended() -> bool {
    io::stdin().is_terminal()
}

/// All of standard input, as text of at most 1 MiB.
pub fn read_input() -> Result<Zeroizing<String>, Failure> {
    let limit = u64::try_from(MAX_TEXT).unwrap_or(u64::MAX).saturating_add(1);
    let mut text = Zeroizing::new(String::new());
    let read = io::stdin().lock().take(limit).read_to_string(&mut text);
    read.map_err(|error| Failure::Usage(format!("standard input cannot be read: {error}")))?;
    Ok(text)
}

/// A code: asked for without echo when somebody is there, else the first line of standard input.
pub fn read_code(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let failed = |error| Failure::Usage(format!("the code cannot be read: {error}"));
    let _silence = is_attended().then(|| Silence::begin(prompt)).transpose().map_err(failed)?;
    let mut line = Zeroizing::new(String::new());
    io::stdin().lock().take(MAX_LINE).read_line(&mut line).map_err(failed)?;
    Ok(Zeroizing::new(line.trim().to_owned()))
}

/// A terminal that does not show what is typed, until this is dropped.
struct Silence(Termios);

impl Silence {
    /// The echo goes first and the prompt comes then: what is typed as soon as it shows is not shown.
    fn begin(prompt: &str) -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        let silence = Silence(before);
        let mut terminal = io::stderr().lock();
        terminal.write_all(prompt.as_bytes())?;
        terminal.flush()?;
        Ok(silence)
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // There is nobody left to tell when it fails; the newline is the one that was typed unseen.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
        eprintln!();
    }
}
