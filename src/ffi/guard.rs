//! The guard in front of every exported function.
//!
//! Promises: no panic crosses into C; a process that must not use the library's state gets an error before the state is
//! touched; NULL and bad UTF-8 are errors; each of these is answered by a denial; a call that handles a secret leaves
//! nothing of it on the stack (module `wipe`). Strings that are returned belong to the caller and are freed by `tfa_free`.

use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use serde_json::json;

use super::wipe::{self, Stack};
use crate::api::answer::{Answer, UapiAnswer, WhmAnswer};
use crate::api::args::Args;
use crate::api::refusal::Refusal;
use crate::engine::Tfa;
use crate::fork;
use crate::http::Response;
use crate::wire::{ParameterError, format};

/// Runs `body`, and returns `denial` if it panics.
pub fn guarded<T>(denial: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(denial)
}

/// Runs `body` as [`guarded`] does, and wipes the stack that it used: it may handle a secret.
pub fn guarded_secret<T>(stack: Stack, denial: T, body: impl FnOnce() -> T) -> T {
    wipe::after(stack, || guarded(denial, body))
}

/// The handle behind `tfa`, if this process may use it.
///
/// # Safety
/// `tfa` is NULL or a handle from `tfa_open` that has not been closed.
pub unsafe fn handle<'a>(tfa: *const Tfa) -> Result<&'a Tfa, Refusal> {
    fork::belongs_here().map_err(|error| Refusal::unavailable(error.to_string()))?;
    // SAFETY: the caller promises that a pointer that is not NULL is an open handle.
    unsafe { tfa.as_ref() }.ok_or_else(|| ParameterError::Unreadable("the handle is NULL.".to_owned()).into())
}

/// The text behind `string`; `None` for NULL.
///
/// # Safety
/// `string` is NULL or points to a NUL-terminated string that lives as long as the call.
pub unsafe fn optional_text<'a>(name: &str, string: *const c_char) -> Result<Option<&'a str>, ParameterError> {
    if string.is_null() {
        return Ok(None);
    }
    // SAFETY: it is not NULL, and the caller promises the rest.
    let text = unsafe { CStr::from_ptr(string) }.to_str();
    text.map(Some).map_err(|_| ParameterError::NotValid(name.to_owned(), "it is not UTF-8.".to_owned()))
}

/// The text behind `string`, which must not be NULL.
///
/// # Safety
/// As for [`optional_text`].
pub unsafe fn text<'a>(name: &str, string: *const c_char) -> Result<&'a str, ParameterError> {
    // SAFETY: the same promise.
    unsafe { optional_text(name, string) }?.ok_or_else(|| ParameterError::Required(name.to_owned()))
}

/// Reads handle, caller and arguments, and calls `body` with them.
///
/// # Safety
/// As for [`handle`] and [`optional_text`].
pub unsafe fn request<A>(
    tfa: *const Tfa,
    caller: *const c_char,
    args: *const c_char,
    body: impl FnOnce(&Tfa, &str, &Args) -> A,
) -> Result<A, Refusal> {
    // SAFETY: the same promises.
    let (tfa, caller, args) = unsafe { (handle(tfa)?, text("caller", caller)?, optional_text("args", args)?) };
    Ok(body(tfa, caller, &Args::parse(args)?))
}

/// Answers in the envelope of WHM API 1.
pub fn whm(command: &str, body: impl FnOnce() -> Result<WhmAnswer, Refusal>) -> *mut c_char {
    let refused = |refusal| WhmAnswer::new(command, Err(refusal));
    answer(|| Answer::from(body().unwrap_or_else(refused)), || Answer::from(refused(panicked())))
}

/// Answers in the envelope of UAPI.
pub fn uapi(body: impl FnOnce() -> Result<UapiAnswer, Refusal>) -> *mut c_char {
    let refused = |refusal| UapiAnswer::new(Err(refusal));
    answer(|| body().unwrap_or_else(refused), || refused(panicked()))
}

/// Answers a web server.
pub fn http(body: impl FnOnce() -> Result<Response, Refusal>) -> *mut c_char {
    let refused = |refusal: Refusal| Response::refused(&refusal);
    answer(|| body().unwrap_or_else(refused), || refused(panicked()))
}

/// Answers for a function that needs no handle: the value of `body`, or `{"error", "reason_code"}`.
pub fn plain(body: impl FnOnce() -> Result<serde_json::Value, Refusal>) -> *mut c_char {
    let failed =
        |refusal: Refusal| json!({ "error": refusal.to_string(), "reason_code": refusal.reason_code().name() });
    answer(|| body().unwrap_or_else(failed), || failed(panicked()))
}

/// Turns the value of `body` into a string for C, or the value of `denial` if `body` panics.
fn answer<A: Serialize>(body: impl FnOnce() -> A, denial: impl Fn() -> A) -> *mut c_char {
    let text = guarded_secret(Stack::Call, None, || string(&body()));
    text.or_else(|| guarded(None, || string(&denial()))).unwrap_or(std::ptr::null_mut())
}

/// A value as JSON in a string for C. JSON contains no NUL.
pub fn string(value: &impl Serialize) -> Option<*mut c_char> {
    CString::new(format::json(value).ok()?).ok().map(CString::into_raw)
}

fn panicked() -> Refusal {
    Refusal::unavailable("an internal error. Please report it")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(string: *mut c_char) -> String {
        // SAFETY: every test passes a string that this library returned.
        unsafe { CString::from_raw(string) }.into_string().unwrap()
    }

    #[test]
    fn a_panic_becomes_a_denial() {
        assert_eq!(guarded(0, || panic!("inside")), 0);
        assert!(read(whm("x", || panic!("inside"))).contains(r#""result":0"#));
        assert!(read(uapi(|| panic!("inside"))).contains(r#""status":0"#));
        assert!(read(plain(|| panic!("inside"))).contains("error"));
        assert!(read(http(|| panic!("inside"))).contains(r#""status":500"#));
    }

    #[test]
    fn null_and_bad_utf8_are_errors() {
        // SAFETY: NULL and literals with a NUL are what these functions take.
        unsafe {
            assert!(handle(std::ptr::null()).is_err());
            assert_eq!(optional_text("x", std::ptr::null()), Ok(None));
            assert_eq!(text("x", std::ptr::null()), Err(ParameterError::Required("x".to_owned())));
            assert!(matches!(text("x", c"\xff".as_ptr()), Err(ParameterError::NotValid(..))));
            assert_eq!(text("x", c"text".as_ptr()), Ok("text"));
        }
    }
}
