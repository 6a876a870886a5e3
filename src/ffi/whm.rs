//! The WHM API 1 functions: one symbol each, generated from the rows of `api/functions.rs`, and one function that calls
//! them by name.

use std::ffi::c_char;

use super::guard::{request, text, whm};
use crate::api;
use crate::engine::Tfa;

/// Calls a WHM API 1 function by its name: any of those below, and applist, batch, uapi_cpanel and cpanel.
///
/// All of them have the same form. tfa: an open handle. caller: the account that the host has authenticated. args: a JSON
/// object with the parameters, or NULL for none. Returns the JSON envelope of WHM API 1, for a failure too, to be freed with
/// tfa_free; NULL only when memory runs out.
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

/// What each function below does: calls the function called `name`.
///
/// # Safety
/// As for [`tfa_whmapi1`].
unsafe fn call(name: &str, tfa: *mut Tfa, caller: *const c_char, args: *const c_char) -> *mut c_char {
    // SAFETY: the same promises.
    whm(name, || unsafe { request(tfa, caller, args, |tfa, caller, args| api::whmapi1(tfa, caller, name, args)) })
}

include!(concat!(env!("OUT_DIR"), "/whm_functions.rs"));
