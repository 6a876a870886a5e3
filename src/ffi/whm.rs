//! The WHM API 1 functions, one symbol each, and the one that reaches them all by name.
//!
//! They share a shape. tfa: an open handle. caller: the account that the host has authenticated. args: a JSON object
//! with the parameters, or NULL for none. The answer is the JSON envelope of WHM API 1, also when it is an error; it is
//! never NULL short of running out of memory, and is given to tfa_free.

use std::ffi::c_char;

use super::guard::{request, text, whm};
use crate::api;
use crate::engine::Tfa;

/// Calls the WHM API 1 function `function` by its name: any of those below, and applist, batch, uapi_cpanel and cpanel.
///
/// # Safety
/// tfa is NULL or an open handle; caller, function and args are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_whmapi1(
    tfa: *mut Tfa,
    caller: *const c_char,
    function: *const c_char,
    args: *const c_char,
) -> *mut c_char {
    // SAFETY: the caller promises the string.
    let name = unsafe { text("function", function) };
    let command = name.clone().unwrap_or_default();
    whm(command, || {
        let name = name?;
        // SAFETY: the caller promises handle and strings.
        unsafe { request(tfa, caller, args, |tfa, caller, args| api::whmapi1(tfa, caller, name, args)) }
    })
}

/// What each function below does.
///
/// # Safety
/// As for [`tfa_whmapi1`].
unsafe fn call(name: &str, tfa: *mut Tfa, caller: *const c_char, args: *const c_char) -> *mut c_char {
    // SAFETY: the same promises.
    whm(name, || unsafe { request(tfa, caller, args, |tfa, caller, args| api::whmapi1(tfa, caller, name, args)) })
}

/// Asks for second factors from now on.
///
/// # Safety
/// tfa is NULL or an open handle; caller and args are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_twofactorauth_enable_policy(
    tfa: *mut Tfa,
    caller: *const c_char,
    args: *const c_char,
) -> *mut c_char {
    // SAFETY: the same promises.
    unsafe { call("twofactorauth_enable_policy", tfa, caller, args) }
}

/// Asks for no second factor any more; enrolments are kept.
///
/// # Safety
/// tfa is NULL or an open handle; caller and args are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_twofactorauth_disable_policy(
    tfa: *mut Tfa,
    caller: *const c_char,
    args: *const c_char,
) -> *mut c_char {
    // SAFETY: the same promises.
    unsafe { call("twofactorauth_disable_policy", tfa, caller, args) }
}

/// Tells whether second factors are asked for.
///
/// # Safety
/// tfa is NULL or an open handle; caller and args are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_twofactorauth_policy_status(
    tfa: *mut Tfa,
    caller: *const c_char,
    args: *const c_char,
) -> *mut c_char {
    // SAFETY: the same promises.
    unsafe { call("twofactorauth_policy_status", tfa, caller, args) }
}

/// Proposes a new secret for the caller; nothing is stored.
///
/// # Safety
/// tfa is NULL or an open handle; caller and args are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_twofactorauth_generate_tfa_config(
    tfa: *mut Tfa,
    caller: *const c_char,
    args: *const c_char,
) -> *mut c_char {
    // SAFETY: the same promises.
    unsafe { call("twofactorauth_generate_tfa_config", tfa, caller, args) }
}

/// Enrols the caller, when the code proves that its authenticator has the secret.
///
/// # Safety
/// tfa is NULL or an open handle; caller and args are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_twofactorauth_set_tfa_config(
    tfa: *mut Tfa,
    caller: *const c_char,
    args: *const c_char,
) -> *mut c_char {
    // SAFETY: the same promises.
    unsafe { call("twofactorauth_set_tfa_config", tfa, caller, args) }
}

/// Tells the caller's issuer and the system-wide one.
///
/// # Safety
/// tfa is NULL or an open handle; caller and args are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_twofactorauth_get_issuer(
    tfa: *mut Tfa,
    caller: *const c_char,
    args: *const c_char,
) -> *mut c_char {
    // SAFETY: the same promises.
    unsafe { call("twofactorauth_get_issuer", tfa, caller, args) }
}

