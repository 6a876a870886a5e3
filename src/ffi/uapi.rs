//! The UAPI functions of the module TwoFactorAuth: one symbol each, generated from the rows of `api/functions.rs`, and one
//! function that calls them by name.

use std::ffi::c_char;

use super::guard::{request, text, uapi};
use crate::api::{self, registry};
use crate::engine::Tfa;

/// Calls a UAPI function of `module`, which is "TwoFactorAuth", by its name: any of those below.
///
/// All of them have the same form. tfa: an open handle. caller: the account, mailbox or team user that the host has
/// authenticated; it acts for itself. args: a JSON object with the parameters, or NULL for none. Returns the inner result of
/// UAPI as JSON, for a failure too, to be freed with tfa_free; NULL only when memory runs out.
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

/// What each function below does: calls the function called `name`.
///
/// # Safety
/// As for [`tfa_uapi`].
unsafe fn call(name: &str, tfa: *mut Tfa, caller: *const c_char, args: *const c_char) -> *mut c_char {
    uapi(|| {
        // SAFETY: the same promises.
        unsafe { request(tfa, caller, args, |tfa, caller, args| api::uapi(tfa, caller, registry::MODULE, name, args)) }
    })
}

include!(concat!(env!("OUT_DIR"), "/uapi_functions.rs"));
