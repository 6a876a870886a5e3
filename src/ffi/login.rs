//! Login for C programs without JSON.

use std::ffi::c_char;

use super::guard::{guarded_secret, handle, optional_text, text};
use super::wipe::Stack;
use crate::accounts::{ROOT, Subject};
use crate::api::args;
use crate::api::codes::MAX_CODE;
use crate::api::refusal::Refusal;
use crate::engine::Tfa;
use crate::engine::audit::Actor;
use crate::engine::login::Verdict;
use crate::engine::refusal::Refusal as EngineRefusal;

/// tfa_login: the code is valid and is now used. Accept the login.
pub const TFA_VERIFIED: i32 = 1;
/// tfa_login: this subject needs no second factor. Accept the login on the password alone.
pub const TFA_NOT_REQUIRED: i32 = 2;
/// tfa_login: the code is invalid, was used before, or is missing. Deny the login.
pub const TFA_DENIED: i32 = 0;
/// tfa_login: too many codes were invalid; no code was examined. Deny the login.
pub const TFA_LOCKED: i32 = -1;
/// tfa_login: there is no answer: the subject does not exist, the store is not available, or an argument cannot be read.
/// Deny the login.
pub const TFA_UNANSWERED: i32 = -2;

/// Verifies a login code. A result above 0 accepts the login; 0 and below deny it.
///
/// subject: the account, mailbox or team user whose password is right.
/// code: the one-time code or recovery code that it entered. With NULL the function returns whether a code is required:
/// TFA_NOT_REQUIRED, TFA_DENIED, TFA_LOCKED or TFA_UNANSWERED, and counts nothing.
/// An accepted code is stored as used, and an invalid one is counted, before this function returns.
///
/// # Safety
/// tfa is NULL or an open handle; subject and code are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_login(tfa: *mut Tfa, subject: *const c_char, code: *const c_char) -> i32 {
    // SAFETY: the same promises; NULL is an address that is not given.
    unsafe { tfa_login_from(tfa, subject, code, std::ptr::null()) }
}

/// Verifies a login code as tfa_login does, and writes where the login comes from into the audit trail.
///
/// remote_addr: the client's IP address as text; NULL or "" if it is not known. Text that is no IP address is an error:
/// TFA_UNANSWERED.
///
/// # Safety
/// tfa is NULL or an open handle; subject, code and remote_addr are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_login_from(
    tfa: *mut Tfa,
    subject: *const c_char,
    code: *const c_char,
    remote_addr: *const c_char,
) -> i32 {
    guarded_secret(Stack::Call, TFA_UNANSWERED, || {
        let login = || {
            // SAFETY: the caller promises handle and strings.
            let (tfa, subject, code, address) = unsafe {
                let strings = (text("subject", subject)?, optional_text("code", code)?);
                (handle(tfa)?, strings.0, strings.1, optional_text("remote_addr", remote_addr)?)
            };
            login(tfa, subject, code, address.filter(|address| !address.is_empty()))
        };
        login().unwrap_or(TFA_UNANSWERED)
    })
}

/// The login in safe Rust.
fn login(tfa: &Tfa, subject: &str, code: Option<&str>, address: Option<&str>) -> Result<i32, Refusal> {
    let view = tfa.view()?;
    let found = tfa.subject(&view, subject, None)?;
    let subject = found.ok_or_else(|| Refusal::NoSuchUser(subject.to_owned()))?;
    tfa.refuse_stale(&view, &subject)?;
    let address = address.map(args::read_address).transpose()?.map(|address| address.to_string());
    let code = match code {
        Some(code) if code.len() > MAX_CODE => return Ok(TFA_DENIED),
        None | Some("") => return required(tfa, &subject),
        Some(code) => code,
    };
    let actor = Actor { remote_addr: address.as_deref(), ..Actor::new(ROOT, "tfa_login") };
    Ok(match tfa.login(actor, &subject, code)? {
        Verdict::Verified(_) => TFA_VERIFIED,
        Verdict::NotRequired => TFA_NOT_REQUIRED,
        Verdict::Denied(EngineRefusal::Locked(_) | EngineRefusal::HardLocked, _) => TFA_LOCKED,
        Verdict::Denied(..) => TFA_DENIED,
    })
}

fn required(tfa: &Tfa, subject: &Subject) -> Result<i32, Refusal> {
    let status = tfa.status(subject)?;
    Ok(match (status.required, status.lock.is_locked()) {
        (false, _) => TFA_NOT_REQUIRED,
        (true, true) => TFA_LOCKED,
        (true, false) => TFA_DENIED,
    })
}
