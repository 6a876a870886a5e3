//! The UAPI functions of the module TwoFactorAuth, one symbol each, and the one that reaches them all by name.
//!
//! They share a shape. tfa: an open handle. caller: the account, mailbox or team user that the host has authenticated;
//! it acts for itself. args: a JSON object with the parameters, or NULL for none. The answer is the inner result of
//! UAPI as JSON, also when it is an error; it is never NULL short of running out of memory, and is given to tfa_free.

use std::ffi::c_char;

use super::guard::{request, text, uapi};
use crate::api::{self, registry};
use crate::engine::Tfa;

/// Calls the UAPI function `function` of `module`, which is "TwoFactorAuth": any of those below by its name.
///
/// # Safety
/// tfa is NULL or an open handle; caller, module, function and args are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_uapi(
    tfa: *mut Tfa,
    caller: *const c_char,
    module: *const c_char,
    function: *const c_char,
    args: *const c_char,
) -> *mut c_char {
    uapi(|| {
        // SAFETY: the caller promises handle and strings.
        unsafe {
            let (module, name) = (text("module", module)?, text("function", function)?);
            request(tfa, caller, args, |tfa, caller, args| api::uapi(tfa, caller, module, name, args))
        }
    })
}

/// What each function below does.
///
/// # Safety
/// As for [`tfa_uapi`].
unsafe fn call(name: &str, tfa: *mut Tfa, caller: *const c_char, args: *const c_char) -> *mut c_char {
    uapi(|| {
        // SAFETY: the same promises.
        unsafe { request(tfa, caller, args, |tfa, caller, args| api::uapi(tfa, caller, registry::MODULE, name, args)) }
    })
}

/// Proposes a new secret for the caller; nothing is stored.
///
/// # Safety
/// tfa is NULL or an open handle; caller and args are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_uapi_generate_user_configuration(
    tfa: *mut Tfa,
    caller: *const c_char,
    args: *const c_char,
) -> *mut c_char {
    // SAFETY: the same promises.
    unsafe { call("generate_user_configuration", tfa, caller, args) }
}

/// Tells whether the caller is enrolled, and its issuer.
///
/// # Safety
/// tfa is NULL or an open handle; caller and args are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_uapi_get_user_configuration(
    tfa: *mut Tfa,
    caller: *const c_char,
    args: *const c_char,
) -> *mut c_char {
    // SAFETY: the same promises.
    unsafe { call("get_user_configuration", tfa, caller, args) }
}

/// Enrols the caller, when the code proves that its authenticator has the secret.
///
/// # Safety
/// tfa is NULL or an open handle; caller and args are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_uapi_set_user_configuration(
    tfa: *mut Tfa,
    caller: *const c_char,
    args: *const c_char,
) -> *mut c_char {
    // SAFETY: the same promises.
    unsafe { call("set_user_configuration", tfa, caller, args) }
}

/// Removes the caller's enrolment.
///
/// # Safety
/// tfa is NULL or an open handle; caller and args are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_uapi_remove_user_configuration(
    tfa: *mut Tfa,
    caller: *const c_char,
    args: *const c_char,
) -> *mut c_char {
    // SAFETY: the same promises.
    unsafe { call("remove_user_configuration", tfa, caller, args) }
}

/// Tells whether a team user is enrolled, and its issuer.
///
/// # Safety
/// tfa is NULL or an open handle; caller and args are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_uapi_get_team_user_configuration(
    tfa: *mut Tfa,
    caller: *const c_char,
    args: *const c_char,
) -> *mut c_char {
    // SAFETY: the same promises.
    unsafe { call("get_team_user_configuration", tfa, caller, args) }
}

/// Makes ten recovery codes for the caller; the ones before die.
///
/// # Safety
/// tfa is NULL or an open handle; caller and args are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_uapi_generate_recovery_codes(
    tfa: *mut Tfa,
    caller: *const c_char,
    args: *const c_char,
) -> *mut c_char {
    // SAFETY: the same promises.
    unsafe { call("generate_recovery_codes", tfa, caller, args) }
}
