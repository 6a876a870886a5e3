//! Why a request was refused: every reason text of contract section 5, and nowhere else.
//!
//! Promise: no text holds a secret or a code. Names are repeated, which the caller sent itself, up to the length that
//! a name can have.

use std::borrow::Cow;

use crate::accounts::{LookupError, MAX_NAME};
use crate::otp::random::NoEntropy;
use crate::store::Unavailable;

/// A refusal, whose text is the reason in the answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The code is wrong.
    #[error("The security code is invalid.")]
    WrongCode,
    /// The code is right, and was used before.
    #[error("The security code has already been used.")]
    UsedCode,
    /// Too many wrong codes; no code is looked at for so many seconds.
    #[error("Too many invalid security codes. Try again in {0} seconds.")]
    Locked(u64),
    /// Far too many wrong codes; waiting does not help.
    #[error("Too many invalid security codes. Use a recovery code, or ask the server administrator to unlock you.")]
    HardLocked,
    /// A parameter is missing or empty.
    #[error("The parameter \"{}\" is required.", shown(.0))]
    Required(String),
    /// A secret is not one.
    #[error("The parameter \"{}\" is not a Base32 string of 16 to 128 characters.", shown(.0))]
    NotBase32(String),
    /// Any other bad value, and why.
    #[error("The parameter \"{}\" is not valid: {}", shown(.0), .1)]
    NotValid(String, String),
    /// The arguments as a whole cannot be read, and why.
    #[error("The arguments cannot be read: {0}")]
    Unreadable(String),
    /// The caller may not call this function.
    #[error("You are not authorized to call \"{}\".", shown(.0))]
    MayNotCall(String),
    /// The caller may not act on this subject, which may or may not exist.
    #[error("You are not authorized to modify \"{}\"", shown(.0))]
    MayNotModify(String),
    /// There is no such subject; told to root and its like alone.
    #[error("The user \"{}\" does not exist.", shown(.0))]
    NoSuchUser(String),
    /// The subject has no two-factor authentication to act on.
    #[error("Two-factor authentication is not configured for \"{}\".", shown(.0))]
    NotConfigured(String),
    /// The WHM function is not ours.
    #[error("Unknown app (\"{}\") requested for this version (1) of the API.", shown(.0))]
    UnknownApp(String),
    /// The UAPI module is not ours.
    #[error("The module \"{}\" does not exist.", shown(.0))]
    UnknownModule(String),
    /// The UAPI function is not ours.
    #[error("The function \"{}\" does not exist in the module \"TwoFactorAuth\".", shown(.0))]
    UnknownFunction(String),
    /// The policy is off.
    #[error("Two-factor authentication is not enabled on this server.")]
    PolicyDisabled,
    /// The store, the key file or the directory cannot answer.
    #[error("The two-factor authentication data is not available: {0}")]
    Unavailable(String),
}

/// A name as it is repeated in an answer: whatever is longer than any name is cut.
pub fn shown(name: &str) -> Cow<'_, str> {
    if name.len() <= MAX_NAME {
        return name.into();
    }
    let end = name.floor_char_boundary(MAX_NAME);
    format!("{}…", name.get(..end).unwrap_or_default()).into()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut() {
        assert_eq!(Refusal::NoSuchUser("example".to_owned()).to_string(), "The user \"example\" does not exist.");
        assert!(Refusal::UnknownApp("é".repeat(1 << 20)).to_string().len() < 400);
    }
}
