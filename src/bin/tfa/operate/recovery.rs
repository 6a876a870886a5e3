//! `tfa recovery-codes`: generates recovery codes for a user.
//!
//! Promise: the codes are written to standard output this once; only keyed hashes of them are stored.

use std::process::ExitCode;

use tfa::accounts::Subject;
use zeroize::Zeroizing;

use super::Operator;
use crate::commands::{self, Global};
use crate::failure::Failure;
use crate::terminal;

/// Generates the codes.
pub fn run(global: &Global, subject: &commands::Subject) -> Result<ExitCode, Failure> {
    let operator = Operator::open(global)?;
    generate(&operator, "recovery-codes", &operator.subject(&subject.user)?)?;
    Ok(ExitCode::SUCCESS)
}

/// Generates recovery codes for `subject` on behalf of the command called `command`, and shows them.
pub fn generate(operator: &Operator, command: &str, subject: &Subject) -> Result<(), Failure> {
    let codes = operator.tfa.generate_recovery_codes(operator.actor(command), subject)?;
    let mut text = Zeroizing::new(String::new());
    for code in &codes {
        text.push_str(code);
        text.push('\n');
    }
    terminal::print(text.as_bytes())?;
    eprintln!("Each code is accepted once. They are not shown again. Earlier codes are revoked.");
    Ok(())
}
