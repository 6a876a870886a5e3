//! `tfa policy`: whether two-factor authentication is enabled on this server.

use std::process::ExitCode;

use super::Operator;
use crate::commands::{Global, Policy};
use crate::failure::Failure;
use crate::terminal;

/// Shows or changes the policy.
pub fn run(global: &Global, action: &Policy) -> Result<ExitCode, Failure> {
    let operator = Operator::open(global)?;
    match action {
        Policy::Enable => operator.tfa.set_policy(operator.actor("policy enable"), true)?,
        Policy::Disable => operator.tfa.set_policy(operator.actor("policy disable"), false)?,
        Policy::Status => {}
    }
    let state = if operator.tfa.policy()? { "enabled" } else { "disabled" };
    terminal::say(&format!("Two-factor authentication is {state}.\n"))?;
    Ok(ExitCode::SUCCESS)
}
