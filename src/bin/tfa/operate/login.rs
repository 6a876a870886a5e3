//! `tfa login`: verifies a user's login code as a login service would.
//!
//! Promise: the code is read without echo or from standard input, never from the command line, and is not repeated.

use std::process::ExitCode;

use tfa::engine::login::{Method, Verdict};

use super::Operator;
use crate::commands::{Global, Subject};
use crate::failure::Failure;
use crate::terminal;

/// Verifies a login.
pub fn run(global: &Global, Subject { user }: &Subject) -> Result<ExitCode, Failure> {
    let operator = Operator::open(global)?;
    // Unlike other commands, this one accepts every name that the directory accepts, as a login service does.
    let subject = operator.resolve(user)?;
    let verdict = if operator.tfa.status(&subject)?.required {
        let code = terminal::read_hidden(&format!("Code of {user}: "))?;
        operator.tfa.login(operator.actor("login"), &subject, &code)?
    } else {
        Verdict::NotRequired
    };
    let outcome = match verdict {
        Verdict::NotRequired => "is accepted: no code is required",
        Verdict::Verified(Method::Totp) => "is accepted with a one-time code",
        Verdict::Verified(Method::Recovery) => "is accepted with a recovery code",
        Verdict::Denied(refusal, _) => {
            return Err(Failure::Refused(format!("the login of {user} is denied: {refusal}")));
        }
    };
    terminal::say(&format!("The login of {user} {outcome}.\n"))?;
    Ok(ExitCode::SUCCESS)
}