/// Sets the system-wide issuer (root) or the caller's own (a reseller).
///
/// # Safety
/// tfa is NULL or an open handle; caller and args are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_twofactorauth_set_issuer(
    tfa: *mut Tfa,
    caller: *const c_char,
    args: *const c_char,
) -> *mut c_char {
    // SAFETY: the same promises.
    unsafe { call("twofactorauth_set_issuer", tfa, caller, args) }
}

/// Lists the caller and its accounts, and whether they are enrolled.
///
/// # Safety
/// tfa is NULL or an open handle; caller and args are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_twofactorauth_get_user_configs(
    tfa: *mut Tfa,
    caller: *const c_char,
    args: *const c_char,
) -> *mut c_char {
    // SAFETY: the same promises.
    unsafe { call("twofactorauth_get_user_configs", tfa, caller, args) }
}

/// Removes the enrolments of the named users.
///
/// # Safety
/// tfa is NULL or an open handle; caller and args are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_twofactorauth_remove_user_config(
    tfa: *mut Tfa,
    caller: *const c_char,
    args: *const c_char,
) -> *mut c_char {
    // SAFETY: the same promises.
    unsafe { call("twofactorauth_remove_user_config", tfa, caller, args) }
}

/// Tells the secrets of an account, its mailboxes and its team users.
///
/// # Safety
/// tfa is NULL or an open handle; caller and args are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_twofactorauth_get_tfa_config_for_user(
    tfa: *mut Tfa,
    caller: *const c_char,
    args: *const c_char,
) -> *mut c_char {
    // SAFETY: the same promises.
    unsafe { call("twofactorauth_get_tfa_config_for_user", tfa, caller, args) }
}

/// By account, what twofactorauth_get_tfa_config_for_user answers; sections may be left out.
///
/// # Safety
/// tfa is NULL or an open handle; caller and args are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_twofactorauth_set_tfa_config_for_user(
    tfa: *mut Tfa,
    caller: *const c_char,
    args: *const c_char,
) -> *mut c_char {
    // SAFETY: the same promises.
    unsafe { call("twofactorauth_set_tfa_config_for_user", tfa, caller, args) }
}

/// Tells whether a user has to give a code, and how the user stands.
///
/// # Safety
/// tfa is NULL or an open handle; caller and args are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_twofactorauth_login_status(
    tfa: *mut Tfa,
    caller: *const c_char,
    args: *const c_char,
) -> *mut c_char {
    // SAFETY: the same promises.
    unsafe { call("twofactorauth_login_status", tfa, caller, args) }
}

/// Judges a login: lets in at most once for each code.
///
/// # Safety
/// tfa is NULL or an open handle; caller and args are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_twofactorauth_verify_login(
    tfa: *mut Tfa,
    caller: *const c_char,
    args: *const c_char,
) -> *mut c_char {
    // SAFETY: the same promises.
    unsafe { call("twofactorauth_verify_login", tfa, caller, args) }
}

/// Forgets a user's wrong codes, and with them every lock.
///
/// # Safety
/// tfa is NULL or an open handle; caller and args are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_twofactorauth_unlock_user(
    tfa: *mut Tfa,
    caller: *const c_char,
    args: *const c_char,
) -> *mut c_char {
    // SAFETY: the same promises.
    unsafe { call("twofactorauth_unlock_user", tfa, caller, args) }
}

/// Makes ten recovery codes for the caller; the ones before die.
///
/// # Safety
/// tfa is NULL or an open handle; caller and args are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_twofactorauth_generate_recovery_codes(
    tfa: *mut Tfa,
    caller: *const c_char,
    args: *const c_char,
) -> *mut c_char {
    // SAFETY: the same promises.
    unsafe { call("twofactorauth_generate_recovery_codes", tfa, caller, args) }
}
