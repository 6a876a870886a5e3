//! One-time passwords without a handle. The rules and limits are those of `api::codes`.
//!
//! secret and length: the raw bytes of the shared secret, 1 to 1024. algorithm: TFA_SHA1, TFA_SHA256 or TFA_SHA512. digits:
//! 1 to 10 (10 are the whole truncated value of RFC 4226). period: seconds of a step, at least 1. time: Unix seconds.

use std::ffi::{CStr, c_char};

use serde_json::Value;

use super::guard::{guarded_secret, optional_text, plain};
use super::wipe::Stack;
use crate::api::args::Args;
use crate::api::codes;
use crate::api::refusal::Refusal;
use crate::otp::code::{self, Algorithm, CodeFormat};
use crate::otp::secret::{MAX_ANY_BYTES, Secret, decode_base32};
use crate::otp::shown;

/// HMAC-SHA-1, which every authenticator computes.
pub const TFA_SHA1: u32 = 1;
/// HMAC-SHA-256.
pub const TFA_SHA256: u32 = 256;
/// HMAC-SHA-512.
pub const TFA_SHA512: u32 = 512;

/// The longest Base32 text that is decoded, in bytes.
const MAX_BASE32: usize = 1 << 16;

/// Generates the code of RFC 4226 for a counter.
///
/// Returns the code as a number, to be shown with `digits` digits, or -1 if an argument is not valid.
///
/// # Safety
/// secret is NULL or points to length bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_generate_hotp(
    secret: *const u8,
    length: usize,
    algorithm: u32,
    digits: u32,
    counter: u64,
) -> i64 {
    guarded_secret(Stack::Call, -1, || {
        // SAFETY: the caller promises the bytes.
        let secret = unsafe { bytes(secret, length) };
        let (Some(secret), Some(format)) = (secret, format(algorithm, digits, 1)) else {
            return -1;
        };
        shown::decimal(format, secret, counter).parse().unwrap_or(-1)
    })
}

/// Generates the code of RFC 6238 for a time.
///
/// Returns the code as a number, to be shown with `digits` digits, or -1 if an argument is not valid.
///
/// # Safety
/// secret is NULL or points to length bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_generate_totp(
    secret: *const u8,
    length: usize,
    algorithm: u32,
    digits: u32,
    period: u32,
    time: u64,
) -> i64 {
    match time.checked_div(u64::from(period)) {
        // SAFETY: the same promise.
        Some(step) => unsafe { tfa_generate_hotp(secret, length, algorithm, digits, step) },
        None => -1,
    }
}

/// Verifies a code within `skew` steps (0 to 1000) either side of a time. Nothing is remembered: a caller that accepts the
/// code must store *step and refuse it and all earlier steps from then on, which tfa_login does.
///
/// code: `digits` decimal digits; leading zeros can be missing down to 3 digits, and white space is ignored.
/// step: NULL, or where the newest step that matches is written; unchanged unless the code is valid.
/// Returns 1 if the code is valid, 0 if it is invalid or NULL, -1 if another argument is not valid.
///
/// # Safety
/// secret is NULL or points to length bytes; code is NULL or a NUL-terminated string; step is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_verify_totp(
    secret: *const u8,
    length: usize,
    algorithm: u32,
    digits: u32,
    period: u32,
    skew: u32,
    time: u64,
    code: *const c_char,
    step: *mut u64,
) -> i32 {
    guarded_secret(stack(algorithm), -1, || {
        // SAFETY: the caller promises bytes and string.
        let (secret, code) = unsafe { (bytes(secret, length), read_code(code, digits)) };
        let (Some(secret), Some(format)) = (secret, format(algorithm, digits, period)) else {
            return -1;
        };
        if !codes::SKEWS.contains(&skew) {
            return -1;
        }
        let window = format.window(time, skew);
        let Some(matched) = code.and_then(|code| format.newest_match(secret, window, code)) else {
            return 0;
        };
        if !step.is_null() {
            // SAFETY: it is not NULL, and the caller promises that it is writable.
            unsafe { step.write(matched) };
        }
        1
    })
}

