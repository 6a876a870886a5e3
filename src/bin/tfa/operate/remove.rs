//! `tfa remove`: removes users' enrolments.
//!
//! Promise: a user who does not exist is an error before anything is removed.

use std::process::ExitCode;

use tfa::engine::enrolment::Unreadable;

use super::Operator;
use crate::commands::{Global, Remove};
use crate::failure::Failure;
use crate::terminal;

/// Removes the enrolments, or shows which would be removed.
pub fn run(global: &Global, Remove { users, dry_run }: &Remove) -> Result<ExitCode, Failure> {
    let operator = Operator::open(global)?;
    let subjects = users.iter().map(|user| operator.subject_or_leftover(user)).collect::<Result<Vec<_>, _>>()?;
    let mut report = String::new();
    for (user, subject) in users.iter().zip(&subjects) {
        let outcome = match (operator.tfa.is_enrolled(subject)?, dry_run) {
            (false, _) => "is not enrolled.",
            (true, true) => "would be removed.",
            (true, false) => "is removed.",
        };
        report.push_str(&format!("{user} {outcome}\n"));
    }
    if !dry_run {
        // Root also removes an enrolment that cannot be read: this is how its owner becomes able to enrol again.
        operator.tfa.remove(operator.actor("remove"), &subjects, Unreadable::Remove)?;
    }
    terminal::say(&report)?;
    Ok(ExitCode::SUCCESS)
}
