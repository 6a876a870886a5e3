//! Standard input and output, and the user at the terminal.

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::process::ExitCode;

use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use tfa::wire::form::MAX_BYTES as MAX_TEXT;
use zeroize::Zeroizing;

use crate::escape;
use crate::failure::Failure;

/// The longest line that is read, in bytes.
const MAX_LINE: u64 = 4096;

/// Writes text for people to standard output, escaped.
pub fn say(text: &str) -> Result<(), Failure> {
    print(escape::text(text).as_bytes())
}

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

/// Whether standard input is a terminal, at which a question can be answered.
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

/// Reads a code or a secret: without echo at a terminal, else the next line of standard input.
pub fn read_hidden(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let silence = is_attended().then(|| Silence::begin(prompt)).transpose();
    let _silence = silence.map_err(|error| Failure::Usage(format!("the terminal cannot be used: {error}")))?;
    read_line()
}

/// Asks a question at the terminal; whether the answer is yes.
pub fn confirm(question: &str) -> Result<bool, Failure> {
    eprint!("{} [y/N] ", escape::line(question));
    Ok(["y", "yes"].contains(&read_line()?.to_lowercase().as_str()))
}

fn read_line() -> Result<Zeroizing<String>, Failure> {
    let mut line = Zeroizing::new(String::new());
    let read = io::stdin().lock().take(MAX_LINE).read_line(&mut line);
    read.map_err(|error| Failure::Usage(format!("standard input cannot be read: {error}")))?;
    Ok(Zeroizing::new(line.trim().to_owned()))
}

/// A terminal that does not show what is typed, until this is dropped.
struct Silence(Termios);

impl Silence {
    /// The echo is turned off before the prompt is shown, so that nothing typed after it is shown.
    fn begin(prompt: &str) -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(io::stdin(), SetArg::TCSAFLUSH, &silent)?;
        let silence = Silence(before);
        let mut terminal = io::stderr().lock();
        terminal.write_all(escape::line(prompt).as_bytes())?;
        terminal.flush()?;
        Ok(silence)
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        // A failure cannot be reported any more. The newline stands for the one that was typed without echo.
        let _ = tcsetattr(io::stdin(), SetArg::TCSANOW, &self.0);
        eprintln!();
    }
}
