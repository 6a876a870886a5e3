//! Refusals of the panel's API: why a call failed, as a sentence for people and as a code for programs.
//!
//! Promises: every failure has exactly one [`ReasonCode`], which stays the same while wordings change; no text holds a
//! secret or a code. The sentences of the engine and of parameters are theirs; those of this layer are here (contract
//! section 5).

use crate::accounts::{LookupError, shown};
use crate::engine::refusal::Refusal as EngineRefusal;
use crate::wire::ParameterError;

/// The most bytes of the answers of a batch, as JSON (contract section 13).
pub const MAX_ANSWERS: usize = 16 << 20;

/// Why a call failed. Its text is the `reason` in the answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The engine refused.
    #[error(transparent)]
    Engine(#[from] EngineRefusal),
    /// A parameter is missing or not valid.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// The caller's role is too low for the function.
    #[error("You are not authorized to call \"{}\".", shown(.0))]
    NotAuthorizedToCall(String),
    /// The caller must not act on this subject, which may or may not exist.
    #[error("You are not authorized to modify \"{}\"", shown(.0))]
    NotAuthorizedToModify(String),
    /// The subject does not exist. Only callers that may see every name get this answer.
    #[error("The user \"{}\" does not exist.", shown(.0))]
    NoSuchUser(String),
    /// The WHM function does not exist here.
    #[error("Unknown app (\"{}\") requested for this version (1) of the API.", shown(.0))]
    UnknownApp(String),
    /// The UAPI module does not exist here.
    #[error("The module \"{}\" does not exist.", shown(.0))]
    UnknownModule(String),
    /// The UAPI function does not exist here.
    #[error("The function \"{}\" does not exist in the module \"TwoFactorAuth\".", shown(.0))]
    UnknownFunction(String),
    /// The answers of a batch would exceed the limit.
    #[error("The answers of the batch have more than {} MiB.", MAX_ANSWERS >> 20)]
    TooLarge,
    /// A function that changes something was called by GET.
    #[error("The function \"{}\" changes something, and this server requires POST for it.", shown(.0))]
    PostRequired(String),
    /// Two-factor authentication is disabled on this server.
    #[error("Two-factor authentication is not enabled on this server.")]
    PolicyDisabled,
}

impl Refusal {
    /// The store, the key file or the directory cannot answer, and why.
    pub fn unavailable(why: impl Into<String>) -> Self {
        EngineRefusal::Unavailable(why.into()).into()
    }

    /// The code of this refusal.
    pub fn reason_code(&self) -> ReasonCode {
        match self {
            Refusal::Engine(refusal) => ReasonCode::of_engine(refusal),
            Refusal::Parameter(ParameterError::Required(_)) => ReasonCode::ParameterRequired,
            Refusal::Parameter(ParameterError::NotBase32(_)) => ReasonCode::InvalidSecret,
            Refusal::Parameter(ParameterError::NotValid(..)) => ReasonCode::InvalidParameter,
            Refusal::Parameter(ParameterError::Unreadable(_)) => ReasonCode::UnreadableArguments,
            Refusal::NotAuthorizedToCall(_) | Refusal::NotAuthorizedToModify(_) => ReasonCode::NotAuthorized,
            Refusal::NoSuchUser(_) => ReasonCode::NoSuchUser,
            Refusal::UnknownApp(_) | Refusal::UnknownFunction(_) => ReasonCode::UnknownFunction,
            Refusal::UnknownModule(_) => ReasonCode::UnknownModule,
            Refusal::TooLarge => ReasonCode::TooLarge,
            Refusal::PostRequired(_) => ReasonCode::PostRequired,
            Refusal::PolicyDisabled => ReasonCode::PolicyDisabled,
        }
    }
}

impl From<LookupError> for Refusal {
    fn from(error: LookupError) -> Self {
        EngineRefusal::from(error).into()
    }
}

/// Declares [`ReasonCode`] once, with the name and the meaning of each code.
macro_rules! reason_codes {
    ($($variant:ident $name:literal $about:literal)*) => {
        /// The reason of a failure as a stable word, `metadata.reason_code` in an answer.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ReasonCode {
            $(#[doc = $about] $variant,)*
        }

        impl ReasonCode {
            /// All codes.
            pub const ALL: &[ReasonCode] = &[$(ReasonCode::$variant),*];

            /// The word in an answer.
            pub fn name(self) -> &'static str {
                match self { $(ReasonCode::$variant => $name,)* }
            }

            /// What it means, in a sentence.
            pub fn about(self) -> &'static str {
                match self { $(ReasonCode::$variant => $about,)* }
            }
        }
    };
}

reason_codes! {
    InvalidCode "invalid_code" "The one-time or recovery code is invalid."
    UsedCode "used_code" "The code is right and was accepted before."
    ClockSetBack "clock_set_back" "The code is right, and the server's clock was set back; the code is refused until it has caught up."
    Locked "locked" "Too many codes were invalid; codes are not examined for a while."
    HardLocked "hard_locked" "Too many codes were invalid; one-time codes are not examined until the subject is unlocked."
    ParameterRequired "parameter_required" "A parameter is missing or empty."
    InvalidSecret "invalid_secret" "A secret is not Base32, its length is out of range, or all of its bytes are equal."
    InvalidParameter "invalid_parameter" "A parameter is not valid."
    UnreadableArguments "unreadable_arguments" "The arguments as a whole cannot be read."
    NotAuthorized "not_authorized" "The caller must not call the function, or not for this user."
    NoSuchUser "no_such_user" "The user does not exist."
    NotConfigured "not_configured" "The user is not enrolled."
    StaleEnrolment "stale_enrolment" "The enrolment is older than the account, and belongs to an earlier one of that name."
    NameInUse "name_in_use" "The new name of an account has records already."
    UnknownFunction "unknown_function" "The function does not exist."
    UnknownModule "unknown_module" "The UAPI module does not exist."
    TooLarge "too_large" "The answers of a batch exceed the limit."
    PostRequired "post_required" "The function changes something, and the server requires POST for it."
    PolicyDisabled "policy_disabled" "Two-factor authentication is disabled on this server."
    Unavailable "unavailable" "The store, the key file or the account directory cannot answer."
}

impl ReasonCode {
    /// The code of the engine's refusals.
    fn of_engine(refusal: &EngineRefusal) -> Self {
        match refusal {
            EngineRefusal::InvalidCode => ReasonCode::InvalidCode,
            EngineRefusal::UsedCode => ReasonCode::UsedCode,
            EngineRefusal::ClockSetBack(_) => ReasonCode::ClockSetBack,
            EngineRefusal::Locked(_) => ReasonCode::Locked,
            EngineRefusal::HardLocked => ReasonCode::HardLocked,
            EngineRefusal::CurrentTokenRequired => ReasonCode::ParameterRequired,
            EngineRefusal::NameInUse(_) => ReasonCode::NameInUse,
            EngineRefusal::UniformSecret => ReasonCode::InvalidSecret,
            EngineRefusal::StaleEnrolment(_) => ReasonCode::StaleEnrolment,
            EngineRefusal::NotConfigured(_) => ReasonCode::NotConfigured,
            EngineRefusal::Unavailable(_) => ReasonCode::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn reason_codes_are_distinct_words() {
        let names: HashSet<_> = ReasonCode::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), ReasonCode::ALL.len());
        assert!(names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(Refusal::NoSuchUser("example".to_owned()).to_string(), "The user \"example\" does not exist.");
        assert!(Refusal::UnknownApp("é".repeat(1 << 20)).to_string().len() < 400);
    }
}
