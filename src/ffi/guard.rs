//! The guard that stands before every exported function.
//!
//! Promises: no panic crosses into C; a process that must not use the library's state is told so before anything is
//! touched; NULL and bad UTF-8 are errors; the answer to all of these is one that denies; a call that handles a secret
//! leaves nothing of it on the stack (module `wipe`). Strings that go out belong to the caller and come back through
//! `tfa_free`.

use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Serialize;
use serde_json::json;

use super::wipe::{self, Stack};
use crate::api::answer::{Answer, UapiAnswer, WhmAnswer};
use crate::api::args::Args;
use crate::engine::Tfa;
use crate::engine::reason::Refusal;
use crate::fork;
use crate::http::Response;
use crate::store::Unavailable;
use crate::wire::format;

/// Runs `body`; `denial` stands in for the answer of one that panicked.
pub fn guarded<T>(denial: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(denial)
}

/// The same for what may handle a secret: the stack that it used is wiped.
pub fn guarded_secret<T>(stack: Stack, denial: T, body: impl FnOnce() -> T) -> T {
    wipe::after(stack, || guarded(denial, body))
}

/// The handle behind `tfa`, when this process may use it.
///
/// # Safety
/// `tfa` is NULL or a handle from `tfa_open` that has not been closed.
pub unsafe fn handle<'a>(tfa: *const Tfa) -> Result<&'a Tfa, Refusal> {
    fork::belongs_here().map_err(Unavailable::from)?;
    // SAFETY: the caller promises that a pointer that is not NULL is an open handle.
    unsafe { tfa.as_ref() }.ok_or_else(|| Refusal::Unreadable("the handle is NULL.".to_owned()))
}

/// The text behind `string`; `None` for NULL.
///
/// # Safety
/// `string` is NULL or points to a NUL-terminated string that lives as long as the call.
pub unsafe fn optional_text<'a>(name: &str, string: *const c_char) -> Result<Option<&'a str>, Refusal> {
    if string.is_null() {
        return Ok(None);
    }
    // SAFETY: it is not NULL, and the caller promises the rest.
    let text = unsafe { CStr::from_ptr(string) }.to_str();
    text.map(Some).map_err(|_| Refusal::NotValid(name.to_owned(), "it is not UTF-8.".to_owned()))
}

/// The text behind `string`, which may not be NULL.
///
/// # Safety
/// As for [`optional_text`].
pub unsafe fn text<'a>(name: &str, string: *const c_char) -> Result<&'a str, Refusal> {
    // SAFETY: the same promise.
    unsafe { optional_text(name, string) }?.ok_or_else(|| Refusal::Required(name.to_owned()))
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

/// Answers as WHM API 1 does.
pub fn whm(command: &str, body: impl FnOnce() -> Result<WhmAnswer, Refusal>) -> *mut c_char {
    let refused = |refusal| WhmAnswer::new(command, Err(refusal));
    answer(|| Answer::from(body().unwrap_or_else(refused)), || Answer::from(refused(panicked())))
}

/// Answers as UAPI does.
pub fn uapi(body: impl FnOnce() -> Result<UapiAnswer, Refusal>) -> *mut c_char {
    let refused = |refusal| UapiAnswer::new(Err(refusal));
    answer(|| body().unwrap_or_else(refused), || refused(panicked()))
}

/// Answers a web server.
pub fn http(body: impl FnOnce() -> Result<Response, Refusal>) -> *mut c_char {
    let refused = |refusal: Refusal| Response::refused(&refusal);
    answer(|| body().unwrap_or_else(refused), || refused(panicked()))
}

/// Answers a function that needs no handle: what `body` makes, or `{"error": …}`.
pub fn plain(body: impl FnOnce() -> Result<serde_json::Value, String>) -> *mut c_char {
    let failed = |why: String| json!({ "error": why });
    answer(|| body().unwrap_or_else(failed), || failed(panicked().to_string()))
}

/// Turns what `body` makes into a string for C; what `denial` makes, when it panics.
fn answer<A: Serialize>(body: impl FnOnce() -> A, denial: impl Fn() -> A) -> *mut c_char {
    let text = guarded_secret(Stack::Call, None, || string(&body()));
    text.or_else(|| guarded(None, || string(&denial()))).unwrap_or(std::ptr::null_mut())
}

/// JSON as a string for C. JSON has no NUL.
pub fn string(value: &impl Serialize) -> Option<*mut c_char> {
    CString::new(format::json(value).ok()?).ok().map(CString::into_raw)
}

fn panicked() -> Refusal {
    Refusal::Unavailable("an internal error. Please report it".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(string: *mut c_char) -> String {
        // SAFETY: every test hands over a string that this library just made.
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
            assert_eq!(text("x", std::ptr::null()), Err(Refusal::Required("x".to_owned())));
            assert!(matches!(text("x", c"\xff".as_ptr()), Err(Refusal::NotValid(..))));
            assert_eq!(text("x", c"text".as_ptr()), Ok("text"));
        }
    }
}
