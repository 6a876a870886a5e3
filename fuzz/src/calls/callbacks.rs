//! The host's side: an account directory that replies what it likes, and an ear for the audit trail.

use std::ffi::{CStr, c_char, c_void};
use std::ptr::null;

use tfa::ffi::directory::tfa_reply;

use crate::server::SECRET;

/// How many ways [`lookup`] has to reply: each of these once, twice, with "no" and with an error.
pub const WAYS: usize = 4 * REPLIES.len();
/// What a lookup replies, by the number in its context; the first ones are as they should be.
const REPLIES: [Option<&CStr>; 8] = [
    Some(c"{\"owner\": \"reseller\", \"domain\": \"example.com\", \"team\": [\"team_user\"]}"),
    Some(c"\"example\""),
    Some(c"[\"example\", \"reseller\"]"),
    Some(c"{}"),
    Some(c"{\"owner\": 1}"),
    Some(c"no JSON"),
    Some(c"\xff"),
    None,
];

/// Replies what the number in its context says: once, twice or not at all, and returns 1, 0 or what is not documented.
pub unsafe extern "C" fn lookup(
    context: *mut c_void,
    question: *const c_char,
    name: *const c_char,
    reply: *mut c_void,
) -> i32 {
    let number = context as usize;
    // SAFETY: two strings, and the reply that this lookup was given.
    unsafe {
        assert!([c"account", c"domain", c"accounts"].contains(&CStr::from_ptr(question)));
        CStr::from_ptr(name).to_str().expect("a name is UTF-8");
        let text = REPLIES[number % REPLIES.len()];
        let done = tfa_reply(reply, text.map_or(null(), CStr::as_ptr));
        assert!(done == 0 || done == 1);
        if number / REPLIES.len() == 1 {
            tfa_reply(reply, c"{}".as_ptr());
        }
    }
    [1, 1, 0, -1][number / REPLIES.len()]
}

/// Hears of lines: JSON, and never the secret.
pub unsafe extern "C" fn audit(_context: *mut c_void, line: *const c_char) {
    let value = super::read(line);
    assert!(value["time"].is_string() && value["event"].is_string());
    assert!(!value.to_string().contains(SECRET));
}
