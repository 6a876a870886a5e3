//! The host's callbacks: an account lookup whose replies come from the input, and a receiver of audit entries.

use std::ffi::{CStr, c_char, c_void};
use std::ptr::null;

use tfa::ffi::directory::tfa_reply;

use crate::server::SECRET;

/// How many behaviours [`lookup`] has: each reply once, twice, with a result of 0 and with an undocumented result.
pub const WAYS: usize = 4 * REPLIES.len();
/// The replies of a lookup, by the number in its context. The first ones are valid.
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

/// Replies as the number in its context says, and returns 1, 0 or an undocumented number.
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

/// Receives audit entries. Each is JSON without the secret.
pub unsafe extern "C" fn audit(_context: *mut c_void, entry: *const c_char) {
    let value = super::read(entry);
    assert!(value["time"].is_string() && value["event"].is_string());
    assert!(!value.to_string().contains(SECRET));
}
