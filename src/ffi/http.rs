//! HTTP for a panel's web server.

use std::ffi::c_char;

use super::guard::{self, handle, optional_text, text};
use crate::engine::Tfa;
use crate::http::respond;

/// Answers an HTTP request: WHM API 1 under /json-api/ and /xml-api/, UAPI under /execute/TwoFactorAuth/, with or without
/// /cpsess##########/ before it.
///
/// caller: the account that the host has authenticated. method: "GET" or "POST". target: path and query as in the request
/// line, still encoded. body: a form, or JSON if it begins with a brace; NULL or "" for none. Target and body have at most
/// 1 MiB each.
/// Returns JSON {"status", "content_type", "body"}, to be freed with tfa_free. The status is 200 with the outcome in the
/// body, 404 for another path, 400 for a request that cannot be read, 500 when the handle cannot be used.
///
/// # Safety
/// tfa is NULL or an open handle; caller, method, target and body are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_http(
    tfa: *mut Tfa,
    caller: *const c_char,
    method: *const c_char,
    target: *const c_char,
    body: *const c_char,
) -> *mut c_char {
    guard::http(|| {
        // SAFETY: the caller promises handle and strings.
        let (tfa, caller, method, target, body) = unsafe {
            (
                handle(tfa)?,
                text("caller", caller)?,
                text("method", method)?,
                text("target", target)?,
                optional_text("body", body)?,
            )
        };
        Ok(respond(tfa, caller, method, target, body))
    })
}
