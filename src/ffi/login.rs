//! Login for a C program that wants no JSON.

use std::ffi::c_char;

use super::guard::{guarded_secret, handle, optional_text, text};
use super::wipe::Stack;
use crate::accounts::ROOT;
use crate::engine::Tfa;
use crate::engine::audit::Actor;
use crate::engine::login::Verdict;
use crate::engine::reason::Refusal;

/// tfa_login: the code was right, and is used up. Let in.
pub const TFA_VERIFIED: i32 = 1;
/// tfa_login: no second factor is asked of this subject. Let in on the password.
pub const TFA_NOT_REQUIRED: i32 = 2;
/// tfa_login: the code is wrong, was used before, or is missing. Keep out.
pub const TFA_DENIED: i32 = 0;
/// tfa_login: too many wrong codes; no code was looked at. Keep out.
pub const TFA_LOCKED: i32 = -1;
/// tfa_login: there is no answer: the subject does not exist, the store is away, an argument cannot be read. Keep out.
pub const TFA_UNANSWERED: i32 = -2;

/// The longest code that is looked at, in bytes.
const MAX_CODE: usize = 256;

/// Judges a login. More than 0 lets in, 0 and less keeps out.
///
/// subject: the account, mailbox or team user whose password was right.
/// code: what it typed, a one-time code or a recovery code; NULL to ask whether one is required (then the answer is
/// TFA_NOT_REQUIRED, TFA_DENIED, TFA_LOCKED or TFA_UNANSWERED, and nothing is counted).
/// A code that lets in is used up before this returns; a wrong one is counted before this returns.
///
/// # Safety
/// tfa is NULL or an open handle; subject and code are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_login(tfa: *mut Tfa, subject: *const c_char, code: *const c_char) -> i32 {
    guarded_secret(Stack::Call, TFA_UNANSWERED, || {
        // SAFETY: the caller promises handle and strings.
        let arguments =
            unsafe { handle(tfa).and_then(|tfa| Ok((tfa, text("subject", subject)?, optional_text("code", code)?))) };
        arguments.and_then(|(tfa, subject, code)| login(tfa, subject, code)).unwrap_or(TFA_UNANSWERED)
    })
}

/// The same in safe Rust.
fn login(tfa: &Tfa, subject: &str, code: Option<&str>) -> Result<i32, Refusal> {
    let found = tfa.directory()?.resolve(subject)?;
    let subject = found.ok_or_else(|| Refusal::NoSuchUser(subject.to_owned()))?;
    let code = match code {
        Some(code) if code.len() > MAX_CODE => return Err(Refusal::WrongCode),
        None | Some("") => return required(tfa, &subject),
        Some(code) => code,
    };
    Ok(match tfa.login(Actor::new(ROOT, "tfa_login"), &subject, code)? {
        Verdict::Verified(_) => TFA_VERIFIED,
        Verdict::NotRequired => TFA_NOT_REQUIRED,
        Verdict::Denied(Refusal::Locked(_) | Refusal::HardLocked, _) => TFA_LOCKED,
        Verdict::Denied(..) => TFA_DENIED,
    })
}

fn required(tfa: &Tfa, subject: &crate::accounts::Subject) -> Result<i32, Refusal> {
    let status = tfa.status(subject)?;
    Ok(match (status.required, status.lock.is_locked()) {
        (false, _) => TFA_NOT_REQUIRED,
        (true, true) => TFA_LOCKED,
        (true, false) => TFA_DENIED,
    })
}
