//! Refusals of the engine. The texts of codes and locks are those of contract section 5.
//!
//! Promise: no text holds a secret or a code. Names are repeated as the caller sent them, up to the length that a name
//! can have.

use crate::accounts::{LookupError, shown};
use crate::otp::random::NoEntropy;
use crate::store::Unavailable;

/// Why the engine refused. Its text is the `reason` in the answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The code is invalid.
    #[error("The security code is invalid.")]
    InvalidCode,
    /// The code is right and was accepted before.
    #[error("The security code has already been used.")]
    UsedCode,
    /// The code is right, and lies before the boot floor, which is in the future; it is accepted again in so many seconds.
    #[error("The clock of this server was set back; try again in {0} seconds.")]
    ClockSetBack(u64),
    /// Too many invalid codes; codes are not examined for so many seconds.
    #[error("Too many invalid security codes. Try again in {0} seconds.")]
    Locked(u64),
    /// Far too many invalid codes; waiting does not help.
    #[error("Too many invalid security codes. Use a recovery code, or ask the server administrator to unlock you.")]
    HardLocked,
    /// The subject changes its own enrolment without a current code of it.
    #[error("The parameter \"current_token\" is required.")]
    CurrentTokenRequired,
    /// The new name of an account has records already.
    #[error("The user \"{}\" already has two-factor authentication data. Remove it first.", shown(.0))]
    NameInUse(String),
    /// All bytes of the secret are equal.
    #[error("The parameter \"secret\" is not valid: all of its bytes are equal.")]
    UniformSecret,
    /// The enrolment is older than the account.
    #[error("The enrolment of \"{}\" is older than the account. Remove it, and let the user enrol again.", shown(.0))]
    StaleEnrolment(String),
    /// The subject is not enrolled.
    #[error("Two-factor authentication is not configured for \"{}\".", shown(.0))]
    NotConfigured(String),
    /// The store, the key file or the directory cannot answer.
    #[error("The two-factor authentication data is not available: {0}")]
    Unavailable(String),
}

impl From<Unavailable> for Refusal {
    fn from(error: Unavailable) -> Self {
        Refusal::Unavailable(error.0)
    }
}

impl From<LookupError> for Refusal {
    fn from(LookupError::Unavailable(why): LookupError) -> Self {
        Refusal::Unavailable(why)
    }
}

impl From<NoEntropy> for Refusal {
    fn from(error: NoEntropy) -> Self {
        Refusal::Unavailable(error.to_string())
    }
}