/// Verifies a code for a secret in Base32 with SHA-1, 6 digits and 30 seconds, within one step either side of a time: the
/// equivalent of tfa_decode_base32 and tfa_verify_totp in one call.
///
/// secret: Base32, as for tfa_decode_base32. code: as for tfa_verify_totp, which says what the caller must remember.
/// Returns 1 if the code is valid, 0 if it is invalid or NULL, -1 if the secret is NULL, not Base32, or not of 1 to 1024
/// bytes.
///
/// # Safety
/// secret and code are NULL or NUL-terminated strings.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_verify_totp_base32(secret: *const c_char, code: *const c_char, time: u64) -> i32 {
    guarded_secret(Stack::Sha1, -1, || {
        let usual = CodeFormat::default();
        // SAFETY: the caller promises the strings.
        let (secret, code) = unsafe { (optional_text("secret", secret), read_code(code, usual.digits)) };
        let secret = secret.ok().flatten().and_then(|text| Secret::from_any_base32(text).ok());
        let Some(secret) = secret else {
            return -1;
        };
        let window = usual.window(time, 1);
        let matched = code.and_then(|code| usual.newest_match(secret.bytes(), window, code));
        i32::from(matched.is_some())
    })
}

/// Decodes Base32 (RFC 4648 section 6) of up to 65536 characters. Case, white space, dashes and trailing padding are
/// ignored.
///
/// bytes and size: where the bytes are written, and the room there; unchanged on failure. NULL and 0 return the length
/// alone.
/// Returns the number of bytes, or -1 if the text is not Base32 or the room is too small.
///
/// # Safety
/// text is NULL or a NUL-terminated string; bytes is NULL or has room for size bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_decode_base32(text: *const c_char, bytes: *mut u8, size: usize) -> i64 {
    guarded_secret(Stack::Sha1, -1, || {
        // SAFETY: the caller promises the string.
        let text = unsafe { optional_text("text", text) }.ok().flatten();
        let decoded = text.filter(|text| text.len() <= MAX_BASE32).and_then(|text| decode_base32(text).ok());
        let Some(decoded) = decoded else {
            return -1;
        };
        if !bytes.is_null() {
            if decoded.len() > size {
                return -1;
            }
            // SAFETY: the caller promises room for size bytes, which is enough.
            unsafe { bytes.copy_from_nonoverlapping(decoded.as_ptr(), decoded.len()) };
        }
        decoded.len().try_into().unwrap_or(-1)
    })
}

/// Generates a code: args {"secret": Base32, or "secret_hex": hexadecimal, "type": "totp" (the default), "hotp" or "steam",
/// "algorithm": "SHA1", "SHA256" or "SHA512", "digits": 1 to 10, "period": seconds, "time": Unix seconds (the present by
/// default), or "counter" for HOTP}. A secret has 1 to 1024 bytes.
/// Returns {"code": "012345"} or {"error", "reason_code"}, to be freed with tfa_free.
///
/// # Safety
/// args is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_code(args: *const c_char) -> *mut c_char {
    // SAFETY: the same promise.
    unsafe { call(args, codes::code) }
}

/// Verifies a code without a store: args as for tfa_code, "code", and "skew": steps either side, or counters ahead for
/// HOTP, 0 to 1000. Nothing is remembered: a caller that accepts the code must store the step and refuse it and all
/// earlier steps from then on, which tfa_login does.
/// Returns {"is_valid": 0 or 1, "step": the newest step or counter that matches, or null} or {"error", "reason_code"}, to be
/// freed with tfa_free.
///
/// # Safety
/// args is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_verify_code(args: *const c_char) -> *mut c_char {
    // SAFETY: the same promise.
    unsafe { call(args, codes::verify_code) }
}

