//! `tfa qr`: a new secret as a picture for an authenticator, and the enrolment that follows.
//!
//! Promise: nothing is stored before a code proves that the authenticator has the secret. A file with the picture is
//! for its owner alone.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ArgMatches;
use serde_json::Value;
use tfa::accounts::ROOT;
use tfa::engine::Tfa;
use tfa::otp::qr;
use tfa::store::private;
use zeroize::Zeroizing;

use super::{text, uapi, whm};
use crate::failure::Failure;
use crate::person::Person;
use crate::{person, settings, terminal};

/// Shows a new secret and enrols with it.
pub fn run(matches: &ArgMatches) -> Result<ExitCode, Failure> {
    let (person, tfa) = (person::acting(matches)?, settings::open(matches)?);
    let proposal = propose(&tfa, &person)?;
    let format = matches.get_one::<String>("format").map(String::as_str).unwrap_or_default();
    let picture = draw(&proposal, format)?;
    match matches.get_one::<PathBuf>("file") {
        Some(path) => save(path, &picture)?,
        None => terminal::print(&picture)?,
    }
    if !terminal::is_attended() {
        return Ok(ExitCode::SUCCESS);
    }
    let code = terminal::read_code("Code that the authenticator shows (empty to leave): ")?;
    if code.is_empty() {
        return Err(Failure::Refused("nothing was stored".to_owned()));
    }
    enrol(&tfa, &person, text(&proposal, "secret"), &code)?;
    eprintln!("{} is enrolled.", person.caller);
    Ok(ExitCode::SUCCESS)
}

/// Root is a user of WHM alone; UAPI is for everybody else.
fn propose(tfa: &Tfa, person: &Person) -> Result<Value, Failure> {
    match person.caller.as_str() {
        ROOT => whm(tfa, ROOT, "twofactorauth_generate_tfa_config", []),
        _ => uapi(tfa, person, "generate_user_configuration", []),
    }
}

fn enrol(tfa: &Tfa, person: &Person, secret: &str, code: &str) -> Result<Value, Failure> {
    let parameters = [("secret", secret), ("tfa_token", code)];
    match person.caller.as_str() {
        ROOT => whm(tfa, ROOT, "twofactorauth_set_tfa_config", parameters),
        _ => uapi(tfa, person, "set_user_configuration", parameters),
    }
}

/// The picture; in the terminal with the secret below, for who cannot scan it.
fn draw(proposal: &Value, format: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let uri = text(proposal, "otpauth_str");
    let drawn = match format {
        "svg" => qr::svg(uri).map(String::into_bytes),
        "png" => qr::png(uri),
        _ => qr::terminal(uri).map(|mut picture| {
            // Writing to a String does not fail.
            let _ = writeln!(picture, "Secret: {}", text(proposal, "secret"));
            picture.into_bytes()
        }),
    };
    drawn.map(Zeroizing::new).map_err(|error| Failure::Refused(error.to_string()))
}

fn save(path: &Path, picture: &[u8]) -> Result<(), Failure> {
    match private::create(path, picture) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::Refused(format!("the file {} is there already", path.display()))),
        Err(error) => Err(Failure::Refused(error.to_string())),
    }
}
