//! `tfa login`: asks for a user's code as a login service would, and tells the verdict.
//!
//! Promise: the code is read without echo or from standard input, never from the command line, and is not repeated.

use std::process::ExitCode;

use clap::ArgMatches;

use super::{is_set, text, whm};
use crate::failure::Failure;
use crate::{person, settings, terminal};

/// Judges a login.
pub fn run(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    let subject = matches.get_one::<String>("subject").map(String::as_str).unwrap_or_default();
    let (caller, tfa) = (person::caller()?, settings::open(matches)?);
    let status = whm(&tfa, &caller, "twofactorauth_login_status", [("user", subject)])?;
    if !is_set(&status, "required") {
        terminal::print(format!("{subject} is let in: no second factor is asked for.\n").as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let code = terminal::read_code(&format!("Code of {subject}: "))?;
    let verdict = whm(&tfa, &caller, "twofactorauth_verify_login", [("user", subject), ("tfa_token", &code)])?;
    if is_set(&verdict, "required") && !is_set(&verdict, "verified") {
        return Err(Failure::Refused(format!("{subject} is kept out: {}", text(&verdict, "reason"))));
    }
    let with = if text(&verdict, "method") == "recovery" { "a recovery code" } else { "a one-time code" };
    terminal::print(format!("{subject} is let in with {with}.\n").as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
