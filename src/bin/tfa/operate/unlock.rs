//! `tfa unlock`: forgets a user's wrong codes.

use std::process::ExitCode;

use clap::ArgMatches;

use super::whm;
use crate::failure::Failure;
use crate::{person, settings, terminal};

/// Unlocks a user.
pub fn run(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    let subject = matches.get_one::<String>("subject").map(String::as_str).unwrap_or_default();
    let caller = person::caller()?;
    whm(&settings::open(matches)?, &caller, "twofactorauth_unlock_user", [("user", subject)])?;
    terminal::print(format!("{subject} is unlocked.\n").as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
