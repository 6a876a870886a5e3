//! Errors of parameters: what is missing, not valid or unreadable in a request.
//!
//! Promise: the text names the parameter and never repeats its value (contract section 5).

use crate::accounts::shown;

/// Why a parameter is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// It is missing or empty.
    #[error("The parameter \"{}\" is required.", shown(.0))]
    Required(String),
    /// It is not the Base32 of a secret.
    #[error("The parameter \"{}\" is not a Base32 string of 16 to 128 characters.", shown(.0))]
    NotBase32(String),
    /// It is not valid for another reason, which follows.
    #[error("The parameter \"{}\" is not valid: {}", shown(.0), .1)]
    NotValid(String, String),
    /// The parameters as a whole cannot be read, and why.
    #[error("The arguments cannot be read: {0}")]
    Unreadable(String),
}
