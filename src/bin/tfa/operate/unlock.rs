//! `tfa unlock`: lifts a user's locks and resets the count of failed attempts.

use std::process::ExitCode;

use super::Operator;
use crate::commands::{Global, Subject};
use crate::failure::Failure;
use crate::terminal;

/// Unlocks a user.
pub fn run(global: &Global, Subject { user }: &Subject) -> Result<ExitCode, Failure> {
    let operator = Operator::open(global)?;
    operator.tfa.unlock(operator.actor("unlock"), &operator.subject(user)?)?;
    terminal::say(&format!("{user} is unlocked.\n"))?;
    Ok(ExitCode::SUCCESS)
}