/// Generates a secret: args {"length": Base32 characters, 16 to 128, a multiple of 8} or NULL for 32.
/// Returns {"secret"} or {"error", "reason_code"}, to be freed with tfa_free.
///
/// # Safety
/// args is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_generate_secret(args: *const c_char) -> *mut c_char {
    // SAFETY: the same promise.
    unsafe { call(args, codes::generate_secret) }
}

/// Builds the URI that an authenticator scans: args {"secret" or "secret_hex", "account": at most 254 bytes, "issuer": at
/// most 128 characters, "algorithm", "digits", "period", or "counter" for HOTP}; secret and account are required.
/// Returns {"otpauth_str"} or {"error", "reason_code"}, to be freed with tfa_free.
///
/// # Safety
/// args is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_build_otpauth(args: *const c_char) -> *mut c_char {
    // SAFETY: the same promise.
    unsafe { call(args, codes::build_otpauth) }
}

/// Parses such a URI: args {"otpauth_str"}.
/// Returns {"type": "totp" or "hotp", "secret", "account", "issuer", "algorithm", "digits", "period", and "counter" for
/// HOTP} or {"error", "reason_code"}, to be freed with tfa_free.
///
/// # Safety
/// args is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_parse_otpauth(args: *const c_char) -> *mut c_char {
    // SAFETY: the same promise.
    unsafe { call(args, codes::parse_otpauth) }
}

/// Draws a QR code: args {"text", "format": "svg" (the default), "png" or "terminal"}.
/// Returns {"content_type", "qr": a PNG in Base64, or text} or {"error", "reason_code"}, to be freed with tfa_free.
///
/// # Safety
/// args is NULL or a NUL-terminated string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tfa_draw_qr(args: *const c_char) -> *mut c_char {
    // SAFETY: the same promise.
    unsafe { call(args, codes::draw_qr) }
}

/// What each function above does: reads the parameters and calls `function`.
///
/// # Safety
/// args is NULL or a NUL-terminated string.
unsafe fn call(args: *const c_char, function: fn(&Args) -> Result<Value, Refusal>) -> *mut c_char {
    plain(|| {
        // SAFETY: the caller promises the string.
        let text = unsafe { optional_text("args", args) }?;
        function(&Args::parse(text)?)
    })
}

/// The part of the stack that verification uses.
fn stack(algorithm: u32) -> Stack {
    if algorithm == TFA_SHA1 { Stack::Sha1 } else { Stack::Arithmetic }
}

/// The bytes of a secret, if their number is within the limits: every reader can compute the codes of an empty one.
///
/// # Safety
/// secret is NULL or points to length bytes.
unsafe fn bytes<'a>(secret: *const u8, length: usize) -> Option<&'a [u8]> {
    // SAFETY: it is used when it is not NULL, and the caller promises length bytes.
    (!secret.is_null() && (1..=MAX_ANY_BYTES).contains(&length))
        .then(|| unsafe { std::slice::from_raw_parts(secret, length) })
}

/// The code as a number, if it is one. Its bytes are read once, so they need not be UTF-8.
///
/// # Safety
/// code is NULL or a NUL-terminated string.
unsafe fn read_code(code: *const c_char, digits: u32) -> Option<u64> {
    // SAFETY: it is used when it is not NULL, and the caller promises the NUL.
    let code = (!code.is_null()).then(|| unsafe { CStr::from_ptr(code) }.to_bytes());
    code.filter(|code| code.len() <= codes::MAX_CODE).and_then(|code| code::parse(code, digits))
}

/// The format of a code, if the arguments are valid.
fn format(algorithm: u32, digits: u32, period: u32) -> Option<CodeFormat> {
    let algorithm = match algorithm {
        TFA_SHA1 => Algorithm::Sha1,
        TFA_SHA256 => Algorithm::Sha256,
        TFA_SHA512 => Algorithm::Sha512,
        _ => return None,
    };
    codes::checked(CodeFormat { algorithm, digits, period })
}
