//! The reasons for which a command ends early, and their exit statuses.

use std::process::ExitCode;

use tfa::api::refusal::Refusal;
use tfa::engine::refusal as engine;

use crate::escape;

/// Why a command ends.
#[derive(Debug)]
pub enum Failure {
    /// The command line or the configuration is wrong: exit status 2.
    Usage(String),
    /// The command did not work: exit status 1.
    Refused(String),
}

impl Failure {
    /// Prints the reason on standard error and returns the exit status.
    pub fn report(&self) -> ExitCode {
        eprintln!("tfa: {}", escape::line(self.why()));
        ExitCode::from(match self {
            Failure::Usage(_) => 2,
            Failure::Refused(_) => 1,
        })
    }

    /// The reason.
    pub fn why(&self) -> &str {
        match self {
            Failure::Usage(why) | Failure::Refused(why) => why,
        }
    }
}

impl From<engine::Refusal> for Failure {
    fn from(refusal: engine::Refusal) -> Self {
        Failure::Refused(refusal.to_string())
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Failure::Refused(refusal.to_string())
    }
}
