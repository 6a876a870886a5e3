//! What ends a command early, and with which exit status.

use std::process::ExitCode;

use tfa::api::refusal::Refusal;
use tfa::engine::refusal as engine;

/// Why there is nothing more to do.
#[derive(Debug)]
pub enum Failure {
    /// The command line or the configuration makes no sense: exit status 2.
    Usage(String),
    /// It makes sense and did not work: exit status 1.
    Refused(String),
}

impl Failure {
    /// Says why on standard error, and gives the exit status.
    pub fn report(&self) -> ExitCode {
        let (why, code) = match self {
            Failure::Usage(why) => (why, 2),
            Failure::Refused(why) => (why, 1),
        };
        eprintln!("tfa: {why}");
        ExitCode::from(code)
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
