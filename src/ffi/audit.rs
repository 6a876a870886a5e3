//! The host's function for audit-trail entries.

use std::ffi::{CString, c_char, c_void};

use super::guard::{guarded, handle};
use crate::engine::Tfa;
use crate::engine::sink::Sink;

/// Receives one audit-trail entry.
///
/// context: the context of tfa_set_audit.
/// entry: a JSON object that lives as long as the call: {"id", "time", "event", "subject", "caller", "function", "remote_addr",
///   "key", "count", "new_name"}, where the id is the entry's number in the trail, the time is RFC 3339 in UTC, and the count is the number
///   of denied attempts that the entry stands for. What does not apply is absent: id when no entries are stored, count when it
///   is 1, subject, remote_addr, key, new_name. It contains no secret and no code. docs/audit.md lists the events.
///
/// The function is called on the thread that called libtfa, after the entry is committed and with no lock held. It cannot
/// change the answer of the call. It may call libtfa, fork and block; entries that it causes with the same handle are passed
/// to it too. It must not close the handle that is calling, nor unwind (longjmp, die, throw) across libtfa.
#[allow(non_camel_case_types)]
pub type tfa_audit_t = Option<unsafe extern "C" fn(context: *mut c_void, entry: *const c_char)>;

/// Passes every audit-trail entry that this handle writes to the host.
///
/// audit: called from every thread that calls libtfa with this handle, concurrently if they do, until the handle is
/// closed. context: passed to audit unchanged.
/// Returns 1, or 0 if an argument is NULL or the handle cannot be used.
///
/// # Safety
/// tfa is NULL or an open handle; audit is NULL or as described at tfa_audit_t, and may be called with context from any
/// thread until tfa_close.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_set_audit(tfa: *mut Tfa, audit: tfa_audit_t, context: *mut c_void) -> i32 {
    guarded(0, || {
        // SAFETY: the caller promises the handle.
        let tfa = unsafe { handle(tfa) };
        let (Ok(tfa), Some(function)) = (tfa, audit) else {
            return 0;
        };
        i32::from(tfa.set_audit(Box::new(HostSink { function, context })).is_ok())
    })
}

/// The host's function and what it wants to be given.
struct HostSink {
    function: unsafe extern "C" fn(*mut c_void, *const c_char),
    context: *mut c_void,
}

// SAFETY: the program that registered the callback promised that it may be called with its context from any thread.
unsafe impl Send for HostSink {}
// SAFETY: the same promise holds for several threads at once.
unsafe impl Sync for HostSink {}

impl Sink for HostSink {
    fn send(&self, entry: &str) {
        // JSON has no NUL.
        if let Ok(entry) = CString::new(entry) {
            // SAFETY: the string outlives the call; the rest was promised when the callback was registered.
            unsafe { (self.function)(self.context, entry.as_ptr()) };
        }
    }
}
