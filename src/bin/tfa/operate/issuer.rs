//! `tfa issuer`: the system-wide name under which authenticators list enrolments.

use std::process::ExitCode;

use tfa::accounts::ROOT;
use tfa::engine::issuer;

use super::Operator;
use crate::commands::{Global, Issuer};
use crate::failure::Failure;
use crate::terminal;

/// Shows or sets the issuer.
pub fn run(global: &Global, action: &Issuer) -> Result<ExitCode, Failure> {
    let operator = Operator::open(global)?;
    if let Issuer::Set { issuer } = action {
        issuer::check(issuer).map_err(|why| Failure::Usage(format!("the issuer is not valid: {why}")))?;
        operator.tfa.set_issuer(operator.actor("issuer set"), ROOT, issuer)?;
    }
    terminal::say(&format!("{}\n", operator.tfa.system_issuer()?))?;
    Ok(ExitCode::SUCCESS)
}
