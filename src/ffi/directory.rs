//! The host's own account directory, behind a callback.

use std::ffi::{CString, c_char, c_void};

use serde_json::Value;

use super::guard::{guarded, handle, optional_text};
use crate::accounts::{Lookup, Question};
use crate::engine::Tfa;

/// The longest answer that is read, in bytes: room for the names of a million accounts.
const MAX_REPLY: usize = 64 << 20;

/// Looks an account or a domain up in the host's account directory.
///
/// context: the context of tfa_set_lookup.
/// question and name:
///   "account" and an account's name: reply {"owner": "reseller1", "domain": "example.com", "domains":
///     ["addon.example"], "reseller": 0, "team": ["team_user"], "created": 1800000000}, each key optional;
///   "domain" and a domain in lower case: reply the name of its account, as a JSON string;
///   "accounts" and an account's name: reply a JSON array of the accounts that it owns; and "": of all accounts.
/// For x@example.com the account example.com is looked up before the domain, and the account of the domain after it.
/// Names are compared byte by byte: a directory that ignores case must return 0 for another spelling.
/// reply: the argument of tfa_reply, which is called once before this function returns.
/// Returns 1 if the name exists and a reply was given, 0 if it does not exist, less if the directory cannot answer: then
/// logins are denied.
///
/// The function is called on the thread that called libtfa, with no lock held. It may call libtfa with another handle, fork
/// and block. It must not unwind (longjmp, die, throw) across libtfa.
#[allow(non_camel_case_types)]
pub type tfa_lookup_t = Option<
    unsafe extern "C" fn(context: *mut c_void, question: *const c_char, name: *const c_char, reply: *mut c_void) -> i32,
>;

/// Replaces the configured account directory with the host's own.
///
/// lookup: called from every thread that calls libtfa with this handle, concurrently if they do, until the handle is
/// closed. context: passed to lookup unchanged.
/// Returns 1, or 0 if an argument is NULL or the handle cannot be used.
///
/// # Safety
/// tfa is NULL or an open handle; lookup is NULL or as described at tfa_lookup_t, and may be called with context from
/// any thread until tfa_close.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_set_lookup(tfa: *mut Tfa, lookup: tfa_lookup_t, context: *mut c_void) -> i32 {
    guarded(0, || {
        // SAFETY: the caller promises the handle.
        let tfa = unsafe { handle(tfa) };
        let (Ok(tfa), Some(function)) = (tfa, lookup) else {
            return 0;
        };
        i32::from(tfa.set_lookup(Box::new(HostLookup { function, context })).is_ok())
    })
}

/// Gives the reply of a lookup. It can be called only during one.
///
/// reply: the argument of the lookup. json: the reply, which is copied.
/// Returns 1, or 0 if an argument is NULL, or the text is too long or not JSON: then the lookup fails.
///
/// # Safety
/// reply is NULL or what the lookup under way was given; json is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_reply(reply: *mut c_void, json: *const c_char) -> i32 {
    guarded(0, || {
        // SAFETY: the caller promises that a pointer that is not NULL is the lookup's reply, which `ask` made.
        let (reply, text) = unsafe { (reply.cast::<Reply>().as_mut(), optional_text("json", json)) };
        let (Some(reply), Ok(Some(text))) = (reply, text) else {
            return 0;
        };
        reply.0 = Some(text).filter(|text| text.len() <= MAX_REPLY).and_then(|text| serde_json::from_str(text).ok());
        i32::from(reply.0.is_some())
    })
}

/// What a lookup replied.
struct Reply(Option<Value>);

/// The host's function and what it wants to be given.
struct HostLookup {
    function: unsafe extern "C" fn(*mut c_void, *const c_char, *const c_char, *mut c_void) -> i32,
    context: *mut c_void,
}

// SAFETY: the program that registered the callback promised that it may be called with its context from any thread.
unsafe impl Send for HostLookup {}
// SAFETY: the same promise holds for several threads at once.
unsafe impl Sync for HostLookup {}

impl Lookup for HostLookup {
    fn ask(&self, question: Question, name: &str) -> Result<Option<Value>, String> {
        let question = CString::new(question.as_str()).map_err(|error| error.to_string())?;
        let name = CString::new(name).map_err(|error| error.to_string())?;
        let mut reply = Reply(None);
        // SAFETY: strings and reply outlive the call; the rest was promised when the callback was registered.
        let found = unsafe {
            (self.function)(self.context, question.as_ptr(), name.as_ptr(), (&raw mut reply).cast::<c_void>())
        };
        match (found, reply.0) {
            (0, _) => Ok(None),
            (1, Some(value)) => Ok(Some(value)),
            (1, None) => Err("it found something and gave no JSON".to_owned()),
            (code, _) => Err(format!("it returned {code}")),
        }
    }
}
