//! Why a request was refused: every reason text of contract section 5, and nowhere else.
//!
//! Promise: no text holds a secret or a code. Names are repeated, which the caller sent itself.

use crate::accounts::LookupError;
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
    #[error("The parameter \"{0}\" is required.")]
    Required(String),
    /// A secret is not one.
    #[error("The parameter \"{0}\" is not a Base32 string of 16 to 128 characters.")]
    NotBase32(String),
    /// Any other bad value, and why.
    #[error("The parameter \"{0}\" is not valid: {1}")]
    NotValid(String, String),
    /// The arguments as a whole cannot be read, and why.
    #[error("The arguments cannot be read: {0}")]
    Unreadable(String),
    /// The caller may not call this function.
    #[error("You are not authorized to call \"{0}\".")]
    MayNotCall(String),
    /// The caller may not act on this subject, which may or may not exist.
    #[error("You are not authorized to modify \"{0}\"")]
    MayNotModify(String),
    /// There is no such subject; told to root and its like alone.
    #[error("The user \"{0}\" does not exist.")]
    NoSuchUser(String),
    /// The subject has no two-factor authentication to act on.
    #[error("Two-factor authentication is not configured for \"{0}\".")]
    NotConfigured(String),
    /// The WHM function is not ours.
    #[error("Unknown app (\"{0}\") requested for this version (1) of the API.")]
    UnknownApp(String),
    /// The UAPI module is not ours.
    #[error("The module \"{0}\" does not exist.")]
    UnknownModule(String),
    /// The UAPI function is not ours.
    #[error("The function \"{0}\" does not exist in the module \"TwoFactorAuth\".")]
    UnknownFunction(String),
    /// The policy is off.
    #[error("Two-factor authentication is not enabled on this server.")]
    PolicyDisabled,
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
