//! `tfa qr`: shows a new secret as a QR code, and enrols the user with it.
//!
//! Promises: nothing is stored before a code shows that the authenticator has the secret; an enrolment is replaced only
//! after a warning; a file with the QR code is for its owner alone.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;

use tfa::accounts::{ROOT, Subject};
use tfa::api::refusal::Refusal;
use tfa::engine::enrolment::Proposal;
use tfa::engine::refusal::Refusal as EngineRefusal;
use tfa::otp::qr;
use tfa::otp::secret::Secret;
use tfa::store::private;
use zeroize::Zeroizing;

use super::{Operator, recovery};
use crate::commands::{Global, Picture, Qr};
use crate::failure::Failure;
use crate::{escape, terminal};

/// How often a code is read before the secret is discarded.
const ATTEMPTS: u32 = 3;
/// Characters in a group of the secret.
const GROUP: usize = 4;

/// Shows a new secret, and enrols with it at a terminal.
pub fn run(global: &Global, options: &Qr) -> Result<ExitCode, Failure> {
    let operator = Operator::open(global)?;
    let subject = operator.resolve(options.user.as_deref().unwrap_or(ROOT))?;
    let can_enrol = subject.name() == ROOT || operator.tfa.config().enrol_while_disabled || operator.tfa.policy()?;
    if !can_enrol {
        return Err(Refusal::PolicyDisabled.into());
    }
    if terminal::is_attended() && operator.tfa.is_enrolled(&subject)? {
        let question = format!("{} is enrolled already. Replace that enrolment?", subject.name());
        if !terminal::confirm(&question)? {
            return Err(Failure::Refused("nothing was changed".to_owned()));
        }
    }
    let proposal = operator.tfa.propose(&operator.view, &subject)?;
    let picture = draw(&proposal, options.format)?;
    match &options.file {
        Some(path) => save(path, &picture)?,
        None => terminal::print(&picture)?,
    }
    if terminal::is_attended() {
        enrol(&operator, &subject, &proposal)?;
        eprintln!("{} is enrolled.", escape::line(subject.name()));
        if terminal::confirm("Generate ten recovery codes now, for logins without the authenticator?")? {
            recovery::generate(&operator, "qr", &subject)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a code until one is valid, [`ATTEMPTS`] times at most, and stores the enrolment.
fn enrol(operator: &Operator, subject: &Subject, proposal: &Proposal) -> Result<(), Failure> {
    let secret = Secret::from_base32(&proposal.secret).map_err(|error| Failure::Refused(error.to_string()))?;
    let mut attempts_left = ATTEMPTS;
    loop {
        let code = terminal::read_hidden("Code that the authenticator shows (empty to cancel): ")?;
        if code.is_empty() {
            return Err(Failure::Refused("nothing was stored".to_owned()));
        }
        attempts_left = attempts_left.saturating_sub(1);
        match operator.tfa.enrol(operator.actor("qr"), subject, &secret, &code) {
            Ok(()) => return Ok(()),
            Err(refusal @ (EngineRefusal::InvalidCode | EngineRefusal::UsedCode)) if attempts_left > 0 => {
                eprintln!("{refusal} Wait for the next code and try again.");
            }
            Err(refusal) => return Err(Failure::Refused(format!("{refusal} Nothing was stored."))),
        }
    }
}

/// The QR code; at a terminal with the secret below it, for users who cannot scan it.
fn draw(proposal: &Proposal, format: Picture) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let drawn = match format {
        Picture::Svg => qr::svg(&proposal.otpauth).map(String::into_bytes),
        Picture::Png => qr::png(&proposal.otpauth),
        Picture::Terminal => qr::terminal(&proposal.otpauth).map(|mut picture| {
            // Writing to a String does not fail.
            let _ = writeln!(picture, "Secret: {}", grouped(&proposal.secret).as_str());
            picture.into_bytes()
        }),
    };
    drawn.map(Zeroizing::new).map_err(|error| Failure::Refused(error.to_string()))
}

/// The secret in groups of four characters, which are easier to type.
fn grouped(secret: &str) -> Zeroizing<String> {
    let mut grouped = Zeroizing::new(String::new());
    for (place, character) in secret.chars().enumerate() {
        if place > 0 && place.is_multiple_of(GROUP) {
            grouped.push(' ');
        }
        grouped.push(character);
    }
    grouped
}

fn save(path: &Path, picture: &[u8]) -> Result<(), Failure> {
    match private::create(path, picture) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::Refused(format!("the file {} exists already", path.display()))),
        Err(error) => Err(Failure::Refused(error.to_string())),
    }
}
